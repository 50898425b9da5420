/** Approvals given in advance, for a bounded task: so many identities, until then. A policy has to allow them in so many words. */
import { mayApprove, personsBehind, type Attested, type Directory } from '../domain/directory.js';
import { TenureError } from '../domain/errors.js';
import type { ProcessPlan } from '../domain/plan.js';
import type { AdvanceStatement, Signed } from '../domain/statement.js';
import { groupsFor } from '../domain/quorum.js';
import { verifySigned } from './verify.js';

/** One that holds for the plan at hand. */
export interface Advance {
  readonly id: string;
  readonly approver: string;
  readonly groups: readonly string[];
}

interface Task {
  readonly plan: ProcessPlan;
  readonly requester: Attested;
  readonly directory: Directory;
  readonly now: Date;
}

/** Those that hold for this plan; one for each person. What does not hold is left out, and policy then asks for people as always. */
export async function advanceFor(all: readonly Signed[], task: Task): Promise<Advance[]> {
  const holding = (await Promise.all(all.map((signed) => advanceIn(signed, task)))).filter((one) => one !== undefined);
  return holding.filter(({ approver }, index) => holding.findIndex((other) => other.approver === approver) === index);
}

async function advanceIn(signed: Signed, { plan, requester, directory, now }: Task): Promise<Advance | undefined> {
  try {
    const { statement, attested } = await verifySigned(signed, { typ: 'tenure/advance@v1', directory, now });
    const isApprover = mayApprove(attested) && !personsBehind(requester).includes(attested.name);
    if (!isApprover || !coversTask(statement, plan) || directory.revoked.includes(statement.id)) return undefined;
    return { id: statement.id, approver: attested.name, groups: groupsFor(attested, plan) };
  } catch (error) {
    if (error instanceof TenureError && error.code === 'ApprovalRefused') return undefined;
    throw error;
  }
}

function coversTask({ kinds, identities }: AdvanceStatement, { kind, identity }: ProcessPlan): boolean {
  return kinds.includes(kind) && identities.includes(identity);
}
