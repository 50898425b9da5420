/** The bookkeeping of an identity by itself: what is kept stays small, whatever is sent. */
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/domain/clip.js';
import { newIdentity, problemLimit, queueLimit, refusedLimit } from '../../src/domain/identity.js';
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

describe('what nobody proved to have asked', () => {
  const asked: ChangeRequest = { id: 'r', kind: 'provision', requester: 'ada', spec: specOf('app') };
  const refused = { accepted: false, code: 'ApprovalRefused', reason: 'it is not signed' } as const;

  test('is on record and in no queue, and the same id asked properly is taken', () => {
    const aggregate = new Aggregate(newIdentity('app'), () => undefined);
    expect(aggregate.turnAway(asked, refused)).toEqual(refused);
    expect(aggregate.state).toMatchObject({
      queue: [],
      handled: [{ id: 'r', answer: refused, unproven: true }],
      problems: [{ what: 'a provision sent as ada was turned away: it is not signed' }],
    });
    expect([aggregate.answerUnseen(asked), aggregate.answerTo('r')]).toEqual([undefined, undefined]);
    expect(aggregate.take(asked)).toMatchObject({ accepted: true });
    expect(aggregate.state).toMatchObject({ queue: [{ id: 'r' }], handled: [{ id: 'r', answer: { accepted: true } }] });
  });

  test('does not take the place of what was asked properly with the same id', () => {
    const aggregate = new Aggregate(newIdentity('app'), () => undefined);
    const taken = aggregate.take(asked);
    aggregate.turnAway(asked, refused);
    expect(aggregate.answerUnseen(asked)).toEqual(taken);
    expect(aggregate.state.problems).toHaveLength(1);
  });

  test('is bounded, however much is sent, and drives out no answer that was given', () => {
    const aggregate = new Aggregate(newIdentity('app'), () => undefined);
    aggregate.take(asked);
    for (let n = 0; n < 1_000; n += 1)
      aggregate.turnAway({ ...asked, id: `forged-${n}`, requester: 'x'.repeat(10_000) }, refused);
    expect(aggregate.answerTo('r')).toMatchObject({ accepted: true });
    expect(aggregate.state.handled).toHaveLength(1 + refusedLimit);
    expect(aggregate.state.problems).toHaveLength(problemLimit);
    expect(JSON.stringify(aggregate.state).length).toBeLessThan(100_000);
  });

  test.each([null, undefined, 'rotate', 7, {}, { id: 7 }, { ...asked, kind: 'explode' }, { ...asked, spec: 7 }])(
    'is no problem where it is no request at all, and nobody needs to look for its signature: %j',
    (garbage) => {
      const aggregate = new Aggregate(newIdentity('app'), () => undefined);
      expect(aggregate.answerUnseen(garbage as ChangeRequest)).toMatchObject({ code: 'InvalidRequest' });
      expect(aggregate.state).toMatchObject({ queue: [], problems: [] });
    },
  );
});

test('nothing begins while it is verified who declares an emergency, however many do', () => {
  const aggregate = new Aggregate(newIdentity('app'), () => undefined);
  aggregate.take({ id: 'r', kind: 'provision', requester: 'ada', spec: specOf('app') });
  expect(aggregate.mayBegin()).toBe(true);
  const [first, second] = [aggregate.hearEmergency(), aggregate.hearEmergency()];
  first();
  first();
  expect(aggregate.mayBegin()).toBe(false);
  second();
  expect(aggregate.mayBegin()).toBe(true);
});
