import { expect, test } from 'vitest';
import { inOrder, sentenceOf, type Fact } from '../../src/cli/timeline.js';
import { lastProcesses } from '../../src/cli/verbs/history.js';

const base = { at: '2026-03-01T00:00:00.000Z', workflow: 'nhi/payments-db/rotate/3' };

const table: readonly [Fact, string][] = [
  [
    { ...base, what: 'asked', kind: 'rotate', requester: 'ada@example.com', emergency: false, reason: 'laptop lost' },
    'ada@example.com asked to rotate: laptop lost',
  ],
  [
    { ...base, what: 'asked', kind: 'revoke', requester: 'ada@example.com', emergency: true },
    'ada@example.com asked to revoke at once, as an emergency',
  ],
  [
    { ...base, what: 'refused', code: 'Conflict', reason: 'too many wait' },
    'that was refused (Conflict): too many wait',
  ],
  [{ ...base, what: 'process begun', kind: 'rotate' }, 'rotate began'],
  [
    { ...base, what: 'pre-empted', by: 'an emergency revocation asked by oncall@example.com' },
    'it was pre-empted by an emergency revocation asked by oncall@example.com',
  ],
  [
    { ...base, what: 'step done', activity: 'install', summary: 'Install at ledger-db', ms: 812, attempt: 1 },
    'Install at ledger-db: done in 812 ms',
  ],
  [
    {
      ...base,
      what: 'step done',
      activity: 'handOver',
      ms: 1_500,
      attempt: 3,
      lastFailure: 'not reachable',
      proof: 'taken',
    },
    'hand over: done in 1.5 s, at attempt 3 (before: not reachable) - taken',
  ],
  [
    {
      ...base,
      what: 'step failed',
      activity: 'verify',
      attempt: 1,
      code: 'VerificationFailed',
      message: 'it may not select',
    },
    'verify: failed with VerificationFailed: it may not select',
  ],
  [
    { ...base, what: 'voted', by: 'grace@example.com', decision: 'deny', reason: 'not today' },
    'a decision came, signed as grace@example.com: deny the plan: not today',
  ],
  [
    { ...base, what: 'resumed', by: 'ada@example.com', how: 'go-on' },
    'ada@example.com told it to go on without what it waited for',
  ],
  [
    { ...base, what: 'ended', kind: 'rotate', outcome: 'succeeded', evidence: 'sha256:ab' },
    'rotate succeeded, sealed as sha256:ab',
  ],
  [
    {
      ...base,
      what: 'ended',
      kind: 'rotate',
      outcome: 'unfinished',
      code: 'UnwindFailed',
      message: 'two undos failed',
      leftovers: ['install: login left'],
    },
    'rotate failed and left something (UnwindFailed: two undos failed); left: install: login left',
  ],
  [
    { ...base, what: 'decided', effect: 'allow', reasons: ['production'], approvals: 1 },
    'policy allowed it, with 1 approval: production',
  ],
  [
    { ...base, what: 'held', until: '2027-01-02T00:00:00Z', reason: 'year end' },
    'nothing may change until 2027-01-02T00:00:00Z: year end',
  ],
  [
    { ...base, what: 'staged', principal: 'payments-db_b', fingerprint: 'ab12' },
    'a credential was made for payments-db_b, fingerprint ab12, and kept in the store',
  ],
];

test.each(table)('%o is told in words', (fact, sentence) => {
  expect(sentenceOf(fact)).toBe(sentence);
});

test('facts of several workflows are told in the order of their time', () => {
  const early: Fact = { ...base, at: '2026-03-01T00:00:00.000Z', what: 'cancel asked' };
  const late: Fact = { ...base, at: '2026-03-01T00:00:01.000Z', what: 'terminated' };
  expect(inOrder([late, early])).toEqual([early, late]);
});

test('the last processes are told from where the first of them began', () => {
  const begun = (workflow: string): Fact => ({ ...base, workflow, what: 'process begun', kind: 'rotate' });
  const facts = [begun('nhi/a/rotate/1'), begun('nhi/a/rotate/2'), begun('nhi/a/rotate/3')];
  expect(lastProcesses(facts, 2)).toEqual(facts.slice(1));
  expect(lastProcesses(facts, 9)).toEqual(facts);
});
