/** What the worker has on record about an identity, and what follows from it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { untilNow } from '../../src/domain/plan.js';
import type { ProcessInput } from '../../src/domain/process.js';
import { digestOf } from '../../src/policy/digest.js';
import { epochsOf } from '../../src/trust/binding.js';
import { declarationsIn, type Declared } from '../../src/trust/declared.js';
import { onRecordOf } from '../../src/trust/on-record.js';
import { demandOurRun } from '../../src/trust/our-run.js';
import { permitsIn, type Permit } from '../../src/trust/permits.js';
import { declaredNow, demandDeclared, leftOut, type OnRecord } from '../../src/trust/specs.js';
import { specOf } from '../support/spec.js';

const production = specOf('app', { environment: 'production' });
const test_ = specOf('app', { environment: 'test' });
const retimed = { ...production, purpose: 'another' };
const day = (n: number): string => `2030-01-${String(n).padStart(2, '0')}T00:00:00.000Z`;
const noteOf = (spec: Declared['spec'], how: Declared['how'], at: string): Declared => ({
  v: 1,
  identity: 'app',
  request: `${how} ${at}`,
  by: 'ada',
  how,
  spec,
  at,
});
const permitOf = (spec: Declared['spec'], at: string): Permit => ({
  v: 1,
  operation: 'nhi/app/rotate/2',
  run: 'run-1',
  identity: 'app',
  request: 'r-1',
  requester: 'ada',
  plan: 'sha256:plan',
  policy: 'sha256:policy',
  kind: 'rotate',
  specs: [digestOf(spec)],
  given: {},
  advance: [],
  at,
});
const inputOf = (differs: Partial<ProcessInput> = {}): ProcessInput => ({
  kind: 'rotate',
  operation: 'nhi/app/rotate/3',
  epoch: 6,
  identity: 'app',
  request: { id: 'r-2', kind: 'rotate', requester: 'ada' },
  spec: production,
  ...differs,
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-on-record-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('what is on record', () => {
  test('is every note, and the permit of what was carried out last', async () => {
    const [permits, declarations] = [permitsIn(folder), declarationsIn(join(folder, 'declared'))];
    const note = noteOf(production, 'permitted', day(1));
    await declarations.note(note);
    // What was noted of a request stays, and is noted once.
    await declarations.note({ ...note, spec: test_ });
    await permits.grant(permitOf(production, day(1)));
    const known = await onRecordOf({ permits, declarations }, 'app', 'nhi/app/rotate/2');
    expect(known).toEqual({ noted: [note], last: permitOf(production, day(1)) });
  });

  test('has no permit where nothing was carried out, or without a permit; what cannot be read is thrown', async () => {
    const [permits, declarations] = [permitsIn(folder), declarationsIn(folder)];
    const lastOf = async (operation: string | undefined, heldBy = permits.heldBy) =>
      (await onRecordOf({ permits: { ...permits, heldBy }, declarations }, 'app', operation)).last;
    expect(await lastOf(undefined)).toBeUndefined();
    expect(await lastOf('nhi/app/rotate/9')).toBeUndefined();
    for (const error of [new TenureError('StoreUnavailable', 'gone'), new Error('gone')])
      await expect(lastOf('nhi/app/rotate/9', () => Promise.reject(error))).rejects.toBe(error);
  });
});

describe('as what an identity may be declared', () => {
  test.each<[string, OnRecord, string[]]>([
    ['nothing, where nothing is on record', { noted: [] }, []],
    ['what was permitted', { noted: [noteOf(production, 'permitted', day(1))] }, ['production']],
    ['not what somebody only asked for', { noted: [noteOf(test_, 'asked', day(1))] }, []],
    [
      'what was permitted since the last, and the last',
      {
        noted: [noteOf(production, 'permitted', day(1)), noteOf(test_, 'permitted', day(3))],
        last: permitOf(production, day(2)),
      },
      ['production', 'test'],
    ],
    [
      'not what was permitted before the last',
      {
        noted: [noteOf(test_, 'permitted', day(1)), noteOf(production, 'permitted', day(2))],
        last: permitOf(production, day(2)),
      },
      ['production'],
    ],
    [
      'an amendment of what was permitted',
      { noted: [noteOf(production, 'permitted', day(1)), noteOf(retimed, 'amended', day(2))] },
      ['production', 'production'],
    ],
    [
      'not an amendment of something else',
      { noted: [noteOf(test_, 'permitted', day(1)), noteOf(retimed, 'amended', day(2))] },
      ['test'],
    ],
    [
      'an amendment of the last',
      {
        noted: [noteOf(production, 'asked', day(1)), noteOf(retimed, 'amended', day(3))],
        last: permitOf(production, day(2)),
      },
      ['production', 'production'],
    ],
    ['an amendment where nothing else is on record', { noted: [noteOf(retimed, 'amended', day(1))] }, ['production']],
  ])('%s', (_, onRecord, environments) => {
    expect(declaredNow(onRecord).map(({ environment }) => environment)).toEqual(environments);
  });
});

describe('what a process leaves out of what was declared before', () => {
  const noted = [noteOf(production, 'permitted', day(1)), noteOf(test_, 'permitted', day(2))];
  test.each<[string, Partial<ProcessInput>, OnRecord, Declared['spec'] | undefined]>([
    ['is nothing where it says it', { specBefore: test_ }, { noted }, undefined],
    ['is nothing where nothing is on record', {}, { noted: [] }, undefined],
    ['is nothing where that was only asked for', {}, { noted: [noteOf(test_, 'asked', day(1))] }, undefined],
    ['is nothing where it is the same', { spec: test_ }, { noted }, undefined],
    ['is nothing where only its purpose is another', { spec: retimed }, { noted: noted.slice(0, 1) }, undefined],
    ['is what was permitted last', { spec: production }, { noted }, test_],
    [
      'is what was carried out last before what was only permitted',
      { spec: test_ },
      { noted, last: permitOf(production, day(1)) },
      production,
    ],
  ])('%s', (_, differs, onRecord, spec) => {
    expect(leftOut(inputOf(differs), onRecord)).toEqual(spec && untilNow(spec));
  });
});

test('a process whose kind, number or identity is not that of its name is none of ours', async () => {
  const run = { workflowId: 'nhi/app/rotate/3', runId: 'run-1' };
  const look = async () => ({ type: 'rotate', taskQueue: 'tenure' });
  await expect(demandOurRun(inputOf(), run, look)).resolves.toBeUndefined();
  for (const differs of [{ kind: 'revoke' }, { identity: 'api' }] as const)
    await expect(demandOurRun(inputOf(differs), run, look)).rejects.toMatchObject({
      code: 'ApprovalRefused',
      message: expect.stringContaining('is not named so'),
    });
  const odd = { workflowId: 'somebody', runId: 'run-1' };
  await expect(demandOurRun(inputOf({ operation: 'somebody' }), odd, look)).rejects.toMatchObject({
    message: expect.stringContaining('is not named so'),
  });
});

test('what is no process acts in no epoch', () => {
  expect(epochsOf('somebody')).toEqual({ lending: Number.NaN, acting: Number.NaN });
});

test('a declaration is refused where it is another than the request names', () => {
  const request = { ...inputOf().request, spec: test_ };
  expect(() => demandDeclared(inputOf({ request }), { noted: [] })).toThrow('not what app was declared as');
});
