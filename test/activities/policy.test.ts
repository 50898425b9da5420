import { describe, expect, it } from 'vitest';
import { createPolicyActivities } from '../../activities/policy.js';
import type { Freeze, IdentitySpec } from '../../src/domain/identity.js';
import type { ProcessPlan } from '../../src/domain/plan.js';
import { plainPolicy } from '../../src/policy/policy.js';
import { canonicalJson } from '../../src/canonical-json.js';
import { digestOf } from '../../src/policy/digest.js';
import { day, freeze, policy } from '../schedule/policies.js';

const settings = { approvalEnvironments: ['production'], approvals: 2, gateMs: 3_600_000 };
const now = () => new Date('2026-11-01T00:00:00Z');

function plan(differs: Partial<ProcessPlan> = {}): ProcessPlan {
  return {
    v: 1,
    kind: 'rotate',
    operation: 'nhi/payments-db/rotate/2',
    identity: 'payments-db',
    requester: 'ada@example.com',
    emergency: false,
    environment: 'production',
    dataClass: 'regulated',
    owner: 'ada@example.com',
    strategy: 'alternate',
    to: { target: 'ledger-db', scope: {}, deliver: ['local:payments/db'] },
    consumers: [],
    graceMs: 0,
    ...differs,
  };
}

function spec(differs: Partial<IdentitySpec['rotation']> = {}): IdentitySpec {
  return { name: 'payments-db', rotation: policy(differs) } as IdentitySpec;
}

function activities(freezes: readonly Freeze[] = []) {
  return createPolicyActivities({ policy: plainPolicy(settings), loadFreezes: async () => freezes, now });
}

describe('authorize', () => {
  it.each([
    ['a change in production needs approval', plan(), ['environment-needs-approval'], 2],
    ['a change elsewhere needs none', plan({ environment: 'development' }), ['no-approval-needed'], 0],
    [
      'offboarding needs approval everywhere',
      plan({ kind: 'offboard', environment: 'development' }),
      ['offboarding-needs-approval'],
      2,
    ],
    [
      'offboarding in production says both',
      plan({ kind: 'offboard' }),
      ['environment-needs-approval', 'offboarding-needs-approval'],
      2,
    ],
    [
      'an ordinary revocation in production needs approval',
      plan({ kind: 'revoke' }),
      ['environment-needs-approval'],
      2,
    ],
    ['an emergency revocation is never gated', plan({ kind: 'revoke', emergency: true }), ['emergency-revocation'], 0],
    ['validating is never gated', plan({ kind: 'validate' }), ['changes-nothing'], 0],
    [
      'I6: a validation that repairs is gated like a rotation',
      plan({ kind: 'validate', repair: true }),
      ['environment-needs-approval'],
      2,
    ],
    [
      'a repair elsewhere needs none',
      plan({ kind: 'validate', repair: true, environment: 'development' }),
      ['no-approval-needed'],
      0,
    ],
    [
      'I6: another label is no way out of an environment that needs approval',
      plan({ environment: 'development', before: { environment: 'production', dataClass: 'regulated' } }),
      ['environment-needs-approval'],
      2,
    ],
    [
      'I6: nor into one',
      plan({ before: { environment: 'development', dataClass: 'internal' } }),
      ['environment-needs-approval'],
      2,
    ],
  ])('%s', async (_title, some, reasons, approvals) => {
    expect(await activities().authorize(some)).toMatchObject({
      effect: 'allow',
      reasons,
      obligations: { approvals, gateMs: approvals === 0 ? 0 : settings.gateMs },
      at: '2026-11-01T00:00:00.000Z',
    });
  });

  it.each([
    ['nobody owns it', plan({ owner: '  ' }), 'owner-missing'],
    ['nobody asked', plan({ requester: '' }), 'requester-missing'],
    [
      'it would be delivered nowhere',
      plan({ to: { target: 'ledger-db', scope: {}, deliver: [] } }),
      'delivery-missing',
    ],
    ['an emergency asks for more than a revocation', plan({ emergency: true }), 'emergency-only-revokes'],
  ])('denies a plan when %s, and says what to change', async (_title, some, reason) => {
    const decision = await activities().authorize(some);
    expect(decision).toMatchObject({
      effect: 'deny',
      code: 'PolicyDenied',
      reasons: [reason],
      obligations: { approvals: 0 },
    });
    expect(decision.message).toMatch(/payments-db.*: .+\.$/);
  });

  it('gives every reason of a denial at once, sorted', async () => {
    const decision = await activities().authorize(plan({ requester: '', owner: '' }));
    expect(decision.reasons).toEqual(['owner-missing', 'requester-missing']);
  });

  it('digests the plan by its content, not by the order of its fields', async () => {
    const reversed = Object.fromEntries(Object.entries(plan()).reverse()) as unknown as ProcessPlan;
    const [one, other, changed] = await Promise.all(
      [plan(), reversed, plan({ graceMs: 1 })].map((some) => activities().authorize(some)),
    );
    expect(one!.planDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(other!.planDigest).toBe(one!.planDigest);
    expect(changed!.planDigest).not.toBe(one!.planDigest);
  });

  it('digests the policy by its settings', () => {
    expect(plainPolicy({ ...settings, approvals: 1 }).digest).not.toBe(plainPolicy(settings).digest);
    expect(plainPolicy({ ...settings }).digest).toBe(plainPolicy(settings).digest);
  });
});

describe('canonical JSON', () => {
  it('is that of RFC 8785: sorted by UTF-16, shortest numbers, no spaces', () => {
    expect(canonicalJson({ '\u20ac': 1, b: [1e21, 0.1, -0], a: { d: null, c: '\u000f"' } })).toBe(
      '{"a":{"c":"\\u000f\\"","d":null},"b":[1e+21,0.1,0],"\u20ac":1}',
    );
    expect(digestOf({})).toBe('sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
  });

  it('refuses what is no JSON', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
    expect(() => canonicalJson({ a: NaN })).toThrow();
  });
});

describe('clearance', () => {
  const frozen = [freeze('2026-10-31T00:00:00Z', '2026-11-02T00:00:00Z')];

  it('is refused in a freeze of the operator or of the identity', async () => {
    const refused = { clear: false, until: '2026-11-02T00:00:00.000Z', reason: 'year end' };
    expect(await activities(frozen).clearance({ spec: spec(), emergency: false })).toEqual(refused);
    expect(await activities().clearance({ spec: spec({ freeze: frozen }), emergency: false })).toEqual(refused);
  });

  it('does not depend on windows: what a person asks for may start at any time', async () => {
    expect(
      await activities().clearance({
        spec: spec({ everyMs: 30 * day, window: 'Wed 01:00-02:00 UTC' }),
        emergency: false,
      }),
    ).toEqual({ clear: true });
  });

  it('asks for the freezes anew each time, so that one added later holds for what is queued', async () => {
    let freezes: readonly Freeze[] = [];
    const some = createPolicyActivities({ policy: plainPolicy(settings), loadFreezes: async () => freezes, now });
    expect((await some.clearance({ spec: spec(), emergency: false })).clear).toBe(true);
    freezes = frozen;
    expect((await some.clearance({ spec: spec(), emergency: false })).clear).toBe(false);
  });

  it('lets an emergency through even when the freezes cannot be read', async () => {
    const broken = createPolicyActivities({
      policy: plainPolicy(settings),
      loadFreezes: () => Promise.reject(new Error('unreadable')),
      now,
    });
    expect(await broken.clearance({ spec: spec(), emergency: true })).toEqual({ clear: true });
    await expect(broken.clearance({ spec: spec(), emergency: false })).rejects.toThrow('unreadable');
  });
});

describe('the calendar', () => {
  it('says when it is next due and whether it is due, with the freezes of now', async () => {
    const input = { spec: spec({ everyMs: 30 * day }), lastRotatedAt: '2026-10-01T00:00:00Z' };
    const frozen = activities([freeze('2026-10-31T00:00:00Z', '2026-11-02T00:00:00Z')]);
    expect(await activities().due(input)).toMatchObject({ due: true, reason: 'overdue' });
    expect(await frozen.due(input)).toMatchObject({ due: false, reason: 'frozen' });
    expect(await frozen.nextRotation(input)).toBe('2026-11-02T00:00:00.000Z');
    expect(await activities().nextRotation({ spec: spec() })).toBeUndefined();
  });
});
