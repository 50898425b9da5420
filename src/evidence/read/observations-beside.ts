/** What records of exceptions and reviews can show about a control. As for processes: that it operated, that it did not, or nothing. Pure. */
import { count } from '../../cli/words.js';
import { fewestReviewers } from '../../domain/elevation-review.js';
import type { ExceptionEvidence } from '../../domain/evidence.js';
import type { AnyRecord } from '../kinds.js';
import { failed, operated, type Seen } from './seen.js';

/** A record that is none of a process. */
export type BesideRecord = Exclude<AnyRecord, { kind: 'process' }>;

export interface BesideObservation {
  readonly method: 'EXAMINE' | 'TEST';
  /** What it shows, as "evidence that …". */
  readonly that: string;
  readonly of: (any: BesideRecord) => Seen;
}

function ofException(of: (record: ExceptionEvidence) => Seen): BesideObservation['of'] {
  return ({ kind, record }) => (kind === 'exception' ? of(record) : undefined);
}

/** All of them, by the name that the frameworks use. */
export const besideObservations = {
  exceptionApproved: {
    method: 'EXAMINE',
    that: 'an exception from a rule was signed, judged and approved by other people, or refused, and is on record',
    of: ofException(({ what, id, terms, gate, end, examined }) => {
      if (what === 'ended') return undefined;
      const from = `exception ${id} from ${terms.rules.join(', ')}`;
      if (what === 'refused') return operated(`${from} refused: ${end?.why ?? gate.outcome}`);
      const approvers = gate.votes.filter(({ decision }) => decision === 'approve').map(({ approver }) => approver);
      const others = approvers.filter((name) => name !== terms.by && name !== examined.owner);
      if (others.length < Math.max(1, gate.needed))
        return failed(`${from} was approved by ${others.join(', ') || 'nobody else'}`);
      return operated(`${from} approved by ${others.join(', ')}, until ${terms.until}`);
    }),
  },
  exceptionControlled: {
    method: 'TEST',
    that: 'what holds instead of a rule was checked by running it',
    of: ofException(({ what, id, checks, suspensions = [] }) => {
      if (what === 'refused') return undefined;
      if (checks.length === 0) return failed(`no control of exception ${id} was run`);
      if (suspensions.length > 0)
        return operated(
          `exception ${id}: suspended ${count(suspensions.length, 'time')}, the last one since ${suspensions.at(-1)!.why}`,
        );
      const failing = checks.find(({ holds }) => !holds);
      return operated(
        `exception ${id}: ${failing ? `suspended, since not so: ${failing.control}` : 'every control held'}`,
      );
    }),
  },
  exceptionEnded: {
    method: 'EXAMINE',
    that: 'an exception ended at its time or before, and what makes the rule hold again was asked for',
    of: ofException(({ what, id, terms, end }) => {
      if (what !== 'ended') return undefined;
      return operated(`exception ${id} ended: ${end?.why ?? 'no reason given'}; then ${terms.afterwards}`);
    }),
  },
  elevationReview: {
    method: 'EXAMINE',
    that: 'other people reviewed what was done with lent rights, and signed what they found',
    of: ({ kind, record }) => {
      if (kind !== 'review') return undefined;
      const names = [...new Set(record.reviews.map(({ reviewer }) => reviewer))];
      const who = `${record.operation} reviewed by ${names.join(', ') || 'nobody'}`;
      return names.length >= Math.max(fewestReviewers, record.people) ? operated(who) : failed(who);
    },
  },
  routineReview: {
    method: 'EXAMINE',
    that: 'approvals, unused rights, owners and exceptions were looked at as a routine',
    of: ({ kind, record }) => {
      if (kind !== 'routine') return undefined;
      const high = record.findings.filter(({ severity }) => severity === 'high').length;
      return operated(
        `${record.lookedAt.records} records looked at: ${record.findings.length} findings, ${high} of them high`,
      );
    },
  },
} as const satisfies Readonly<Record<string, BesideObservation>>;

export type BesideName = keyof typeof besideObservations;
