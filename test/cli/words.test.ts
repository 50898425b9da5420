import { expect, test } from 'vitest';
import { relative } from '../../src/cli/words.js';
import { planInWords } from '../../src/domain/plan-words.js';
import { span } from '../../src/domain/span.js';
import type { ProcessPlan } from '../../src/domain/plan.js';

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_000, '1.0 s'],
  [59_940, '59.9 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
  [7_200_000, '2 h'],
  [7_860_000, '2 h 11 min'],
  [30 * 86_400_000, '30 d'],
  [86_400_000 + 60_000, '1 d'],
])('a span of %i ms reads %s', (ms, words) => {
  expect(span(ms)).toBe(words);
});

test('an instant is told as the way to it from now, forwards and backwards', () => {
  const now = Date.parse('2026-03-01T00:00:00Z');
  expect(relative('2026-03-04T02:00:00Z', now)).toBe('in 3 d 2 h');
  expect(relative('2026-02-28T23:59:00Z', now)).toBe('1 min ago');
  expect(relative('2026-03-01T00:00:00.500Z', now)).toBe('now');
});

const plan: ProcessPlan = {
  v: 1,
  kind: 'rotate',
  operation: 'nhi/payments-db/rotate/3',
  identity: 'payments-db',
  requester: 'ada@example.com',
  emergency: false,
  environment: 'production',
  dataClass: 'regulated',
  owner: 'grace@example.com',
  strategy: 'alternate',
  from: {
    target: 'ledger-db',
    principal: 'payments-db_a',
    version: 'nhi/payments-db/provision/1',
    scope: { may: ['select'] },
  },
  to: { target: 'ledger-db', scope: { may: ['select', 'delete'] }, deliver: ['local:payments/db'] },
  consumers: ['payments-api'],
  graceMs: 3_600_000,
};

test('a plan whose rights change shows both the rights before and the rights after', () => {
  const words = planInWords(plan).join('\n');
  expect(words).toContain('rights before: {"may":["select"]}');
  expect(words).toContain('rights after:  {"may":["select","delete"]}');
});

test('a plan in words names who asked, what goes, what comes and who uses it', () => {
  const words = planInWords({ ...plan, reason: 'laptop lost' }).join('\n');
  for (const fact of [
    'ada@example.com: laptop lost',
    'payments-db_a',
    'local:payments/db',
    'payments-api',
    'production',
    'regulated',
    'grace 1 h',
  ]) {
    expect(words).toContain(fact);
  }
});
