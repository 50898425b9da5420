import type { ProcessRecord } from '../../domain/evidence.js';
import { countedOnce } from '../../domain/quorum.js';
import { statementIn } from './statements.js';

/** The different people whose approval of this plan counted, sorted: at the gate, or in advance. Never who asked, nor for whom. */
export function approversOf(record: ProcessRecord): readonly string[] {
  const { gate, decision, request } = record;
  const asked = new Set([request.requester, request.onBehalfOf, decision?.requester?.owner]);
  const voted =
    gate?.outcome === 'approved'
      ? gate.votes.filter(({ decision: said, planDigest }) => said === 'approve' && planDigest === gate.planDigest)
      : [];
  const people = [...countedOnce(voted), ...advanceIn(record)].map(({ approver }) => approver);
  return [...new Set(people)].filter((person) => !asked.has(person)).sort();
}

/** Those that the worker has verified, and that policy was shown: what was merely handed in counts for nothing. */
function advanceIn({
  decision,
  request,
  plan,
  kind,
  identity,
}: ProcessRecord): readonly { readonly approver: string }[] {
  if (!decision?.permitted || !plan) return [];
  const handedIn = (request.advance ?? [])
    .flatMap((signed) => statementIn(signed, 'tenure/advance@v1') ?? [])
    .filter(({ kinds, identities }) => kinds.includes(kind) && identities.includes(identity));
  return (decision.inAdvance?.approvals ?? []).filter((one) =>
    handedIn.some(({ id, approver }) => id === one.id && approver === one.approver),
  );
}
