/** What records say of one another: the exceptions that a decision leaned on, the approval of what has ended, an end that is missing. */
import type { ExceptionEvidence, ProcessRecord } from '../../domain/evidence.js';
import { digestOfText } from '../attachments.js';
import { aboutOf, type AnyRecord } from '../kinds.js';
import { isCovering } from '../relied.js';
import { broken, check, held, unknown, unless, type Check, type Finding } from './check.js';
import type { LogUnderTest } from './log-checks.js';
import type { EntryUnderTest } from './record-checks.js';
import type { SealedElevation } from './review-checks.js';

/** Checks a record against those beside it. An export of a part may lack some, and then it is not known. */
export async function checkBeside(
  log: LogUnderTest,
  { kind, record }: AnyRecord,
  subject: string,
  entries: readonly EntryUnderTest[],
): Promise<Check[]> {
  if (kind === 'process') return processBeside(log, record, subject, entries);
  if (kind !== 'exception') return [];
  if (record.what === 'ended')
    return [await check(subject, 'approved before', () => wasApprovedBefore(log, record, entries))];
  if (record.what === 'refused') return [];
  return [await check(subject, 'time', () => isInTime(log, record, entries))];
}

async function processBeside(
  log: LogUnderTest,
  record: ProcessRecord,
  subject: string,
  entries: readonly EntryUnderTest[],
): Promise<Check[]> {
  const { facts, inAdvance, permitted } = record.decision ?? {};
  return [
    ...((facts?.exceptions ?? []).length > 0
      ? [await check(subject, 'exceptions', () => restsOnRecords(log, record, entries))]
      : []),
    ...(inAdvance && permitted
      ? [await check(subject, 'counted once', () => isCountedOnce(log, record, entries))]
      : []),
  ];
}

/** The record of an elevation among the entries. */
export function elevationIn(entries: readonly EntryUnderTest[], operation: string): SealedElevation | undefined {
  const found = entries.flatMap(({ any, statement }) =>
    any?.kind === 'process' && any.record.operation === operation
      ? [{ record: any.record, digest: digestOfText(statement!) }]
      : [],
  );
  return found.at(-1);
}

function restsOnRecords(
  log: LogUnderTest,
  { identity, decision }: ProcessRecord,
  entries: readonly EntryUnderTest[],
): Finding {
  const exceptions = exceptionsIn(entries);
  const rules = decision!.facts!.exceptions;
  const bare = rules.filter(
    (rule) => !exceptions.some((one) => isCovering(one, exceptions, { rule, identity, at: decision!.at })),
  );
  if (bare.length === 0) return held(`${rules.join(', ')}: approved, and on record`);
  return lacking(log, `the log has no record of an exception from ${bare.join(', ')} that held for it`);
}

/** An approval in advance counts once for each identity and kind: no other run in the bundle was permitted by the same. */
function isCountedOnce(log: LogUnderTest, record: ProcessRecord, entries: readonly EntryUnderTest[]): Finding {
  const { identity, kind, operation, run } = record;
  const ids = countedIn(record);
  const others = entries
    .flatMap(({ any }) => (any?.kind === 'process' ? [any.record] : []))
    .filter((other) => other.identity === identity && other.kind === kind)
    .filter((other) => other.operation !== operation || other.run !== run);
  const again = others.filter((other) => countedIn(other).some((id) => ids.includes(id)));
  if (again.length > 0)
    return broken(`${ids.join(', ')} counted for ${again.map((other) => other.operation).join(', ')} too`);
  if (isPart(log)) return unknown(`an export of ${identity} tells whether ${ids.join(', ')} counted for another too`);
  return held(`${ids.join(', ')}: for no other ${kind} of ${identity}`);
}

function countedIn({ decision }: ProcessRecord): string[] {
  return decision?.permitted === true ? (decision.inAdvance?.approvals ?? []).map(({ id }) => id) : [];
}

function wasApprovedBefore(log: LogUnderTest, record: ExceptionEvidence, entries: readonly EntryUnderTest[]): Finding {
  const { approval, operation, terms, gate } = record;
  if (approval === undefined) return lacking(log, 'no record of its approval was there when it ended');
  const found = entries.find(({ statement }) => statement !== undefined && digestOfText(statement) === approval)?.any;
  if (found?.kind !== 'exception')
    return lacking(log, `the record ${approval.slice(0, 19)} of its approval is missing`);
  const { what, operation: other, terms: before, gate: approved } = found.record;
  return unless(
    [
      (what !== 'approved' || other !== operation) && 'what it names is no approval of it',
      before.signed?.signature !== terms.signed?.signature && 'what was approved is other terms',
      approved.round !== gate.round && 'it was approved at another gate',
    ],
    approval.slice(0, 19),
  );
}

/** Ends need nobody. One that is missing long after the time of the exception tells that its workflow was ended by hand. */
function isInTime({ manifest }: LogUnderTest, record: ExceptionEvidence, entries: readonly EntryUnderTest[]): Finding {
  const { operation, terms } = record;
  const hasEnded = exceptionsIn(entries).some((one) => one.operation === operation && one.what === 'ended');
  if (hasEnded) return held('its end is on record');
  const last =
    entries
      .flatMap(({ any }) => (any ? [aboutOf(any).at] : []))
      .toSorted()
      .at(-1) ?? '';
  if (manifest && last < terms.until) return held(`it was to hold until ${terms.until}`);
  return unknown(`it was to end at ${terms.until}, and no record of its end is here`);
}

function exceptionsIn(entries: readonly EntryUnderTest[]): ExceptionEvidence[] {
  return entries.flatMap(({ any }) => (any?.kind === 'exception' ? [any.record] : []));
}

/** Only an export of everything, or of everything of one identity, shows that something is not there. */
function lacking(log: LogUnderTest, what: string): Finding {
  return isPart(log) ? unknown(`${what}; an export with --all tells whether it is in the log`) : broken(what);
}

function isPart({ manifest }: LogUnderTest): boolean {
  const { since, operation } = manifest?.selection ?? {};
  return since !== undefined || operation !== undefined;
}
