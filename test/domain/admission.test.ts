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

const amendment = (differs: Parameters<typeof specOf>[1] = {}): ChangeRequest =>
  requestOf({ kind: 'amend', spec: specOf('app', differs) });

describe('what fits the state', () => {
  test.for([
    ['a rotation of an active identity', active(), requestOf(), true],
    [
      'a rotation of one without a credential',
      stateOf(),
      requestOf(),
      'no credential to rotate (absent); make one with: tenure apply',
    ],
    ['a rotation of what was revoked', stateOf({ status: 'revoked' }), requestOf(), 'with: tenure apply --reinstate'],
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
    ['an amendment', active(), amendment({ purpose: 'another', rotation: { jitterMs: 7 } }), true],
    [
      'an amendment of what is just being made',
      active({ running: running(), begun: specOf('app', { environment: 'next' }) }),
      amendment({ environment: 'next', purpose: 'another' }),
      true,
    ],
    [
      'an amendment of what is just being made for the first time',
      stateOf({ running: running({ kind: 'provision' }), begun: spec }),
      amendment({ purpose: 'another' }),
      true,
    ],
    [
      'an amendment while it is being validated',
      active({ running: running({ kind: 'validate' }), begun: specOf('app', { environment: 'next' }) }),
      amendment({ purpose: 'another' }),
      true,
    ],
    ['an amendment that names nothing', active(), requestOf({ kind: 'amend' }), 'needs the declared identity'],
    ['an amendment of what there is not', stateOf(), amendment(), 'never provisioned'],
    [
      'I6: an amendment of the environment',
      active(),
      amendment({ environment: 'other' }),
      'spec.environment: this goes with a rotation',
    ],
    [
      'I6: an amendment of the target',
      active(),
      amendment({ target: { name: 'db-2', scope: {} } }),
      'spec.target.name: this goes',
    ],
    [
      'I6: an amendment of the scope',
      active(),
      amendment({ target: { name: 'db', scope: { may: ['x'] } } }),
      'spec.target.scope: this goes',
    ],
    [
      'I6: an amendment of a delivery',
      active(),
      amendment({ deliver: [{ store: 'local', path: 'x' }] }),
      'spec.deliver.0: this goes',
    ],
    [
      'I6: an amendment of the strategy',
      active(),
      amendment({ rotation: { strategy: 'overlap' } }),
      'spec.rotation.strategy: this goes',
    ],
    [
      'I6: an amendment of who owns it',
      active(),
      amendment({ owner: { person: 'grace' } }),
      'spec.owner.person: this goes with a rotation',
    ],
    [
      'I6: an amendment of the class of data',
      active(),
      amendment({ dataClass: 'regulated' }),
      'spec.dataClass: this goes with a rotation',
    ],
    [
      'I6: an amendment of the longest life',
      active(),
      amendment({ rotation: { everyMs: 1 } }),
      'spec.rotation.everyMs: this goes with a rotation',
    ],
    [
      'I6: an amendment of a grace',
      active(),
      amendment({ rotation: { graceMs: 1 } }),
      'spec.rotation.graceMs: this goes with a rotation',
    ],
    [
      'I6: an amendment of a freeze',
      active(),
      amendment({ rotation: { freeze: [{ from: '2030-01-01T00:00:00Z', to: '2031-01-01T00:00:00Z', reason: 'x' }] } }),
      'spec.rotation.freeze: this goes with a rotation',
    ],
    [
      'I6: an amendment of a program that the worker runs',
      active(),
      amendment({ consumers: [{ name: 'api', notify: { command: ['/bin/true'] } }] }),
      'spec.consumers.0: this goes with a rotation',
    ],
    [
      'I6: an amendment of a tag',
      active(),
      amendment({ tags: { vendor: 'acme' } }),
      'spec.tags.vendor: this goes with a rotation',
    ],
    [
      'an amendment in another order of rights',
      active({ spec: specOf('app', { target: { name: 'db', scope: { may: ['a', 'b'] } } }) }),
      amendment({ target: { name: 'db', scope: { may: ['b', 'a'] } } }),
      true,
    ],
    [
      'an amendment behind the rotation that brings its scope',
      active({ queue: [requestOf({ spec: specOf('app', { environment: 'other' }) })] }),
      amendment({ environment: 'other' }),
      true,
    ],
    ['an amendment of what never was', stateOf(), amendment(), 'nothing to amend'],
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
        expect(JSON.stringify(asked).length).toBeLessThanOrEqual(36_864);
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
      ['rotation', 'jitterMs'],
      ['rotation', 'whenInUse'],
      ['rotation', 'whenNoWindow'],
      ['rotation', 'whenNotTaken'],
      ['purpose'],
      ['deliver', '0', 'path'],
      ['consumers', '0'],
      ['consumers', '0', 'name'],
      ['consumers', '0', 'notify'],
      ['consumers', '0', 'after'],
      ['consumers', '0', 'timeoutMs'],
      ['tags'],
    ];
    const whole = specOf('app', {
      consumers: [{ name: 'api', notify: { ack: 'manual' }, after: ['web'], timeoutMs: 1_000 }],
    });
    expect(admit(stateOf(), requestOf({ kind: 'provision', spec: whole })).accepted).toBe(true);
    const spoiled = fc.constantFrom(null, true, 'x'.repeat(201), -1, [null], { a: null });
    fc.assert(
      fc.property(fc.constantFrom(...paths), spoiled, (path, value) => {
        const copy = structuredClone(whole) as unknown as Record<string, unknown>;
        let at = copy;
        for (const key of path.slice(0, -1)) at = at[key] as Record<string, unknown>;
        at[path.at(-1)!] = value;
        if (path.at(-1) === 'purpose' && typeof value === 'string') return;
        if (path.at(-1) === 'scope' && typeof value === 'object' && value !== null && !Array.isArray(value)) return;
        expect(admit(stateOf(), requestOf({ kind: 'provision', spec: copy as never }))).toMatchObject({
          accepted: false,
        });
      }),
      { numRuns: 500 },
    );
  });
});

describe('what is sent as a signal may be anything, and is refused with the field and what was expected', () => {
  const withSpec = (differs: Parameters<typeof specOf>[1]) =>
    requestOf({ kind: 'provision', spec: specOf('app', differs) });
  const large = 'é'.repeat(16_000);
  const manyTags = (count: number, length: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`t${n}`, 'x'.repeat(length)]));

  test.for([
    ['no request', null, 'request: expected a request'],
    ['an id without end', requestOf({ id: 'x'.repeat(201) }), 'id: expected'],
    ['control characters', requestOf({ requester: 'a\u0000b' }), 'requester: expected who asks'],
    ['half a character', requestOf({ id: '\uD800' }), 'id: expected'],
    [
      'a reason without end, counted in bytes',
      requestOf({ reason: 'é'.repeat(1_001) }),
      'reason: expected at most 2000 bytes',
    ],
    [
      'a large request, counted in bytes',
      withSpec({ target: { name: 'db', scope: { large: `${large}${large.slice(0, 4_480)}` } } }),
      'request: expected at most 36864 bytes of JSON',
    ],
    ['a repair that is no validate', requestOf({ repair: true }), 'repair: expected a validate'],
    [
      'tags that Temporal cannot hold',
      withSpec({ tags: manyTags(20, 100) }),
      'spec.tags: expected at most 20 texts, 1200 bytes in all',
    ],
    ['too many tags', withSpec({ tags: manyTags(21, 1) }), 'spec.tags'],
    ['a tag that is no text', withSpec({ tags: { a: 1 } as never }), 'spec.tags'],
    [
      'a consumer that is told in two ways',
      withSpec({ consumers: [{ name: 'a', notify: { ack: 'manual', webhook: 'x' } as never }] }),
      'spec.consumers',
    ],
    [
      'a consumer that is told in no way',
      withSpec({ consumers: [{ name: 'a', notify: {} as never }] }),
      'spec.consumers',
    ],
    [
      'a consumer that waits for one without a name',
      withSpec({ consumers: [{ name: 'a', notify: { ack: 'manual' }, after: [1] as never }] }),
      'spec.consumers',
    ],
    [
      'a consumer that may take for ever',
      withSpec({ consumers: [{ name: 'a', notify: { ack: 'manual' }, timeoutMs: 1e15 }] }),
      'spec.consumers',
    ],
    [
      'a hundred and one consumers',
      withSpec({
        consumers: Array.from({ length: 101 }, (_, n) => ({ name: `c${n}`, notify: { ack: 'manual' } as const })),
      }),
      'spec.consumers',
    ],
    ['a delivery without a path', withSpec({ deliver: [{ store: 'local', path: '' }] }), 'spec.deliver'],
    ['no delivery', withSpec({ deliver: [] }), 'spec.deliver'],
    ['a strategy that is none', withSpec({ rotation: { strategy: 'x' as never } }), 'spec.rotation.strategy'],
    ['an interval that never ends', withSpec({ rotation: { everyMs: 1e18 } }), 'spec.rotation.everyMs'],
    [
      'a freeze without an end',
      withSpec({ rotation: { freeze: [{ from: '2026-01-01T00:00:00Z', to: 'never', reason: '' }] } }),
      'spec.rotation.freeze',
    ],
  ] as const)('%s', ([, sent, expected]) => {
    const answer = admit(stateOf(), sent as never);
    expect(answer).toMatchObject({
      accepted: false,
      code: 'InvalidRequest',
      reason: expect.stringContaining(expected),
    });
    expect(JSON.stringify(answer).length).toBeLessThan(500);
  });
});
