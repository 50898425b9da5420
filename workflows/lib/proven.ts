import { CancellationScope } from '@temporalio/workflow';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import { callerFor, hereFirst } from './activities.js';
import type { Aggregate } from './aggregate.js';
import { failureOf } from './failure.js';

/**
 * Has the signature of a request verified. Undefined where it is proven who asks; otherwise the answer. An emergency is verified on its
 * own queue where the worker at hand cannot do it at once. Never throws.
 */
export async function proven(aggregate: Aggregate, asked: ChangeRequest): Promise<Answer | undefined> {
  const known = aggregate.answerUnseen(asked);
  if (known) return known;
  const input = { asked, identity: aggregate.state.name };
  const isHeard = asked.emergency ? aggregate.hearEmergency() : () => undefined;
  try {
    await CancellationScope.nonCancellable(() =>
      hereFirst(
        'Verify who asks',
        ({ attest }) => attest(input),
        // That may take longer, and what is proven already does not wait for it.
        (told) => (isHeard(), callerFor(asked.emergency ?? false)('careful', told)),
      ),
    );
    return undefined;
  } catch (error) {
    const { code, message } = failureOf(error);
    return aggregate.turnAway(asked, { accepted: false, code, reason: message });
  } finally {
    isHeard();
  }
}
