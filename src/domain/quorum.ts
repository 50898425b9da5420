/** Whether a gate has what it needs: a pure fold over verified votes. Persons count, not keys; a person has one vote. */
import type { ProcessPlan } from './plan.js';
import type { GateState, RefusedVote, Vote, Weighed } from './process.js';

/** Where a round stands: one denial is enough, approvals have to be as many, and from the groups, that policy asks for. */
export function settled(gate: GateState): 'open' | 'approved' | 'denied' {
  if (gate.votes.some(({ decision }) => decision === 'deny')) return 'denied';
  return missing(gate) === undefined ? 'approved' : 'open';
}

/**
 * The gate with one more ballot that was weighed, counted or kept with the reason why not. The last word of a person holds: an earlier one
 * that is sent again, by whomever, changes nothing. `words`: the instant of the last word of each person in this round; it is kept up.
 */
export function tallied(gate: GateState, weighed: Weighed, words: Map<string, string>, at: string): GateState {
  if (!weighed.counts) return withRefused(gate, weighed.refused);
  const { vote, withdraws = false } = weighed;
  const last = words.get(vote.approver);
  if (last !== undefined && vote.at <= last)
    return withRefused(gate, {
      at,
      claimed: vote.approver,
      reason: 'a decision of this person is counted already',
    });
  const others = gate.votes.filter(({ approver }) => approver !== vote.approver);
  const lent = vote.onBehalfOf !== undefined && others.find((other) => authorityOf(other) === vote.onBehalfOf);
  // A denial is never lost: one is enough, whoever says it.
  if (lent && !withdraws && vote.decision !== 'deny')
    return withRefused(gate, {
      at,
      claimed: vote.approver,
      reason: `a decision for ${vote.onBehalfOf} is counted already, by ${lent.approver}`,
    });
  words.set(vote.approver, vote.at);
  return { ...gate, votes: withdraws ? others : [...others, vote] };
}

/** Whose right it is to decide: of somebody who was lent it, that of the lender. */
function authorityOf({ approver, onBehalfOf }: Pick<Vote, 'approver' | 'onBehalfOf'>): string {
  return onBehalfOf ?? approver;
}

/** Each person once, and what they lent only where they have not decided themselves: a delegation makes no second vote. */
export function countedOnce<V extends Pick<Vote, 'approver' | 'onBehalfOf'>>(votes: readonly V[]): V[] {
  const own = votes.filter(({ onBehalfOf }) => onBehalfOf === undefined);
  const lent = votes.filter(({ onBehalfOf }) => onBehalfOf !== undefined);
  const seen = new Set<string>();
  const counted: V[] = [];
  for (const vote of [...own, ...lent]) {
    if (seen.has(vote.approver) || seen.has(authorityOf(vote))) continue;
    seen.add(vote.approver).add(authorityOf(vote));
    counted.push(vote);
  }
  return counted;
}

/** So many are kept. */
const mostRefused = 50;

function withRefused(gate: GateState, refused: RefusedVote): GateState {
  return { ...gate, refused: [...gate.refused, refused].slice(-mostRefused) };
}

/** What is missing in one plain phrase, which cannot be read as more than it is; undefined where nothing is. */
export function missing(gate: GateState): string | undefined {
  const approvals = approvalsOf(gate);
  const lacking = gate.needed - approvals.length;
  const groups = groupsMissing(gate, approvals).map((group) => group.replaceAll('|', ' or '));
  if (lacking <= 0 && groups.length === 0) return undefined;
  const count = Math.max(lacking, 1);
  const what = `${count} more ${count === 1 ? 'approval' : 'approvals'}${gate.stepUp ? ' with a security key' : ''}`;
  if (groups.length === 0) return what;
  if (count > 1) return `${what}, among them ${groups.map((group) => `one from ${group}`).join(' and ')}`;
  if (groups.length === 1) return `${what}, from ${groups[0]}`;
  return `${what} from somebody of each of these, or one from each: ${groups.join('; ')}`;
}

/** The same with what to call it. */
export function missingInWords(gate: GateState): string {
  return `needs ${missing(gate) ?? 'nothing more'}`;
}

/** Whether somebody with these groups is one of those asked for: `team|platform` is either. */
export function isOf(groups: readonly string[], asked: string): boolean {
  return asked.split('|').some((group) => groups.includes(group));
}

const roles = ['owner', 'team'] as const;

/** Of a plan, or of an exception from rules, what says who owns the identity. */
type Owned = Pick<ProcessPlan, 'owner' | 'declared'> & { readonly before?: Pick<ProcessPlan, 'owner' | 'declared'> };

/** Whose it is until the change. Who shall own it afterwards is not asked: anybody could name themselves. */
export function ownerUntilNow({ owner, before }: Pick<Owned, 'owner' | 'before'>): string {
  return before?.owner ?? owner;
}

/** The groups that somebody decides for on this plan: those of the directory, and the roles `owner` and `team` of its identity until now. */
export function groupsFor(
  { name, groups }: { readonly name: string; readonly groups: readonly string[] },
  plan: Owned,
): readonly string[] {
  const { declared } = plan.before ?? plan;
  // A group of the directory that happens to be called like a role does not give the role.
  const own = groups.filter((group) => !(roles as readonly string[]).includes(group));
  const isOfTeam = declared?.team !== undefined && own.includes(declared.team);
  return [...own, ...(ownerUntilNow(plan) === name ? ['owner'] : []), ...(isOfTeam ? ['team'] : [])];
}

function approvalsOf({ votes, stepUp }: GateState): Vote[] {
  return countedOnce(votes.filter((vote) => vote.decision === 'approve' && (!stepUp || vote.stepUp)));
}

/** The second group may stand in for any that has not decided. */
function groupsMissing({ groups, escalatedTo }: GateState, approvals: readonly Vote[]): string[] {
  const has = (group: string): boolean => approvals.some((vote) => isOf(vote.groups, group));
  if (escalatedTo !== undefined && has(escalatedTo)) return [];
  return groups.filter((group) => !has(group));
}
