/** What follows every use of lent rights: other people look at what was done, and sign what they found. Pure. */
import type { CredentialRecord } from './credential.js';
import type { Attested } from './directory.js';
import type { IdentitySpec } from './identity.js';
import type { ProcessOutcome, RefusedVote, Timing } from './process.js';
import type { Elevation } from './request.js';
import type { ReviewStatement, Signed } from './statement.js';

/** Workflow type of what stands guard over an elevation and has it reviewed. A wire name, like those of its messages. */
export const elevationReviewWorkflow = 'elevationReview';

/** The `predicateType` of the in-toto Statement that carries the record of a review. Its subjects are the review and the record. */
export const reviewPredicate = 'urn:tenure:evidence:elevation-review:v1';

export const reviewMessages = {
  /** Signal: (Signed), a `tenure/review@v1`. */
  review: 'review',
  /** Query: () => ReviewState. */
  state: 'reviewState',
} as const;

/** Its workflow id. */
export function reviewId(operation: string): string {
  return `${operation}/review`;
}

/** At least so many people, within so long after the end (milliseconds); policy can ask for more of them and for sooner. */
export const fewestReviewers = 2;
export const longestReviewMs = 24 * 3_600_000;

/** Stands for the record of a process that was ended without one. */
export const noRecord = `sha256:${'0'.repeat(64)}`;

/** What it is told by the elevation, before anything is lent. */
export interface ReviewStart {
  readonly operation: string;
  readonly identity: string;
  /** The run of the process that lends: what another one says of itself tells nothing. */
  readonly run: string;
  /** The change that takes the rights back: what is declared, and the fence of the way back. */
  readonly back: {
    readonly identity: string;
    readonly operation: string;
    readonly epoch: number;
    readonly spec: IdentitySpec;
    readonly from?: CredentialRecord;
  };
  readonly elevation: Elevation;
  readonly reason: string;
  readonly requester: string;
  /** Who cannot review it: who asked, for whom, and who answers for them. */
  readonly excluded: readonly string[];
  readonly people: number;
  readonly withinMs: number;
  /** By then the rights are back, unless something went wrong. */
  readonly until: string;
  readonly timing?: Timing;
  /** Set by continue-as-new only. */
  readonly state?: ReviewState;
}

/** A review that counts. */
export interface Review {
  readonly reviewer: string;
  readonly verdict: ReviewStatement['verdict'];
  readonly notes: string;
  readonly at: string;
  readonly key: string;
  readonly signed: Signed;
}

/** Its whole state: plain JSON, carried through continue-as-new, and given by its query. Instants are ISO 8601. */
export interface ReviewState {
  readonly operation: string;
  readonly identity: string;
  readonly requester: string;
  readonly reason: string;
  readonly elevation: Elevation;
  readonly people: number;
  status: 'standing by' | 'due' | 'overdue' | 'closed';
  /** How the elevation ended; absent where it was ended by hand and gave no result. */
  outcome?: ProcessOutcome;
  endedAt?: string;
  /** Digest of the record of the elevation: what is reviewed, and what every review signs. */
  evidence?: string;
  due?: string;
  /** What the guard had to do, one plain sentence each. */
  remarks: readonly string[];
  reviews: readonly Review[];
  /** What was sent and did not count, the last ones. */
  refused: readonly RefusedVote[];
  /** Not looked at yet. */
  inbox: readonly Signed[];
  nextAlertAt?: string;
}

/** What is kept of it. */
export interface ReviewRecord extends Omit<ReviewState, 'inbox' | 'nextAlertAt'> {
  readonly closedAt: string;
}

/** What became of something that was sent as a review. */
export type WeighedReview =
  { readonly counts: true; readonly review: Review } | { readonly counts: false; readonly refused: RefusedVote };

/** What is reviewed, by whom it was already, and by whom it cannot be. */
export interface Reviewed {
  readonly operation: string;
  readonly evidence: string;
  readonly excluded: readonly string[];
  readonly reviewers: readonly string[];
}

/** Why a verified statement is no review of this; undefined where it is one. The first that does not hold is told. */
export function whyNoReview(statement: ReviewStatement, by: Attested, reviewed: Reviewed): string | undefined {
  if (by.kind !== 'person') return `${by.name} is ${article(by.kind)} ${by.kind}, and only people review`;
  if (statement.operation !== reviewed.operation) return `it is a review of ${statement.operation}`;
  if (statement.evidence !== reviewed.evidence) return 'it is a review of another record of this elevation';
  if (reviewed.excluded.includes(by.name)) return `${by.name} asked for this elevation, or answers for who did`;
  return reviewed.reviewers.includes(by.name) ? `${by.name} has reviewed it already` : undefined;
}

function article(kind: string): string {
  return kind === 'service' ? 'a' : 'an';
}
