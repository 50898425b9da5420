import type { Command } from 'commander';
import { parseProcessId, processMessages, type Abandon, type Resume } from '../../domain/wire.js';
import { followOperation, following, type FollowOptions } from '../change.js';
import { CliError, noWorker } from '../errors.js';
import { newRequestId, operationOf, processOf } from '../identities.js';
import { verb, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';

interface ResumeOptions extends FollowOptions, SigningOptions {
  readonly note?: string;
  readonly goOn?: boolean;
}

interface AbandonOptions extends FollowOptions, SigningOptions {
  readonly reason: string;
}

export function addResume(program: Command, runtime: Runtime): void {
  const command = program
    .command('resume <name>')
    .description('let a parked process try again')
    .option('--go-on', 'leave out what it waits for (an open session, a consumer) instead of trying again')
    .option('--note <text>', 'what was done about it; kept in the record')
    .addHelpText(
      'after',
      '\nExamples:\n  tenure list --parked\n  tenure resume payments-db --note "disk has room again"',
    );
  verb<ResumeOptions>(runtime, signing(following(command), 'who says so'), (session, options, [typed]) => {
    const said: Said<Resume> = {
      how: options.goOn ? 'go-on' : 'again',
      ...(options.note !== undefined && { note: options.note }),
    };
    return tell(session, typed!, 'resume', said, options);
  });
}

export function addAbandon(program: Command, runtime: Runtime): void {
  const command = program
    .command('abandon <name>')
    .description('give up a parked process: it undoes what it can and lists what it leaves')
    .requiredOption('--reason <text>', 'why; kept in the record')
    .addHelpText('after', '\nExamples:\n  tenure abandon payments-db --reason "the server is gone for good"');
  verb<AbandonOptions>(runtime, signing(following(command), 'who says so'), (session, options, [typed]) =>
    tell(session, typed!, 'abandon', { reason: options.reason }, options),
  );
}

/** What a person says themselves; who, to which park, and the signature are added. */
type Said<W extends Resume | Abandon> = Omit<W, 'by' | 'since' | 'signed'>;

async function tell(
  session: Session,
  typed: string,
  verb: 'resume' | 'abandon',
  said: Said<Resume> | Said<Abandon>,
  options: FollowOptions & SigningOptions,
): Promise<number> {
  const client = await session.services.client();
  const operation = await operationOf(client, typed);
  const state = await processOf(client, operation);
  if (!state) throw noWorker(`${operation} did not answer`);
  if (!state.parked) {
    throw new CliError('NotFound', `${operation} is not parked`, [
      `tenure show ${state.identity}`,
      'tenure list --parked',
    ]);
  }
  const { since } = state.parked;
  const signer = await signerOf(session, options);
  const word = { by: signer.name, since, ...said };
  const { wordSigned } = await import('../../trust/statements.js');
  const signed = await wordSigned(word, { verb, subject: operation, id: newRequestId() }, signer);
  await client.workflow.getHandle(operation).signal(processMessages[verb], signed);
  const { name } = parseProcessId(operation)!;
  session.out.say(`${name}: told ${operation} to ${verb === 'abandon' ? 'give up' : 'go on'}`);
  return followOperation(session, name, operation, { ...options, answeredPark: since });
}
