/** Which exceptions a decision leaned on, found among their records. Pure. */
import type { ExceptionEvidence } from '../domain/evidence.js';

/** A rule that was lifted when policy decided for an identity. */
export interface Lifted {
  readonly rule: string;
  readonly identity: string;
  /** When policy decided, ISO 8601. */
  readonly at: string;
}

/** Workers' clocks differ, and facts are collected a moment before policy decides on them. Milliseconds. */
const slackMs = 60_000;

/** Says whether `record` is of an approval that held then: in its time, and not ended before. */
export function isCovering(
  record: ExceptionEvidence,
  all: readonly ExceptionEvidence[],
  { rule, identity, at }: Lifted,
): boolean {
  const { what, operation, terms, approvedAt, gate } = record;
  if (what !== 'approved' || record.identity !== identity || approvedAt === undefined) return false;
  if (!terms.rules.includes(rule)) return false;
  const then = Date.parse(at);
  const over = all.filter(
    (one) => one.what === 'ended' && one.operation === operation && one.gate.round === gate.round,
  );
  const ends = [terms.until, ...over.flatMap(({ end }) => (end ? [end.at] : []))].map((end) => Date.parse(end));
  return Date.parse(approvedAt) <= then + slackMs && then < Math.min(...ends) + slackMs;
}
