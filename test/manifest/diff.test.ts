import { describe, expect, it } from 'vitest';
import type { IdentitySpec, IdentityState } from '../../src/domain/identity.js';
import { newIdentity } from '../../src/domain/identity.js';
import { diffManifests } from '../../src/manifest/diff.js';
import type { Foresee, IdentityDiff } from '../../src/manifest/diff.js';
import { policy } from '../schedule/policies.js';

/** As a policy that gates production and every offboarding. */
const foresee: Foresee = (kind, to, from) => {
  if (kind === 'amend')
    return { approvals: 0, groups: [], ...(to.purpose === 'forbidden' && { refusal: 'nobody may' }) };
  const isGated = kind === 'offboard' || [to, from?.spec].some((one) => one?.environment === 'production');
  return { approvals: isGated ? 1 : 0, groups: isGated ? ['platform'] : [] };
};

function spec(differs: Partial<IdentitySpec> = {}): IdentitySpec {
  return {
    name: 'payments-db',
    kind: 'database-role',
    owner: { person: 'ada@example.com' },
    purpose: 'the payments API writes the ledger',
    environment: 'production',
    dataClass: 'internal',
    target: { name: 'ledger-db', scope: { grants: [{ on: 'ledger', may: ['select', 'insert'] }] } },
    deliver: [{ store: 'local', path: 'payments/db' }],
    consumers: [],
    rotation: policy({ everyMs: 1000 }),
    tags: {},
    ...differs,
  };
}

function state(differs: Partial<IdentityState> = {}): IdentityState {
  const current = {
    version: 'v1',
    target: 'ledger-db',
    principal: 'p',
    fingerprint: 'f',
    deliveries: [],
    createdAt: '2026-11-01T00:00:00Z',
  };
  return { ...newIdentity('payments-db'), spec: spec(), status: 'active', current, ...differs };
}

function diff(
  declared: readonly IdentitySpec[],
  actual: readonly IdentityState[],
  options: Parameters<typeof diffManifests>[2] = { foresee },
): readonly IdentityDiff[] {
  return diffManifests(declared, new Map(actual.map((one) => [one.name, one])), options).identities;
}

function only(declared: Partial<IdentitySpec>): IdentityDiff {
  return diff([spec(declared)], [state()])[0]!;
}

describe('what applying would do', () => {
  it('is to rotate what is unchanged or only amended too, where that is asked for', () => {
    const asked = (purpose: string, rotate: boolean) => diff([spec({ purpose })], [state()], { foresee, rotate })[0]!;
    expect(asked(spec().purpose, true)).toMatchObject({ action: 'rotate', needsApproval: true });
    expect(asked('another', true).action).toBe('rotate');
    expect(asked(spec().purpose, false).action).toBe('unchanged');
  });

  it('is to provision what is new, and to say where', () => {
    expect(diff([spec()], [])).toMatchObject([
      {
        name: 'payments-db',
        action: 'provision',
        needsApproval: true,
        approval: { approvals: 1, groups: ['platform'] },
        sentence: 'a credential is made at ledger-db, proven, and delivered to local:payments/db',
      },
    ]);
  });

  it.each(['revoked', 'offboarded'] as const)('is to provision again what was %s, and to say so', (status) => {
    const { current: _current, ...gone } = state({ status });
    expect(diff([spec()], [gone], { reinstate: true })).toMatchObject([
      { action: 'provision', sentence: expect.stringMatching(`^it was ${status}; a credential is made`) },
    ]);
  });

  it('leaves what was revoked alone unless it is to be reinstated: Git must not undo what a responder did', () => {
    const { current: _current, ...revoked } = state({ status: 'revoked' });
    expect(diff([spec()], [revoked])).toMatchObject([
      { action: 'revoked', needsApproval: false, sentence: expect.stringContaining('--reinstate') },
    ]);
  });

  it('is nothing where nothing differs, also when rights stand in another order', () => {
    expect(only({})).toMatchObject({ action: 'unchanged', changes: [], needsApproval: false });
    expect(
      only({ target: { name: 'ledger-db', scope: { grants: [{ may: ['insert', 'select'], on: 'ledger' }] } } }).action,
    ).toBe('unchanged');
  });

  it('is nothing where consumers stand in another order, and something where deliveries do', () => {
    const [one, two] = [
      { name: 'a', notify: { ack: 'manual' as const } },
      { name: 'b', notify: { ack: 'manual' as const } },
    ];
    const places = [
      { store: 'local', path: 'a' },
      { store: 'local', path: 'b' },
    ];
    const before = state({ spec: spec({ consumers: [one, two], deliver: places }) });
    expect(diff([spec({ consumers: [two, one], deliver: places })], [before])[0]!.action).toBe('unchanged');
    expect(diff([spec({ consumers: [one, two], deliver: [...places].reverse() })], [before])[0]!.action).toBe('rotate');
  });

  it.each([
    [
      'a scope that grew',
      { may: ['select', 'insert', 'update'] },
      'the new credential may do more; the old one is ended',
    ],
    ['a scope that shrank', { may: ['select'] }, 'the new credential may do less; the old one is ended'],
    [
      'a scope that did both',
      { may: ['select', 'delete'] },
      'the new credential gets the rights as declared now, some more and some fewer; the old one is ended',
    ],
  ])('is one rotation for %s', (_title, { may }, consequence) => {
    const found = only({ target: { name: 'ledger-db', scope: { grants: [{ on: 'ledger', may }] } } });
    expect(found).toMatchObject({ action: 'rotate', needsApproval: true });
    expect(found.changes).toEqual([
      { path: 'target.scope.grants[0].may', from: ['select', 'insert'], to: may, consequence, effect: 'rotate' },
    ]);
  });

  it('says of a whole new grant that it is more, and of one that went that it is less', () => {
    const grants = [
      { on: 'ledger', may: ['select', 'insert'] },
      { on: 'audit', may: ['select'] },
    ];
    const more = only({ target: { name: 'ledger-db', scope: { grants } } });
    expect(more.changes).toMatchObject([
      {
        path: 'target.scope.grants[1]',
        from: undefined,
        consequence: 'the new credential may do more; the old one is ended',
      },
    ]);
    const before = state({ spec: spec({ target: { name: 'ledger-db', scope: { grants } } }) });
    expect(diff([spec()], [before])[0]!.changes).toMatchObject([
      {
        path: 'target.scope.grants[1]',
        to: undefined,
        consequence: 'the new credential may do less; the old one is ended',
      },
    ]);
  });

  it.each([
    [
      'target',
      { target: { name: 'other-db', scope: spec().target.scope } },
      'target.name',
      'a new credential is made at the new target, and the old one ends at the old target',
    ],
    [
      'authoritative store',
      { deliver: [{ store: 'local', path: 'other' }] },
      'deliver[0].path',
      'the new credential is kept in the new place, which is authoritative from then on; the old place is emptied',
    ],
    [
      'further store',
      {
        deliver: [
          { store: 'local', path: 'payments/db' },
          { store: 'cloud', path: 'x' },
        ],
      },
      'deliver[1]',
      'the new credential is kept there as well',
    ],
    [
      'strategy',
      { rotation: policy({ everyMs: 1000, strategy: 'in-place' }) },
      'rotation.strategy',
      'a new credential is made this way; the old one is ended',
    ],
    [
      'environment',
      { environment: 'development' },
      'environment',
      'a new credential is made, by the rules of both environments; the old one is ended',
    ],
    [
      'owner',
      { owner: { person: 'grace@example.com' } },
      'owner.person',
      'the new owner is asked and told from then on; a new credential is made, the old one is ended',
    ],
    [
      'team',
      { owner: { person: 'ada@example.com', team: 'payments' } },
      'owner.team',
      'the new owner is asked and told from then on; a new credential is made, the old one is ended',
    ],
    [
      'class of data',
      { dataClass: 'regulated' as const },
      'dataClass',
      'a new credential is made, by the rules of both classes; the old one is ended',
    ],
    [
      'kind',
      { kind: 'service-account' as const },
      'kind',
      'a new credential is made, by the rules for the new kind; the old one is ended',
    ],
    [
      'interval',
      { rotation: policy({ everyMs: 2000 }) },
      'rotation.everyMs',
      'the credential is rotated, and the next rotation is scheduled anew',
    ],
    [
      'tag',
      { tags: { vendor: 'acme' } },
      'tags.vendor',
      'a new credential is made, by the rules for these tags; the old one is ended',
    ],
    [
      'consumer',
      { consumers: [{ name: 'api', notify: { ack: 'manual' as const } }] },
      'consumers[0]',
      'the consumers as declared are told of the new credential; the old one is ended',
    ],
    [
      'grace',
      { rotation: policy({ everyMs: 1000, graceMs: 5 }) },
      'rotation.graceMs',
      'the credential is rotated, and it holds from that rotation on',
    ],
    [
      'freeze',
      { rotation: policy({ everyMs: 1000, freeze: [{ from: 'a', to: 'b', reason: 'c' }] }) },
      'rotation.freeze[0]',
      'the credential is rotated, and it holds from that rotation on',
    ],
  ])('is one rotation for another %s', (_title, change, path, consequence) => {
    expect(only(change)).toMatchObject({ action: 'rotate', changes: [{ path, consequence }] });
  });

  it.each([
    ['purpose', { purpose: 'another' }, 'purpose'],
    ['window', { rotation: policy({ everyMs: 1000, window: 'Sun 02:00-05:00 UTC' }) }, 'rotation.window'],
    ['schedule', { rotation: policy({ everyMs: 1000, name: 'other' }) }, 'rotation.name'],
  ])('is to amend for another %s: nothing happens at the target, and nobody has to approve', (_title, change, path) => {
    const found = only(change);
    expect(found).toMatchObject({ action: 'amend', needsApproval: false, changes: [{ path, effect: 'amend' }] });
    expect(found.changes[0]!.consequence).toMatch(/nothing happens at the target|the current credential stays/);
  });

  it('is to amend nothing where policy refuses that, and to say so', () => {
    expect(only({ purpose: 'forbidden' })).toMatchObject({
      action: 'amend',
      needsApproval: false,
      refusal: 'nobody may',
    });
  });

  it('is the strongest of several changes, each with its own sentence', () => {
    const found = only({ purpose: 'another', target: { name: 'other-db', scope: {} } });
    expect(found.action).toBe('rotate');
    expect(found.changes.map(({ path, effect }) => [path, effect])).toEqual([
      ['purpose', 'amend'],
      ['target.name', 'rotate'],
      ['target.scope.grants', 'rotate'],
    ]);
  });

  it('I6: needs approval also where it moves out of an environment that needs it, with nothing but its label', () => {
    expect(only({ environment: 'development' })).toMatchObject({ action: 'rotate', needsApproval: true });
    const moved = { environment: 'development', target: { name: 'other-db', scope: {} } };
    expect(only(moved).needsApproval).toBe(true);
    expect(diff([spec(moved)], [state({ spec: spec({ environment: 'staging' }) })])[0]!.needsApproval).toBe(false);
    expect(diff([spec(moved)], [state()], {})[0]!.needsApproval).toBe(false);
  });

  it('says what stands in its way', () => {
    expect(diff([spec()], [state({ status: 'needs-operator' })])[0]!.blocked).toBe(
      'it needs an operator first: tenure show payments-db',
    );
    const running = {
      kind: 'rotate',
      operation: 'nhi/payments-db/rotate/2',
      requestId: 'r',
      startedAt: '',
      emergency: false,
    } as const;
    expect(diff([spec()], [state({ running })])[0]!.blocked).toBe('it waits until nhi/payments-db/rotate/2 has ended');
  });
});

describe('what vanished from the manifests', () => {
  it('is reported, and left as it is', () => {
    expect(diff([], [state()])).toMatchObject([
      {
        name: 'payments-db',
        action: 'vanished',
        needsApproval: false,
        sentence: expect.stringContaining('left as it is'),
      },
    ]);
  });

  it('is offboarded with --prune, which needs approval everywhere', () => {
    const development = state({ spec: spec({ environment: 'development' }) });
    expect(diff([], [development], { foresee, prune: true })).toMatchObject([
      { action: 'vanished', needsApproval: true, sentence: expect.stringContaining('revoked') },
    ]);
  });

  it('does not count what is gone already, and comes after what is declared', () => {
    const states = [
      state({ name: 'z' }),
      state({ name: 'a' }),
      state({ name: 'gone', status: 'offboarded' }),
      state({ name: 'never', status: 'absent' }),
    ];
    const found = diffManifests([spec()], new Map(states.map((one) => [one.name, one])));
    expect(found.identities.map(({ name, action }) => [name, action])).toEqual([
      ['payments-db', 'provision'],
      ['a', 'vanished'],
      ['z', 'vanished'],
    ]);
    expect(found.counts).toEqual({ provision: 1, rotate: 0, amend: 0, unchanged: 0, revoked: 0, vanished: 2 });
  });
});
