/**
 * Whether identities are within limits: how long ago they were rotated and validated, and who approved. Judged from records alone,
 * so that a pipeline can be stopped by what is proven and not by what is said. Pure: it takes `now`.
 */
import { instant } from '../../cli/words.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import type { IdentitySpec } from '../../domain/identity.js';
import { span } from '../../domain/span.js';
import { approversOf } from './approvers.js';

/** What is asked of every identity. Milliseconds. */
export interface Limits {
  readonly maxRotationAgeMs?: number;
  readonly maxValidationAgeMs?: number;
  /** This many different people approved what made the credential. */
  readonly approvals?: number;
}

/** Which identities; every field that is given has to match. */
export interface Selection {
  readonly identities?: readonly string[];
  readonly owner?: string;
  readonly environment?: string;
  /** `key:value`. */
  readonly tag?: string;
}

export interface Check {
  readonly check: 'credential' | 'rotation' | 'validation' | 'approval' | 'last process';
  readonly holds: boolean;
  /** What was found, in words. */
  readonly found: string;
  /** The record that shows it. */
  readonly operation?: string;
  readonly at?: string;
  /** What to do, where it does not hold. */
  readonly next?: string;
}

export interface Verdict {
  readonly identity: string;
  readonly holds: boolean;
  readonly checks: readonly Check[];
}

/** Judges every selected identity, by name. An identity that was asked for by name and has no record does not hold. */
export function attest(
  records: readonly ProcessRecord[],
  selection: Selection,
  limits: Limits,
  now: Date,
): readonly Verdict[] {
  const byIdentity = grouped(records);
  const named = selection.identities ?? [];
  const names = new Set([...named, ...(named.length === 0 ? byIdentity.keys() : [])]);
  return [...names].sort().flatMap((identity) => {
    const all = byIdentity.get(identity) ?? [];
    if (!isSelected(all, selection, named.includes(identity))) return [];
    const checks = all.length === 0 ? [unknown(identity)] : checksOf(identity, all, limits, now);
    return [{ identity, holds: checks.every(({ holds }) => holds), checks }];
  });
}

/** The records of each identity, oldest first. */
function grouped(records: readonly ProcessRecord[]): Map<string, ProcessRecord[]> {
  const groups = new Map<string, ProcessRecord[]>();
  for (const record of records.toSorted((one, other) => Date.parse(one.endedAt) - Date.parse(other.endedAt)))
    groups.set(record.identity, [...(groups.get(record.identity) ?? []), record]);
  return groups;
}

/** What an identity was declared as last. */
function specIn(all: readonly ProcessRecord[]): IdentitySpec | undefined {
  return all.flatMap(({ after, request }) => after.spec ?? request.spec ?? []).at(-1);
}

function isSelected(all: readonly ProcessRecord[], selection: Selection, isNamed: boolean): boolean {
  const { owner, environment, tag } = selection;
  const spec = specIn(all);
  const plan = all.findLast((record) => record.plan)?.plan;
  const [key, value] = (tag ?? '').split(/:(.*)/s);
  const matches =
    (owner === undefined || (spec?.owner.person ?? plan?.owner) === owner) &&
    (environment === undefined || (spec?.environment ?? plan?.environment) === environment) &&
    (tag === undefined || spec?.tags[key!] === value);
  // Who left is not asked after, unless by name.
  return isNamed || (matches && standingOf(all) !== 'offboarded');
}

function unknown(identity: string): Check {
  return {
    check: 'credential',
    holds: false,
    found: 'the log holds no record of it',
    next: `declare it and run tenure apply, or check the name: tenure show ${identity}`,
  };
}

function checksOf(identity: string, all: readonly ProcessRecord[], limits: Limits, now: Date): Check[] {
  const { maxRotationAgeMs, maxValidationAgeMs, approvals } = limits;
  return [
    credential(identity, all),
    lastProcess(identity, all),
    ...(maxRotationAgeMs === undefined ? [] : [rotation(identity, all, maxRotationAgeMs, now)]),
    ...(maxValidationAgeMs === undefined ? [] : [validation(identity, all, maxValidationAgeMs, now)]),
    ...(approvals === undefined ? [] : [approval(identity, all, approvals)]),
  ];
}

type Standing = 'active' | 'revoked' | 'offboarded' | 'absent';

function standingOf(all: readonly ProcessRecord[]): Standing {
  const last = all.findLast(({ kind, outcome }) => outcome === 'succeeded' && kind !== 'validate');
  if (!last) return 'absent';
  if (last.kind === 'offboard') return 'offboarded';
  return last.kind === 'revoke' ? 'revoked' : 'active';
}

function credential(identity: string, all: readonly ProcessRecord[]): Check {
  const standing = standingOf(all);
  const { operation, endedAt: at } = made(all) ?? all.at(-1)!;
  if (standing === 'active') return { check: 'credential', holds: true, found: 'it has one', operation, at };
  return {
    check: 'credential',
    holds: false,
    found: standing === 'absent' ? 'no process gave it one' : `it has none: it was ${standing}`,
    operation: all.at(-1)!.operation,
    at: all.at(-1)!.endedAt,
    next: standing === 'offboarded' ? `take ${identity} out of the release` : `tenure rotate ${identity}`,
  };
}

function lastProcess(identity: string, all: readonly ProcessRecord[]): Check {
  const { operation, endedAt: at, outcome, kind, leftovers } = all.at(-1)!;
  const holds = outcome !== 'unfinished' && leftovers.length === 0;
  const found = `${kind} ${outcome}${leftovers.length > 0 ? `, left: ${leftovers.join('; ')}` : ''}`;
  return { check: 'last process', holds, found, operation, at, ...(holds ? {} : { next: `tenure show ${identity}` }) };
}

/** The record that made the credential that is in use. */
export function made(all: readonly ProcessRecord[]): ProcessRecord | undefined {
  return all.findLast(({ kind, outcome }) => outcome === 'succeeded' && (kind === 'provision' || kind === 'rotate'));
}

function rotation(identity: string, all: readonly ProcessRecord[], limitMs: number, now: Date): Check {
  return aged('rotation', made(all), limitMs, now, `tenure rotate ${identity}`, 'it was never rotated or provisioned');
}

/** A validation that found nothing; a rotation tries the login and reads the rights back too. What was found later undoes it. */
function validation(identity: string, all: readonly ProcessRecord[], limitMs: number, now: Date): Check {
  const next = `tenure validate ${identity}`;
  const last = all.findLast((record) => record.kind === 'validate' || isProven(record));
  if (!last || isProven(last)) return aged('validation', last, limitMs, now, next, 'it was never validated');
  const drift = (last.proofs.drift ?? []).length;
  const found = drift > 0 ? `the last one found ${drift} that is not as declared` : `the last one was ${last.outcome}`;
  return {
    check: 'validation',
    holds: false,
    found,
    operation: last.operation,
    at: last.endedAt,
    next: `${next} --repair`,
  };
}

function isProven({ kind, outcome, proofs, plan }: ProcessRecord): boolean {
  if (outcome !== 'succeeded' || !['validate', 'provision', 'rotate'].includes(kind)) return false;
  const { accepted } = proofs;
  const isClean = plan?.repair === true || (proofs.drift ?? []).length === 0;
  return isClean && accepted !== undefined && accepted.excess.length + accepted.missing.length === 0;
}

function aged(
  check: 'rotation' | 'validation',
  record: ProcessRecord | undefined,
  limitMs: number,
  now: Date,
  next: string,
  never: string,
): Check {
  if (!record) return { check, holds: false, found: never, next };
  const age = now.getTime() - Date.parse(record.endedAt);
  // A record from the future proves a wrong clock, not a fresh rotation.
  const holds = age <= limitMs && age >= -60_000;
  const found = `${span(Math.max(0, age))} ago (${instant(record.endedAt)})${holds ? '' : `, more than ${span(limitMs)}`}`;
  const shown = age < -60_000 ? `recorded at ${instant(record.endedAt)}, which is in the future` : found;
  return { check, holds, found: shown, operation: record.operation, at: record.endedAt, ...(holds ? {} : { next }) };
}

function approval(identity: string, all: readonly ProcessRecord[], needed: number): Check {
  const record = made(all);
  if (!record)
    return { check: 'approval', holds: false, found: 'nothing made a credential', next: `tenure rotate ${identity}` };
  const people = approversOf(record);
  const holds = people.length >= needed;
  const found = people.length > 0 ? `approved by ${people.join(', ')}` : 'nobody approved';
  return {
    check: 'approval',
    holds,
    found: holds || needed === 1 ? found : `${found}; ${needed} people are asked for`,
    operation: record.operation,
    at: record.endedAt,
    ...(holds ? {} : { next: `rotate it under a policy that asks for people: tenure rotate ${identity}` }),
  };
}
