import type { Decision } from '../../src/domain/decision.js';
import { describe, expect, test } from 'vitest';
import { explain } from '../../src/policy/explain.js';
import { foreseenIn, imagine, imagineException, type Foresight } from '../../src/policy/foresee.js';
import { policySource } from '../../src/policy/policy.js';
import { newIdentity, type IdentityState } from '../../src/domain/identity.js';
import { specOf } from '../support/spec.js';
import { directory, now, questionOf } from './scene.js';

const policy = await policySource({ productionEnvironments: ['production'] }).current();
const foresight: Foresight = { policy, directory, requester: 'ada@example.com', gateMs: 1_000, now };
const spec = specOf('ledger', { environment: 'production' });
const scope = { grants: [{ on: 'ledger', may: ['select'] }] };
const current = { version: '1', target: 'db', principal: 'p', fingerprint: 'f', deliveries: [], createdAt: '' };
const state = (differs: Partial<IdentityState> = {}): IdentityState => ({
  ...newIdentity('ledger'),
  processNumber: 4,
  spec,
  current,
  ...differs,
});

describe('an explanation', () => {
  test('names the policies, and the people who could approve', () => {
    expect(explain(policy, questionOf({ environment: 'production', dataClass: 'regulated' }))).toMatchObject({
      identity: 'ledger',
      requester: 'ada@example.com',
      outcome: 'needs people',
      reasons: ['production', 'regulated-data'],
      approvals: 1,
      gates: [
        {
          id: 'production',
          people: ['bob@example.com', 'dan@example.com'],
          of: [{ group: 'team|platform', people: ['bob@example.com', 'dan@example.com'] }],
          hopeless: false,
        },
        { id: 'regulated-data', people: ['cyd@example.com'], hopeless: false },
      ],
    });
  });

  test('says where nobody could', () => {
    const alone = { parties: directory.parties.filter(({ name }) => name === 'ada@example.com'), revoked: [] };
    const [gate] = explain(policy, questionOf({ environment: 'production' }, { directory: alone })).gates;
    expect(gate).toMatchObject({ people: [], of: [{ people: [] }], hopeless: true });
  });

  test('of an exception names nobody who owns the identity or asks for it', () => {
    const terms = {
      v: 1,
      id: 'x',
      identity: 'ledger',
      rules: ['nothing-lives-for-ever'],
      reason: 'a test',
      controls: [{ kind: 'validate' }],
      until: new Date(now.getTime() + 86_400_000).toISOString(),
      afterwards: 'rotate',
      by: 'cyd@example.com',
    } as const;
    const asked = (owner: string) => {
      const owned = specOf('ledger', { owner: { person: owner } });
      const question = imagineException({ ...foresight, requester: terms.by }, owned, terms, { commands: {} });
      return explain(policy, question);
    };
    expect(asked('ada@example.com')).toMatchObject({
      outcome: 'needs people',
      reasons: ['exception-second-person'],
      gates: [{ id: 'exception-second-person', people: ['bob@example.com'], hopeless: false }],
    });
    expect(asked('bob@example.com').gates).toMatchObject([{ people: [], hopeless: true }]);
  });

  test('says that nothing is needed, or why it is denied', () => {
    expect(explain(policy, questionOf())).toMatchObject({ outcome: 'allowed', approvals: 0, gates: [] });
    expect(explain(policy, questionOf({ owner: 'x@example.com' }))).toMatchObject({
      outcome: 'denied',
      reasons: ['owner-in-directory'],
      message: expect.stringContaining('Its owner is no person'),
    });
    const revoked = explain(policy, questionOf({ kind: 'revoke', emergency: true }));
    expect(revoked).toMatchObject({ outcome: 'allowed', reasons: ['emergency-revocation'] });
    expect(explain(policy, questionOf()).review).toBeUndefined();
  });
});

describe('what is foreseen', () => {
  test('is the decision on the plan that would be made', () => {
    const question = imagine(foresight, { kind: 'rotate', spec, state: state() });
    expect(question.plan).toMatchObject({
      operation: 'nhi/ledger/rotate/5',
      requester: 'ada@example.com',
      from: { version: '1' },
    });
    expect(question.requester).toMatchObject({ kind: 'person', groups: ['payments'] });
    expect(foreseenIn('rotate', policy.decide(question))).toEqual({ approvals: 1, groups: ['team|platform'] });
  });

  test('of an amendment is an answer for which nobody can be asked', () => {
    const amended = { kind: 'amend' as const, spec: { ...spec, purpose: 'another' }, state: state() };
    expect(foreseenIn('amend', policy.decide(imagine(foresight, amended)))).toEqual({ approvals: 0, groups: [] });
    const stranger = imagine({ ...foresight, requester: 'x@example.com' }, amended);
    expect(foreseenIn('amend', policy.decide(stranger)).refusal).toContain('no policy lets x@example.com');
    const gated = { effect: 'allow', obligations: { approvals: 1, gateMs: 0 } } as Decision;
    expect(foreseenIn('amend', gated)).toMatchObject({ approvals: 0, refusal: expect.stringContaining('rotation') });
  });

  test('knows what would grow, and what would stay', () => {
    const grown = imagine(foresight, {
      kind: 'rotate',
      spec: { ...spec, target: { name: 'db', scope } },
      state: state(),
    });
    expect(grown.facts.growth).toEqual(['select on table ledger']);
    const same = imagine({ ...foresight, requester: 'automation/tenure' }, { kind: 'rotate', spec, state: state() });
    expect(foreseenIn('rotate', policy.decide(same))).toEqual({ approvals: 0, groups: [] });
  });

  test('of something new has no past', () => {
    const question = imagine(foresight, { kind: 'provision', spec });
    expect(question.facts.lastApproved).toBeUndefined();
    const { spec: _spec, ...unknown } = state();
    expect(imagine(foresight, { kind: 'provision', spec, state: unknown }).facts.lastApproved).toBeUndefined();
  });

  test('tells a refusal in the words of the policy', () => {
    const orphan = { ...spec, owner: { person: 'x@example.com' } };
    expect(foreseenIn('rotate', policy.decide(imagine(foresight, { kind: 'provision', spec: orphan })))).toMatchObject({
      approvals: 0,
      refusal: expect.stringContaining('Its owner is no person of the directory'),
    });
  });

  test('for somebody unknown is that of a person without groups, and for a machine that of its owner', () => {
    const of = (requester: string) => imagine({ ...foresight, requester }, { kind: 'rotate', spec }).requester;
    expect(of('x@example.com')).toMatchObject({ kind: 'person', groups: [] });
    expect(of('service/ledger')).toMatchObject({ kind: 'service', owner: 'ada@example.com' });
  });
});

test('what is lent is looked at afterwards, and an explanation says so', () => {
  const elevation = { scope, forMs: 60_000, incident: 'INC-1' };
  const question = imagine(foresight, {
    kind: 'elevate',
    spec: specOf('ledger', { target: { name: 'db', scope: {} } }),
    elevation,
    reason: 'x',
  });
  expect(explain(policy, question)).toMatchObject({ review: { people: 2, withinMs: 86_400_000 } });
});

test('an amendment of what nothing is known of is foreseen as one that changes nothing', () => {
  const { plan } = imagine(foresight, { kind: 'amend', spec });
  expect(plan).toMatchObject({ kind: 'amend', before: { environment: 'production' } });
});
