/**
 * The activities as workflows call them. Two manners, both explicit about cancellation, since the SDK's default
 * (`TRY_CANCEL`) would let an undo begin while the step that it undoes is still writing.
 *
 * - careful: before the point of no return. Retried for as long as the process is patient, then the process unwinds.
 * - stubborn: undoing, and everything past the point of no return. Retried until it is done.
 */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
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
  ReviewActivities,
  TrustActivities,
} from '../../activities/contract.js';
import type { ExceptionActivities } from '../../src/domain/exception.js';
import type { RoutineReviewActivities } from '../../src/domain/routine-review.js';
import { defaultTiming, type Timing } from '../../src/domain/process.js';
import { emergencyTaskQueue, taskQueue } from '../../src/domain/wire.js';

/** Everything that the worker offers. */
export type Activities = CredentialActivities &
  PolicyActivities &
  ConsumerActivities &
  RecordActivities &
  TrustActivities &
  ExceptionActivities &
  RoutineReviewActivities &
  ReviewActivities &
  FleetActivities;

/** How an activity is called: see the two manners above. */
export type Manner = 'careful' | 'stubborn';

/**
 * Gives the caller of remote activities for one process. The summary is what the Temporal UI shows beside the event; `lastsMs` is how
 * much longer than usual one attempt may take.
 */
export function callerFor(
  isEmergency: boolean,
  timing: Timing = defaultTiming,
): (manner: Manner, summary: string, lastsMs?: number) => Activities {
  const queue = isEmergency ? emergencyTaskQueue : taskQueue;
  return (manner, summary, lastsMs = 0) =>
    proxyActivities<Activities>({
      ...common({ ...timing, attemptMs: timing.attemptMs + lastsMs }),
      ...(manner === 'careful' && { scheduleToCloseTimeout: timing.patienceMs + lastsMs }),
      taskQueue: queue,
      summary,
    });
}

/**
 * For waiting on another workflow, however long that takes: each look is a short attempt that is retried until there is an answer,
 * so that no slot of the worker is held meanwhile (`docs/adr/0004`). A look changes nothing, so a cancel need not wait for it.
 */
export function waiterFor(summary: string): Pick<FleetActivities, 'rotateOne' | 'awaitProcess'> {
  const { retryMs: initialInterval, longestRetryMs: maximumInterval, attemptMs } = defaultTiming;
  return proxyActivities<FleetActivities>({
    startToCloseTimeout: attemptMs,
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    retry: { initialInterval, backoffCoefficient: 2, maximumInterval },
    taskQueue,
    summary,
  });
}

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

/**
 * One attempt, in-process: one marker in the history instead of three events and a task. It runs inside a workflow task, in which the
 * workflow hears nothing, neither a cancel nor an emergency, so it is never retried there; see {@link hereFirst}.
 */
const local: LocalActivityOptions = {
  // Reads a file or computes: if it takes longer than this, something is wrong with the worker's machine.
  startToCloseTimeout: 3_000,
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { maximumAttempts: 1 },
};

/** Short, idempotent, in-process work. The summary is what the Temporal UI shows beside the marker. */
export function here(summary: string): Activities {
  const activities = proxyLocalActivities<Activities>({ ...local, summary });
  return new Proxy(activities, {
    get: (_, name: keyof Activities) => {
      const call = activities[name] as (...args: readonly unknown[]) => Promise<unknown>;
      return (...args: readonly unknown[]) => inTurn(() => call(...args));
    },
  });
}

let last: Promise<unknown> = Promise.resolve();

/**
 * One at a time in a workflow. A replay has the results of local activities at hand and gives them in the order in which they were
 * scheduled; where two were under way at once, a run may have gone on in another order, and its history could not be replayed.
 */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work, work);
  last = turn;
  return turn;
}

/** In-process, and where that does not work out at once as a remote activity, which is retried and which an operator sees waiting. */
export async function hereFirst<T>(
  summary: string,
  work: (activities: Activities) => Promise<T>,
  remote: (summary: string) => Activities,
): Promise<T> {
  try {
    return await work(here(summary));
  } catch (error) {
    if (CancellationScope.current().consideredCancelled || isFinal(error)) throw error;
    return work(remote(summary));
  }
}

/** A local activity fails with what it threw, not with an `ActivityFailure` around it. */
function isFinal(error: unknown): boolean {
  const thrown = error instanceof ActivityFailure ? error.cause : error;
  return thrown instanceof ApplicationFailure && thrown.nonRetryable === true;
}
