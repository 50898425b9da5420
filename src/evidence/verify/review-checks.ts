/** The review of an elevation: that as many people as were asked signed what they found, about this very record. */
import { fewestReviewers, whyNoReview, type Review } from '../../domain/elevation-review.js';
import { personsBehind, type Directory } from '../../domain/directory.js';
import type { ProcessRecord, ReviewEvidence } from '../../domain/evidence.js';
import { verifySigned } from '../../trust/verify.js';
import type { BundleFiles } from '../bundle/files.js';
import { broken, check, held, unknown, unless, type Check, type Finding } from './check.js';
import { signersAreIn } from './people-checks.js';

/** An elevation that was sealed, with its digest. */
export interface SealedElevation {
  readonly record: ProcessRecord;
  readonly digest: string;
}

/** `elevation`: the record that was reviewed, where the bundle has it. */
export async function checkReview(
  files: BundleFiles,
  record: ReviewEvidence,
  subject: string,
  given: Directory | undefined,
  elevation: SealedElevation | undefined,
): Promise<Check[]> {
  const directory = given ?? { parties: record.signers ?? [], revoked: [] };
  return Promise.all([
    check(subject, 'reviewed', () => isOf(record, elevation)),
    ...(given ? [] : [check(subject, 'directory', () => signersAreIn(files, record))]),
    ...record.reviews.map((review) =>
      check(subject, `review of ${review.reviewer}`, () => isCounted(record, review, directory, elevation)),
    ),
    check(subject, 'quorum', () => enoughReviewed(record)),
  ]);
}

function isOf({ operation, outcome, evidence = '' }: ReviewEvidence, found: SealedElevation | undefined): Finding {
  if (outcome === undefined) return held('the elevation was ended by hand and left no record');
  if (!found) return unknown(`the record ${evidence.slice(0, 19)} of ${operation} is not in this bundle`);
  return unless([found.digest !== evidence && `it is about another record of ${operation}`], evidence.slice(0, 19));
}

async function isCounted(
  { operation, evidence = '', requester }: ReviewEvidence,
  { signed, ...review }: Review,
  directory: Directory,
  elevation: SealedElevation | undefined,
): Promise<Finding> {
  const now = new Date(review.at);
  const { statement, attested } = await verifySigned(signed, { typ: 'tenure/review@v1', directory, now });
  const asker = elevation?.record.decision?.requester ?? elevation?.record.requester;
  const onBehalfOf = elevation?.record.request.onBehalfOf;
  const excluded = [
    requester,
    ...(asker ? [asker.name, ...personsBehind(asker)] : []),
    ...(onBehalfOf === undefined ? [] : [onBehalfOf]),
  ];
  const why = whyNoReview(statement, attested, { operation, evidence, reviewers: [], excluded });
  if (why !== undefined) return broken(why);
  const { reviewer, verdict, notes, iat } = statement;
  const said = { reviewer, verdict, notes, at: iat, key: attested.key };
  const isSame = (Object.keys(said) as (keyof typeof said)[]).every((field) => said[field] === review[field]);
  return unless([!isSame && 'the record says something else than was signed'], `${verdict}, with key ${attested.key}`);
}

function enoughReviewed({ people, reviews }: ReviewEvidence): Finding {
  const names = new Set(reviews.map(({ reviewer }) => reviewer));
  return unless(
    [
      people < fewestReviewers && `it asked for ${people}, and never fewer than ${fewestReviewers} review`,
      names.size < people && `${names.size} of ${people} people have reviewed it`,
    ],
    `reviewed by ${[...names].join(', ')}`,
  );
}
