/** The Temporal Schedule of the routine review. */
import { ScheduleAlreadyRunning, ScheduleOverlapPolicy, type Client, type ScheduleOptions } from '@temporalio/client';
import { routineReviewWorkflow } from '../domain/routine-review.js';
import { taskQueue } from '../domain/wire.js';

export const reviewScheduleId = 'review/routine';

/** Makes the schedule, or brings its times up to date. A paused one stays paused. Safe to repeat. */
export async function ensureReviewSchedule(client: Client, everyMs: number): Promise<void> {
  const options = optionsOf(everyMs);
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(reviewScheduleId).update(({ state }) => ({ ...options, state }));
  }
}

function optionsOf(everyMs: number) {
  return {
    scheduleId: reviewScheduleId,
    spec: { intervals: [{ every: everyMs }] },
    action: {
      type: 'startWorkflow',
      workflowType: routineReviewWorkflow,
      workflowId: reviewScheduleId,
      args: [],
      taskQueue,
      staticSummary: 'Look at the routine: approvals, unused rights, owners, exceptions',
    },
    // After an outage one look is enough.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: 3_600_000 },
    state: { note: 'the routine review; see: tenure review' },
  } satisfies ScheduleOptions;
}
