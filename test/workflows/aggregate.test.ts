/** The bookkeeping of an identity by itself: what is kept stays small, whatever is sent. */
import { expect, test } from 'vitest';
import { newIdentity } from '../../src/domain/identity.js';
import { Aggregate } from '../../workflows/lib/aggregate.js';

test('a message of any length is kept as its beginning', () => {
  const aggregate = new Aggregate(newIdentity('app'), () => undefined);
  const request = { id: 'r', kind: 'rotate', requester: 'ada' } as const;
  aggregate.refuse(request, { code: 'InvalidRequest', reason: 'x'.repeat(400_000) });
  aggregate.problem('x'.repeat(400_000));
  expect(aggregate.state.recent[0]!.message).toHaveLength(2_000);
  expect(JSON.stringify(aggregate.state).length).toBeLessThan(10_000);
});
