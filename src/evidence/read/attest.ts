/**
 * Whether identities are within limits: how long ago they were rotated and validated, and who approved. Judged from records alone,
 * so that a pipeline is stopped by what is proven and not by what is said. Pure: it takes `now`.
 */
import type { IdentitySpec } from '../../domain/identity.js';
import type { SealedRecord } from '../reader.js';
import { checksOf, standingOf, unknownCheck, type Check, type Limits } from './checks.js';

/** A record, and the digest that the log knows it by. */
export type Sealed = Pick<SealedRecord, 'record' | 'digest'>;

/** Which identities: those with these names, or all that match every other field that is given. */
export interface Selection {
  readonly identities?: readonly string[];
  readonly owner?: string;
  readonly environment?: string;
  /** `key:value`. */
  readonly tag?: string;
}

export interface Verdict {
  readonly identity: string;
  readonly holds: boolean;
  readonly checks: readonly Check[];
}

/** Judges every selected identity, by name. One that was asked for by name and has no record does not hold. */
export function attest(
  records: readonly Sealed[],
  selection: Selection,
  limits: Limits,
  now: Date,
): readonly Verdict[] {
  const byIdentity = grouped(records);
  const named = selection.identities ?? [];
  const names =
    named.length > 0 ? named : [...byIdentity.keys()].filter((name) => isSelected(byIdentity.get(name)!, selection));
  return [...new Set(names)].sort().map((identity) => {
    const all = byIdentity.get(identity);
    const checks = all ? checksOf(identity, all, limits, now) : [unknownCheck(identity)];
    return { identity, holds: checks.every(({ holds }) => holds), checks };
  });
}

/** The records of each identity, oldest first. */
function grouped(records: readonly Sealed[]): Map<string, Sealed[]> {
  const groups = new Map<string, Sealed[]>();
  const oldestFirst = records.toSorted(
    (one, other) => Date.parse(one.record.endedAt) - Date.parse(other.record.endedAt),
  );
  for (const each of oldestFirst) {
    const group = groups.get(each.record.identity);
    if (group) group.push(each);
    else groups.set(each.record.identity, [each]);
  }
  return groups;
}

/** What an identity was declared as last. */
function specIn(all: readonly Sealed[]): IdentitySpec | undefined {
  return all.flatMap(({ record }) => record.after.spec ?? record.request.spec ?? []).at(-1);
}

/** Who left is not asked after, unless by name. */
function isSelected(all: readonly Sealed[], { owner, environment, tag }: Selection): boolean {
  const spec = specIn(all);
  const plan = all.findLast(({ record }) => record.plan)?.record.plan;
  const [key, value] = (tag ?? '').split(/:(.*)/s);
  return (
    standingOf(all) !== 'offboarded' &&
    (owner === undefined || (spec?.owner.person ?? plan?.owner) === owner) &&
    (environment === undefined || (spec?.environment ?? plan?.environment) === environment) &&
    (tag === undefined || (spec !== undefined && spec.tags[key!] === value))
  );
}
