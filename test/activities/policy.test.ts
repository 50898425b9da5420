import { describe, expect, it } from 'vitest';
import { createPolicyActivities, type PolicyDependencies } from '../../activities/policy.js';
import type { Freeze, IdentitySpec } from '../../src/domain/identity.js';
import { canonicalJson } from '../../src/canonical-json.js';
import { digestOf } from '../../src/policy/digest.js';
import { day, freeze, policy } from '../schedule/policies.js';

const now = () => new Date('2026-11-01T00:00:00Z');

function spec(differs: Partial<IdentitySpec['rotation']> = {}): IdentitySpec {
  return { name: 'payments-db', rotation: policy(differs) } as IdentitySpec;
}

function activities(freezes: readonly Freeze[] = []) {
  return calendarWith(async () => freezes);
}

/** Nothing here asks for a decision. */
function calendarWith(loadFreezes: PolicyDependencies['loadFreezes']) {
  const unasked = (): never => {
    throw new Error('nobody asked for a decision');
  };
  return createPolicyActivities({
    loadPolicy: unasked,
    loadDirectory: unasked,
    factsOf: unasked,
    permits: { unused: unasked, grant: unasked, demand: unasked, heldBy: unasked },
    lookAtRun: unasked,
    declarations: { note: unasked, of: unasked },
    gates: { open: unasked, say: unasked, of: unasked },
    decisions: { note: unasked },
    numbers: { note: unasked, highest: unasked },
    gateMs: 0,
    loadFreezes,
    now,
  });
}

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
    const some = calendarWith(async () => freezes);
    expect((await some.clearance({ spec: spec(), emergency: false })).clear).toBe(true);
    freezes = frozen;
    expect((await some.clearance({ spec: spec(), emergency: false })).clear).toBe(false);
  });

  it('lets an emergency through even when the freezes cannot be read', async () => {
    const broken = calendarWith(() => Promise.reject(new Error('unreadable')));
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
