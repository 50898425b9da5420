/** What other records say about a process: the exceptions that its decision leaned on, and who reviewed it. Pure. */
import { count, instant } from '../../cli/words.js';
import type { ExceptionEvidence, ProcessRecord, ReviewEvidence } from '../../domain/evidence.js';
import { isCovering } from '../relied.js';

/** A record that is about an exception or a review, and where it lies. */
interface Placed<R> {
  readonly index: number;
  readonly digest: string;
  readonly record: R;
}

/** What the log holds besides a process. */
export interface Beside {
  /** Every record about exceptions of its identity. */
  readonly exceptions: readonly Placed<ExceptionEvidence>[];
  /** Of the review that followed it. */
  readonly reviews: readonly Placed<ReviewEvidence>[];
}

/** One line for each rule that was lifted when policy decided: by which exception, on whose word, and where that is on record. */
export function reliedLines({ decision, identity }: ProcessRecord, { exceptions }: Beside): string[] {
  const rules = decision?.facts?.exceptions ?? [];
  const all = exceptions.map(({ record }) => record);
  return rules.flatMap((rule) => {
    const found = exceptions.filter(({ record }) => isCovering(record, all, { rule, identity, at: decision!.at }));
    if (found.length > 0) return found.map((one) => reliedLine(rule, one));
    return [`${rule} did not have to be met, and the log holds no record of an exception from it that held then.`];
  });
}

function reliedLine(rule: string, { index, digest, record }: Placed<ExceptionEvidence>): string {
  const { id, terms, gate } = record;
  const approvers = gate.votes.filter(({ decision }) => decision === 'approve').map(({ approver }) => approver);
  const by = approvers.length > 0 ? `approved by ${approvers.join(', ')}` : 'for which policy asked nobody';
  return `${rule} did not have to be met: the exception ${id}, asked for by ${terms.by}, ${by}, until ${instant(terms.until)}. Its record is entry ${index} of the log (${digest}).`;
}

/** Who looked at what was done with lent rights, and what they said. */
export function reviewLines({ kind, proofs }: ProcessRecord, { reviews }: Beside): string[] {
  if (kind !== 'elevate' || !proofs.elevated) return [];
  const last = reviews.at(-1);
  if (!last) return ['No review is in the log: it has not been closed yet, or its workflow was ended by hand.'];
  const { record, index, digest } = last;
  return [
    `${count(record.reviews.length, 'person', 'people')} of ${record.people} that were asked for reviewed it, by ${instant(record.closedAt)}.`,
    ...record.reviews.map(
      ({ reviewer, verdict, notes, at, key }) =>
        `${reviewer} found it ${verdict} at ${instant(at)}, with the key ${key}: ${notes}`,
    ),
    ...record.refused.map(
      ({ at, claimed, reason }) =>
        `Did not count, at ${instant(at)}: a review that claims to be of ${claimed}: ${reason}`,
    ),
    ...record.remarks.map((remark) => `Its guard noted: ${remark}`),
    `The record of the review is entry ${index} of the log (${digest}).`,
  ];
}
