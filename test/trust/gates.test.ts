/** I6: what was verified at a gate is known to every worker, and stays known. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deniedBy, gatesIn, standing, stoppingIn, type KnownGate, type Stopping } from '../../src/trust/gates.js';
import { voteOf } from '../support/gates.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-gates-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const gate = { operation: 'nhi/app/rotate/2', run: 'run-1' };
const at = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`;
const stop = (approver: string, decision: Stopping['decision'], minute: number, round = 'round-1'): Stopping => ({
  round,
  approver,
  decision,
  at: at(minute),
});

describe('what is known of a gate', () => {
  test('is nothing of a run that asked nobody', async () => {
    expect(await gatesIn(folder).of(gate)).toEqual({ stopping: [] });
  });

  test('is the first deadline, and every denial and withdrawal, to another worker too', async () => {
    await gatesIn(folder).open(gate, at(5));
    await gatesIn(folder).open(gate, at(9));
    await gatesIn(folder).stop(gate, stop('grace', 'withdraw', 1));
    await gatesIn(folder).stop(gate, stop('grace', 'withdraw', 1));
    await gatesIn(folder).stop(gate, stop('rosa', 'deny', 2));
    const { deadline, stopping } = await gatesIn(folder).of(gate);
    expect(deadline).toBe(at(5));
    expect(stopping).toHaveLength(2);
    expect(stopping).toEqual(expect.arrayContaining([stop('grace', 'withdraw', 1), stop('rosa', 'deny', 2)]));
  });

  test('is not known of another run, or another process', async () => {
    await gatesIn(folder).stop(gate, stop('rosa', 'deny', 2));
    for (const other of [{ run: 'run-2' }, { operation: 'nhi/app/rotate/3' }])
      expect(await gatesIn(folder).of({ ...gate, ...other })).toEqual({ stopping: [] });
  });
});

test('what was weighed stops something where it denies or takes back, and counts', () => {
  const vote = voteOf('grace', { at: at(1) });
  expect(stoppingIn({ counts: true, vote }, 'round-1')).toBeUndefined();
  expect(stoppingIn({ counts: true, vote, withdraws: true }, 'round-1')).toEqual(stop('grace', 'withdraw', 1));
  expect(stoppingIn({ counts: true, vote: { ...vote, decision: 'deny' } }, 'round-1')).toEqual(
    stop('grace', 'deny', 1),
  );
  const refused = { at: at(1), claimed: 'grace', reason: 'it is of another round' };
  expect(stoppingIn({ counts: false, refused }, 'round-1')).toBeUndefined();
});

describe('an approval stands', () => {
  const vote = voteOf('grace', { at: at(2) });
  test.each<[string, KnownGate, boolean]>([
    ['where nothing is known', { stopping: [] }, true],
    ['in time', { deadline: at(2), stopping: [] }, true],
    ['a minute late, since clocks differ', { deadline: at(1), stopping: [] }, true],
    ['not more than that', { deadline: at(0), stopping: [] }, false],
    ['not once it is taken back', { stopping: [stop('grace', 'withdraw', 3)] }, false],
    ['not where it was taken back in the same moment', { stopping: [stop('grace', 'withdraw', 2)] }, false],
    ['after an earlier one was', { stopping: [stop('grace', 'withdraw', 1)] }, true],
    ['where somebody else took theirs back', { stopping: [stop('rosa', 'withdraw', 3)] }, true],
    ['where that was in another round', { stopping: [stop('grace', 'withdraw', 3, 'round-0')] }, true],
  ])('%s', (_, known, stands) => {
    expect(standing([vote], known, 'round-1')).toEqual(stands ? [vote] : []);
  });
});

describe('a denial', () => {
  const votes = [voteOf('grace', { at: at(2) })];
  test.each<[string, Stopping[], string | undefined]>([
    ['of nobody', [], undefined],
    ['holds', [stop('rosa', 'deny', 1)], 'rosa'],
    ['holds in every round', [stop('rosa', 'deny', 1, 'round-0')], 'rosa'],
    ['holds after an approval of the same person', [stop('grace', 'deny', 3)], 'grace'],
    ['holds no more once that person approves', [stop('grace', 'deny', 1)], undefined],
    ['holds no more once it is taken back', [stop('rosa', 'deny', 1), stop('rosa', 'withdraw', 2)], undefined],
    ['holds where it came after that', [stop('rosa', 'deny', 3), stop('rosa', 'withdraw', 2)], 'rosa'],
    ['holds where somebody else took something back', [stop('rosa', 'deny', 1), stop('dan', 'withdraw', 2)], 'rosa'],
  ])('%s', (_, stopping, by) => {
    expect(deniedBy(votes, { stopping })).toBe(by);
  });
});
