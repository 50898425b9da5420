import { describe, expect, test } from 'vitest';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { attribute, type Material } from '../../src/evidence/read/attribution/attribute.js';
import type { ChangeEvent, Coverage, LoginEvent, TargetEvent } from '../../src/evidence/read/attribution/events.js';
import { judge, type Expectations } from '../../src/evidence/read/attribution/judge.js';
import { ourRecordOf } from '../../src/evidence/read/attribution/tenancy.js';
import { credential, record } from './records.js';

const on = (minute: number, second = 0): string =>
  `2026-03-01T12:${String(minute).padStart(2, '0')}:${String(second).padStart(2, '0')}.000Z`;

/** A process from one minute to the next, that leaves these credentials. */
function process(
  kind: ProcessRecord['kind'],
  number: number,
  minute: number,
  more: Partial<ProcessRecord> = {},
): ProcessRecord {
  const startedAt = on(minute);
  const stages = [{ name: 'install' as const, status: 'done' as const, startedAt: on(minute, 10) }];
  const { plan: _plan, ...bare } = record({ kind, number, endedAt: on(minute + 1), stages, proofs: {} });
  return { ...bare, startedAt, ...more };
}

const op = (kind: string, number: number): string => `nhi/payments-db/${kind}/${number}`;
const has = (version: string, principal: string) => ({ after: { current: credential(version, principal) } });
const retired = (minute: number, ...principals: string[]) => ({
  proofs: { retired: { principals, at: on(minute), sessionsEnded: 0 } },
});

const life = [
  process('provision', 1, 0, has(op('provision', 1), 'payments-db_a')),
  {
    ...process('rotate', 2, 10, has(op('rotate', 2), 'payments-db_b')),
    proofs: { retired: { principals: ['payments-db_a'], at: on(10, 50), sessionsEnded: 0 } },
  },
  process('rotate', 3, 20, { ...has(op('rotate', 3), 'payments-db_a'), ...retired(21, 'payments-db_b') }),
];

const expected: Expectations = {
  administrators: ['tenure_admin'],
  addresses: [],
  applications: [],
  toleranceMs: 1_000,
};

function judged(event: TargetEvent, more: Partial<Expectations> = {}, records: readonly ProcessRecord[] = life) {
  return judge([event], ourRecordOf(records), { ...expected, ...more })[0]!;
}

function login(user: string, at: string, more: Partial<LoginEvent> = {}): LoginEvent {
  return {
    what: 'login',
    user,
    at,
    accepted: true,
    application: 'billing',
    address: '10.1.0.7',
    source: 'log:1',
    ...more,
  };
}

function change(at: string, more: Partial<ChangeEvent> = {}): ChangeEvent {
  return {
    what: 'change',
    at,
    user: 'tenure_admin',
    application: 'tenure',
    statement: 'x',
    roles: [],
    failed: false,
    source: 'log:1',
    ...more,
  };
}

describe('logins', () => {
  test.each([
    ['payments-db_a', on(5), true, 'with the credential that nhi/payments-db/provision/1 made'],
    ['payments-db_a', on(0, 5), false, 'no process had made that login'],
    ['payments-db_a', on(10, 45), true, 'with the credential that nhi/payments-db/provision/1 made'],
    ['payments-db_a', on(15), false, 'after nhi/payments-db/rotate/2 had ended that login at 2026-03-01 12:10:50Z'],
    ['payments-db_b', on(15), true, 'with the credential that nhi/payments-db/rotate/2 made'],
    ['payments-db_a', on(25), true, 'with the credential that nhi/payments-db/rotate/3 made'],
    ['payments-db_b', on(25), false, 'after nhi/payments-db/rotate/3 had ended that login'],
    ['payments-db', on(25), false, 'no process had made that login'],
  ])('%s at %s: explained %j', (user, at, explained, why) => {
    expect(judged(login(user, at))).toMatchObject({ explained, why: expect.stringContaining(why) });
  });

  test('the clocks may differ as much as is allowed, and no more', () => {
    expect(judged(login('payments-db_a', on(10, 51))).explained).toBe(true);
    expect(judged(login('payments-db_a', on(10, 52))).explained).toBe(false);
    expect(judged(login('payments-db_a', on(10, 52)), { toleranceMs: 2_000 }).explained).toBe(true);
  });

  test('a login that was there before the log began is explained by nothing older', () => {
    const plan = {
      ...record().plan!,
      from: { target: 'ledger-db', principal: 'payments-db_b', version: 'x', scope: {} },
    };
    const first = process('rotate', 9, 10, { ...has(op('rotate', 9), 'payments-db_a'), plan });
    expect(judged(login('payments-db_b', on(1)), {}, [first])).toMatchObject({
      explained: true,
      why: expect.stringContaining('before the log began'),
    });
    expect(judged(login('payments-db_b', on(15)), {}, [first]).explained).toBe(false);
  });

  test('in place, a login is that of the process that last gave it a credential', () => {
    const again = [life[0]!, process('rotate', 2, 10, has(op('rotate', 2), 'payments-db_a'))];
    expect(judged(login('payments-db_a', on(5)), {}, again).operation).toBe(op('provision', 1));
    expect(judged(login('payments-db_a', on(15)), {}, again).operation).toBe(op('rotate', 2));
  });

  test('what failed and was put back ends nothing, and a revocation ends everything', () => {
    const undone = process('rotate', 4, 30, { ...has(op('rotate', 3), 'payments-db_a'), outcome: 'undone' });
    expect(judged(login('payments-db_a', on(35)), {}, [...life, undone]).explained).toBe(true);
    const revoked = process('revoke', 4, 30, { after: {} });
    expect(judged(login('payments-db_a', on(35)), {}, [...life, revoked])).toMatchObject({
      explained: false,
      operation: op('revoke', 4),
    });
  });

  test('a worker that tries a credential during its process is explained; the same name outside of one is judged like any other', () => {
    const ours = { application: 'tenure' };
    expect(judged(login('payments-db_a', on(10, 58), ours))).toMatchObject({
      explained: true,
      why: `tried by ${op('rotate', 2)}`,
    });
    expect(judged(login('payments-db_a', on(15), ours)).explained).toBe(false);
  });

  test('a refused login is explained during a process and by nothing outside of one', () => {
    const refused = (at: string, application?: string): LoginEvent => {
      const { application: _none, ...event } = login('payments-db_a', at, {
        accepted: false,
        answer: 'password authentication failed',
      });
      return application === undefined ? event : { ...event, application };
    };
    expect(judged(refused(on(10, 55)))).toMatchObject({
      explained: true,
      why: expect.stringContaining('does not say who tried'),
    });
    expect(judged(refused(on(10, 55), 'tenure')).why).toBe(`proven to be refused by ${op('rotate', 2)}`);
    expect(judged(refused(on(10, 55), 'billing')).explained).toBe(false);
    expect(judged(refused(on(15)))).toMatchObject({
      explained: false,
      why: 'it was refused: password authentication failed',
    });
  });

  test.each([
    [['10.1.0.0/16'], '10.1.0.7', true],
    [['10.1.0.7'], '10.1.0.7', true],
    [['10.2.0.0/16'], '10.1.0.7', false],
    [['fd00::/8'], 'fd00::7', true],
    [['fd00::/8'], '10.1.0.7', false],
    [['[local]'], '[local]', true],
    [['10.1.0.0/16'], '[local]', false],
    [['10.1.0.0/16'], undefined, false],
  ])('from %j, a login from %s: explained %j', (addresses, address, explained) => {
    const { address: _none, ...event } = login('payments-db_a', on(5));
    expect(judged({ ...event, ...(address !== undefined && { address }) }, { addresses }).explained).toBe(explained);
  });

  test('an application that is not expected is listed, and one without a name too', () => {
    const { application: _none, ...nameless } = login('payments-db_a', on(5));
    expect(judged(login('payments-db_a', on(5)), { applications: ['billing'] }).explained).toBe(true);
    expect(judged(login('payments-db_a', on(5)), { applications: ['other'] }).explained).toBe(false);
    expect(judged(nameless, { applications: ['billing'] }).explained).toBe(false);
  });

  test('a session counts when it began and when it was seen: one that outlived its credential is listed', () => {
    const session = (since: string, at: string) => ({
      what: 'session' as const,
      user: 'payments-db_a',
      since,
      at,
      source: 's:1',
    });
    expect(judged(session(on(5), on(6))).explained).toBe(true);
    expect(judged(session(on(5), on(15)))).toMatchObject({
      explained: false,
      why: expect.stringContaining('was connected after'),
    });
    expect(judged(session(on(15), on(25)))).toMatchObject({
      explained: false,
      why: expect.stringContaining('logged in after'),
    });
  });
});

describe('changes', () => {
  test.each<[string, Partial<ChangeEvent>, string, boolean, string]>([
    ['of the worker during a process', {}, on(10, 30), true, `done by ${op('rotate', 2)}`],
    ['of the worker while none ran', {}, on(15), false, 'no process of this identity ran'],
    [
      'of somebody else during a process',
      { user: 'dba' },
      on(10, 30),
      false,
      'dba is not an administrator of Tenure, though nhi/payments-db/rotate/2 ran',
    ],
    ['of somebody else while none ran', { user: 'dba' }, on(15), false, 'dba is not an administrator of Tenure'],
    ['by another program with our login', { application: 'psql' }, on(10, 30), false, 'it was done with psql'],
  ])('%s: %#', (_what, more, at, explained, why) => {
    expect(judged(change(at, more))).toMatchObject({ explained, why: expect.stringContaining(why) });
  });

  test('where the log does not say who it was, a process that ran explains it with that caveat', () => {
    const { user: _user, application: _application, ...anonymous } = change(on(10, 30));
    expect(judged(anonymous)).toMatchObject({
      explained: true,
      why: expect.stringContaining('does not say who did it'),
    });
    expect(judged({ ...anonymous, at: on(15) }).explained).toBe(false);
  });
});

describe('gaps', () => {
  const whole: Coverage = {
    first: on(0),
    last: on(30),
    lines: 9,
    unread: [],
    unreadCount: 0,
    connections: true,
    statements: true,
    anonymous: 0,
  };
  const read = (more: Partial<Material>) =>
    attribute(
      {
        identity: 'payments-db',
        from: on(0),
        to: on(30),
        records: life,
        events: [],
        coverage: whole,
        samples: [],
        ...more,
      },
      expected,
    );

  test('a log that covers the time has none', () => {
    expect(read({})).toMatchObject({ gaps: [], blind: false });
  });

  test.each<[string, Partial<Coverage>, boolean]>([
    ['begins at', { first: on(1) }, false],
    ['ends at', { last: on(29) }, false],
    ['switch log_connections on', { connections: false }, false],
    ['set log_statement', { statements: false }, false],
    ['2 changes are without their author', { anonymous: 2 }, false],
    ['3 lines could not be read: f:1', { unreadCount: 3, unread: ['f:1'] }, false],
    ['switch log_connections on', { connections: false, statements: false }, true],
  ])('%s: %#', (gap, coverage, blind) => {
    const found = read({ coverage: { ...whole, ...coverage } });
    expect(found.gaps.join('\n')).toContain(gap);
    expect(found.blind).toBe(blind);
  });

  test('samples alone are no log, and neither is nothing', () => {
    const { coverage: _coverage, ...bare } = {
      identity: 'x',
      from: on(0),
      to: on(1),
      records: [],
      events: [],
      samples: [on(0)],
      coverage: whole,
    };
    expect(attribute(bare, expected)).toMatchObject({
      blind: false,
      gaps: [
        expect.stringContaining('no record'),
        expect.stringContaining('no change'),
        expect.stringContaining('between two'),
      ],
    });
    expect(attribute({ ...bare, samples: [] }, expected).blind).toBe(true);
  });

  test('only what happened between the two instants is judged', () => {
    const events = [login('payments-db_a', on(5)), login('payments-db_a', on(15)), login('payments-db_a', on(25))];
    const found = read({ events, from: on(10), to: on(15) });
    expect([found.unexplained.length, found.explained.length]).toEqual([1, 0]);
  });
});
