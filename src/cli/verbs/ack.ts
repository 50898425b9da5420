import type { Command } from 'commander';
import { consumerName } from '../../domain/plan-words.js';
import { processMessages, type ConsumerAcknowledgement } from '../../domain/wire.js';
import { CliError } from '../errors.js';
import { nameOf, newRequestId, operationOf, processOf } from '../identities.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';

interface AckOptions extends CommonOptions, SigningOptions {
  readonly credential?: string;
}

export function addAck(program: Command, runtime: Runtime): void {
  const command = program
    .command('ack <name> <consumer>')
    .description('say that a consumer has taken the new credential')
    .option('--credential <version>', 'the version that it took (default: the one that the running process hands over)')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure ack payments-db payments-api\n  tenure ack payments-db payments-api --credential nhi/payments-db/rotate/3',
    );
  verb<AckOptions>(runtime, signing(command, 'who says so'), async (session, options, [typed, consumer]) => {
    const client = await session.services.client();
    const operation = await operationOf(client, typed!);
    const name = nameOf(typed!);
    // What the process was started with: a consumer may be new in this very rotation, which the identity only learns at its end.
    const consumers = (await processOf(client, operation))?.plan?.consumers.map(consumerName);
    if (consumers && !consumers.includes(consumer!)) {
      const known = consumers.join(', ') || 'none';
      throw new CliError('NotFound', `${operation} tells no consumer ${consumer}; it tells: ${known}`, [
        `tenure show ${name}`,
      ]);
    }
    // A credential's version is the operation that made it, so a process hands over the version named like itself.
    const signer = await signerOf(session, options);
    const said: ConsumerAcknowledgement = {
      consumer: consumer!,
      by: signer.name,
      version: options.credential ?? operation,
    };
    const { wordSigned } = await import('../../trust/statements.js');
    const signed = await wordSigned(said, { verb: 'acknowledge', subject: operation, id: newRequestId() }, signer);
    await client.workflow.getHandle(operation).signal(processMessages.acknowledge, signed);
    session.out.say(`${said.by} confirmed that ${consumer} took ${said.version}`);
    session.out.answer({ identity: name, operation, acknowledged: said });
  });
}
