/** What people read before they sign: everything that would be otherwise is in it, in words. */
import { describe, expect, test } from 'vitest';
import { changesInWords, consumerName, consumersInWords, planInWords } from '../../src/domain/plan-words.js';
import { planOf, untilNow, type ProcessPlan } from '../../src/domain/plan.js';
import type { ProcessInput } from '../../src/domain/process.js';
import { specOf } from '../support/spec.js';

const spec = specOf('app', { target: { name: 'db', scope: { may: ['select'] } } });
const current = {
  version: 'nhi/app/provision/1',
  target: 'db',
  principal: 'app_a',
  fingerprint: '0123456789abcdef',
  deliveries: [{ store: 'local', path: 'app' }],
  createdAt: '2026-01-01T00:00:00.000Z',
};
const planFor = (differs: Partial<ProcessInput>): ProcessPlan =>
  planOf({
    kind: 'rotate',
    operation: 'nhi/app/rotate/2',
    epoch: 4,
    identity: 'app',
    request: { id: 'r', kind: 'rotate', requester: 'ada' },
    spec,
    specBefore: spec,
    current,
    ...differs,
  });

describe('a plan', () => {
  test('of which nothing is new says so of its rights', () => {
    expect(planInWords(planFor({}))).toEqual([
      'rotate app (test, internal data), owned by ada@example.com of team payments',
      'asked by ada',
      'the credential that goes: app_a at db, version nhi/app/provision/1',
      'the credential that comes: at db, delivered to local:app',
      '  its rights stay: {"may":["select"]}',
      'strategy: alternate, grace 0 ms',
      'consumers: none',
    ]);
  });

  const other = specOf('app', {
    environment: 'production',
    dataClass: 'regulated',
    owner: { person: 'eve@example.com' },
    target: { name: 'db', scope: { may: ['delete'] } },
  });
  test.each<[string, Partial<ProcessInput>, string[]]>([
    [
      'with other labels, owners and rights has both',
      { specBefore: other },
      [
        'rotate app (test, internal data), owned by ada@example.com of team payments (until now eve@example.com)',
        'until now: production, regulated data',
        '  rights before: {"may":["delete"]}',
        '  rights after:  {"may":["select"]}',
      ],
    ],
    [
      'with another class of data alone has both',
      { specBefore: specOf('app', { dataClass: 'public', target: spec.target }) },
      ['until now: test, public data'],
    ],
    [
      'that only ends something has the rights that go',
      { kind: 'revoke', request: { id: 'r', kind: 'revoke', requester: 'ada', emergency: true, reason: 'it leaked' } },
      ['asked by ada: it leaked', 'this is an emergency', '  its rights: {"may":["select"]}'],
    ],
    [
      'that repairs says so',
      { kind: 'validate', request: { id: 'r', kind: 'validate', requester: 'ada', repair: true } },
      ['validate and repair app (test, internal data), owned by ada@example.com of team payments'],
    ],
    [
      'that lends says what, for how long and why',
      {
        kind: 'elevate',
        request: {
          id: 'r',
          kind: 'elevate',
          requester: 'ada',
          ticket: 'CHG-7',
          elevation: { scope: { may: ['delete'] }, forMs: 3_600_000, incident: 'INC-1' },
        },
      },
      ['it belongs to CHG-7', 'for 1 h it may in addition: {"may":["delete"]}, because of INC-1'],
    ],
  ])('%s', (_, differs, lines) => {
    expect(planInWords(planFor(differs))).toEqual(expect.arrayContaining(lines));
  });

  test('of a first credential has its rights', () => {
    const { specBefore: _before, current: _current, ...first } = { specBefore: 0, current: 0 };
    const request = { id: 'r', kind: 'provision', requester: 'ada' } as const;
    const input = {
      kind: 'provision',
      operation: 'nhi/app/provision/1',
      epoch: 2,
      identity: 'app',
      request,
      spec,
    } as const;
    expect(planInWords(planOf({ ...input, ...first }))).toContain('  its rights: {"may":["select"]}');
  });
});

describe('what would be declared otherwise', () => {
  const freeze = [{ from: '2030-01-01T00:00:00.000Z', to: '2030-01-02T00:00:00.000Z', reason: 'year end' }];
  test.each<[string, Parameters<typeof specOf>[1], Parameters<typeof specOf>[1], string]>([
    ['tags', { tags: { b: '2', a: '1' } }, {}, 'tags changes: a=1, b=2 (until now none)'],
    [
      'a freeze',
      { rotation: { freeze } },
      {},
      `freeze changes: ${freeze[0]!.from} to ${freeze[0]!.to} (year end) (until now none)`,
    ],
    ['the age', { rotation: { everyMs: 86_400_000 } }, {}, 'every changes: 1 d (until now 30 d)'],
    ['the grace', { rotation: { graceMs: 5_000 } }, {}, 'grace changes: 5.0 s (until now 0 ms)'],
    [
      'a team that there was not',
      {},
      { owner: { person: 'ada@example.com' } },
      'team changes: payments (until now nothing)',
    ],
    ['rights', { target: { name: 'db', scope: { may: [] } } }, {}, 'scope changes: {"may":[]} (until now {})'],
    ['places', { deliver: [{ store: 'vault', path: 'app' }] }, {}, 'deliver changes: vault:app (until now local:app)'],
    [
      'whom it tells',
      { consumers: [{ name: 'api', notify: { ack: 'manual' } }] },
      {},
      'consumers changes: api (acknowledged by hand) (until now none)',
    ],
  ])('%s', (_, after, before, line) => {
    expect(changesInWords(planFor({ spec: specOf('app', after), specBefore: specOf('app', before) }))).toContain(line);
  });

  test('is nothing where nothing was declared before, and no place where nothing is made', () => {
    const { before, ...alone } = planFor({});
    expect(before).toEqual(untilNow(spec));
    expect(changesInWords(alone)).toEqual([]);
    const ends = planFor({ kind: 'revoke', specBefore: specOf('app', { target: { name: 'db-2', scope: {} } }) });
    expect(changesInWords(ends)).toEqual([]);
  });
});

describe('whom a process tells', () => {
  const named = { name: 'api', notify: { ack: 'manual' } } as const;
  test.each<[Parameters<typeof consumersInWords>[0], string]>([
    [[], 'none'],
    [['a consumer of an old plan'], 'a consumer of an old plan'],
    [
      [{ name: 'api', notify: { command: ['reload', 'x y'] }, after: ['db', 'cache'], timeoutMs: 60_000 }],
      'api (runs ["reload","x y"], after db and cache, within 1 min)',
    ],
    [
      [{ name: 'api', notify: { webhook: 'https://api.example/hook?token=x' } }],
      'api (calls https://api.example/hook?…)',
    ],
    [[{ name: 'api', notify: { webhook: 'https://api.example/hook' } }], 'api (calls https://api.example/hook)'],
    [
      [{ name: 'api', notify: { file: { path: '/run/app', format: 'dotenv' } } }],
      'api (writes /run/app as dotenv, 0600)',
    ],
    [
      [
        {
          name: 'api',
          notify: { file: { path: '/run/app', format: 'template', template: 'p={{password}}', mode: '0640' } },
        },
      ],
      'api (writes /run/app as template "p={{password}}", 0640)',
    ],
    [[named], 'api (acknowledged by hand)'],
  ])('%j is told as %s', (consumers, words) => {
    expect(consumersInWords(consumers)).toBe(words);
  });

  test('has a name in plans of every age', () => {
    expect([consumerName(named), consumerName('api')]).toEqual(['api', 'api']);
  });
});
