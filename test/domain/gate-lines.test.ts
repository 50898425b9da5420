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
    const digests = ['Plan digest', 'Policies digest', 'Facts digest'];
    const least = ['Plan', 'Asked by', 'May decide', 'Missing', 'Closes', ...digests];
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
      { label: 'Policies digest', text: 'sha256:policy' },
      { label: 'Facts digest', text: 'sha256:evidence' },
    ]);
  });

  test('has a plan in one line, without the indents that it has in several', () => {
    const to = { target: 'db', scope: { grants: [] }, deliver: ['local:app'] };
    expect(gateLines({ ...plan, to }, gateOf())[0]!.text).toContain('local:app; its rights');
  });

  test('says of a first plan that nothing was approved before', () => {
    const lines = gateLines(plan, gateOf(), { ...noFacts, growth: ['select on ledger'] });
    expect(lines[1]).toEqual({ label: 'Rights, of which none was approved before', text: 'select on ledger' });
  });

  test('tells all that would be declared otherwise, with what it is until now', () => {
    const consumers = [
      { name: 'api', notify: { command: ['/bin/reload', 'x'] } },
      { name: 'web', notify: { webhook: 'https://a.example/in?token=kept-back' }, after: ['api'], timeoutMs: 60_000 },
      { name: 'file', notify: { file: { path: '/run/app/db', format: 'json' } } },
    ] as const;
    const handling = { whenInUse: 'ask', whenNoWindow: 'skip', whenNotTaken: 'unwind', freeze: [] } as const;
    const declared = { kind: 'database-role', team: 'ledgers', everyMs: 86_400_000, tags: { a: 'b' } } as const;
    const to = { target: 'db', scope: {}, deliver: ['local:app'] };
    const after: ProcessPlan = { ...plan, declared, handling, consumers, to };
    const before = {
      ...after,
      owner: 'dan',
      declared: { kind: 'agent', team: 'payments', everyMs: 3_600_000, tags: {} } as const,
      handling: { ...handling, whenInUse: 'go-on', freeze: [{ from: 'a', to: 'b', reason: 'c' }] } as const,
      strategy: 'overlap' as const,
      graceMs: 0,
      consumers: [],
      to: { ...to, deliver: ['local:other'] },
    };
    const [first, ...rest] = gateLines({ ...after, before }, gateOf({ groups: ['team|owner'] }));
    expect(first!.text).toContain('owned by grace of team ledgers (until now dan of team payments)');
    for (const told of [
      'consumers: api (runs ["/bin/reload","x"]), web (calls https://a.example/in?…, after api, within 1 min), file (writes /run/app/db as json, 0600)',
      '(until now none)',
      'kind changes: database-role (until now agent)',
      'tags changes: a=b (until now none)',
      'every changes: 1 d (until now 1 h)',
      'strategy changes: alternate (until now overlap)',
      'grace changes: 1 min (until now 0 ms)',
      'freeze changes: none (until now a to b (c))',
      'whenInUse changes: ask (until now go-on)',
      'deliver changes: local:app (until now local:other)',
    ])
      expect(first!.text).toContain(told);
    expect(first!.text).not.toContain('kept-back');
    expect(first!.text).not.toContain('whenNotTaken changes');
    expect(rest.find(({ label }) => label === 'May decide')!.text).toBe(
      'people of team (payments) or owner (dan) but ada',
    );
  });

  test('is one line each, whatever somebody wrote: no line, no terminal code and no turned letters of theirs', () => {
    const reason = 'routine\nPlan digest: sha256:other\u001B[2J\u202Eworra\r';
    const lines = gateLines({ ...plan, reason }, gateOf({ requester: 'ada\u2028\u009B1A' }));
    expect(lines.map(({ text }) => text).join('')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(lines[0]!.text).toContain('asked by ada: routine Plan digest: sha256:other [2J worra ;');
  });

  test.each<[string, Partial<ProcessPlan>, string]>([
    ['has one', { declared: { kind: 'agent', team: 'payments', tags: {} } }, 'people of team (payments) but ada'],
    ['has none', { declared: { kind: 'agent', tags: {} } }, 'people of team (none) but ada'],
    ['of old says nothing of it', {}, 'people of team (none) but ada'],
  ])('names the team that is asked, where the plan %s', (_, differs, expected) => {
    const lines = gateLines({ ...plan, ...differs }, gateOf({ groups: ['team'] }));
    expect(lines.find(({ label }) => label === 'May decide')!.text).toBe(expected);
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
