import type { Ballot, GateState } from '../domain/process.js';
import type { DecisionStatement, Signed } from '../domain/statement.js';
import { decisionSigned, type Signer } from './statements.js';

/** Signs a decision on exactly this round of exactly this run. `delegation`: of the absent person for whom it is made. */
export async function ballotFor(
  signer: Signer,
  decision: DecisionStatement['decision'],
  operation: string,
  gate: GateState,
  reason: string,
  delegation?: Signed,
): Promise<Ballot> {
  const { run, round, planDigest: plan, policyDigest: policy, evidenceDigest: evidence, requester } = gate;
  const onBehalfOf = delegation && (JSON.parse(delegation.statement) as { from: string }).from;
  const own = { operation, run, round, plan, policy, evidence, requester, decision, reason };
  const signed = await decisionSigned({ ...own, ...(onBehalfOf !== undefined && { onBehalfOf }) }, signer);
  return { signed, ...(delegation && { delegation }) };
}
