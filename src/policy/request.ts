/** The question that a plan means, in the words of the schema. Whatever is missing is an error, never a default that opens. */
import {
  personsBehind,
  type Attested,
  type Directory,
  isValidAt,
  partyNamed,
  type PartyKind,
} from '../domain/directory.js';
import type { Facts } from '../domain/facts.js';
import type { ProcessPlan } from '../domain/plan.js';
import type { Vote } from '../domain/process.js';
import type { CedarRequest, CedarValueJson, EntityJson, TypeAndId } from './cedar.js';
import { digestOf } from './digest.js';
import { rightsIn, type RightsSummary } from './scope-lines.js';

/** An approval given in advance for this very task, verified. */
export interface AdvanceApproval {
  readonly approver: string;
  readonly groups: readonly string[];
}

/** Everything that a decision is made from. */
export interface PolicyQuestion {
  readonly plan: ProcessPlan;
  /** Verified. */
  readonly requester: Attested;
  readonly facts: Facts;
  /** Verified ones only. */
  readonly votes: readonly Vote[];
  readonly advance: readonly AdvanceApproval[];
  readonly directory: Directory;
  readonly frozen: boolean;
  readonly now: Date;
  /** How long a gate stays open, milliseconds. */
  readonly gateMs: number;
}

/** The part of the operator's settings that a question depends on. */
export interface QuestionSettings {
  readonly productionEnvironments: readonly string[];
}

/** What Cedar is asked. Throws where something is missing that policies may look at. */
export function requestOf(question: PolicyQuestion, settings: QuestionSettings): CedarRequest {
  const { plan, requester } = question;
  const principal = uid(principalTypes[requester.kind], requester.name);
  return {
    principal,
    action: uid('Action', actionOf(plan)),
    resource: uid('Identity', plan.identity),
    context: contextOf(question),
    entities: entitiesOf(question, principal, settings),
  };
}

const principalTypes: Readonly<Record<PartyKind, string>> = {
  person: 'Person',
  service: 'Service',
  agent: 'Agent',
  automation: 'Automation',
};

function uid(type: string, id: string): TypeAndId {
  return { type: `Tenure::${type}`, id };
}

function reference(type: string, id: string): CedarValueJson {
  return { __entity: uid(type, id) };
}

/** The action that a plan is. */
export function actionOf({ kind, emergency, repair }: ProcessPlan): string {
  if (emergency && kind !== 'revoke')
    throw new Error(`an emergency may only revoke, and this asks to ${kind}: ask without the emergency`);
  if (emergency) return 'emergency-revoke';
  return kind === 'validate' && repair ? 'repair' : kind;
}

function contextOf(question: PolicyQuestion): Record<string, CedarValueJson> {
  const { plan, facts, requester, frozen, now } = question;
  const { ticket, reason } = plan;
  return {
    now: extension('datetime', now.toISOString()),
    rights: rights(rightsIn(plan.to?.scope)),
    growth: facts.growth.toSorted(),
    growthCount: facts.growth.length,
    unused: facts.unused.toSorted(),
    approvedBefore: facts.lastApproved !== undefined,
    unchanged: isUnchanged(plan, facts),
    approvals: approvalsIn(question),
    advance: advanceIn(question),
    presence: requester.presence,
    exceptions: facts.exceptions.toSorted(),
    frozen,
    ...(ticket !== undefined && { ticket }),
    ...(reason !== undefined && { reason }),
    ...elevationIn(plan),
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

/** The same place, rights, deliveries and labels as in what was approved and carried out last. */
function isUnchanged({ to, before, environment, dataClass }: ProcessPlan, { lastApproved, growth }: Facts): boolean {
  if (!to || growth.length > 0 || lastApproved?.toDigest !== digestOf(to)) return false;
  return !before || (before.environment === environment && before.dataClass === dataClass);
}

function elevationIn({ kind, elevation }: ProcessPlan): Record<string, CedarValueJson> {
  if (kind !== 'elevate') return {};
  if (!elevation) throw new Error('the plan of an elevation does not say what is lent');
  const { scope, forMs, incident } = elevation;
  return { elevation: { rights: rights(rightsIn(scope)), lasts: milliseconds(forMs), incident } };
}

/** Persons, not keys or signatures; never who asked, and never who answers for what asked. */
function approvalsIn({ votes, requester, plan }: PolicyQuestion): CedarValueJson {
  const behind = personsBehind(requester);
  const isOwn = ({ approver, onBehalfOf }: Vote) =>
    behind.includes(approver) || (onBehalfOf !== undefined && behind.includes(onBehalfOf));
  const isOfPlan = ({ planDigest }: Vote) => planDigest === digestOf(plan);
  const counting = votes.filter((vote) => vote.decision === 'approve' && isOfPlan(vote) && !isOwn(vote));
  return { ...persons(counting), stepUp: persons(counting.filter(({ stepUp }) => stepUp)).count };
}

function advanceIn({ advance, requester }: PolicyQuestion): CedarValueJson {
  const behind = personsBehind(requester);
  return { ...persons(advance.filter(({ approver }) => !behind.includes(approver))) };
}

function persons(all: readonly AdvanceApproval[]): { readonly count: number; readonly groups: string[] } {
  return {
    count: new Set(all.map(({ approver }) => approver)).size,
    groups: [...new Set(all.flatMap(({ groups }) => groups))].sort(),
  };
}

function entitiesOf(question: PolicyQuestion, principal: TypeAndId, settings: QuestionSettings): EntityJson[] {
  const { requester, plan, directory, now } = question;
  const owner = partyNamed(directory, plan.owner);
  const ownerKnown = owner !== undefined && owner.kind === 'person' && isValidAt(owner, now);
  const asking = { uid: principal, attrs: ownerOf(requester), parents: requester.groups.map((id) => uid('Group', id)) };
  const isRequester = requester.kind === 'person' && requester.name === plan.owner;
  const owning = {
    uid: uid('Person', plan.owner),
    attrs: {},
    parents: ownerKnown ? owner.groups.map((id) => uid('Group', id)) : [],
  };
  const { attrs, tags } = identityIn(plan, ownerKnown, settings);
  const identity = { uid: uid('Identity', plan.identity), attrs, parents: [], tags };
  return isRequester ? [asking, identity] : [asking, owning, identity];
}

/** A machine for which nobody answers is nobody's, and asks for nothing. */
function ownerOf({ kind, name, owner }: Attested): Record<string, CedarValueJson> {
  if (kind === 'person') return {};
  if (owner === undefined) throw new Error(`nobody answers for ${name}`);
  return { owner: reference('Person', owner) };
}

function identityIn(
  plan: ProcessPlan,
  ownerKnown: boolean,
  { productionEnvironments }: QuestionSettings,
): { readonly attrs: Record<string, CedarValueJson>; readonly tags: Record<string, CedarValueJson> } {
  const { environment, dataClass, before, owner, declared, strategy, to, from } = plan;
  if (!declared) throw new Error(`the plan for ${plan.identity} does not say what is declared`);
  const environments = before ? [environment, before.environment] : [environment];
  const target = to?.target ?? from?.target;
  const attrs = {
    kind: declared.kind,
    environment,
    production: environments.some((one) => productionEnvironments.includes(one)),
    dataClass: before ? stricter(dataClass, before.dataClass) : dataClass,
    owner: reference('Person', owner),
    ownerKnown,
    ...(declared.team !== undefined && { ownerTeam: declared.team }),
    ...(target !== undefined && { target }),
    strategy,
    ...(declared.everyMs !== undefined && { maxAge: milliseconds(declared.everyMs) }),
  };
  return { attrs, tags: { ...declared.tags } };
}

type DataClass = ProcessPlan['dataClass'];
const dataClasses: readonly DataClass[] = ['public', 'internal', 'confidential', 'regulated'];

function stricter(one: DataClass, other: DataClass): DataClass {
  return dataClasses.indexOf(one) > dataClasses.indexOf(other) ? one : other;
}

function milliseconds(ms: number): CedarValueJson {
  return extension('duration', `${ms}ms`);
}

function extension(fn: string, arg: string): CedarValueJson {
  return { __extn: { fn, arg } };
}
