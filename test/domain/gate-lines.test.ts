import { describe, expect, test } from 'vitest';
import { noFacts, type Facts } from '../../src/domain/facts.js';
import { gateLines, mayDecide, type GateLine } from '../../src/domain/gate-lines.js';
import type { ProcessPlan } from '../../src/domain/plan.js';
import type { GateState } from '../../src/domain/process.js';
import { gateOf, voteOf } from '../support/gates.js';

const plan: ProcessPlan = {
  v: 1,
  kind: 'rotate',
  operation: 'nhi/app/rotate/2',
  identity: 'app',
  requester: 'ada',
  emergency: false,
  environment: 'production',
  dataClass: 'regulated',
  owner: 'grace',
  strategy: 'alternate',
  consumers: ['api'],
  graceMs: 60_000,
};

function labels(lines: readonly GateLine[]): string[] {
  return lines.map(({ label }) => label);
}

function textOf(label: string, gate: Partial<GateState>, facts?: Facts): string | undefined {
  return gateLines(plan, gateOf(gate), facts).find((line) => line.label === label)?.text;
}

describe('what somebody has to know before they sign', () => {
  test('is nothing but what is there, in the order in which it is read', () => {
    const least = ['Plan', 'Asked by', 'May decide', 'Missing', 'Closes', 'Plan digest'];
    expect(labels(gateLines(plan, gateOf()))).toEqual(least);
    expect(labels(gateLines(plan, gateOf(), noFacts))).toEqual(least);
  });

  test('is all that is known', () => {
    const facts: Facts = {
      there: ['a role more', 'a right less'],
      growth: ['delete on ledger'],
      unused: ['insert on ledger'],
      exceptions: ['EX-1'],
      lastApproved: { operation: 'nhi/app/rotate/1', at: '2025-12-01T00:00:00.000Z', scopeDigest: 'sha256:scope' },
    };
    const gate = gateOf({
      needed: 2,
      rules: [
        { id: 'gate.a', why: 'production', controls: [], approvals: 2, groups: [], stepUp: false },
        { id: 'gate.b', why: 'regulated data', controls: [], approvals: 1, groups: [], stepUp: false },
      ],
      votes: [voteOf('alan'), voteOf('rosa', { decision: 'deny', onBehalfOf: 'joan' })],
      number: 2,
      reopened: 'the policies have changed',
    });
    const lines = gateLines(plan, gate, facts);
    expect(lines[0]!.text).toContain('rotate app (production, regulated data), owned by grace; asked by ada; ');
    expect(lines.slice(1)).toEqual([
      { label: 'New since the last approved plan', text: 'delete on ledger' },
      { label: 'Not as recorded at the target', text: 'a role more; a right less' },
      { label: 'Granted and not used', text: 'insert on ledger' },
      { label: 'Under the exceptions', text: 'EX-1' },
      { label: 'Last approved', text: 'nhi/app/rotate/1, 2025-12-01T00:00:00.000Z' },
      { label: 'Asked by', text: 'ada' },
      { label: 'May decide', text: 'any person in the directory but ada' },
      { label: 'Because of', text: 'gate.a (production); gate.b (regulated data)' },
      { label: 'Decided', text: 'alan approved; rosa for joan denied' },
      { label: 'Missing', text: 'needs 1 more approval' },
      { label: 'Closes', text: '2026-01-02T00:00:00.000Z' },
      { label: 'Round', text: '2: the policies have changed' },
      { label: 'Plan digest', text: 'sha256:plan' },
    ]);
  });

  test('is one line each, whatever somebody wrote: no line, no terminal code and no turned letters of theirs', () => {
    const reason = 'routine\nPlan digest: sha256:other\u001B[2J\u202Eworra\r';
    const lines = gateLines({ ...plan, reason }, gateOf({ requester: 'ada\u2028\u009B1A' }));
    expect(lines.map(({ text }) => text).join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(lines[0]!.text).toContain('asked by ada: routine Plan digest: sha256:other [2J worra ;');
  });

  test('says of a later round that it is one, also where nothing says why', () => {
    expect(textOf('Round', { number: 3 })).toBe('3: opened again');
    expect(textOf('Round', { number: 1, reopened: 'never' })).toBeUndefined();
  });
});

describe('who may decide', () => {
  const rows: readonly (readonly [Partial<GateState>, string])[] = [
    [{}, 'any person in the directory but ada'],
    [{ groups: ['security'] }, 'people of security but ada'],
    [{ groups: ['security', 'owner|team'] }, 'people of security, owner or team but ada'],
    [{ groups: ['security'], escalatedTo: 'platform' }, 'people of security, platform but ada'],
    [{ stepUp: true }, 'any person in the directory but ada, with a security key that is touched and unlocked'],
    [{ requester: 'automation/tenure' }, 'any person in the directory but automation/tenure'],
    [{ requester: 'robot', behind: ['ada', 'grace'] }, 'any person in the directory but robot and ada and grace'],
  ];
  test.each(rows)('%o: %s', (differs, expected) => {
    expect(mayDecide(gateOf(differs))).toBe(expected);
  });
});
