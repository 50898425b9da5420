import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { admit } from '../../src/domain/admission.js';
import type { Attested } from '../../src/domain/directory.js';
import { elevatedSpec, longestElevationMs, whyNotLent } from '../../src/domain/elevation.js';
import { whyNoReview } from '../../src/domain/elevation-review.js';
import { epochAfterwards, epochOf, numbersTaken, undoEpoch } from '../../src/domain/epoch.js';
import { newIdentity, type IdentityState } from '../../src/domain/identity.js';
import { planInWords } from '../../src/domain/plan-words.js';
import { planOf } from '../../src/domain/plan.js';
import { processKinds } from '../../src/domain/process.js';
import type { ChangeRequest, Elevation } from '../../src/domain/request.js';
import type { ReviewStatement } from '../../src/domain/statement.js';
import { specOf } from '../support/spec.js';

type Scope = Elevation['scope'];
const select = { on: 'ledger', may: ['select'] };
const remove = { on: 'ledger', may: ['delete'] };
const lending = (scope: Scope): Elevation => ({ scope, forMs: 3_600_000, incident: 'INC-1' });
const merged = (declared: Scope, more: Scope): Scope =>
  elevatedSpec(specOf('app', { target: { name: 'db', scope: declared } }), lending(more)).target.scope;

describe('lent rights', () => {
  test.for<[string, Scope, Scope, Scope]>([
    ['a list grows', { grants: [select] }, { grants: [remove] }, { grants: [select, remove] }],
    [
      'what is declared is not there twice',
      { grants: [select] },
      { grants: [{ may: ['select'], on: 'ledger' }, remove] },
      { grants: [select, remove] },
    ],
    ['a key is added', { grants: [select] }, { memberOf: ['dba'] }, { grants: [select], memberOf: ['dba'] }],
    [
      'mappings are merged',
      { a: { b: [1], c: 2 } },
      { a: { b: [3], c: 2, d: [4] } },
      { a: { b: [1, 3], c: 2, d: [4] } },
    ],
  ])('%s', ([, declared, more, both]) => {
    expect(whyNotLent(declared, lending(more))).toBeUndefined();
    expect(merged(declared, more)).toEqual(both);
  });

  test.for<[string, Scope, Scope, string]>([
    ['nothing', { grants: [select] }, {}, 'names no right beyond'],
    ['what is declared already', { grants: [select] }, { grants: [select] }, 'names no right beyond'],
    ['another single value', { level: 'read' }, { level: 'write' }, 'elevation.scope.level: it is declared otherwise'],
    ['another value deeper inside', { a: { b: 1 } }, { a: { b: 2 } }, 'elevation.scope.a.b: it is declared otherwise'],
    ['a list for a mapping', { a: { b: 1 } }, { a: [1] }, 'elevation.scope.a: it is declared otherwise'],
    ['a mapping for a list', { a: [1] }, { a: { b: 1 } }, 'elevation.scope.a: it is declared otherwise'],
    ['nothing for a mapping', { a: { b: 1 } }, { a: null }, 'elevation.scope.a: it is declared otherwise'],
  ])('%s cannot be lent', ([, declared, more, why]) => {
    expect(whyNotLent(declared, lending(more))).toContain(why);
  });

  test('never take anything away, and change nothing else of what is declared', () => {
    const value = fc.oneof(
      fc.array(fc.nat(9)),
      fc.dictionary(fc.constantFrom('x', 'y', '__proto__'), fc.array(fc.nat(9))),
      fc.nat(3),
    );
    const scopes = fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), value);
    fc.assert(
      fc.property(scopes, scopes, (declared, more) => {
        const spec = specOf('app', { target: { name: 'db', scope: declared } });
        const lent = elevatedSpec(spec, lending(more));
        expect({ ...lent, target: { ...lent.target, scope: declared } }).toEqual(spec);
        for (const [key, before] of Object.entries(declared)) {
          const after = lent.target.scope[key];
          if (Array.isArray(before) && Array.isArray(after)) expect(after.slice(0, before.length)).toEqual(before);
          else if (typeof before === 'number') expect(after).toBe(before);
        }
      }),
    );
  });
});

const active: IdentityState = {
  ...newIdentity('app'),
  status: 'active',
  spec: specOf('app', { target: { name: 'db', scope: { grants: [select] } } }),
  current: { version: 'v', target: 'db', principal: 'app_a', fingerprint: 'f', deliveries: [], createdAt: '' },
};
const asked = (differs: Partial<ChangeRequest> = {}): ChangeRequest => ({
  id: 'r',
  kind: 'elevate',
  requester: 'ada',
  reason: 'a wrong booking',
  elevation: lending({ grants: [remove] }),
  ...differs,
});

describe('an elevation is taken', () => {
  test('of an active identity', () => {
    expect(admit(active, asked())).toMatchObject({ accepted: true });
    expect(admit(active, asked({ elevation: { ...asked().elevation!, forMs: longestElevationMs } }))).toMatchObject({
      accepted: true,
    });
  });

  const { current: _current, ...without } = active;
  const { spec: _spec, ...undeclared } = active;
  const { elevation: _elevation, ...nothing } = asked();
  const lent = asked().elevation!;
  test.for<[string, IdentityState, unknown, string]>([
    ['without a credential', without, asked(), 'no credential to elevate'],
    ['that nobody declared', undeclared, asked(), 'no credential to elevate'],
    ['that needs an operator', { ...active, status: 'needs-operator' }, asked(), 'not known for certain'],
    ['that was revoked', { ...active, status: 'revoked' }, asked(), 'not known for certain'],
    ['with rights that it has', active, asked({ elevation: lending({ grants: [select] }) }), 'no right beyond'],
    ['without rights', active, nothing, 'elevation: expected'],
    ['with rights that are none', active, asked({ elevation: { ...lent, scope: [] as never } }), 'elevation: expected'],
    ['with nothing', active, asked({ elevation: null as never }), 'elevation: expected'],
    [
      'for longer than four hours',
      active,
      asked({ elevation: { ...lent, forMs: longestElevationMs + 1 } }),
      'four hours',
    ],
    ['for no time', active, asked({ elevation: { ...lent, forMs: 0 } }), 'four hours'],
    ['for a time that is no number', active, asked({ elevation: { ...lent, forMs: '1h' as never } }), 'four hours'],
    ['for a part of a millisecond', active, asked({ elevation: { ...lent, forMs: 2_000.5 } }), 'four hours'],
    ['without an incident', active, asked({ elevation: { ...lent, incident: '' } }), 'elevation.incident'],
    ['without a reason', active, asked({ reason: ' ' }), 'reason: expected why'],
    ['with a declaration', active, asked({ spec: specOf('app') }), 'spec: expected none'],
    ['as an emergency', active, asked({ emergency: true }), 'emergency: expected a revoke'],
    ['with a rotation', active, asked({ kind: 'rotate' }), 'elevation: expected'],
  ])('and not one %s', ([, state, request, why]) => {
    expect(admit(state, request as ChangeRequest)).toMatchObject({
      accepted: false,
      reason: expect.stringContaining(why),
    });
  });
});

test('the plan says what is lent, for how long, and why, and what comes of the credential', () => {
  const plan = planOf({
    kind: 'elevate',
    operation: 'nhi/app/elevate/2',
    epoch: 4,
    identity: 'app',
    request: asked({ ticket: 'T-1' }),
    spec: active.spec!,
    current: active.current!,
  });
  expect(plan).toMatchObject({
    elevation: lending({ grants: [remove] }),
    ticket: 'T-1',
    from: {},
    to: { scope: { grants: [select] } },
  });
  const words = planInWords(plan).join('\n');
  for (const part of [
    'for 1 h it may in addition: {"grants":[{"on":"ledger","may":["delete"]}]}',
    'INC-1',
    'T-1',
    'is rotated',
  ])
    expect(words).toContain(part);
});

test('each part of an elevation is fenced off from the one before, and the next process from all of them', () => {
  for (const number of [1, 2, 77]) {
    const lent = epochOf(number);
    const rotated = epochAfterwards(lent);
    const next = epochOf(number + numbersTaken('elevate'));
    const inOrder = [lent, undoEpoch(lent), rotated, undoEpoch(rotated), next];
    expect(inOrder).toEqual(inOrder.toSorted((one, other) => one - other));
    expect(new Set(inOrder).size).toBe(inOrder.length);
  }
  expect(processKinds.filter((kind) => numbersTaken(kind) === 1)).toEqual(
    processKinds.filter((kind) => kind !== 'elevate'),
  );
});

describe('a review', () => {
  const evidence = `sha256:${'a'.repeat(64)}`;
  const statement = { operation: 'nhi/app/elevate/2', evidence } as ReviewStatement;
  const reviewed = { operation: 'nhi/app/elevate/2', evidence, excluded: ['ada', 'owner'], reviewers: ['grace'] };
  const by = (name: string, kind: Attested['kind'] = 'person') => ({ name, kind }) as Attested;

  test('counts when another person made it, of this record', () => {
    expect(whyNoReview(statement, by('joan'), reviewed)).toBeUndefined();
  });

  test.for<[string, ReviewStatement, Attested, string]>([
    ['an agent', statement, by('bot', 'agent'), 'bot is an agent'],
    ['a service', statement, by('api', 'service'), 'api is a service'],
    [
      'somebody who reviewed another',
      { ...statement, operation: 'nhi/app/elevate/4' },
      by('joan'),
      'nhi/app/elevate/4',
    ],
    ['somebody who saw another record', { ...statement, evidence: 'sha256:0' }, by('joan'), 'another record'],
    ['who asked', statement, by('ada'), 'asked for this elevation'],
    ['who answers for the automation that asked', statement, by('owner'), 'answers for who did'],
    ['who reviewed it before', statement, by('grace'), 'already'],
  ])('does not count when %s made it', ([, said, who, why]) => {
    expect(whyNoReview(said, who, reviewed)).toContain(why);
  });
});
