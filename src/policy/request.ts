/** The question that a plan means, in the words of the schema. Whatever is missing is an error, never a default that opens. */
import { personsBehind, type PartyKind } from '../domain/directory.js';
import { overdueRules, type ExceptionPlan } from '../domain/exception.js';
import type { Facts } from '../domain/facts.js';
import { approvedIn, asDecided, changesIn, type ProcessPlan } from '../domain/plan.js';
import type { Vote } from '../domain/process.js';
import { countedOnce, groupsFor } from '../domain/quorum.js';
import type { CedarRequest, CedarValueJson } from './cedar.js';
import { digestOf } from './digest.js';
import { entitiesOf } from './entities.js';
import { planDigestOf, type AdvanceApproval, type PolicyQuestion, type QuestionSettings } from './question.js';
import { rightsIn, type RightsSummary } from './scope-lines.js';
import { extension, milliseconds, uid } from './values.js';

/** What Cedar is asked. Throws where something is missing that policies may look at. */
export function requestOf(asked: PolicyQuestion, settings: QuestionSettings): CedarRequest {
  const question = { ...asked, plan: decidedOn(asked), signed: planDigestOf(asked.plan) };
  const { plan, requester } = question;
  const principal = uid(principalTypes[requester.kind], requester.name);
  return {
    principal,
    action: uid('Action', actionOf(plan)),
    resource: uid('Identity', plan.identity),
    context: { ...contextOf(question), ...ownContextOf(plan, settings) },
    entities: entitiesOf(question, principal, settings),
  };
}

/** A question with the digest of the plan that people sign, which may leave out what was declared before. */
type Known = PolicyQuestion & { readonly signed: string };

function decidedOn({ plan, before }: PolicyQuestion): PolicyQuestion['plan'] {
  return plan.kind === 'except' || !before ? plan : asDecided(plan, { before });
}

const principalTypes: Readonly<Record<PartyKind, string>> = {
  person: 'Person',
  service: 'Service',
  agent: 'Agent',
  automation: 'Automation',
};

/** The action that a plan is. */
function actionOf(plan: PolicyQuestion['plan']): string {
  if (plan.kind === 'except') return plan.kind;
  const { kind, emergency, repair } = plan;
  if (emergency && kind !== 'revoke')
    throw new Error(`an emergency may only revoke, and this asks to ${kind}: ask without the emergency`);
  if (emergency) return 'emergency-revoke';
  return kind === 'validate' && repair ? 'repair' : kind;
}

function contextOf(question: Known): Record<string, CedarValueJson> {
  const { plan, facts, requester, frozen, now } = question;
  const { ticket, reason } = plan.kind === 'except' ? plan.terms : plan;
  return {
    now: extension('datetime', now.toISOString()),
    rights: rights(rightsIn(plan.kind === 'except' ? undefined : plan.to?.scope)),
    growth: facts.growth.toSorted(),
    growthCount: facts.growth.length,
    unused: facts.unused.toSorted(),
    approvedBefore: facts.lastApproved !== undefined,
    unchanged: plan.kind !== 'except' && isUnchanged(plan, facts),
    changes: plan.kind === 'except' ? [] : changesIn(plan),
    standing: groupsFor(requester, plan).toSorted(),
    approvals: approvalsIn(question),
    advance: advanceIn(question),
    presence: requester.presence,
    exceptions: facts.exceptions.toSorted(),
    frozen,
    ...(ticket !== undefined && { ticket }),
    ...(reason !== undefined && { reason }),
  };
}

function rights({ lines, verbs, objects, roles, wildcard }: RightsSummary): CedarValueJson {
  return {
    lines: [...lines],
    verbs: [...verbs],
    objects: [...objects],
    roles: [...roles],
    wildcard,
    count: lines.length,
  };
}

/** Everything that is declared is as it was in what was approved and carried out last: place, rights, labels, owner, consumers. */
function isUnchanged(plan: ProcessPlan, { lastApproved, growth }: Facts): boolean {
  if (!plan.to || growth.length > 0 || changesIn(plan).length > 0) return false;
  return lastApproved?.declaredDigest === digestOf(approvedIn(plan));
}

/** What only one kind of plan has. */
function ownContextOf(plan: PolicyQuestion['plan'], settings: QuestionSettings): Record<string, CedarValueJson> {
  return plan.kind === 'except' ? exceptionIn(plan, settings) : elevationIn(plan);
}

function exceptionIn(
  { terms, lastsMs }: ExceptionPlan,
  { liftable }: QuestionSettings,
): Record<string, CedarValueJson> {
  const { rules, controls, afterwards } = terms;
  const hasEffect = (rule: string): boolean => liftable.has(rule) || overdueRules.some((one) => one === rule);
  const exception = {
    rules: distinct(rules),
    withoutEffect: distinct(rules.filter((rule) => !hasEffect(rule))),
    lasts: milliseconds(lastsMs),
    controls: distinct(controls.map(({ kind }) => kind)),
    controlCount: controls.length,
    afterwards,
  };
  return { exception };
}

function elevationIn({ kind, elevation }: ProcessPlan): Record<string, CedarValueJson> {
  if (kind !== 'elevate') return {};
  if (!elevation) throw new Error('the plan of an elevation does not say what is lent');
  const { scope, forMs, incident } = elevation;
  return { elevation: { rights: rights(rightsIn(scope)), lasts: milliseconds(forMs), incident } };
}

/** Persons, not keys or signatures; never who asked, who answers for what asked, or who owns what is to be excepted. */
function approvalsIn({ votes, requester, plan, signed }: Known): CedarValueJson {
  const barred = [...personsBehind(requester), ...(plan.kind === 'except' ? [plan.owner] : [])];
  const isOwn = ({ approver, onBehalfOf }: Vote) =>
    barred.includes(approver) || (onBehalfOf !== undefined && barred.includes(onBehalfOf));
  const isOfPlan = ({ planDigest }: Vote) => planDigest === signed;
  const counting = countedOnce(votes.filter((vote) => vote.decision === 'approve' && isOfPlan(vote) && !isOwn(vote)));
  return { ...persons(counting), stepUp: persons(counting.filter(({ stepUp }) => stepUp)).count };
}

function advanceIn({ advance, requester }: PolicyQuestion): CedarValueJson {
  const behind = personsBehind(requester);
  return { ...persons(advance.filter(({ approver }) => !behind.includes(approver))) };
}

function persons(all: readonly AdvanceApproval[]): { readonly count: number; readonly groups: string[] } {
  return {
    count: new Set(all.map(({ approver }) => approver)).size,
    groups: distinct(all.flatMap(({ groups }) => groups)),
  };
}

function distinct(all: readonly string[]): string[] {
  return [...new Set(all)].sort();
}
