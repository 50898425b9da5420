/** What it would take to do something, before anybody asks for it. */
import type { Decision, GateRule, Obligations } from '../domain/decision.js';
import { personsBehind } from '../domain/directory.js';
import { whoMayDecide } from '../trust/ballots.js';
import type { Policy, PolicyQuestion } from './policy.js';

/** A gate, and who of the directory could open it. */
export interface ExplainedGate extends GateRule {
  readonly people: readonly string[];
  /** For each group that is asked for, who is of it. */
  readonly of: readonly { readonly group: string; readonly people: readonly string[] }[];
  /** There are not enough people who could. */
  readonly hopeless: boolean;
}

export interface Explanation {
  readonly identity: string;
  readonly requester: string;
  readonly outcome: 'allowed' | 'needs people' | 'denied';
  /** Ids of the policies that decide, sorted. */
  readonly reasons: readonly string[];
  readonly message?: string;
  /** How many people, all gates together. */
  readonly approvals: number;
  readonly gates: readonly ExplainedGate[];
  readonly review?: NonNullable<Obligations['review']>;
  readonly policyDigest: string;
}

/** Asks policy, and looks who could give what it asks for. */
export function explain(policy: Policy, question: PolicyQuestion): Explanation {
  const decision = policy.decide(question);
  const { effect, reasons, message, obligations, policyDigest } = decision;
  const { approvals, gates = [], review } = obligations;
  return {
    identity: question.plan.identity,
    requester: question.requester.name,
    outcome: outcomeOf(decision),
    reasons,
    ...(effect === 'deny' && message !== undefined && { message }),
    approvals,
    gates: gates.map((gate) => explainGate(gate, question)),
    ...(review && { review }),
    policyDigest,
  };
}

function outcomeOf({ effect, obligations }: Decision): Explanation['outcome'] {
  if (effect === 'deny') return 'denied';
  return obligations.approvals > 0 ? 'needs people' : 'allowed';
}

function explainGate(gate: GateRule, question: PolicyQuestion): ExplainedGate {
  const people = peopleOf(gate.groups, question);
  const of = gate.groups.map((group) => ({ group, people: peopleOf([group], question) }));
  const isHopeless = people.length < gate.approvals || of.some((one) => one.people.length === 0);
  return { ...gate, people, of, hopeless: isHopeless };
}

function peopleOf(groups: readonly string[], { directory, requester, plan, now }: PolicyQuestion): readonly string[] {
  const behind = [...personsBehind(requester), ...(plan.kind === 'except' ? [plan.owner] : [])];
  return whoMayDecide(directory, { groups, requester: requester.name, behind }, plan, now);
}
