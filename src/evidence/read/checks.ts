/** The checks of an attestation, each on the records of one identity, oldest first. Pure. */
import { instant } from '../../cli/words.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import { makesCredential } from '../../domain/process.js';
import { span } from '../../domain/span.js';
import { approversOf } from './approvers.js';
import type { Sealed } from './attest.js';

/** What is asked of every identity. Milliseconds. */
export interface Limits {
  readonly maxRotationAgeMs?: number;
  readonly maxValidationAgeMs?: number;
  /** So many different people approved what made the credential. */
  readonly approvals?: number;
}

export interface Check {
  readonly check: 'credential' | 'last process' | 'rotation' | 'validation' | 'approval';
  readonly holds: boolean;
  /** What was found, in words. */
  readonly found: string;
  /** The record that shows it, and its digest in the log. */
  readonly operation?: string;
  readonly digest?: string;
  readonly at?: string;
  /** What to do, where it does not hold. */
  readonly next?: string;
}

/** How an identity of which there is no record is judged. */
export function unknownCheck(identity: string): Check {
  const next = `tenure show ${identity}`;
  return { check: 'credential', holds: false, found: 'the log holds no record of it: is the name right?', next };
}

export function checksOf(identity: string, all: readonly Sealed[], limits: Limits, now: Date): Check[] {
  const { maxRotationAgeMs, maxValidationAgeMs, approvals } = limits;
  return [
    credential(identity, all),
    lastProcess(identity, all),
    ...(maxRotationAgeMs === undefined ? [] : [rotation(identity, all, maxRotationAgeMs, now)]),
    ...(maxValidationAgeMs === undefined ? [] : [validation(identity, all, maxValidationAgeMs, now)]),
    ...(approvals === undefined ? [] : [approval(identity, all, approvals)]),
  ];
}

/** Where an identity stands, as its last change left it. */
export function standingOf(all: readonly Sealed[]): 'active' | 'revoked' | 'offboarded' | 'absent' {
  const last = all.findLast(({ record }) => record.outcome === 'succeeded' && record.kind !== 'validate')?.record;
  if (!last) return 'absent';
  if (last.kind === 'offboard') return 'offboarded';
  return last.kind === 'revoke' ? 'revoked' : 'active';
}

function verdict(check: Check['check'], shown: Sealed | undefined, holds: boolean, found: string, next: string): Check {
  return {
    check,
    holds,
    found,
    ...(shown && { operation: shown.record.operation, digest: shown.digest, at: shown.record.endedAt }),
    ...(!holds && { next }),
  };
}

function credential(identity: string, all: readonly Sealed[]): Check {
  const standing = standingOf(all);
  if (standing === 'active') return verdict('credential', made(all), true, 'it has one', '');
  const found = standing === 'absent' ? 'no process gave it one' : `it has none: it was ${standing}`;
  const next = standing === 'offboarded' ? `take ${identity} out of the release` : `tenure rotate ${identity}`;
  return verdict('credential', all.at(-1), false, found, next);
}

function lastProcess(identity: string, all: readonly Sealed[]): Check {
  const { outcome, kind, leftovers } = all.at(-1)!.record;
  const left = leftovers.length > 0 ? `, left: ${leftovers.join('; ')}` : '';
  const holds = outcome !== 'unfinished' && leftovers.length === 0;
  return verdict('last process', all.at(-1), holds, `${kind} ${outcome}${left}`, `tenure show ${identity}`);
}

/** The record that made the credential that is in use. */
function made(all: readonly Sealed[]): Sealed | undefined {
  return all.findLast(({ record }) => record.outcome === 'succeeded' && makesCredential(record.kind));
}

function rotation(identity: string, all: readonly Sealed[], limitMs: number, now: Date): Check {
  const next = `tenure rotate ${identity}`;
  return aged('rotation', made(all), limitMs, now, 'nothing made its credential', next);
}

/** A validation that found nothing; what makes a credential tries it and reads its rights back too. What was found later undoes it. */
function validation(identity: string, all: readonly Sealed[], limitMs: number, now: Date): Check {
  const next = `tenure validate ${identity}`;
  const last = all.findLast(({ record }) => record.kind === 'validate' || isProven(record));
  if (!last || isProven(last.record)) return aged('validation', last, limitMs, now, 'it was never validated', next);
  const { proofs, outcome } = last.record;
  const drift = proofs.drift ?? [];
  const found = drift.length > 0 ? `the last one found: ${drift[0]!.detail}` : `the last one was ${outcome}`;
  return verdict('validation', last, false, found, `${next} --repair`);
}

function isProven({ kind, outcome, proofs, plan }: ProcessRecord): boolean {
  if (outcome !== 'succeeded' || !(kind === 'validate' || makesCredential(kind))) return false;
  const { accepted } = proofs;
  const isClean = plan?.repair === true || (proofs.drift ?? []).length === 0;
  return isClean && accepted !== undefined && accepted.excess.length + accepted.missing.length === 0;
}

/** How far the clock of a worker may be ahead of ours. */
const aheadMs = 60_000;

function aged(
  check: 'rotation' | 'validation',
  shown: Sealed | undefined,
  limitMs: number,
  now: Date,
  never: string,
  next: string,
): Check {
  if (!shown) return verdict(check, undefined, false, never, next);
  const at = shown.record.endedAt;
  const age = now.getTime() - Date.parse(at);
  // A record from the future proves a wrong clock, and not that anything is fresh.
  if (!(age >= -aheadMs)) {
    return verdict(check, shown, false, `recorded at ${instant(at)}, which is in the future`, 'tenure doctor');
  }
  const found = `${span(Math.max(0, age))} ago`;
  return age <= limitMs
    ? verdict(check, shown, true, found, '')
    : verdict(check, shown, false, `${found}, and ${span(limitMs)} is the limit`, next);
}

function approval(identity: string, all: readonly Sealed[], needed: number): Check {
  const shown = made(all);
  const people = shown ? approversOf(shown.record) : [];
  const found = people.length > 0 ? `approved by ${people.join(', ')}` : 'nobody approved what made its credential';
  const next = `let people approve its next rotation, as a policy can demand: tenure rotate ${identity}`;
  const holds = people.length >= needed;
  return verdict('approval', shown, holds, holds || needed === 1 ? found : `${found}; ${needed} are asked for`, next);
}
