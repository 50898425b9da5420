import type { ProcessRecord } from '../../domain/evidence.js';
import { countedOnce } from '../../domain/quorum.js';
import { statementIn } from './statements.js';

/** The different people whose approval of this plan counted, sorted: at the gate, or in advance. Never who asked, nor for whom. */
export function approversOf({ gate, decision, request, plan, kind, identity }: ProcessRecord): readonly string[] {
  const asked = new Set([request.requester, request.onBehalfOf, decision?.requester?.owner]);
  const voted =
    gate?.outcome === 'approved'
      ? gate.votes.filter(({ decision: said, planDigest }) => said === 'approve' && planDigest === gate.planDigest)
      : [];
  const before = decision?.permitted && plan ? (request.advance ?? []) : [];
  const advance = before
    .flatMap((signed) => statementIn(signed, 'tenure/advance@v1') ?? [])
    .filter(({ kinds, identities }) => kinds.includes(kind) && identities.includes(identity));
  const people = [...countedOnce(voted), ...advance].map(({ approver }) => approver);
  return [...new Set(people)].filter((person) => !asked.has(person)).sort();
}
