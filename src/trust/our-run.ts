/** Which run it is that asks to be permitted, as Temporal itself knows it: nothing that its workflow could claim. */
import type { Client } from '@temporalio/client';
import { TenureError } from '../domain/errors.js';
import type { ProcessInput } from '../domain/process.js';
import { emergencyTaskQueue, parseProcessId, taskQueue } from '../domain/wire.js';

/** A run of a workflow. */
export interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

/** What Temporal says of one: its type, and the queue on which its workflow code is run. */
export type LookAtRun = (run: Run) => Promise<{ readonly type: string; readonly taskQueue: string }>;

/** Asks Temporal. Throws retryably where it does not answer. */
export function lookingAtRuns(client: Client): LookAtRun {
  return async ({ workflowId, runId }) => {
    const look = (): ReturnType<ReturnType<Client['workflow']['getHandle']>['describe']> =>
      client.workflow.getHandle(workflowId, runId).describe();
    try {
      const { type, taskQueue: queue } = await client.withDeadline(Date.now() + lookMs, look);
      return { type, taskQueue: queue };
    } catch {
      throw new TenureError('StoreUnavailable', `Temporal does not tell what run ${runId} of ${workflowId} is`);
    }
  };
}

const lookMs = 5_000;

/**
 * A process asks for itself, as a workflow of its own type whose code the workers of Tenure run. It stops nobody who can also run a worker
 * on that queue; what binds those is the permit. Throws `ApprovalRefused`.
 */
export async function demandOurRun(
  { kind, operation, identity }: ProcessInput,
  run: Run,
  look: LookAtRun,
): Promise<void> {
  const no = (why: string): never => {
    throw new TenureError('ApprovalRefused', `run ${run.runId} of ${run.workflowId} ${why}; nothing was touched`);
  };
  const named = parseProcessId(operation);
  if (operation !== run.workflowId) no(`asks for ${operation}, which is another process`);
  if (named?.kind !== kind || named.name !== identity) no(`asks for a ${kind} of ${identity}, and is not named so`);
  const { type, taskQueue: queue } = await look(run);
  if (type !== kind) no(`is a workflow of type ${type}, and asks for a ${kind}`);
  if (queue !== taskQueue && queue !== emergencyTaskQueue) no(`is run on the queue ${queue}, which is not Tenure's`);
}
