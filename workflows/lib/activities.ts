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

/** Short, idempotent, in-process work: one marker in the history instead of three events and a task. */
export const { authorize, clearance, nextRotation, due } = proxyLocalActivities<PolicyActivities>(local);
/** The same for the last word of a process; tried elsewhere when it does not work out soon. */
export const { seal: sealHere } = proxyLocalActivities<Pick<RecordActivities, 'seal'>>({
  ...local,
  scheduleToCloseTimeout: 3_000,
});
/** The same for the fence that earlier lives of an identity have left. */
export const { lastEpoch } = proxyLocalActivities<Pick<CredentialActivities, 'lastEpoch'>>(local);
/** The same for the candidate; see `candidate.ts` for what follows when it does not work out soon. */
export const { stage: stageHere } = proxyLocalActivities<Pick<CredentialActivities, 'stage'>>({
  ...local,
  scheduleToCloseTimeout: 3_000,
});
