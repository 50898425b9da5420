/**
 * What stands guard over an elevation and then has it reviewed. It is there before anything is lent, and depends on nothing that the
 * elevation does: when the rights are not back in time, or the elevation was ended by hand, it takes them back itself. Then it stays open,
 * and alerts day after day, until as many people as policy asks for, and never fewer than two, have signed what they found.
 */
import { condition, continueAsNew, allHandlersFinished } from '@temporalio/workflow';
import type { ReviewStart, ReviewState } from '../src/domain/elevation-review.js';
import { until } from './lib/clock.js';
import { Reviewing } from './lib/reviewing.js';
import { awaitEnd, takeBackOverdue } from './lib/watch.js';

export async function elevationReview(start: ReviewStart): Promise<ReviewState> {
  const reviewing = new Reviewing(start);
  const { state } = reviewing;
  if (state.endedAt === undefined) {
    const ended = await awaitEnd(start, (found) => takeBackOverdue(reviewing, found));
    if (!reviewing.begin(ended)) return reviewing.closeUnused();
  }
  while (!reviewing.isSigned()) {
    if (reviewing.isRunTooLong()) return carryOn(start, reviewing);
    const hasArrived = await until(() => state.inbox.length > 0, state.nextAlertAt!, 'until somebody is reminded');
    if (hasArrived) await reviewing.weighNext();
    else await reviewing.remind();
  }
  await condition(allHandlersFinished);
  return reviewing.close();
}

async function carryOn(start: ReviewStart, { state }: Reviewing): Promise<never> {
  await condition(allHandlersFinished);
  return continueAsNew<typeof elevationReview>({ ...start, state });
}
