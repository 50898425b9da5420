import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type { ProcessState } from '../../domain/process.js';
import { parseProcessId } from '../../domain/wire.js';
import { following, patienceOf, type FollowOptions } from '../change.js';
import { CliError } from '../errors.js';
import { followProcess, type Followed } from '../follow.js';
import { newRequestId, operationOf, processOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { stagesView } from '../live.js';
import { afterInVain, endDocument, inVain, tellEnd } from '../outcome.js';
import { personOf } from '../person.js';
import { verb, type Runtime, type Session } from '../session.js';

interface CancelOptions extends FollowOptions {
  readonly as?: string;
  readonly reason: string;
}

export function addCancel(program: Command, runtime: Runtime): void {
  const command = program
    .command('cancel <name>')
    .description('stop the running process and take back what it did; past its point of no return it goes on')
    .requiredOption('--reason <text>', 'why; kept in the history')
    .option('--as <person>', "who says so (default: git's user.email, or the system's user)")
    .addHelpText(
      'after',
      '\n<name> is an identity, or a process such as nhi/payments-db/rotate/3.\n' +
        '\nExamples:\n  tenure cancel payments-db --reason "wrong scope"\n  tenure cancel nhi/payments-db/rotate/3 --reason "wrong scope"',
    );
  verb<CancelOptions>(runtime, following(command), (session, options, [typed]) => cancel(session, typed!, options));
}

async function cancel(session: Session, typed: string, options: CancelOptions): Promise<number> {
  const { out, services } = session;
  const client = await services.client();
  const operation = await operationOf(client, typed);
  const { name } = parseProcessId(operation)!;
  await demandRunning(client, operation);
  const state = await processOf(client, operation);
  if (state) refuseLate(state);
  const by = personOf(session.io, options.as);
  await request(client, await services.namespace(), operation, `${options.reason} (asked by ${by})`);
  out.say(`${by} cancelled ${operation}: what it did is taken back, unless it passes its point of no return before`);
  if (!options.wait) {
    out.answer({ identity: name, operation, cancelled: true });
    return exitCodes.success;
  }
  // One that was parked may still be seen so for a moment.
  const patience = patienceOf(session, { ...options, ...(state?.parked && { answeredPark: state.parked.since }) });
  const followed = await followProcess(client, operation, stagesView(out), patience);
  out.answer(endDocument(name, followed));
  return tellCancelled(session, name, followed);
}

/** The server takes a cancel of what has ended for granted, so it is looked at before. */
async function demandRunning(client: Client, operation: string): Promise<void> {
  const { status } = await client.workflow.getHandle(operation).describe();
  if (status.name === 'RUNNING') return;
  throw new CliError('NotFound', `${operation} does not run any more`, [`tenure history ${operation}`]);
}

/** Where a cancel changes nothing any more, saying so is better than sending it. */
function refuseLate({ operation, identity, forwardOnly, failure, parked }: ProcessState): void {
  const next = parked?.commands ?? [`tenure show ${identity}`];
  if (forwardOnly) {
    const why = `${operation} is past its point of no return: nothing is taken back any more, and it goes on to its end`;
    throw new CliError('Conflict', why, next);
  }
  if (failure) throw new CliError('Conflict', `${operation} has failed and is being taken back already`, next);
}

/** The client of the SDK has no place for a reason; the server keeps one with the request. */
async function request(client: Client, namespace: string, operation: string, reason: string): Promise<void> {
  await client.workflowService.requestCancelWorkflowExecution({
    namespace,
    workflowExecution: { workflowId: operation },
    identity: client.options.identity,
    requestId: newRequestId(),
    reason,
  });
}

function tellCancelled({ out }: Session, name: string, followed: Followed): number {
  if (followed.how === 'stopped' && followed.cancelled) {
    const isInVain = followed.state?.emergency === true;
    out.say(
      `${out.paint.green(`${name}: ${followed.operation} was cancelled`)}: ${isInVain ? `it changed nothing; ${inVain}` : 'everything is as before'}`,
    );
    if (isInVain) for (const command of afterInVain(name)) out.note(`  next: ${out.paint.bold(command)}`);
    return exitCodes.success;
  }
  const exitCode = tellEnd(out, name, followed);
  if (followed.how !== 'ended' || followed.result.outcome !== 'succeeded') return exitCode;
  out.note(`${name}: the cancel came too late, and the process went on to its end`);
  return exitCodes.failure;
}
