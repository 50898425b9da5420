import { WorkflowFailedError, type Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { followProcess, holdUp, turnIn, type View } from '../../src/cli/follow.js';
import type { IdentityState } from '../../src/domain/identity.js';
import type { ProcessResult, ProcessState } from '../../src/domain/process.js';
import { identityState, processState } from './support/states.js';

const operation = 'nhi/payments-db/rotate/3';

const result: ProcessResult = {
  kind: 'rotate',
  operation,
  outcome: 'succeeded',
  startedAt: '2026-03-01T00:00:00.000Z',
  endedAt: '2026-03-01T00:00:03.000Z',
  after: {},
  proofs: {},
  leftovers: [],
};

/** A client of one process: gives the looks one after the other, the last for ever, and ends when `end` says. */
function clientOf(
  looks: readonly (ProcessState | Error)[],
  end: Promise<ProcessResult> = new Promise(() => undefined),
): Client {
  let look = 0;
  const handle = {
    query: async () => {
      const seen = looks[Math.min(look++, looks.length - 1)]!;
      if (seen instanceof Error) throw seen;
      return seen;
    },
    result: () => end,
  };
  const withAbortSignal = <T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> =>
    Promise.race([
      call(),
      new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    ]);
  return {
    workflow: { getHandle: () => handle },
    withDeadline: <T>(_: number, call: () => Promise<T>) => call(),
    withAbortSignal,
  } as never;
}

function recorder(): View & { readonly looks: ProcessState[]; readonly asides: string[]; closed: number } {
  const view = {
    looks: [] as ProcessState[],
    asides: [] as string[],
    closed: 0,
    look: (state: ProcessState) => void view.looks.push(state),
    aside: (text: string) => void view.asides.push(text),
    close: () => void (view.closed += 1),
  };
  return view;
}

const patient = { signal: new AbortController().signal, pollMs: 5 };
const running = processState('rotate', { plan: 'done', authorize: 'running' });
const parkedAt = (since: string): ProcessState =>
  processState('rotate', {}, { parked: { since, stage: 'drain', why: 'still in use', commands: [] } });

test('a process is followed to its result, and the view is closed once', async () => {
  const view = recorder();
  const end = new Promise<ProcessResult>((resolve) => setTimeout(() => resolve(result), 30));
  const followed = await followProcess(clientOf([running], end), operation, view, patient);
  expect(followed).toMatchObject({ how: 'ended', result });
  expect(view.looks.length).toBeGreaterThan(1);
  expect(view.closed).toBe(1);
});

test('following for long leaves no listener behind, though every call adds one', async () => {
  const warnings: string[] = [];
  const hear = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', hear);
  const timeoutMs = 200;
  await followProcess(clientOf([running]), operation, recorder(), { ...patient, timeoutMs });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('warning', hear);
  expect(warnings).toEqual([]);
});

test('a failed process gives the result that its failure carries', async () => {
  const undone: ProcessResult = { ...result, outcome: 'undone', failure: { code: 'RejectedUnchanged', message: 'no' } };
  const cause = ApplicationFailure.create({ type: 'RejectedUnchanged', message: 'no', details: [undone] });
  const end = Promise.reject(new WorkflowFailedError('failed', cause, 'NON_RETRYABLE_FAILURE' as never));
  expect(await followProcess(clientOf([running], end), operation, recorder(), patient)).toMatchObject({
    how: 'ended',
    result: undone,
  });
});

test('a cancelled process is stopped, not ended', async () => {
  const end = Promise.reject(
    new WorkflowFailedError(
      'cancelled',
      new CancelledFailure('pre-empted by an emergency'),
      'NON_RETRYABLE_FAILURE' as never,
    ),
  );
  expect(await followProcess(clientOf([running], end), operation, recorder(), patient)).toMatchObject({
    how: 'stopped',
    message: 'pre-empted by an emergency',
  });
});

test('a parked process is no longer followed, since only a person can help', async () => {
  expect(await followProcess(clientOf([running, parkedAt('1')]), operation, recorder(), patient)).toMatchObject({
    how: 'parked',
  });
});

test('the park that was just answered does not end following, another one does', async () => {
  const view = recorder();
  const client = clientOf([parkedAt('1'), parkedAt('1'), running, parkedAt('2')]);
  const followed = await followProcess(client, operation, view, { ...patient, answeredPark: '1' });
  expect(followed).toMatchObject({ how: 'parked', state: { parked: { since: '2' } } });
});

test('patience ends by time, and by the person, and the process is told to go on by itself', async () => {
  expect(await followProcess(clientOf([running]), operation, recorder(), { ...patient, timeoutMs: 20 })).toMatchObject({
    how: 'left',
    why: 'timeout',
  });
  const interrupt = new AbortController();
  setTimeout(() => interrupt.abort(), 20);
  expect(
    await followProcess(clientOf([running]), operation, recorder(), { signal: interrupt.signal, pollMs: 5 }),
  ).toMatchObject({ how: 'left', why: 'interrupted' });
});

test("it is a request's turn when it runs, has run, was refused, or joined what runs", () => {
  const summary = { kind: 'rotate', requestId: 'r', outcome: 'succeeded', startedAt: '', endedAt: '' } as const;
  expect(turnIn(identityState(), 'r')).toBeUndefined();
  expect(
    turnIn(
      identityState({ running: { kind: 'rotate', operation, requestId: 'r', startedAt: '', emergency: false } }),
      'r',
    ),
  ).toEqual({ operation });
  expect(turnIn(identityState({ recent: [{ ...summary, operation }] }), 'r')).toEqual({ operation });
  expect(turnIn(identityState({ recent: [{ ...summary, kind: 'amend' }] }), 'r')).toEqual({
    summary: { ...summary, kind: 'amend' },
  });
  const answered = (answer: object): Parameters<typeof turnIn>[0] =>
    identityState({ handled: [{ id: 'r', answer: answer as never }] });
  expect(turnIn(answered({ accepted: true, queued: 0, note: '', operation }), 'r')).toEqual({ operation });
  expect(turnIn(answered({ accepted: true, queued: 2, note: '' }), 'r')).toBeUndefined();
  expect(() => turnIn(answered({ accepted: false, code: 'Conflict', reason: 'too many wait' }), 'r')).toThrow(
    'too many wait',
  );
});

test('what holds a request up is told, also where nothing seems to', () => {
  const running = { operation: 'nhi/payments-db/rotate/3' } as IdentityState['running'];
  expect(holdUp(undefined, 0)).toContain('no worker answers');
  expect(holdUp(identityState({ ...(running && { running }) }), 60_000)).toBe(
    'waiting for nhi/payments-db/rotate/3 to end',
  );
  expect(holdUp(identityState(), 1_000)).toBeUndefined();
  expect(holdUp(identityState(), 60_000)).toContain('has not begun; what is in its way says: tenure doctor');
});
