/** The bookkeeping of an identity by itself: what is kept stays small, whatever is sent. */
import { expect, test } from 'vitest';
import { bytesOf } from '../../src/domain/clip.js';
import { newIdentity, queueLimit } from '../../src/domain/identity.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { largestRequest } from '../../src/domain/well-formed.js';
import { specOf } from '../support/spec.js';
import { Aggregate } from '../../workflows/lib/aggregate.js';

test('a message of any length is kept as its beginning', () => {
  const aggregate = new Aggregate(newIdentity('app'), () => undefined);
  const request = { id: 'r', kind: 'rotate', requester: 'ada' } as const;
  aggregate.refuse(request, { code: 'InvalidRequest', reason: 'x'.repeat(400_000) });
  aggregate.problem('x'.repeat(400_000));
  expect(aggregate.state.recent[0]!.message).toHaveLength(2_000);
  expect(JSON.stringify(aggregate.state).length).toBeLessThan(10_000);
});

test('whatever is asked, the state stays below what Temporal takes: full queue, full memory, largest requests', () => {
  const aggregate = new Aggregate(newIdentity('app'), () => undefined);
  const of = (id: string, large: string, differs: Partial<ChangeRequest> = {}): ChangeRequest => ({
    id,
    kind: 'provision',
    requester: 'ada',
    spec: specOf('app', { target: { name: 'db', scope: { large } } }),
    ...differs,
  });
  const largest = (id: string, differs?: Partial<ChangeRequest>): ChangeRequest =>
    of(id, 'x'.repeat(largestRequest - JSON.stringify(of(id, '', differs)).length), differs);
  const spec = largest('s').spec!;
  aggregate.state.spec = aggregate.state.begun = spec;
  const id = (n: number) => `${n}`.padEnd(200, 'x');
  for (let n = 0; n < 40; n += 1) {
    aggregate.take(largest(id(n)));
    aggregate.take(largest(id(n + 100), { kind: 'revoke', emergency: true }));
  }
  for (let n = 0; n < 400; n += 1) aggregate.take(largest(id(n + 1_000)));
  const held = [...aggregate.state.queue];
  for (let n = 0; n < 40; n += 1) {
    aggregate.refuse(held[n % held.length]!, { code: 'InvalidRequest', reason: '😀'.repeat(9_000) });
    aggregate.problem('😀'.repeat(9_000));
  }
  expect(aggregate.state.queue).toHaveLength(2 * queueLimit);
  expect(bytesOf(JSON.stringify(aggregate.state))).toBeLessThan(1_500_000);
});
