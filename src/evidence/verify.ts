/**
 * Verifies a bundle by itself: nothing is asked of a server, a log or a directory outside of it. What a verifier has from elsewhere, an
 * earlier checkpoint, the log's key, a directory, makes the answer stronger.
 */
import type { DataConverter } from '@temporalio/common';
import type { Directory } from '../domain/directory.js';
import type { SealedBy } from '../domain/evidence.js';
import type { BundleFiles } from './bundle/files.js';
import { aboutOf, type AnyRecord } from './kinds.js';
import { broken, type Check } from './verify/check.js';
import { checkHistory, historyOf, type Replayable } from './verify/history-checks.js';
import { checkLog, logUnderTest, type LogUnderTest, type Trusted } from './verify/log-checks.js';
import { checkNumbering } from './verify/numbering.js';
import { checkBeside, elevationIn } from './verify/beside-checks.js';
import { checkException } from './verify/exception-checks.js';
import { checkPeople } from './verify/people-checks.js';
import { checkReview } from './verify/review-checks.js';
import { checkEntry, entryUnderTest, type EntryUnderTest } from './verify/record-checks.js';
import { replayAll } from './verify/replay.js';

export interface VerifyOptions extends Trusted {
  /** Instead of the directory as it was recorded. */
  readonly directory?: Directory;
  /** Where histories are encoded: what decodes them. */
  readonly dataConverter?: DataConverter;
  /** Digests of workflow bundles that may be run here, whoever signed the bundle: those of this installation. */
  readonly ownCode?: readonly string[];
  /** Leaves out the replays, which take most of the time. */
  readonly noReplay?: boolean;
}

/** Every check of a bundle. It holds where none is `broken`. */
export async function verifyBundle(files: BundleFiles, options: VerifyOptions = {}): Promise<Check[]> {
  const log = logUnderTest(files, options);
  const entries = (log.manifest?.entries ?? entriesIn(files)).map((index) => entryUnderTest(log, index));
  const checks = [...(await checkLog(log, options)), ...checkNumbering(log, entries)];
  for (const entry of entries) checks.push(...(await checkOne(log, entry, entries, options)));
  const replays = await replayAll(
    files,
    entries.flatMap((entry) => (isHeld(checks, entry, 'history') ? replayableOf(files, entry) : [])),
    {
      mayRun: options.noReplay ? () => false : runnable(checks, entries, options),
      codecs: options.dataConverter?.payloadCodecs ?? [],
    },
  );
  return besideItsSubject(checks, replays);
}

/** Our own code, and, where the verifier gave the log's key, the code that records with a good signature name. */
function runnable(
  checks: readonly Check[],
  entries: readonly EntryUnderTest[],
  { logKey, ownCode = [] }: VerifyOptions,
): (digest: string) => boolean {
  const signed = entries.filter((entry) => isHeld(checks, entry, 'signature'));
  const vouchedFor =
    logKey === undefined
      ? []
      : signed.map(({ any }) => (any?.record as Partial<SealedBy> | undefined)?.code?.workflows);
  return (digest) => ownCode.includes(digest) || vouchedFor.includes(digest);
}

function isHeld(checks: readonly Check[], { subject }: EntryUnderTest, name: string): boolean {
  return checks.some((check) => check.subject === subject && check.check === name && check.verdict === 'held');
}

async function checkOne(
  log: LogUnderTest,
  entry: EntryUnderTest,
  entries: readonly EntryUnderTest[],
  options: VerifyOptions,
): Promise<Check[]> {
  const { any, subject } = entry;
  const checks = await checkEntry(log, entry);
  if (!any) return checks;
  try {
    checks.push(...(await checkWho(log, any, subject, entries, options)));
    checks.push(...(await checkBeside(log, any, subject, entries)));
    checks.push(...(await checkHistory(log.files, any, subject, options.dataConverter?.payloadCodecs)));
  } catch {
    checks.push({ subject, check: 'record', ...broken('it does not have the form of such a record') });
  }
  return checks;
}

async function checkWho(
  { files }: LogUnderTest,
  { kind, record }: AnyRecord,
  subject: string,
  entries: readonly EntryUnderTest[],
  { directory }: VerifyOptions,
): Promise<Check[]> {
  switch (kind) {
    case 'process':
      return checkPeople(files, record, subject, directory);
    case 'exception':
      return checkException(files, record, subject, directory);
    case 'review':
      return checkReview(files, record, subject, directory, elevationIn(entries, record.operation));
    case 'routine':
      return [];
  }
}

/** A history that is out of order or of something else is broken already, and can make the replayer wait for ever. */
function replayableOf(files: BundleFiles, { any, subject }: EntryUnderTest): Replayable[] {
  if (!any) return [];
  const { by, workflow } = aboutOf(any);
  const history = historyOf(files, by);
  // A record may hold anything, and one without its code is broken already.
  const code = (by as Partial<SealedBy>).code?.workflows;
  return history && code !== undefined ? [{ subject, workflowId: workflow.id, code, history }] : [];
}

/** Without a manifest that can be read, what lies there is looked at all the same. */
function entriesIn(files: BundleFiles): number[] {
  return [...files.keys()].flatMap((name) => {
    const found = /^entries\/(\d{12})\.json$/.exec(name)?.[1];
    return found === undefined ? [] : [Number(found)];
  });
}

/** All checks of one record stand together. */
function besideItsSubject(checks: readonly Check[], more: readonly Check[]): Check[] {
  const subjects = [...new Set(checks.map(({ subject }) => subject))];
  return subjects.flatMap((subject) => [...checks, ...more].filter((check) => check.subject === subject));
}
