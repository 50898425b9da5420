import { expect, test } from 'vitest';
import type { GateState } from '../../src/domain/process.js';
import { asksOf, hintsOf } from '../../src/cli/live.js';
import { Output } from '../../src/cli/output.js';
import { currentStage, settledSince, stageLine } from '../../src/cli/stages.js';
import { processState } from './support/states.js';
import { pretend } from './support/terminal.js';

test('the first look gives every stage that has ended, in order', () => {
  const state = processState('rotate', { plan: 'done', authorize: 'done', gate: 'skipped', stage: 'running' });
  expect(settledSince(undefined, state).map(({ name }) => name)).toEqual(['plan', 'authorize', 'gate']);
});

test('a later look gives only what has ended since, and each stage once', () => {
  const before = processState('rotate', { plan: 'done', authorize: 'running' });
  const after = processState('rotate', { plan: 'done', authorize: 'done' });
  expect(settledSince(before, after).map(({ name }) => name)).toEqual(['authorize']);
  expect(settledSince(after, after)).toEqual([]);
});

test('a stage that was done and is then undone is told twice', () => {
  const before = processState('rotate', { install: 'done', verify: 'failed' });
  const after = processState('rotate', { install: 'undone', verify: 'failed' });
  expect(settledSince(before, after).map(({ name, status }) => [name, status])).toEqual([['install', 'undone']]);
});

test('the current stage is the one that runs or waits', () => {
  expect(currentStage(processState('rotate', { plan: 'done', authorize: 'done', gate: 'waiting' }))?.name).toBe('gate');
  expect(currentStage(processState('rotate'))).toBeUndefined();
});

test('a line in a pipe is words without marks or colours', () => {
  const out = new Output(pretend().io, false);
  const line = stageLine(
    {
      name: 'verify',
      status: 'done',
      startedAt: '2026-03-01T00:00:00Z',
      endedAt: '2026-03-01T00:00:00.800Z',
      note: 'logged in as payments-db_a',
    },
    out,
  );
  expect(line).toBe('verify: done (800 ms) - logged in as payments-db_a');
});

test('an open gate is told with the command that decides it, a decided one not', () => {
  const gate: GateState = {
    planDigest: 'sha256:00',
    policyDigest: 'sha256:01',
    evidenceDigest: 'sha256:02',
    round: 'round',
    run: 'run',
    number: 1,
    requester: 'ada@example.com',
    needed: 2,
    groups: [],
    stepUp: false,
    rules: [],
    openedAt: '2125-12-31T00:00:00.000Z',
    deadline: '2126-01-01T00:00:00.000Z',
    votes: [],
    refused: [],
    outcome: 'open',
  };
  expect(hintsOf(processState('rotate', {}, { gate }))[0]).toContain('tenure approve payments-db');
  expect(hintsOf(processState('rotate', {}, { gate }))[0]).toContain('1 of 2');
  expect(hintsOf(processState('rotate', {}, { gate: { ...gate, outcome: 'approved' } }))).toEqual([]);
  expect(hintsOf(processState('rotate', { gate: 'failed' }, { gate }))).toEqual([]);
});

test('what waits for a command of somebody is told in a pipe too, and what just waits is not', () => {
  const waiting = (note: string) => {
    const state = processState('rotate', { 'hand over': 'waiting' });
    return { ...state, stages: state.stages.map((one) => (one.name === 'hand over' ? { ...one, note } : one)) };
  };
  const note = 'waits for report-job until later: tenure ack a-db report-job';
  expect(asksOf(waiting(note))).toEqual([`hand over: ${note}`]);
  expect(asksOf(waiting('watching until later'))).toEqual([]);
});
