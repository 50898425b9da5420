/** I6: what was verified at a gate is known to every worker, and stays known. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deniedBy, gatesIn, noteSaid, standing, type KnownGate, type Said } from '../../src/trust/gates.js';
import type { Weighed } from '../../src/domain/process.js';
import { voteOf } from '../support/gates.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-gates-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const gate = { operation: 'nhi/app/rotate/2', run: 'run-1' };
const at = (minute: number): string => `2026-01-01T00:0${minute}:00.000Z`;
const word = (approver: string, decision: Said['decision'], minute: number, round = 'round-1'): Said => ({
  round,
  approver,
  decision,
  at: at(minute),
});

describe('what is known of a gate', () => {
  test('is nothing of a run that asked nobody', async () => {
    expect(await gatesIn(folder).of(gate)).toEqual({ said: [] });
  });

  test('is the first deadline, and every denial and withdrawal, to another worker too', async () => {
    await gatesIn(folder).open(gate, at(5));
    await gatesIn(folder).open(gate, at(9));
    await gatesIn(folder).say(gate, word('grace', 'withdraw', 1));
    await gatesIn(folder).say(gate, word('grace', 'withdraw', 1));
    await gatesIn(folder).say(gate, word('rosa', 'deny', 2));
    const { deadline, said } = await gatesIn(folder).of(gate);
    expect(deadline).toBe(at(5));
    expect(said).toHaveLength(2);
    expect(said).toEqual(expect.arrayContaining([word('grace', 'withdraw', 1), word('rosa', 'deny', 2)]));
  });

  test('is not known of another run, or another process', async () => {
    await gatesIn(folder).say(gate, word('rosa', 'deny', 2));
    for (const other of [{ run: 'run-2' }, { operation: 'nhi/app/rotate/3' }])
      expect(await gatesIn(folder).of({ ...gate, ...other })).toEqual({ said: [] });
  });
});

describe('of what was weighed is kept', () => {
  const vote = voteOf('grace', { at: at(1) });
  const keptOf = async (...weighed: Weighed[]): Promise<readonly Said[]> => {
    const gates = gatesIn(folder);
    for (const one of weighed) await noteSaid(gates, gate, one, 'round-1');
    return (await gates.of(gate)).said.toSorted((one, other) => one.at.localeCompare(other.at));
  };

  test('what denies, and what takes back', async () => {
    expect(await keptOf({ counts: true, vote: { ...vote, decision: 'deny' } })).toEqual([word('grace', 'deny', 1)]);
    const later = { ...vote, approver: 'rosa', at: at(2) };
    expect(await keptOf({ counts: true, vote: later, withdraws: true })).toContainEqual(word('rosa', 'withdraw', 2));
  });

  test('an approval only of somebody who said otherwise before', async () => {
    expect(await keptOf({ counts: true, vote })).toEqual([]);
    const denial = { ...vote, decision: 'deny' } as const;
    const approval = { ...vote, at: at(2) };
    expect(await keptOf({ counts: true, vote: denial }, { counts: true, vote: approval })).toEqual([
      word('grace', 'deny', 1),
      word('grace', 'approve', 2),
    ]);
  });

  test('nothing that does not count', async () => {
    const refused = { at: at(1), claimed: 'grace', reason: 'it is of another round' };
    expect(await keptOf({ counts: false, refused })).toEqual([]);
  });
});

describe('an approval stands', () => {
  const vote = voteOf('grace', { at: at(2) });
  test.each<[string, KnownGate, boolean]>([
    ['where nothing is known', { said: [] }, true],
    ['in time', { deadline: at(2), said: [] }, true],
    ['a minute late, since clocks differ', { deadline: at(1), said: [] }, true],
    ['not more than that', { deadline: at(0), said: [] }, false],
    ['not once it is taken back', { said: [word('grace', 'withdraw', 3)] }, false],
    ['not where it was taken back in the same moment', { said: [word('grace', 'withdraw', 2)] }, false],
    ['whatever else its signer said', { said: [word('grace', 'approve', 3)] }, true],
    ['after an earlier one was', { said: [word('grace', 'withdraw', 1)] }, true],
    ['where somebody else took theirs back', { said: [word('rosa', 'withdraw', 3)] }, true],
    ['where that was in another round', { said: [word('grace', 'withdraw', 3, 'round-0')] }, true],
  ])('%s', (_, known, stands) => {
    expect(standing([vote], known, 'round-1')).toEqual(stands ? [vote] : []);
  });
});

describe('a denial', () => {
  const votes = [voteOf('grace', { at: at(2) })];
  test.each<[string, Said[], string | undefined]>([
    ['of nobody', [], undefined],
    ['holds', [word('rosa', 'deny', 1)], 'rosa'],
    ['holds in every round', [word('rosa', 'deny', 1, 'round-0')], 'rosa'],
    ['holds after an approval of the same person', [word('grace', 'deny', 3)], 'grace'],
    ['holds no more once that person approves', [word('grace', 'deny', 1)], undefined],
    ['holds no more once it is taken back', [word('rosa', 'deny', 1), word('rosa', 'withdraw', 2)], undefined],
    [
      'holds no more once that person has approved before',
      [word('rosa', 'deny', 1), word('rosa', 'approve', 2)],
      undefined,
    ],
    ['holds where it came after that', [word('rosa', 'deny', 3), word('rosa', 'withdraw', 2)], 'rosa'],
    ['holds where somebody else took something back', [word('rosa', 'deny', 1), word('dan', 'withdraw', 2)], 'rosa'],
  ])('%s', (_, said, by) => {
    expect(deniedBy(votes, { said })).toBe(by);
  });
});
