/** Whether a gate has what it needs: a pure fold over verified votes. Persons count, not keys; a person has one vote. */
import type { GateState, Vote } from './process.js';

/** Where a round stands: one denial is enough, approvals have to be as many, and from the groups, that policy asks for. */
export function settled(gate: GateState): 'open' | 'approved' | 'denied' {
  if (gate.votes.some(({ decision }) => decision === 'deny')) return 'denied';
  return missing(gate).length === 0 ? 'approved' : 'open';
}

/** What is missing, one plain phrase each; empty where nothing is. */
export function missing(gate: GateState): string[] {
  const approvals = approvalsOf(gate);
  const lacking = gate.needed - approvals.length;
  const groups = groupsMissing(gate, approvals);
  return [
    ...(lacking > 0
      ? [`${lacking} more ${lacking === 1 ? 'approval' : 'approvals'}${gate.stepUp ? ' with a security key' : ''}`]
      : []),
    ...groups.map((group) => `one from ${group}`),
  ];
}

/** The same as one phrase. */
export function missingInWords(gate: GateState): string {
  const all = missing(gate);
  return all.length === 0 ? 'needs nothing more' : `needs ${all.join(', ')}`;
}

function approvalsOf({ votes, stepUp }: GateState): Vote[] {
  return votes.filter((vote) => vote.decision === 'approve' && (!stepUp || vote.stepUp));
}

/** The second group may stand in for any that has not decided. */
function groupsMissing({ groups, escalatedTo }: GateState, approvals: readonly Vote[]): string[] {
  const has = (group: string): boolean => approvals.some((vote) => vote.groups.includes(group));
  if (escalatedTo !== undefined && has(escalatedTo)) return [];
  return groups.filter((group) => !has(group));
}
