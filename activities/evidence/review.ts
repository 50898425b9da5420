/** The seal of a review: who looked at what was done with lent rights, and what they signed. */
import { canonicalJson } from '../../src/canonical-json.js';
import { reviewId, type ReviewRecord } from '../../src/domain/elevation-review.js';
import { TenureError } from '../../src/domain/errors.js';
import { anyRecordIn, saidInReview, statementOfAny } from '../../src/evidence/kinds.js';
import { signedInReview } from '../../src/evidence/signers.js';
import { appended, executionNow, workerPart, type SealDependencies } from './worker-part.js';

/** Seals it once for each run. What nobody has signed is no review. */
export async function sealReview(said: ReviewRecord, deps: SealDependencies): Promise<{ readonly evidence: string }> {
  const execution = executionNow();
  if (execution.workflowId !== reviewId(said.operation))
    throw new TenureError('InvalidRequest', `${execution.workflowId} is not the review of ${said.operation}`);
  const { by, nobodys } = await workerPart(signedInReview(said), execution, deps);
  if (nobodys > 0)
    throw new TenureError('ApprovalRefused', `a review of ${said.operation} was signed by nobody in the directory`);
  const record = { ...said, v: 1 as const, ...by };
  const { evidence } = await appended(deps, statementOfAny({ kind: 'review', record }), (there) => {
    const before = anyRecordIn(there);
    return before?.kind === 'review' && textOf(before.record) === textOf(record);
  });
  return { evidence };
}

const textOf = (record: Parameters<typeof saidInReview>[0]): string => canonicalJson(saidInReview(record));
