/** From a row of a table to the question that policy is asked. */
import type { Attested, Directory, Party } from '../domain/directory.js';
import type { Control, ExceptionPlan, ExceptionTerms } from '../domain/exception.js';
import type { Facts } from '../domain/facts.js';
import { makesCredential, type Vote } from '../domain/process.js';
import { approvedIn, type Declaration, type ProcessPlan } from '../domain/plan.js';
import { groupsFor } from '../domain/quorum.js';
import { processId } from '../domain/wire.js';
import { digestOf } from './digest.js';
import { planDigestOf, type PolicyQuestion } from './question.js';
import type { Cast, Given } from './table-schema.js';

/** The question that a row means. */
export function questionFrom(given: Given, cast: Cast): PolicyQuestion {
  const directory = directoryOf(cast);
  const plan = given.ask === 'except' ? exceptionFrom(given) : planFrom(given, given.ask);
  const voters = given.approvals.map((one) => (typeof one === 'string' ? { by: one, stepUp: false } : one));
  return {
    plan,
    requester: attestedIn(directory, given),
    facts: factsFrom(given, plan),
    votes: voters.map((voter) => voteFrom(voter, plan, directory, given.at)),
    advance: given.advance.map((approver) => ({ approver, groups: groupsIn(directory, approver, plan) })),
    directory,
    frozen: given.frozen,
    now: new Date(given.at),
    gateMs: 86_400_000,
  };
}

function directoryOf({ people, machines }: Cast): Directory {
  const parties: Party[] = [
    ...Object.entries(people).map(([name, groups]) => ({ name, kind: 'person' as const, groups, keys: [] })),
    ...Object.entries(machines).map(([name, machine]) => ({ name, ...machine, groups: [], keys: [] })),
  ];
  return { parties, revoked: [] };
}

function attestedIn({ parties }: Directory, { by, presence, at }: Given): Attested {
  const party = parties.find(({ name }) => name === by);
  const { kind = 'person', groups = [], owner } = party ?? {};
  return { name: by, kind, groups, ...(owner !== undefined && { owner }), key: '', presence, at, statement: '' };
}

type Plan = PolicyQuestion['plan'];
type Ask = Exclude<Given['ask'], 'except'>;

function exceptionFrom(given: Given): ExceptionPlan {
  const { name, environment, dataClass, owner, strategy, target } = given.identity;
  const { for: lastsMs } = given.exception;
  const labels = { environment, dataClass, owner, strategy, target, declared: declaredFrom(given) };
  return { kind: 'except', identity: name, ...labels, programs: '', terms: termsFrom(given), lastsMs };
}

function termsFrom({ by, at, identity, exception, ticket, reason = 'a test of policies' }: Given): ExceptionTerms {
  const { rules, controls, afterwards, for: lastsMs } = exception;
  return {
    v: 1,
    id: identity.name,
    identity: identity.name,
    rules,
    reason,
    controls: controls.map(controlOf),
    until: new Date(Date.parse(at) + lastsMs).toISOString(),
    afterwards,
    ...(ticket !== undefined && { ticket }),
    by,
  };
}

function controlOf(kind: Control['kind']): Control {
  switch (kind) {
    case 'command':
      return { kind, name: 'a-program' };
    case 'http':
      return { kind, url: 'https://control.example/', status: 200 };
    case 'validate':
      return { kind };
    case 'sessions':
      return { kind, atMost: 0 };
  }
}

function declaredFrom({ identity }: Given): NonNullable<ProcessPlan['declared']> {
  const { kind, team, every, tags } = identity;
  return { kind, ...(team !== null && { team }), ...(every !== null && { everyMs: every }), tags };
}

function planFrom(given: Given, ask: Ask): ProcessPlan {
  const { by, identity, elevation, ticket, reason } = given;
  const kind = kindOf(ask);
  const { name, strategy, target, scope, environment, dataClass, owner } = identity;
  const deliver = [`local:${name}`];
  const declaration = {
    environment,
    dataClass,
    owner,
    declared: declaredFrom(given),
    strategy,
    consumers: [],
    graceMs: 0,
  };
  const to = { target, scope, deliver };
  const isElevation = kind === 'elevate';
  return {
    v: 1,
    kind,
    operation: processId(name, kind === 'amend' ? 'rotate' : kind, 1),
    identity: name,
    requester: by,
    ...(reason !== undefined && { reason }),
    emergency: ask === 'emergency-revoke',
    ...declaration,
    ...(given.before && { before: { ...declaration, to, ...beforeFrom(given.before, declaration) } }),
    ...(ask === 'repair' && { repair: true as const }),
    ...(isElevation && { elevation: { scope: elevation.scope, forMs: elevation.for, incident: elevation.incident } }),
    ...(ticket !== undefined && { ticket }),
    ...(kind !== 'provision' && { from: { target, principal: name, version: '1', scope } }),
    ...(kind !== 'amend' && makesCredential(kind) && { to }),
  };
}

/** What was otherwise. A consumer that is named here was told before. */
function beforeFrom(
  { environment, dataClass, owner, team, strategy, consumers }: NonNullable<Given['before']>,
  { declared }: Required<Pick<Declaration, 'declared'>>,
): Partial<Declaration> {
  const { team: _, ...rest } = declared!;
  return {
    ...(environment !== undefined && { environment }),
    ...(dataClass !== undefined && { dataClass }),
    ...(owner !== undefined && { owner }),
    ...(team !== undefined && { declared: { ...rest, ...(team !== null && { team }) } }),
    ...(strategy !== undefined && { strategy }),
    ...(consumers !== undefined && { consumers }),
  };
}

function kindOf(ask: Ask): ProcessPlan['kind'] {
  if (ask === 'emergency-revoke') return 'revoke';
  return ask === 'repair' ? 'validate' : ask;
}

function factsFrom({ facts, at }: Given, plan: Plan): Facts {
  const { lastApproved, growth, unused, exceptions } = facts;
  const isSame = lastApproved === 'same' && plan.kind !== 'except';
  const toDigest = isSame && plan.to ? digestOf(plan.to) : 'another';
  const declaredDigest = isSame ? digestOf(approvedIn(plan)) : 'another';
  return {
    there: [],
    growth,
    unused,
    exceptions,
    ...(lastApproved !== 'none' && { lastApproved: { operation: '', at, scopeDigest: '', toDigest, declaredDigest } }),
  };
}

function voteFrom(
  {
    by,
    stepUp,
    onBehalfOf,
  }: { readonly by: string; readonly stepUp: boolean; readonly onBehalfOf?: string | undefined },
  plan: Plan,
  directory: Directory,
  at: string,
): Vote {
  return {
    approver: by,
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    decision: 'approve',
    planDigest: planDigestOf(plan),
    at,
    groups: groupsIn(directory, onBehalfOf ?? by, plan),
    stepUp,
    key: '',
    ballot: { signed: { statement: '', signature: '' } },
  };
}

function groupsIn({ parties }: Directory, name: string, plan: Plan): readonly string[] {
  return groupsFor(parties.find((party) => party.name === name) ?? { name, groups: [] }, plan);
}
