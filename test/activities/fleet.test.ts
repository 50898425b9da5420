import type { Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, WorkflowNotFoundError } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createFleetActivities } from '../../activities/fleet.js';
import { newIdentity, type IdentityState } from '../../src/domain/identity.js';
import { specOf } from '../support/spec.js';

/** A client that knows these identities, and remembers what it was asked. */
function clientOf(
  states: readonly IdentityState[],
  others: { result?: () => Promise<unknown>; update?: () => Promise<unknown> } = {},
) {
  const asked: string[] = [];
  const workflow = {
    async *list({ query }: { query: string }) {
      asked.push(query);
      for (const { name } of states) yield { workflowId: `nhi/${name}` };
    },
    getHandle: (id: string) => ({
      query: async () => states.find(({ name }) => id === `nhi/${name}`),
      executeUpdate: others.update,
      result: others.result,
    }),
  };
  return { client: { workflow } as unknown as Client, asked };
}

const dueNow = () => Promise.resolve({ due: true, reason: 'age', detail: 'it is old' });
const stateOf = (name: string, differs: Partial<IdentityState> = {}): IdentityState => ({
  ...newIdentity(name),
  status: 'active',
  spec: specOf(name),
  ...differs,
});

describe('selectDue', () => {
  test('gives what is due with its target and its delay, at most as many as asked for', async () => {
    const { client } = clientOf(['a', 'b', 'c', 'd'].map((name) => stateOf(name)));
    const due = async ({ spec }: { spec: { name: string } }) => ({ ...(await dueNow()), due: spec.name !== 'b' });
    const fleet = createFleetActivities({ client, perTarget: 3, due, delayOf: async () => 70 });
    const found = await new MockActivityEnvironment().run(fleet.selectDue, { policy: 'monthly', limit: 2 });
    expect(found).toEqual({
      perTarget: 3,
      identities: [
        { name: 'a', target: 'db', jitterMs: 70 },
        { name: 'c', target: 'db', jitterMs: 70 },
      ],
    });
  });

  test('quotes the name of the policy, so that it cannot widen the selection', async () => {
    const { client, asked } = clientOf([]);
    const fleet = createFleetActivities({ client, perTarget: 1, due: dueNow, delayOf: async () => 0 });
    await new MockActivityEnvironment().run(fleet.selectDue, { policy: `x' OR NhiStatus = 'active`, limit: 1 });
    expect(asked[0]).toContain(`NhiTags = 'policy:x'' OR NhiStatus = ''active'`);
  });
});

describe('rotateOne', () => {
  const input = { name: 'a', requestId: 'c/a', requester: 'schedule/monthly' };

  test('tells why an identity refused', async () => {
    const { client } = clientOf([stateOf('a')], {
      update: async () => ({ accepted: false, code: 'Conflict', reason: 'full' }),
    });
    const fleet = createFleetActivities({ client, perTarget: 1, due: dueNow, delayOf: async () => 0 });
    expect(await new MockActivityEnvironment().run(fleet.rotateOne, input)).toEqual({
      outcome: 'refused',
      detail: 'full',
    });
  });

  test('waits for its own request and gives that outcome', async () => {
    const done = {
      kind: 'rotate',
      requestId: 'c/a',
      outcome: 'undone',
      operation: 'nhi/a/rotate/2',
      startedAt: '',
      endedAt: '',
      message: 'no',
    } as const;
    const state = stateOf('a', { recent: [{ ...done, requestId: 'another', outcome: 'succeeded' }] });
    const { client } = clientOf([state], { update: async () => ({ accepted: true, queued: 0, note: '' }) });
    setTimeout(() => (state.recent = [...state.recent, done]), 700);
    const fleet = createFleetActivities({ client, perTarget: 1, due: dueNow, delayOf: async () => 0 });
    expect(await new MockActivityEnvironment().run(fleet.rotateOne, input)).toEqual({
      outcome: 'undone',
      detail: 'nhi/a/rotate/2: no',
    });
  });
});

describe('awaitProcess', () => {
  const waitFor = (result: () => Promise<unknown>): Promise<unknown> => {
    const { client } = clientOf([], { result });
    const fleet = createFleetActivities({ client, perTarget: 1, due: dueNow, delayOf: async () => 0 });
    return new MockActivityEnvironment().run(fleet.awaitProcess, 'nhi/a/rotate/2');
  };
  const failedWith =
    (cause: Error): (() => Promise<never>) =>
    () =>
      Promise.reject(new Error('failed', { cause }));

  test('gives the result of a process', async () => {
    expect(await waitFor(async () => ({ outcome: 'succeeded' }))).toEqual({ outcome: 'succeeded' });
  });

  test('gives the failure with the result in it, and is not tried again', async () => {
    const failure = ApplicationFailure.create({
      type: 'TargetUnavailable',
      message: 'away',
      details: [{ outcome: 'undone' }],
    });
    await expect(waitFor(failedWith(failure))).rejects.toMatchObject({
      type: 'TargetUnavailable',
      nonRetryable: true,
      details: [{ outcome: 'undone' }],
    });
  });

  test.for([
    ['a cancelled process', failedWith(new CancelledFailure('stop')), 'Cancelled'],
    ['a terminated one', failedWith(new TerminatedFailure('by hand')), 'OutcomeUnknown'],
    [
      'one that is gone',
      () => Promise.reject(new WorkflowNotFoundError('gone', 'nhi/a/rotate/2', undefined)),
      'OutcomeUnknown',
    ],
  ] as const)('of %s is final', async ([, result, type]) => {
    await expect(waitFor(result)).rejects.toMatchObject({ type, nonRetryable: true });
  });

  test('of a lost connection is tried again', async () => {
    const lost = new Error('14 UNAVAILABLE');
    await expect(waitFor(() => Promise.reject(lost))).rejects.toBe(lost);
  });
});
