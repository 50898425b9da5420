/** What a plan owes before and after it runs, out of the annotations of the policies that decided on it. */
import type { GateRule, Obligations } from '../domain/decision.js';
import { isOf } from '../domain/quorum.js';
import type { Requirement } from './annotations.js';
import type { Rule } from './pack.js';

/** Nothing. */
export const nothing: Obligations = { approvals: 0, gateMs: 0 };

/** A policy that asks for people. */
export type Gate = Rule & { readonly require: Requirement };

/** Says whether a policy asks for people. */
export function isGate(rule: Rule): rule is Gate {
  return rule.require !== undefined;
}

/** All that the gates ask for together. `permits`: the policies by which the plan passes once they have it. */
export function owing(gates: readonly Gate[], permits: readonly Rule[], gateMs: number): Obligations {
  const requirements = gates.map(({ require }) => require);
  if (gates.length === 0) return { ...nothing, ...reviewOf(permits) };
  const escalateTo = secondGroup(requirements);
  return {
    approvals: Math.max(...requirements.map(({ approvals }) => approvals)),
    gateMs,
    groups: [...new Set(requirements.flatMap(({ groups }) => groups))].sort(),
    stepUp: requirements.some(({ stepUp }) => stepUp),
    ...(escalateTo !== undefined && { escalateTo }),
    gates: gates.map(gateRule),
    ...reviewOf(permits),
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

function gateRule({ id, message, controls, require: { approvals, groups, stepUp } }: Gate): GateRule {
  return { id, why: message, controls, approvals, groups, stepUp };
}

/** The strictest of the reviews that the permits in use ask for. */
function reviewOf(permits: readonly Rule[]): Pick<Obligations, 'review'> {
  const reviews = permits.flatMap(({ review }) => review ?? []);
  if (reviews.length === 0) return {};
  const people = Math.max(...reviews.map((review) => review.people));
  const withinMs = Math.min(...reviews.map((review) => review.withinMs));
  return { review: { people, withinMs } };
}
