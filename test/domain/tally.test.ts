import { describe, expect, test } from 'vitest';
import type { GateState, Vote, Weighed } from '../../src/domain/process.js';
import { settled, tallied } from '../../src/domain/quorum.js';

const gate: GateState = {
  planDigest: 'sha256:plan',
  policyDigest: 'sha256:policy',
  evidenceDigest: 'sha256:evidence',
  round: 'round-1',
  run: 'run-1',
  number: 1,
  requester: 'ada',
  needed: 1,
  groups: [],
  stepUp: false,
  rules: [],
  openedAt: '2026-01-01T00:00:00.000Z',
  deadline: '2026-01-02T00:00:00.000Z',
  votes: [],
  refused: [],
  outcome: 'open',
};
const now = '2026-01-01T01:00:00.000Z';

function word(approver: string, minute: number, decision: Vote['decision'] = 'approve', withdraws = false): Weighed {
  const vote: Vote = {
    approver,
    decision,
    planDigest: gate.planDigest,
    at: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
    groups: [],
    stepUp: false,
    key: 'key',
    ballot: { signed: { statement: '{}', signature: 's' } },
  };
  return { counts: true, vote, ...(withdraws && { withdraws }) };
}

function after(...all: readonly Weighed[]): GateState {
  const words = new Map<string, string>();
  return all.reduce((one, weighed) => tallied(one, weighed, words, now), gate);
}

describe('a gate that is tallied', () => {
  test('has one vote of each person, the last', () => {
    const { votes } = after(word('grace', 1), word('grace', 2, 'deny'));
    expect(votes).toMatchObject([{ approver: 'grace', decision: 'deny' }]);
    expect(settled(after(word('grace', 1), word('alan', 1)))).toBe('approved');
  });

  test('keeps an earlier word that is sent again among the refused, and as it was', () => {
    const twice = after(word('grace', 2, 'deny'), word('grace', 1));
    expect(twice.votes).toMatchObject([{ decision: 'deny' }]);
    expect(twice.refused).toMatchObject([{ at: now, claimed: 'grace', reason: expect.stringContaining('already') }]);
    expect(after(word('grace', 1), word('grace', 1)).refused).toHaveLength(1);
  });

  test('has one vote for whoever lent theirs: a second delegate is refused, and the lender decides again', () => {
    const forCyd = (approver: string, minute: number, decision: Vote['decision'] = 'approve'): Weighed => {
      const weighed = word(approver, minute, decision) as Extract<Weighed, { counts: true }>;
      return { ...weighed, vote: { ...weighed.vote, onBehalfOf: 'cyd' } };
    };
    const twice = after(forCyd('bob', 1), forCyd('dan', 2));
    expect(twice.votes).toMatchObject([{ approver: 'bob' }]);
    expect(twice.refused).toMatchObject([{ claimed: 'dan', reason: expect.stringContaining('for cyd is counted') }]);
    expect(settled(after(forCyd('bob', 1), word('cyd', 2, 'deny')))).toBe('denied');
    expect(after(word('cyd', 1), forCyd('bob', 2)).refused).toHaveLength(1);
    expect(settled(after(forCyd('bob', 1), forCyd('dan', 2, 'deny')))).toBe('denied');
  });

  test('loses a vote that its person withdraws, and an older approval does not bring it back', () => {
    const withdrawn = after(word('grace', 1), word('grace', 2, 'approve', true));
    expect(settled(withdrawn)).toBe('open');
    expect(after(word('grace', 1), word('grace', 3, 'approve', true), word('grace', 2)).votes).toEqual([]);
  });

  test('keeps what does not count, the last fifty of a flood', () => {
    const flood = Array.from({ length: 60 }, (_, index): Weighed => ({
      counts: false,
      refused: { at: now, claimed: `nobody-${index}`, reason: 'malformed' },
    }));
    const { refused, votes } = after(...flood);
    expect([refused.length, refused[0]!.claimed, votes.length]).toEqual([50, 'nobody-10', 0]);
  });
});
