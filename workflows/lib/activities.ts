/**
 * The activities as workflows call them. Two manners, both explicit about cancellation, since the SDK's default
 * (`TRY_CANCEL`) would let an undo begin while the step that it undoes is still writing.
 *
 * - careful: before the point of no return. Retried for as long as the process is patient, then the process unwinds.
 * - stubborn: undoing, and everything past the point of no return. Retried until it is done.
 */
import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import type {
  ConsumerActivities,
  CredentialActivities,
  FleetActivities,
  PolicyActivities,
  RecordActivities,
} from '../../activities/contract.js';
import { defaultTiming, type ProcessInput, type Timing } from '../../src/domain/process.js';
import { emergencyTaskQueue, taskQueue } from '../../src/domain/wire.js';

type Activities = CredentialActivities & ConsumerActivities & RecordActivities & FleetActivities;

/** How an activity is called: see the two manners above. */
export type Manner = 'careful' | 'stubborn';

/** Gives the caller of remote activities for one process. The summary is what the Temporal UI shows beside the event. */
export function callerFor(
  input: Pick<ProcessInput, 'request' | 'timing'>,
): (manner: Manner, summary: string) => Activities {
  const timing = input.timing ?? defaultTiming;
  const options: Record<Manner, ActivityOptions> = {
    careful: { ...common(timing), scheduleToCloseTimeout: timing.patienceMs },
    stubborn: common(timing),
  };
  const queue = input.request.emergency ? emergencyTaskQueue : taskQueue;
  return (manner, summary) => proxyActivities<Activities>({ ...options[manner], taskQueue: queue, summary });
}

/** For an activity that waits for another workflow, however long that takes; its heartbeat tells that the worker lives. */
export function waiterFor(summary: string): FleetActivities {
  return proxyActivities<FleetActivities>({
    ...common(defaultTiming),
    startToCloseTimeout: longestWaitMs,
    taskQueue,
    summary,
  });
}

/** One attempt of waiting; the next attempt goes on with it. */
const longestWaitMs = 24 * 60 * 60_000;

function common(timing: Timing): ActivityOptions {
  return {
    // One attempt: long enough for a slow target, short enough that a hung one is noticed and tried again.
    startToCloseTimeout: timing.attemptMs,
    // Every activity heartbeats by itself, so this is how soon a killed worker is noticed, and how soon a cancel arrives.
    heartbeatTimeout: timing.heartbeatMs,
    // An undo may begin only when the step has really ended. An emergency does not wait for this: it fences instead.
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // Unlimited attempts; codes that cannot get better are thrown as non-retryable by the activity itself.
    retry: { initialInterval: timing.retryMs, backoffCoefficient: 2, maximumInterval: timing.longestRetryMs },
  };
}

const local: LocalActivityOptions = {
  // Reads a file or computes: if it takes longer than this, something is wrong with the worker's machine.
  startToCloseTimeout: 10_000,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: 100, backoffCoefficient: 2, maximumInterval: 5_000 },
};

/**
 * Short, idempotent, in-process work: one marker in the history instead of three events and a task. The summary is what the
 * Temporal UI shows beside it.
 */
function inProcess<Activities>(summary: string, limit?: Pick<LocalActivityOptions, 'scheduleToCloseTimeout'>) {
  return proxyLocalActivities<Activities>({ ...local, ...limit, summary });
}

/** For what is tried elsewhere when it does not work out soon. */
const soon = { scheduleToCloseTimeout: 3_000 };

export const { authorize } = inProcess<PolicyActivities>('Ask policy about the plan');
export const { clearance } = inProcess<PolicyActivities>('Look for a freeze');
export const { due } = inProcess<PolicyActivities>('Ask again whether it is due');
export const { nextRotation } = inProcess<PolicyActivities>('Work out when it is due next');
/** The fence that earlier lives of an identity have left. */
export const { lastEpoch } = inProcess<CredentialActivities>('Look for earlier lives of this identity');
/** The candidate; `candidate.ts` has what follows when the store does not answer soon. */
export const { stage: stageHere } = inProcess<CredentialActivities>('Keep a new candidate in the store', soon);
/** The last word of a process. */
export const { seal: sealHere } = inProcess<RecordActivities>('Seal the evidence record', soon);
