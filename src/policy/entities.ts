/** The identity that is asked about, and those around it, in the words of the schema. */
import { isValidAt, partyNamed, type Attested, type Directory } from '../domain/directory.js';
import { ownerUntilNow } from '../domain/quorum.js';
import type { ProcessPlan } from '../domain/plan.js';
import type { CedarValueJson, EntityJson, TypeAndId } from './cedar.js';
import type { PolicyQuestion, QuestionSettings } from './question.js';
import { milliseconds, reference, uid } from './values.js';

/** Who asks, who owns, and the identity. */
export function entitiesOf(question: PolicyQuestion, principal: TypeAndId, settings: QuestionSettings): EntityJson[] {
  const { requester, plan, directory, now } = question;
  const asking = { uid: principal, attrs: ownerOf(requester), parents: requester.groups.map((id) => uid('Group', id)) };
  const owners = [...new Set([ownerUntilNow(plan), plan.owner])]
    .filter((name) => requester.kind !== 'person' || requester.name !== name)
    .map((name) => ({ uid: uid('Person', name), attrs: {}, parents: groupsOf(directory, name, now) }));
  const { attrs, tags } = identityIn(plan, isKnown(directory, plan.owner, now), settings);
  const identity = { uid: uid('Identity', plan.identity), attrs, parents: [], tags };
  return [asking, ...owners, identity];
}

function isKnown(directory: Directory, name: string, now: Date): boolean {
  const party = partyNamed(directory, name);
  return party !== undefined && party.kind === 'person' && isValidAt(party, now);
}

function groupsOf(directory: Directory, name: string, now: Date): TypeAndId[] {
  if (!isKnown(directory, name, now)) return [];
  return partyNamed(directory, name)!.groups.map((id) => uid('Group', id));
}

/** A machine for which nobody answers is nobody's, and asks for nothing. */
function ownerOf({ kind, name, owner }: Attested): Record<string, CedarValueJson> {
  if (kind === 'person') return {};
  if (owner === undefined) throw new Error(`nobody answers for ${name}`);
  return { owner: reference('Person', owner) };
}

function identityIn(
  plan: PolicyQuestion['plan'],
  ownerKnown: boolean,
  { productionEnvironments }: QuestionSettings,
): { readonly attrs: Record<string, CedarValueJson>; readonly tags: Record<string, CedarValueJson> } {
  const { environment, dataClass, owner, declared, strategy } = plan;
  if (!declared) throw new Error(`the plan for ${plan.identity} does not say what is declared`);
  const { before, target } = comingOf(plan);
  const environments = before ? [environment, before.environment] : [environment];
  const attrs = {
    kind: declared.kind,
    environment,
    production: environments.some((one) => productionEnvironments.includes(one)),
    dataClass: before ? stricter(dataClass, before.dataClass) : dataClass,
    owner: reference('Person', before?.owner ?? owner),
    ownerAfter: reference('Person', owner),
    ownerKnown,
    ...teamsIn(declared.team, before ? before.declared?.team : declared.team),
    ...(target !== undefined && { target }),
    strategy,
    ...(declared.everyMs !== undefined && { maxAge: milliseconds(declared.everyMs) }),
  };
  return { attrs, tags: { ...declared.tags } };
}

function teamsIn(after: string | undefined, untilNow: string | undefined): Record<string, CedarValueJson> {
  return {
    ...(untilNow !== undefined && { ownerTeam: untilNow }),
    ...(after !== undefined && { ownerTeamAfter: after }),
  };
}

/** What may be different afterwards. An exception changes nothing of it. */
function comingOf(
  plan: PolicyQuestion['plan'],
): Pick<ProcessPlan, 'before'> & { readonly target?: string | undefined } {
  if (plan.kind === 'except') return { target: plan.target };
  const { before, to, from } = plan;
  return { ...(before && { before }), target: to?.target ?? from?.target };
}

type DataClass = ProcessPlan['dataClass'];
const dataClasses: readonly DataClass[] = ['public', 'internal', 'confidential', 'regulated'];

function stricter(one: DataClass, other: DataClass): DataClass {
  return dataClasses.indexOf(one) > dataClasses.indexOf(other) ? one : other;
}
