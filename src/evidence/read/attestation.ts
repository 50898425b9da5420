/** What was judged, as an in-toto Statement that is ready to be signed: its canonical JSON is the payload. Pure. */
import { processPredicate } from '../../domain/evidence.js';
import { statementType } from '../statement.js';
import type { Selection, Verdict } from './attest.js';
import type { Limits } from './checks.js';

/** The `predicateType` of an attestation. */
export const limitsPredicate = 'urn:tenure:evidence:limits:v1';

export interface Attestation {
  readonly _type: typeof statementType;
  /** Each record that the judgement rests on, by the digest that the log knows it by. */
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: typeof limitsPredicate;
  readonly predicate: {
    readonly at: string;
    readonly holds: boolean;
    readonly limits: Limits;
    readonly selection: Selection;
    /** The `predicateType` of the subjects. */
    readonly records: typeof processPredicate;
    readonly identities: readonly Verdict[];
  };
}

/** Puts a judgement into its statement. Where nothing was selected, nothing holds. */
export function attestationOf(
  verdicts: readonly Verdict[],
  selection: Selection,
  limits: Limits,
  at: Date,
): Attestation {
  const holds = verdicts.length > 0 && verdicts.every((verdict) => verdict.holds);
  return {
    _type: statementType,
    subject: subjectsOf(verdicts),
    predicateType: limitsPredicate,
    predicate: { at: at.toISOString(), holds, limits, selection, records: processPredicate, identities: verdicts },
  };
}

function subjectsOf(verdicts: readonly Verdict[]): Attestation['subject'] {
  const names = new Map<string, string>();
  for (const { checks } of verdicts)
    for (const { operation, digest } of checks) if (digest !== undefined) names.set(digest, operation!);
  return [...names]
    .map(([digest, name]) => ({ name, digest: { sha256: digest.replace(/^sha256:/, '') } }))
    .sort((one, other) => one.name.localeCompare(other.name) || one.digest.sha256.localeCompare(other.digest.sha256));
}
