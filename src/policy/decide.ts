/**
 * One decision. What people have to approve stands in the same policies that let the plan pass afterwards: a gate is a
 * `forbid … unless { approvals }`, and its `@require` says whom to ask. Should it ask for too little, the gate stays shut.
 */
import type { Decision } from '../domain/decision.js';
import { evaluate, type CedarSet } from './cedar.js';
import { digestOf } from './digest.js';
import { isGate, nothing, owing } from './obligations.js';
import type { Rule } from './pack.js';
import { planDigestOf, type PolicyQuestion, type QuestionSettings } from './question.js';
import { requestOf } from './request.js';

/** What decides. */
export interface Engine {
  readonly rules: ReadonlyMap<string, Rule>;
  readonly set: CedarSet;
  readonly settings: QuestionSettings;
}

type Verdict = Pick<Decision, 'effect' | 'reasons' | 'message' | 'code' | 'obligations' | 'inputDigest'>;

/** Decides. Whatever goes wrong is a denial with the reason `policy-error`. */
export function decide(engine: Engine, question: PolicyQuestion): Decision {
  const { plan, now } = question;
  return {
    ...verdictOn(engine, question),
    planDigest: planDigestOf(plan),
    policyDigest: engine.set.digest,
    at: now.toISOString(),
  };
}

function verdictOn(engine: Engine, question: PolicyQuestion): Verdict {
  try {
    const request = requestOf(question, engine.settings);
    return { ...judged(engine, question, request), inputDigest: digestOf(request) };
  } catch (error) {
    return failed((error as Error).message);
  }
}

/** What cannot be evaluated is thrown, and so denied. */
function judged(engine: Engine, question: PolicyQuestion, request: ReturnType<typeof requestOf>): Verdict {
  const { set, settings } = engine;
  const rulesOf = (ids: readonly string[]) => ids.map((id) => engine.rules.get(id)!);
  const full = evaluate(set, 'all', request);
  if (full.allowed) return { effect: 'allow', reasons: full.reasons, obligations: owing([], rulesOf(full.reasons), 0) };
  // A gate hides whether anything permits the plan at all: nobody is asked to approve what would be denied anyway.
  const ungated = evaluate(set, 'ungated', request);
  if (!ungated.allowed) return denied(question, rulesOf(ungated.reasons));
  // Votes count for one round. The next one asks for everything again, so that no round lacks what an earlier one had.
  const { votes, gateMs } = question;
  const fresh = votes.length === 0 ? full : evaluate(set, 'all', requestOf({ ...question, votes: [] }, settings));
  const gates = [...new Set([...full.reasons, ...fresh.reasons])].sort();
  return {
    effect: 'allow',
    reasons: full.reasons,
    obligations: owing(rulesOf(gates).filter(isGate), rulesOf(ungated.reasons), gateMs),
  };
}

function denied({ plan, requester }: PolicyQuestion, rules: readonly Rule[]): Verdict {
  const sentences = rules.map(({ message, fix }) => (fix === '' ? message : `${message} ${fix}`));
  const nobody = `no policy lets ${requester.name} (${requester.kind}) ask to ${plan.kind} it. Ask somebody who may, or add a permit.`;
  return {
    effect: 'deny',
    reasons: rules.length === 0 ? ['nothing-permits'] : rules.map(({ id }) => id),
    message: `${plan.identity}: ${rules.length === 0 ? nobody : sentences.join(' ')}`,
    code: 'PolicyDenied',
    obligations: nothing,
  };
}

function failed(what: string): Verdict {
  return {
    effect: 'deny',
    reasons: ['policy-error'],
    message: `The policies could not decide, so nothing is allowed: ${what}. Check them with \`tenure policy check\`.`,
    code: 'PolicyDenied',
    obligations: nothing,
  };
}
