/** I8: what was lent ends, also where every workflow that should see to it was terminated. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { type Lending, loansIn } from '../../src/trust/lent.js';
import { overdueLook, watchOverdue } from '../../src/trust/overdue.js';
import { specOf } from '../support/spec.js';

const until = '2030-01-01T10:00:00.000Z';
const afterwards = new Date('2030-01-01T10:03:01.000Z');
const operation = 'nhi/app/elevate/2';
const back = { identity: 'app', operation, epoch: 5, spec: specOf('app') };
const lending = (differs: Partial<Lending> = {}): Lending => ({
  v: 1,
  operation,
  run: 'run-1',
  identity: 'app',
  request: 'r-1',
  requester: 'ada@example.com',
  plan: 'sha256:plan',
  policy: 'sha256:policy',
  kind: 'elevate',
  specs: [],
  given: {},
  lent: { until, back },
  advance: [],
  at: '2030-01-01T09:00:00.000Z',
  ...differs,
});

let folder: string;
let restored: unknown[];
let alerts: string[];
let answer: () => Promise<unknown>;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-lent-'));
  restored = [];
  alerts = [];
  answer = () => Promise.resolve();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** What a worker that starts now does. */
function worker(now: Date) {
  return {
    loans: loansIn(folder),
    restore: (asked: unknown) => {
      restored.push(asked);
      return answer();
    },
    alert: (identity: string, of: string, text: string) =>
      Promise.resolve(void alerts.push(`${identity} ${of} ${text}`)),
    now: () => now,
  };
}

test('rights that have outlived their time are taken back by a worker that starts, once, and people hear of it', async () => {
  await loansIn(folder).begin(lending());
  await watchOverdue(worker(afterwards))();
  expect(restored).toEqual([back]);
  expect(alerts).toEqual([expect.stringContaining('the worker took them back')]);
  await watchOverdue(worker(afterwards))();
  expect(restored).toHaveLength(1);
});

test('what has time left, and what is back, is left alone', async () => {
  await loansIn(folder).begin(lending());
  await overdueLook(worker(new Date(until)))();
  await loansIn(folder).end('app', operation);
  await overdueLook(worker(afterwards))();
  expect(restored).toEqual([]);
  expect(alerts).toEqual([]);
});

test('what cannot be taken back is tried again by every look, and people hear of it once in an hour', async () => {
  await loansIn(folder).begin(lending());
  answer = () => Promise.reject(new TenureError('TargetUnavailable', 'db is away'));
  let at = afterwards;
  const look = overdueLook({ ...worker(afterwards), now: () => at });
  await look();
  await look();
  expect(restored).toHaveLength(2);
  expect(alerts).toEqual([expect.stringContaining('db is away')]);
  at = new Date(at.getTime() + 3_600_000);
  await look();
  expect(alerts).toHaveLength(2);
  answer = () => Promise.resolve();
  await look();
  expect(await loansIn(folder).open()).toEqual([]);
});

test('one that cannot be taken back does not hold up another', async () => {
  await loansIn(folder).begin(lending());
  const other = { ...back, identity: 'api', operation: 'nhi/api/elevate/2' };
  await loansIn(folder).begin(lending({ identity: 'api', operation: other.operation, lent: { until, back: other } }));
  answer = () =>
    restored.at(-1) === undefined || (restored.at(-1) as typeof back).identity === 'app'
      ? Promise.reject(new Error('unforeseen'))
      : Promise.resolve();
  await overdueLook(worker(afterwards))();
  expect((await loansIn(folder).open()).map(({ identity }) => identity)).toEqual(['app']);
});

test('where something later has taken over and the rights are gone there is nothing left to do', async () => {
  await loansIn(folder).begin(lending());
  answer = () => Promise.reject(new TenureError('Fenced', 'a later process has begun'));
  await overdueLook(worker(afterwards))();
  expect(await loansIn(folder).open('app')).toEqual([]);
});

test('by the clock of the worker, where nobody gives it another', async () => {
  const { now: _now, ...own } = worker(afterwards);
  await loansIn(folder).begin(lending({ lent: { until: '2100-01-01T00:00:00.000Z', back } }));
  await overdueLook(own)();
  expect(restored).toEqual([]);
  await loansIn(folder).begin(
    lending({ operation: 'nhi/app/elevate/3', lent: { until: '2020-01-01T00:00:00.000Z', back } }),
  );
  await overdueLook(own)();
  expect(restored).toHaveLength(1);
});
