/** What was judged, as an in-toto Statement that is ready to be signed: its canonical JSON is the payload. Pure but for the digest. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../canonical-json.js';
import { processPredicate } from '../../domain/evidence.js';
import type { Limits, Selection, Verdict } from './attest.js';

/** The `predicateType` of an attestation of limits. */
export const limitsPredicate = 'urn:tenure:evidence:limits:v1';

export interface Attestation {
  readonly _type: 'https://in-toto.io/Statement/v1';
  /** Each record that the judgement rests on, by the digest that the log knows it by. */
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicateType: typeof limitsPredicate;
  readonly predicate: {
    readonly at: string;
    readonly holds: boolean;
    readonly limits: Limits;
    readonly selection: Selection;
    readonly records: typeof processPredicate;
    readonly identities: readonly Verdict[];
  };
}

/** Puts a judgement into its statement. `digests` gives the digest of a record by its operation. Nothing selected does not hold. */
export function attestationOf(
  verdicts: readonly Verdict[],
  selection: Selection,
  limits: Limits,
  at: Date,
  digests: ReadonlyMap<string, string>,
): Attestation {
  const operations = new Set(verdicts.flatMap(({ checks }) => checks.flatMap(({ operation }) => operation ?? [])));
  const subject = [...operations].sort().map((name) => ({ name, digest: { sha256: digests.get(name)! } }));
  const holds = verdicts.length > 0 && verdicts.every((verdict) => verdict.holds);
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject,
    predicateType: limitsPredicate,
    predicate: { at: at.toISOString(), holds, limits, selection, records: processPredicate, identities: verdicts },
  };
}

/** `sha256` in hex of a record's canonical JSON. */
export function digestOfRecord(record: unknown): string {
  return createHash('sha256').update(canonicalJson(record)).digest('hex');
}
