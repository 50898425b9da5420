/** Approvals given in advance, for a bounded task: so many identities, until then. A policy has to allow them in so many words. */
import type { AdvanceApproval, GateRule, InAdvance } from '../domain/decision.js';
import { mayApprove, personsBehind, type Attested, type Directory } from '../domain/directory.js';
import type { ProcessPlan } from '../domain/plan.js';
import type { AdvanceStatement, Signed } from '../domain/statement.js';
import { groupsFor } from '../domain/quorum.js';
import { digestOf } from '../policy/digest.js';
import { noneIfRefused, refused } from './refusal.js';
import { verifySigned } from './verify.js';

/** What an approval in advance is held against. */
export interface Task {
  readonly plan: ProcessPlan;
  readonly requester: Attested;
  readonly directory: Directory;
  readonly now: Date;
}

/** Those that hold for this plan; one for each person. What does not hold is left out, and policy then asks for people as always. */
export async function advanceFor(all: readonly Signed[], task: Task): Promise<AdvanceApproval[]> {
  const holding = (await Promise.all(all.map((signed) => verifyAdvance(signed, task).catch(noneIfRefused)))).filter(
    (one) => one !== undefined,
  );
  return holding.filter(({ approver }, index) => holding.findIndex((other) => other.approver === approver) === index);
}

/** One that holds for this plan. Throws `ApprovalRefused`, with the reason in the message, where it does not. */
export async function verifyAdvance(
  signed: Signed,
  { plan, requester, directory, now }: Task,
): Promise<AdvanceApproval> {
  const { statement, attested } = await verifySigned(signed, { typ: 'tenure/advance@v1', directory, now });
  const { id } = statement;
  if (!mayApprove(attested)) throw refused('no-person', `${attested.name} is no person, and only people approve`);
  if (personsBehind(requester).includes(attested.name))
    throw refused('own-request', `${attested.name} asked for it, or answers for what asked, and cannot approve it`);
  if (!coversTask(statement, plan))
    throw refused('other-content', `it was given for another task than to ${plan.kind} ${plan.identity}`);
  if (directory.revoked.includes(id)) throw refused('delegation', `the approval in advance ${id} was revoked`);
  const { name: approver, key, presence } = attested;
  return { id, approver, groups: groupsFor(attested, plan), key, stepUp: presence === 'pin' };
}

function coversTask({ kinds, identities }: AdvanceStatement, { kind, identity }: ProcessPlan): boolean {
  return kinds.includes(kind) && identities.includes(identity);
}

/** What is kept of those that held, so that a stranger can count them again. `asked`: the gates that policy has with so many of them. */
export function inAdvance(
  approvals: readonly AdvanceApproval[],
  directory: Directory,
  asked: (advance: readonly AdvanceApproval[]) => readonly GateRule[],
): { readonly inAdvance?: InAdvance } {
  if (approvals.length === 0) return {};
  const left = asked(approvals).map(({ id }) => id);
  const spared = asked([]).filter(({ id }) => !left.includes(id));
  return { inAdvance: { approvals, spared, directory: digestOf(directory) } };
}
