/**
 * The seals: one record for each run of a process, for each exception that is approved, refused or over, and for each review, with
 * everything that it leans on, in the log of evidence.
 */
import { canonicalJson } from '../src/canonical-json.js';
import { TenureError } from '../src/domain/errors.js';
import { parseProcessId } from '../src/domain/wire.js';
import { digestOfText } from '../src/evidence/attachments.js';
import { digestOf } from '../src/policy/digest.js';
import { recordIn, recordOf, saidIn, statementOf, type Told } from '../src/evidence/records.js';
import { signedParts } from '../src/evidence/signers.js';
import type { Published } from '../src/exceptions/published.js';
import { isAsDecided, type Decisions } from '../src/trust/decided.js';
import type { Gates } from '../src/trust/gates.js';
import { issuedAt } from '../src/trust/issued-at.js';
import type { Permit } from '../src/trust/permits.js';
import { verifyRequest } from '../src/trust/requests.js';
import type { RecordActivities, ReviewActivities } from './contract.js';
import { sealException } from './evidence/exception.js';
import { sealReview } from './evidence/review.js';
import { appended, executionNow, workerPart, type Execution, type SealDependencies } from './evidence/worker-part.js';

/** What the seals need. */
export interface EvidenceDependencies extends SealDependencies {
  /** The permit of a run, as any JSON; undefined where it has none. */
  readonly permitOf?: (operation: string, run: string) => Promise<unknown>;
  /** What was decided here when a run was permitted, and who took an approval back since. */
  readonly decisions?: Pick<Decisions, 'of'>;
  readonly gates?: Pick<Gates, 'of'>;
  /** Exceptions as this and other workers have published them. */
  readonly published: Pick<Published, 'read'>;
}

/** What seals. */
export type SealActivities = Pick<RecordActivities, 'seal' | 'sealException'> & Pick<ReviewActivities, 'sealReview'>;

/** Makes the activities that seal. */
export function createEvidenceActivities(deps: EvidenceDependencies): SealActivities {
  return {
    seal: async (said) => sealProcess(await withRequester(said, deps), deps),
    sealException: (told) => sealException(told, deps),
    sealReview: (record) => sealReview(record, deps),
  };
}

async function sealProcess(told: Told, deps: EvidenceDependencies): Promise<{ readonly evidence: string }> {
  const execution = executionNow();
  demandItsOwn(told, execution);
  const [{ by }, permit] = await Promise.all([
    workerPart(signedParts(told), execution, deps),
    deps.permitOf?.(told.result.operation, execution.runId),
  ]);
  const isIts = isFor(permit, told) && (await isDecided(told, execution, deps));
  const record = recordOf(told, {
    ...by,
    ...(isIts && { permit: digestOfText(canonicalJson(permit)) }),
  });
  const { evidence } = await appended(deps, statementOf(record), (there) => {
    const before = recordIn(there);
    return before !== undefined && canonicalJson(saidIn(before)) === canonicalJson(saidIn(record));
  });
  return { evidence };
}

/** A process seals what it did itself, and nothing in the name of another one. */
function demandItsOwn({ state, result: { operation } }: Told, { workflowId }: Execution): void {
  const isIts = operation === workflowId && state.operation === workflowId;
  if (isIts && parseProcessId(workflowId)?.name === state.identity) return;
  throw new TenureError('InvalidRequest', `${workflowId} is not ${operation} of ${state.identity}; nothing was sealed`);
}

/** Whether it tells of policy's decision and of the approvals as they were here: a permitted run could name others. */
async function isDecided(
  { state, result: { outcome } }: Told,
  { workflowId: operation, runId: run }: Execution,
  { decisions, gates }: EvidenceDependencies,
): Promise<boolean> {
  const [known, told] = await Promise.all([decisions?.of({ operation, run }), gates?.of({ operation, run })]);
  return isAsDecided({ ...state, outcome }, known ?? [], told ?? { said: [] });
}

/**
 * Whether a permit is that of what is told. A permitted run could tell of another plan, and what was approved last is measured by it, or of
 * approvals in advance that nobody gave: such a record stays without a permit, and never counts as approved.
 */
function isFor(permit: unknown, { state }: Told): boolean {
  if (permit === undefined) return false;
  const { plan, identity, advance } = permit as Partial<Pick<Permit, 'plan' | 'identity' | 'advance'>>;
  if (identity !== undefined && identity !== state.identity) return false;
  const told = state.decision?.inAdvance?.approvals.map(({ id }) => id) ?? [];
  if (advance !== undefined && !told.every((id) => advance.includes(id))) return false;
  return plan === undefined || state.plan === undefined || digestOf(state.plan) === plan;
}

/** Who asked, where policy did not have to find out: a validation that only looks is sealed too. */
async function withRequester(told: Told, { directory }: EvidenceDependencies): Promise<Told> {
  if (told.requester) return told;
  const now = issuedAt(told.request.signed);
  try {
    const known = (await directory?.()) ?? { parties: [], revoked: [] };
    return { ...told, requester: await verifyRequest(told.request, told.state.identity, { directory: known, now }) };
  } catch {
    // The record says so by having none.
    return told;
  }
}
