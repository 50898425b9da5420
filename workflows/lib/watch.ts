/** Watching an elevation from outside: whether it has ended, and whether the rights are back. */
import { ActivityFailure, ApplicationFailure, condition, sleep } from '@temporalio/workflow';
import type { ReviewStart } from '../../src/domain/elevation-review.js';
import type { ProcessResult } from '../../src/domain/process.js';
import { callerFor, waiterFor } from './activities.js';
import { until } from './clock.js';
import { failureOf } from './failure.js';
import type { Reviewing } from './reviewing.js';

/** How long after their time the rights may still be on the way back before the guard looks itself. */
const slackMs = 2 * 60_000;
/** How often operators hear that they are not back. */
const alertEveryMs = 60 * 60_000;
const firstAlertMs = 60_000;

/** What is known of an elevation that has ended; `result` is absent where it was ended by hand. */
export interface Ended {
  readonly result?: ProcessResult;
}

/** Waits for the end, and has lent rights taken back that are overdue, or whose process is gone. */
export async function awaitEnd(start: ReviewStart, takeBack: (why: string) => Promise<void>): Promise<Ended> {
  const { operation, run } = start;
  let ended: Ended | undefined;
  const waiting = waiterFor(`Wait for ${operation}`)
    .awaitProcess(operation, run)
    .then((result) => ({ result }), resultIn)
    .then((found) => (ended = found));
  const deadline = new Date(Date.parse(start.until) + slackMs).toISOString();
  await until(() => ended !== undefined, deadline, 'until lent rights are overdue');
  if (ended === undefined && !(await isRestored(start))) await takeBack('their time is over');
  const { result } = await waiting;
  if (!isProven(result)) await takeBack('the process that lent them has ended without taking them back');
  return result ? { result } : {};
}

/** Takes rights back, however long that needs; operators hear of it from the first minute on. */
export async function takeBackOverdue(reviewing: Reviewing, why: string): Promise<void> {
  const { back, identity, timing } = reviewing.start;
  for (;;) {
    let outcome: { readonly changed?: readonly string[]; readonly error?: unknown } | undefined;
    void callerFor(false, timing)('stubborn', 'Take lent rights back that are overdue')
      .restore(back)
      .then(
        ({ changed }) => (outcome = { changed }),
        (error: unknown) => (outcome = { error }),
      );
    for (let waitMs = firstAlertMs; !(await condition(() => outcome !== undefined, waitMs)); waitMs = alertEveryMs)
      await reviewing.alert(`rights lent to ${identity} have outlived their time and could not be taken back yet`);
    const { changed = [], error } = outcome!;
    if (error === undefined)
      return changed.length === 0 ? undefined : reviewing.remark(`${why}: the guard took them back`);
    const { code, message } = failureOf(error);
    // Something later has begun, and the activity has seen that the rights are gone or that nobody can log in any more.
    if (code === 'Fenced') return;
    await reviewing.remark(`rights lent to ${identity} have outlived their time: ${message}`);
    await sleep(alertEveryMs, { summary: 'then it is tried again' });
  }
}

/** The elevation may go on for long after the rights are back. Where it does not answer they count as lent. */
async function isRestored({ operation, run }: ReviewStart): Promise<boolean> {
  const looked = await callerFor(false)('careful', `Look whether ${operation} has taken them back`)
    .lookAtElevation(operation, run)
    .catch(() => ({ isRestored: false }));
  return looked.isRestored;
}

function isProven(result: ProcessResult | undefined): boolean {
  if (!result) return false;
  const { elevated } = result.proofs;
  return elevated === undefined || elevated.restored !== undefined;
}

/** A process that failed carries its result in its failure. */
function resultIn(error: unknown): Ended {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const result = cause instanceof ApplicationFailure ? (cause.details?.[0] as ProcessResult | undefined) : undefined;
  return result?.proofs ? { result } : {};
}
