import { describe, expect, test } from 'vitest';
import { amendmentPlanOf, asDecided, planOf, untilNow } from '../../src/domain/plan.js';
import { isBeforeChange, stageNames, stagesFor, stagesOf, type ProcessInput } from '../../src/domain/process.js';
import { digestOf } from '../../src/policy/digest.js';
import { specOf } from '../support/spec.js';

const current = {
  version: 'nhi/app/provision/1',
  target: 'db',
  principal: 'app_a',
  fingerprint: '0123456789abcdef',
  deliveries: [{ store: 'local', path: 'app' }],
  createdAt: '2026-01-01T00:00:00.000Z',
};
const inputOf = (differs: Partial<ProcessInput> = {}): ProcessInput => ({
  kind: 'rotate',
  operation: 'nhi/app/rotate/2',
  epoch: 4,
  identity: 'app',
  request: { id: 'r', kind: 'rotate', requester: 'ada', reason: 'a test' },
  spec: specOf('app', { target: { name: 'db', scope: { may: ['select'] } } }),
  specBefore: specOf('app', { target: { name: 'db', scope: { may: ['delete'] } } }),
  current,
  ...differs,
});

describe('the plan', () => {
  test('I6: the same input gives the same digest, whatever the order of its fields', () => {
    const turned = JSON.parse(
      JSON.stringify(Object.fromEntries(Object.entries(inputOf()).toReversed())),
    ) as ProcessInput;
    expect(digestOf(planOf(turned))).toBe(digestOf(planOf(inputOf())));
  });

  test.for([
    ['the operation', { operation: 'nhi/app/rotate/3' }],
    ['who asks', { request: { id: 'r', kind: 'rotate', requester: 'eve', reason: 'a test' } }],
    ['the reason', { request: { id: 'r', kind: 'rotate', requester: 'ada', reason: 'another' } }],
    ['the scope', { spec: specOf('app', { target: { name: 'db', scope: { may: ['delete'] } } }) }],
    ['the target', { spec: specOf('app', { target: { name: 'db-2', scope: { may: ['select'] } } }) }],
    ['the deliveries', { spec: specOf('app', { deliver: [{ store: 'local', path: 'elsewhere' }] }) }],
    ['the credential that goes', { current: { ...current, version: 'nhi/app/rotate/0' } }],
    ['what that may do', { specBefore: specOf('app') }],
    ['the grace', { spec: specOf('app', { rotation: { graceMs: 5 } }) }],
    ['the kind', { kind: 'revoke' }],
    ['the environment', { spec: specOf('app', { environment: 'other' }) }],
    ['the environment that it leaves', { specBefore: specOf('app', { environment: 'other' }) }],
    ['the class of data that it leaves', { specBefore: specOf('app', { dataClass: 'regulated' }) }],
    [
      'whether it repairs',
      { request: { id: 'r', kind: 'validate', requester: 'ada', reason: 'a test', repair: true } },
    ],
  ] as const)('I6: another digest when %s differs', ([, differs]) => {
    expect(digestOf(planOf(inputOf(differs as Partial<ProcessInput>)))).not.toBe(digestOf(planOf(inputOf())));
  });

  test('names the scope under which the old credential was made, and the one that comes', () => {
    expect(planOf(inputOf())).toMatchObject({
      from: { scope: { may: ['delete'] } },
      to: { scope: { may: ['select'] } },
    });
  });

  test('of an end makes nothing', () => {
    expect(planOf(inputOf({ kind: 'offboard' })).to).toBeUndefined();
  });
});

describe('the stages', () => {
  test.for(['provision', 'rotate', 'validate'] as const)(
    'of %s are in the order that an operator learns once, and end with the seal',
    (kind) => {
      const order = stagesOf[kind].map((name) => stageNames.indexOf(name));
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(stagesOf[kind].at(-1)).toBe('seal');
    },
  );

  test.for(['revoke', 'offboard'] as const)('of %s end the credentials and prove it before anybody is told', (kind) => {
    const order = ['plan', 'authorize', 'gate', 'retire', 'refuse', 'purge', 'hand over', 'seal'];
    expect(stagesOf[kind].filter((name) => name !== 'remove')).toEqual(order);
  });

  test('of a validation are fewer where it only looks: nothing is asked and nothing is repaired', () => {
    expect(stagesFor('validate')).toEqual(['plan', 'verify', 'refuse', 'seal']);
    expect(stagesFor('validate', true)).toEqual(stagesOf.validate);
    expect(stagesFor('rotate')).toEqual(stagesOf.rotate);
  });
});

test('an approval can be taken back while nothing has changed, and not from the first effect on', () => {
  expect(stageNames.filter(isBeforeChange)).toEqual(['plan', 'authorize', 'gate']);
});

describe('the plan of an amendment', () => {
  const request = { id: 'r-1', requester: 'ada' };
  const before = specOf('app');
  const spec = specOf('app', { purpose: 'another' });

  test('brings nothing and ends nothing, and its request is its operation', () => {
    const plan = amendmentPlanOf({ identity: 'app', spec, before, request });
    expect(plan).toMatchObject({ kind: 'amend', operation: 'r-1', before: untilNow(before), emergency: false });
    expect(plan).not.toHaveProperty('to');
    expect(plan).not.toHaveProperty('reason');
    expect(plan).not.toHaveProperty('ticket');
  });

  test('says why, and to which ticket it belongs', () => {
    const said = { ...request, reason: 'a typo', ticket: 'CHG-7' };
    expect(amendmentPlanOf({ identity: 'app', spec, before, request: said })).toMatchObject({
      reason: 'a typo',
      ticket: 'CHG-7',
    });
  });
});

describe('a plan as it was decided on', () => {
  const before = untilNow(specOf('app', { environment: 'production' }));
  const { specBefore: _none, ...first } = inputOf();

  test('has what the worker knows where it leaves that out, and else is what it is', () => {
    expect(asDecided(planOf(first), { before })).toEqual({ ...planOf(first), before });
    expect(asDecided(planOf(first), {})).toEqual(planOf(first));
    expect(asDecided(planOf(first), undefined)).toEqual(planOf(first));
    // What the worker knows goes before what the plan says.
    expect(asDecided(planOf(inputOf()), { before }).before).toEqual(before);
  });
});

test('in which order consumers are written makes no other plan', () => {
  const [one, other] = ['api', 'web'].map((name) => ({ name, notify: { ack: 'manual' } as const }));
  const planWith = (...consumers: NonNullable<typeof one>[]) => planOf(inputOf({ spec: specOf('app', { consumers }) }));
  expect(planWith(one!, other!)).toEqual(planWith(other!, one!));
});
