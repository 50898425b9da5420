import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit, mayStart } from '../../src/domain/admission.js';
import { newIdentity, queueLimit, type IdentityState } from '../../src/domain/identity.js';
import type { CredentialRecord } from '../../src/domain/credential.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { specOf } from '../support/spec.js';

const current: CredentialRecord = {
  version: 'nhi/app/provision/1',
  target: 'db',
  principal: 'app_a',
  fingerprint: '0123456789abcdef',
  deliveries: [{ store: 'local', path: 'app' }],
  createdAt: '2026-01-01T00:00:00.000Z',
};
const stateOf = (differs: Partial<IdentityState> = {}): IdentityState => ({ ...newIdentity('app'), ...differs });
const active = (differs: Partial<IdentityState> = {}): IdentityState =>
  stateOf({ status: 'active', spec: specOf('app'), current, processNumber: 1, ...differs });
const requestOf = (differs: Partial<ChangeRequest> = {}): ChangeRequest => ({
  id: 'r',
  kind: 'rotate',
  requester: 'ada',
  ...differs,
});
const running = (
  differs: Partial<NonNullable<IdentityState['running']>> = {},
): NonNullable<IdentityState['running']> => ({
  kind: 'rotate',
  operation: 'nhi/app/rotate/2',
  requestId: 'q',
  startedAt: '2026-01-01T00:00:00.000Z',
  emergency: false,
  ...differs,
});
const full = Array.from({ length: queueLimit }, (_, n) => requestOf({ id: `q${n}` }));
const emergency = requestOf({ kind: 'revoke', emergency: true });
const spec = specOf('app');

describe('what fits the state', () => {
  test.for([
    ['a rotation of an active identity', active(), requestOf(), true],
    ['a rotation of one without a credential', stateOf(), requestOf(), 'no credential to rotate'],
    [
      'a rotation behind its first provision',
      stateOf({ queue: [requestOf({ kind: 'provision', spec })] }),
      requestOf(),
      true,
    ],
    ['a rotation while it is provisioned', stateOf({ running: running({ kind: 'provision' }) }), requestOf(), true],
    ['a provision', stateOf(), requestOf({ kind: 'provision', spec }), true],
    [
      'a provision without what is declared',
      stateOf(),
      requestOf({ kind: 'provision' }),
      'needs the declared identity',
    ],
    ['a second provision', active(), requestOf({ kind: 'provision', spec }), 'has a credential already'],
    ['an amendment without what is declared', active(), requestOf({ kind: 'amend' }), 'needs the declared identity'],
    ['a revocation of what never was', stateOf(), requestOf({ kind: 'revoke' }), 'never provisioned'],
    ['an emergency for what never was', stateOf(), emergency, 'never provisioned'],
    ['an end of what has ended', active({ status: 'offboarded' }), requestOf({ kind: 'revoke' }), 'was offboarded'],
    [
      'an end behind a new provision',
      active({ status: 'offboarded', queue: [requestOf({ kind: 'provision', spec })] }),
      requestOf({ kind: 'revoke' }),
      true,
    ],
    ['a spec of another name', active(), requestOf({ spec: specOf('other') }), 'expected app'],
  ] as const)('%s', ([, state, request, expected]) => {
    const answer = admit(state, request);
    expect(answer.accepted).toBe(expected === true);
    if (!answer.accepted) expect(answer.reason).toContain(expected);
  });
});

describe('the order of the checks', () => {
  const handled = [
    { id: 'r', answer: { accepted: true, queued: 0, note: 'starts now', operation: 'nhi/app/rotate/2' } as const },
  ];

  test('a repeated id is answered as before, even where the request would now be refused', () => {
    for (const state of [stateOf({ handled }), active({ handled, queue: full })])
      expect(admit(state, requestOf())).toBe(handled[0]!.answer);
  });

  test('what is malformed is refused, even with a known id or beside a running emergency', () => {
    const state = active({ handled, running: running({ kind: 'revoke', emergency: true }) });
    expect(admit(state, requestOf({ requester: '' }))).toMatchObject({ accepted: false, code: 'InvalidRequest' });
    expect(admit(state, requestOf({ id: 'new', emergency: true }))).toMatchObject({
      accepted: false,
      code: 'InvalidRequest',
    });
  });

  test('a full queue comes before what fits the state', () => {
    expect(admit(stateOf({ queue: full }), requestOf({ kind: 'provision' }))).toMatchObject({
      accepted: false,
      code: 'Conflict',
    });
  });
});

describe('an emergency', () => {
  test('has room in a full queue, but not without end', () => {
    expect(admit(active({ queue: full }), emergency)).toMatchObject({ accepted: true, queued: 0 });
    const flood = full.map((request) => ({ ...request, kind: 'revoke' as const, emergency: true }));
    expect(admit(active({ queue: flood }), emergency)).toMatchObject({ accepted: false, code: 'Conflict' });
    expect(admit(active({ queue: flood }), requestOf({ kind: 'validate' }))).toMatchObject({ accepted: true });
  });

  test('joins one that runs already', () => {
    const state = active({ running: running({ kind: 'revoke', operation: 'nhi/app/revoke/3', emergency: true }) });
    expect(admit(state, emergency)).toMatchObject({ accepted: true, operation: 'nhi/app/revoke/3' });
    expect(admit(state, requestOf({ kind: 'revoke' }))).toMatchObject({ accepted: true, queued: 1 });
  });
});

test('what was fine when it was asked is asked again when its turn comes', () => {
  expect(admit(active({ running: running({ kind: 'revoke' }) }), requestOf()).accepted).toBe(true);
  const { current: _, ...without } = active({ status: 'revoked' });
  expect(mayStart(without, requestOf())).toMatchObject({ code: 'InvalidRequest' });
  expect(mayStart(stateOf({ queue: [requestOf({ kind: 'provision', spec })] }), requestOf())).toBeDefined();
});

describe('whatever is sent', () => {
  const almost = fc.record(
    {
      id: fc.oneof(fc.string(), fc.anything()),
      kind: fc.oneof(fc.constantFrom('provision', 'rotate', 'validate', 'revoke', 'offboard', 'amend'), fc.anything()),
      requester: fc.oneof(fc.string(), fc.anything()),
      reason: fc.anything(),
      emergency: fc.oneof(fc.boolean(), fc.anything()),
      spec: fc.oneof(fc.constant(spec), fc.anything()),
    },
    { requiredKeys: [] },
  );
  const states = fc.constantFrom(
    stateOf(),
    active(),
    active({ queue: full }),
    active({ running: running({ emergency: true, kind: 'revoke' }) }),
  );

  test('the answer is an answer, the state is as before, and what is accepted is safe to keep', () => {
    fc.assert(
      fc.property(states, fc.oneof(almost, fc.anything()), (state, sent) => {
        const asked = JSON.parse(JSON.stringify(sent ?? null)) as ChangeRequest;
        const before = structuredClone(state);
        const answer = admit(state, asked);
        expect(state).toEqual(before);
        if (!answer.accepted) {
          expect(answer.reason).not.toBe('');
          return;
        }
        expect(asked.id.length).toBeGreaterThan(0);
        expect(asked.requester.length).toBeLessThanOrEqual(200);
        expect(JSON.stringify(asked).length).toBeLessThanOrEqual(64_000);
        expect(asked.emergency === undefined || typeof asked.emergency === 'boolean').toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a spec in which one field is spoiled is never accepted, and never throws', () => {
    const paths = [
      ['name'],
      ['kind'],
      ['owner'],
      ['owner', 'person'],
      ['environment'],
      ['dataClass'],
      ['target'],
      ['target', 'name'],
      ['target', 'scope'],
      ['deliver'],
      ['deliver', '0'],
      ['deliver', '0', 'store'],
      ['consumers'],
      ['rotation'],
      ['rotation', 'name'],
      ['rotation', 'strategy'],
      ['rotation', 'graceMs'],
      ['rotation', 'freeze'],
      ['tags'],
    ];
    const spoiled = fc.constantFrom(null, true, 'x'.repeat(201), -1, [null], { a: null });
    fc.assert(
      fc.property(fc.constantFrom(...paths), spoiled, (path, value) => {
        const copy = structuredClone(spec) as unknown as Record<string, unknown>;
        let at = copy;
        for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
        at[path.at(-1)!] = value;
        if (path.at(-1) === 'scope' && typeof value === 'object' && value !== null && !Array.isArray(value)) return;
        expect(admit(stateOf(), requestOf({ kind: 'provision', spec: copy as never }))).toMatchObject({
          accepted: false,
        });
      }),
      { numRuns: 500 },
    );
  });
});
