/** An amendment waits at no gate, so policy decides on it where its turn comes: what would need people goes with a rotation instead. */
import { beyondAmendment } from '../src/domain/difference.js';
import type { Attested, Directory } from '../src/domain/directory.js';
import type { Facts } from '../src/domain/facts.js';
import { amendmentPlanOf, type ProcessPlan } from '../src/domain/plan.js';
import type { ProcessInput } from '../src/domain/process.js';
import type { Policy } from '../src/policy/policy.js';
import type { Declarations } from '../src/trust/declared.js';
import { issuedAt } from '../src/trust/issued-at.js';
import { onRecordOf } from '../src/trust/on-record.js';
import type { Permits } from '../src/trust/permits.js';
import { demandRecent, verifyRequest } from '../src/trust/requests.js';
import { refused } from '../src/trust/refusal.js';
import { isOnRecord } from '../src/trust/specs.js';
import type { Amendment, AmendmentVerdict } from './contract.js';

/** What deciding on an amendment needs from outside. */
interface AmendmentDependencies {
  loadPolicy(): Promise<Policy>;
  loadDirectory(): Promise<Directory>;
  factsOf(input: ProcessInput, plan: ProcessPlan, isGated: boolean): Promise<Facts>;
  readonly permits: Permits;
  readonly declarations: Declarations;
}

/** Who asks is verified again, and so is what was declared before: both came with a workflow, which may be anybody's. */
export async function decideAmendment(
  dependencies: AmendmentDependencies,
  { asked, identity, before }: Amendment,
  now: Date,
): Promise<AmendmentVerdict> {
  const { loadPolicy, loadDirectory, factsOf, declarations } = dependencies;
  const spec = asked.spec!;
  const receivedAt = issuedAt(asked.signed);
  demandRecent(`an amendment of ${identity}`, receivedAt, now);
  const [policy, directory] = await Promise.all([loadPolicy(), loadDirectory()]);
  const requester = await verifyRequest(asked, identity, { directory, now, receivedAt });
  const field = beyondAmendment(before, spec);
  if (field !== undefined) return refusal([], `spec.${field}`);
  const { plan, input } = imagined({ asked, identity, before }, requester);
  const facts = await factsOf(input, plan, false);
  const onRecord = await onRecordOf(dependencies, identity, facts.lastApproved?.operation);
  if (!isOnRecord(before, onRecord))
    throw refused(
      'other-content',
      `what was declared before is not what is on record about ${identity}; nothing changes`,
    );
  const question = { plan, requester, facts, votes: [], advance: [], directory, frozen: false, now, gateMs: 0 };
  const { effect, reasons, message, obligations } = policy.decide(question);
  if (effect === 'deny') return refusal(reasons, message ?? 'policy refuses it');
  const gates = (obligations.gates ?? []).map(({ id, why }) => `${id} (${why})`);
  if (obligations.approvals > 0) return refusal(reasons, `people have to approve it: ${gates.join(', ')}`);
  await declarations.note({
    v: 1,
    identity,
    request: asked.id,
    by: requester.name,
    how: 'amended',
    spec,
    at: now.toISOString(),
  });
  return { allowed: true, policies: reasons };
}

function refusal(policies: readonly string[], why: string): AmendmentVerdict {
  return { allowed: false, policies, reason: `goes with a rotation: ${why}` };
}

/** Facts and plans are those of a process; this one would touch nothing. */
function imagined({ asked, identity, before }: Amendment, { name }: Attested) {
  const request = { ...asked, requester: name };
  const plan = amendmentPlanOf({ identity, spec: asked.spec!, before, request });
  const input: ProcessInput = {
    kind: 'validate',
    operation: plan.operation,
    epoch: 0,
    identity,
    request,
    spec: asked.spec!,
    specBefore: before,
  };
  return { plan, input };
}
