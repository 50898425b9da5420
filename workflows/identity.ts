/**
 * The aggregate of one non-human identity, for its whole life: the only writer of its state.
 *
 * It orders processes, one at a time, in the order asked; an emergency revocation stands in front of everything and pre-empts what
 * runs without waiting for it. A request is done once, by its id, and only when its signature proves who asks: anybody in the namespace
 * can send one. It never fails: what goes wrong is recorded in its state.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import { newIdentity, type IdentityState } from '../src/domain/identity.js';
import type { Answer, ChangeRequest } from '../src/domain/request.js';
import { identityMessages, type IdentityStart } from '../src/domain/wire.js';
import { Aggregate } from './lib/aggregate.js';
import { attend, begin, planNextRotation } from './lib/attend.js';
import { proven } from './lib/proven.js';
import { showIdentity } from './lib/show.js';

const request = defineUpdate<Answer, [ChangeRequest]>(identityMessages.request);
const requestSignal = defineSignal<[ChangeRequest]>(identityMessages.requestSignal);
const stateQuery = defineQuery<IdentityState>(identityMessages.state);

/** Below the 4,096 events at which Temporal suggests a new run. */
const longestHistory = 2_000;

export async function identity(start: IdentityStart): Promise<IdentityState> {
  const aggregate = new Aggregate(start.state ?? newIdentity(start.name), showIdentity);
  setHandler(request, (asked) => answer(aggregate, asked, isRunTooLong), {
    description: 'Ask for a process; answers at once whether it is accepted',
  });
  setHandler(requestSignal, async (asked) => void ((await proven(aggregate, asked)) ?? aggregate.take(asked)), {
    description: 'The same without an answer, taken even while no worker runs',
  });
  setHandler(stateQuery, () => aggregate.state, { description: 'The whole state of the identity' });

  // An earlier run may have ended before it had the answer.
  if (start.state) void planNextRotation(aggregate);
  do {
    while (!aggregate.isOver()) {
      await condition(() => aggregate.mayBegin() || isRunTooLong());
      if (isRunTooLong()) return carryOn(start, aggregate);
      const process = await begin(aggregate, start.timing);
      if (process) await attend(aggregate, process, isRunTooLong);
      if (!aggregate.state.running) void planNextRotation(aggregate);
    }
    // Who asks may still be being verified: what is taken then is done, and is no life that ends unnoticed.
    await condition(() => allHandlersFinished() || !aggregate.isOver());
  } while (!aggregate.isOver());
  return aggregate.state;

  function isRunTooLong(): boolean {
    return aggregate.eventsReckoned > (start.longestHistory ?? longestHistory);
  }
}

/**
 * Waits until a request that can start now has started, so that the caller learns its operation id. Not when this run has become too
 * long: it ends only once every request has its answer, and an emergency would wait with it.
 */
async function answer(aggregate: Aggregate, asked: ChangeRequest, isRunTooLong: () => boolean): Promise<Answer> {
  const first = (await proven(aggregate, asked)) ?? aggregate.take(asked);
  if (!first.accepted) return first;
  if (first.queued === 0) await condition(() => !aggregate.isWaiting(asked.id) || isRunTooLong(), 10_000);
  return aggregate.answerTo(asked.id) ?? first;
}

async function carryOn(start: IdentityStart, aggregate: Aggregate): Promise<never> {
  await condition(allHandlersFinished);
  return continueAsNew<typeof identity>({ ...start, state: aggregate.state });
}
