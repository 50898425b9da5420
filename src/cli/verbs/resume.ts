import type { Command } from 'commander';
import { parseProcessId, processMessages, type Abandon, type Resume } from '../../domain/wire.js';
import { followOperation, following, type FollowOptions } from '../change.js';
import { CliError } from '../errors.js';
import { operationOf, processOf } from '../identities.js';
import { personOf } from '../person.js';
import { verb, type Runtime, type Session } from '../session.js';

interface ResumeOptions extends FollowOptions {
  readonly as?: string;
  readonly note?: string;
  readonly goOn?: boolean;
}

interface AbandonOptions extends FollowOptions {
  readonly as?: string;
  readonly reason: string;
}

export function addResume(program: Command, runtime: Runtime): void {
  const command = program
    .command('resume <name>')
    .description('let a parked process try again')
    .option('--go-on', 'leave out what it waits for (an open session, a consumer) instead of trying again')
    .option('--note <text>', 'what was done about it; kept in the record')
    .option('--as <person>', "who says so (default: git's user.email, or the system's user)")
    .addHelpText(
      'after',
      '\nExamples:\n  tenure list --parked\n  tenure resume payments-db --note "disk has room again"',
    );
  verb<ResumeOptions>(runtime, following(command), (session, options, [typed]) => {
    const said: Resume = {
      by: personOf(session.io, options.as),
      how: options.goOn ? 'go-on' : 'again',
      ...(options.note !== undefined && { note: options.note }),
    };
    return tell(session, typed!, processMessages.resume, said, options);
  });
}

export function addAbandon(program: Command, runtime: Runtime): void {
  const command = program
    .command('abandon <name>')
    .description('give up a parked process: it undoes what it can and lists what it leaves')
    .requiredOption('--reason <text>', 'why; kept in the record')
    .option('--as <person>', "who says so (default: git's user.email, or the system's user)")
    .addHelpText('after', '\nExamples:\n  tenure abandon payments-db --reason "the server is gone for good"');
  verb<AbandonOptions>(runtime, following(command), (session, options, [typed]) => {
    const said: Abandon = { by: personOf(session.io, options.as), reason: options.reason };
    return tell(session, typed!, processMessages.abandon, said, options);
  });
}

async function tell(
  session: Session,
  typed: string,
  signal: string,
  said: Resume | Abandon,
  options: FollowOptions,
): Promise<number> {
  const client = await session.services.client();
  const operation = await operationOf(client, typed);
  const state = await processOf(client, operation);
  if (state && !state.parked) {
    throw new CliError('NotFound', `${operation} is not parked`, [
      `tenure show ${state.identity}`,
      'tenure list --parked',
    ]);
  }
  await client.workflow.getHandle(operation).signal(signal, said);
  const { name } = parseProcessId(operation)!;
  session.out.say(`${name}: told ${operation} to ${signal === processMessages.abandon ? 'give up' : 'go on'}`);
  return followOperation(session, name, operation, {
    ...options,
    ...(state?.parked && { answeredPark: state.parked.since }),
  });
}
