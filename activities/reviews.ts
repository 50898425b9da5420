/** What the review of an elevation needs from outside: whether a review counts, and how the elevation stands. */
import type { Client } from '@temporalio/client';
import { clip } from '../src/domain/clip.js';
import type { Directory } from '../src/domain/directory.js';
import { whyNoReview, type Reviewed, type WeighedReview } from '../src/domain/elevation-review.js';
import { TenureError } from '../src/domain/errors.js';
import type { ProcessState } from '../src/domain/process.js';
import type { Signed } from '../src/domain/statement.js';
import { processMessages } from '../src/domain/wire.js';
import { verifySigned } from '../src/trust/verify.js';
import type { ReviewActivities } from './contract.js';

export interface ReviewDependencies {
  readonly client: Client;
  /** The directory as it is now: a key that was removed reviews nothing any more. */
  loadDirectory(): Promise<Directory>;
  readonly now?: () => Date;
}

/** How long an elevation has to say how it stands: what does not answer counts as not restored. */
const lookMs = 5_000;

export function createReviewActivities(deps: ReviewDependencies): Omit<ReviewActivities, 'sealReview'> {
  const { client, loadDirectory, now = () => new Date() } = deps;
  return {
    async weighReview({ signed, reviewed }) {
      const directory = await loadDirectory();
      try {
        return await weigh(signed, reviewed, directory, now());
      } catch (error) {
        if (!(error instanceof TenureError) || error.code !== 'ApprovalRefused') throw error;
        return refusedAs(claimedBy(signed), error.message, now());
      }
    },

    async lookAtElevation(operation, run) {
      const handle = client.workflow.getHandle(operation, run);
      const ask = (): Promise<ProcessState> => handle.query<ProcessState>(processMessages.process);
      const state = await client.withDeadline(Date.now() + lookMs, ask).catch(() => undefined);
      return { isRestored: state?.stages.some(({ name, status }) => name === 'restore' && status === 'done') ?? false };
    },
  };
}

async function weigh(signed: Signed, reviewed: Reviewed, directory: Directory, now: Date): Promise<WeighedReview> {
  const { statement, attested } = await verifySigned(signed, { typ: 'tenure/review@v1', directory, now });
  const why = whyNoReview(statement, attested, reviewed);
  if (why !== undefined) return refusedAs(attested.name, why, now);
  const { reviewer, verdict, notes, iat } = statement;
  return { counts: true, review: { reviewer, verdict, notes, at: iat, key: attested.key, signed } };
}

function refusedAs(claimed: string, reason: string, now: Date): WeighedReview {
  return { counts: false, refused: { at: now.toISOString(), claimed, reason } };
}

/** Whom it claims to be from, which nobody has proven. */
function claimedBy({ statement }: Signed): string {
  try {
    const { reviewer } = JSON.parse(statement) as { reviewer?: unknown };
    return typeof reviewer === 'string' ? clip(reviewer, 200) : 'nobody';
  } catch {
    return 'nobody';
  }
}
