/** The identity that is asked about, and those around it, in the words of the schema. */
import { isValidAt, partyNamed, type Attested } from '../domain/directory.js';
import type { ProcessPlan } from '../domain/plan.js';
import type { CedarValueJson, EntityJson, TypeAndId } from './cedar.js';
import type { PolicyQuestion, QuestionSettings } from './question.js';
import { milliseconds, reference, uid } from './values.js';

/** Who asks, who owns, and the identity. */
export function entitiesOf(question: PolicyQuestion, principal: TypeAndId, settings: QuestionSettings): EntityJson[] {
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
    owner: reference('Person', owner),
    ownerKnown,
    ...(declared.team !== undefined && { ownerTeam: declared.team }),
    ...(target !== undefined && { target }),
    strategy,
    ...(declared.everyMs !== undefined && { maxAge: milliseconds(declared.everyMs) }),
  };
  return { attrs, tags: { ...declared.tags } };
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
