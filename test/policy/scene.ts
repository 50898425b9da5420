/** A question to policy. A test says only what differs. */
import type { Attested, Directory, Party } from '../../src/domain/directory.js';
import { noFacts } from '../../src/domain/facts.js';
import type { ProcessPlan } from '../../src/domain/plan.js';
import type { Vote } from '../../src/domain/process.js';
import { digestOf } from '../../src/policy/digest.js';
import type { PolicyQuestion } from '../../src/policy/policy.js';

export const now = new Date('2026-03-01T12:00:00.000Z');

export function personOf(name: string, ...groups: string[]): Party {
  return { name, kind: 'person', groups, keys: [] };
}

export const directory: Directory = {
  parties: [
    personOf('ada@example.com', 'payments'),
    personOf('bob@example.com', 'platform'),
    personOf('cyd@example.com', 'security'),
    personOf('dan@example.com', 'payments'),
    { name: 'automation/tenure', kind: 'automation', groups: [], owner: 'bob@example.com', keys: [] },
    { name: 'service/ledger', kind: 'service', groups: [], owner: 'ada@example.com', keys: [] },
  ],
  revoked: [],
};

export function attested(name: string, differs: Partial<Attested> = {}): Attested {
  const { kind, groups, owner } = directory.parties.find((party) => party.name === name) ?? personOf(name);
  const who = { name, kind, groups, ...(owner !== undefined && { owner }) };
  return { ...who, key: 'SHA256:x', presence: 'none', at: now.toISOString(), statement: 'sha256:0', ...differs };
}

export function planFor(differs: Partial<ProcessPlan> = {}): ProcessPlan {
  return {
    v: 1,
    kind: 'rotate',
    operation: 'nhi/ledger/rotate/2',
    identity: 'ledger',
    requester: 'ada@example.com',
    emergency: false,
    environment: 'test',
    dataClass: 'internal',
    owner: 'ada@example.com',
    declared: { kind: 'database-role', team: 'payments', everyMs: 2_592_000_000, tags: {} },
    strategy: 'alternate',
    to: { target: 'db', scope: { grants: [{ on: 'ledger', may: ['select'] }] }, deliver: ['local:ledger'] },
    consumers: [],
    graceMs: 0,
    ...differs,
  };
}

export function voteOf(approver: string, plan: ProcessPlan, differs: Partial<Vote> = {}): Vote {
  const groups = directory.parties.find(({ name }) => name === approver)?.groups ?? [];
  return {
    approver,
    decision: 'approve',
    planDigest: digestOf(plan),
    at: now.toISOString(),
    groups,
    stepUp: false,
    key: 'SHA256:y',
    ballot: { signed: { statement: '{}', signature: '' } },
    ...differs,
  };
}

export function questionOf(
  plan: Partial<ProcessPlan> = {},
  differs: Partial<Omit<PolicyQuestion, 'plan'>> = {},
): PolicyQuestion & { readonly plan: ProcessPlan } {
  const whole = planFor(plan);
  return {
    plan: whole,
    requester: attested(whole.requester),
    facts: noFacts,
    votes: [],
    advance: [],
    directory,
    frozen: false,
    now,
    gateMs: 3_600_000,
    ...differs,
  };
}
