/**
 * Decides on plans with Cedar. What people have to approve stands in the same policies that let the plan pass afterwards: a gate is a
 * `forbid … unless { approvals }`, and its `@require` says whom to ask. Should it ask for too little, the gate stays shut.
 */
import type { TenureConfig } from '../config/types.js';
import type { Decision, GateRule, Obligations } from '../domain/decision.js';
import { isOf } from '../domain/quorum.js';
import type { Requirement } from './annotations.js';
import { cedarVersion, evaluate, type CedarAnswer, type CedarSet } from './cedar.js';
import { digestOf } from './digest.js';
import { broken, digestOfTexts, parsePack, readPackTexts, shippedPolicies, type Pack, type Rule } from './pack.js';
import { requestOf, type PolicyQuestion } from './request.js';

export type { AdvanceApproval, PolicyQuestion } from './request.js';

/** Decides on plans. Pure: the same question and the same policy always give the same decision. */
export interface Policy {
  /** `sha256:<hex>` of everything that the decisions depend on besides the question. */
  readonly digest: string;
  decide(question: PolicyQuestion): Decision;
}

export type PolicySettings = Pick<TenureConfig['policy'], 'path' | 'productionEnvironments'>;

/** Gives the policies as they are at the moment of asking. */
export interface PolicySource {
  /** Throws a retryable `StoreUnavailable`, with file and line, where they cannot be read: nothing is allowed meanwhile. */
  current(): Promise<Policy>;
}

/** Reads the folder at every call, and parses it when something in it has changed: policies change without a new worker. */
export function policySource(settings: PolicySettings): PolicySource {
  let last: { readonly digest: string; readonly policy: Policy } | undefined;
  return {
    async current() {
      const texts = await readPackTexts(settings.path ?? shippedPolicies);
      const digest = digestOfTexts(texts);
      if (last?.digest !== digest) last = { digest, policy: policyOf(parsePack(texts), digest, settings) };
      return last.policy;
    },
  };
}

/** The policy that a pack is. `packDigest`: of its texts. Throws where the pack has problems. */
export function policyOf(pack: Pack, packDigest: string, { productionEnvironments }: PolicySettings): Policy {
  if (pack.problems.length > 0) throw broken(pack.problems);
  const settings = { productionEnvironments: productionEnvironments.toSorted() };
  const digest = digestOf({ policy: 'cedar', cedar: cedarVersion, pack: packDigest, settings });
  const rules = new Map(pack.rules.map((rule) => [rule.id, rule]));
  const set = cedarSetOf(pack, digest);
  return { digest, decide: (question) => decide({ rules, set, settings }, question) };
}

/** A pack as Cedar takes it. */
export function cedarSetOf({ rules, schema }: Pack, digest: string): CedarSet {
  return {
    digest,
    schema,
    policies: Object.fromEntries(rules.map(({ id, text }) => [id, text])),
    gates: new Set(rules.flatMap(({ id, require }) => (require ? [id] : []))),
  };
}

interface Engine {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly set: CedarSet;
  readonly settings: { readonly productionEnvironments: readonly string[] };
}

type Verdict = Pick<Decision, 'effect' | 'reasons' | 'message' | 'code' | 'obligations'>;

const nothing: Obligations = { approvals: 0, gateMs: 0 };

function decide(engine: Engine, question: PolicyQuestion): Decision {
  const { plan, now } = question;
  const common = { planDigest: digestOf(plan), policyDigest: engine.set.digest, at: now.toISOString() };
  try {
    const inputDigest = digestOf(requestOf(question, engine.settings));
    return { ...verdictOn(engine, question), ...common, inputDigest };
  } catch (error) {
    return { ...failed(error instanceof Error ? error.message : String(error)), ...common };
  }
}

function verdictOn(engine: Engine, question: PolicyQuestion): Verdict {
  const full = ask(engine, 'all', question);
  if (full.decided === 'error') return failed(full.what);
  if (full.decided === 'allow')
    return { effect: 'allow', reasons: full.reasons, obligations: owing(engine, [], full.reasons, 0) };
  // A gate hides whether anything permits the plan at all: nobody is asked to approve what would be denied anyway.
  const ungated = ask(engine, 'ungated', question);
  if (ungated.decided === 'error') return failed(ungated.what);
  if (ungated.decided === 'deny') return denied(engine, question, ungated.reasons);
  // Votes count for one round. The next one asks for everything again, so that no round lacks what an earlier one had.
  const fresh = question.votes.length === 0 ? full : ask(engine, 'all', { ...question, votes: [] });
  if (fresh.decided === 'error') return failed(fresh.what);
  const gates = [...new Set([...full.reasons, ...gatesIn(engine, fresh)])].sort();
  const obligations = owing(engine, gates, ungated.reasons, question.gateMs);
  return { effect: 'allow', reasons: full.reasons, obligations };
}

function ask({ set, settings }: Engine, which: 'all' | 'ungated', question: PolicyQuestion): CedarAnswer {
  return evaluate(set, which, requestOf(question, settings));
}

/** With no votes, what denies are gates; what allows is no gate. */
function gatesIn({ rules }: Engine, answer: Exclude<CedarAnswer, { decided: 'error' }>): readonly string[] {
  return answer.reasons.filter((id) => rules.get(id)?.require);
}

/** All that the gates ask for together. `permits`: the policies by which the plan passes. */
function owing({ rules }: Engine, gates: readonly string[], permits: readonly string[], gateMs: number): Obligations {
  const asked = gates.map((id) => rules.get(id)!);
  const requirements = asked.map(({ require }) => require!);
  const escalateTo = secondGroup(requirements);
  const review = reviewOf(permits.map((id) => rules.get(id)!));
  if (asked.length === 0) return { ...nothing, ...review };
  return {
    approvals: Math.max(...requirements.map(({ approvals }) => approvals)),
    gateMs,
    groups: [...new Set(requirements.flatMap(({ groups }) => groups))].sort(),
    stepUp: requirements.some(({ stepUp }) => stepUp),
    ...(escalateTo !== undefined && { escalateTo }),
    gates: asked.map(gateRule),
    ...review,
  };
}

/**
 * The second group may stand in for every group that is asked for, so there is one only where each gate has the same one. A gate that
 * asks for nobody else than this group takes no harm from it.
 */
function secondGroup(requirements: readonly Requirement[]): string | undefined {
  const asking = requirements.filter(({ groups }) => groups.length > 0);
  const second = asking.find(({ escalateTo }) => escalateTo !== undefined)?.escalateTo;
  if (second === undefined) return undefined;
  const fits = ({ groups, escalateTo }: Requirement) =>
    escalateTo === second || groups.every((group) => isOf([second], group));
  return asking.every(fits) ? second : undefined;
}

function gateRule({ id, message, controls, require }: Rule): GateRule {
  const { approvals, groups, stepUp } = require!;
  return { id, why: message, controls, approvals, groups, stepUp };
}

/** The strictest of the reviews that the permits in use ask for. */
function reviewOf(permits: readonly Rule[]): Pick<Obligations, 'review'> {
  const reviews = permits.flatMap(({ review }) => review ?? []);
  if (reviews.length === 0) return {};
  return {
    review: {
      people: Math.max(...reviews.map(({ people }) => people)),
      withinMs: Math.min(...reviews.map(({ withinMs }) => withinMs)),
    },
  };
}

function denied({ rules }: Engine, { plan, requester }: PolicyQuestion, ids: readonly string[]): Verdict {
  const sentences = ids.map((id) => rules.get(id)!).map(({ message, fix }) => [message, fix].filter(Boolean).join(' '));
  const nobody = `No policy lets ${requester.name} (${requester.kind}) ask to ${plan.kind} ${plan.identity}. Ask somebody who may, or add a permit.`;
  return {
    effect: 'deny',
    reasons: ids.length === 0 ? ['nothing-permits'] : ids,
    message: ids.length === 0 ? nobody : `${plan.identity}: ${sentences.join(' ')}`,
    code: 'PolicyDenied',
    obligations: nothing,
  };
}

/** What cannot be decided is denied. */
function failed(what: string): Verdict {
  return {
    effect: 'deny',
    reasons: ['policy-error'],
    message: `The policies could not decide, so nothing is allowed: ${what}. Check them with \`tenure policy check\`.`,
    code: 'PolicyDenied',
    obligations: nothing,
  };
}
