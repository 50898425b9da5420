/**
 * A bundle of evidence, changed in every place. A flip is first held against the checks of the log and of the entry, which take milliseconds;
 * only what passes them is verified as a whole. What a forger with the log's key changes is put into one bundle, and verified at once.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { exportBundle, proofName } from '../../src/evidence/bundle/export.js';
import type { BundleFiles } from '../../src/evidence/bundle/files.js';
import { manifestDigestName, manifestName, manifestOf, withManifest } from '../../src/evidence/bundle/manifest.js';
import { entryName } from '../../src/evidence/log.js';
import { statementOf } from '../../src/evidence/records.js';
import { checkLog, logUnderTest } from '../../src/evidence/verify/log-checks.js';
import { checkEntry, entryUnderTest } from '../../src/evidence/verify/record-checks.js';
import { verifyBundle } from '../../src/evidence/verify.js';
import { Forger } from '../evidence/forger.js';
import { startLife, type Life } from '../evidence/life.js';
import { flipped, placesIn, tamperingsOf } from '../evidence/tamper.js';

let life: Life;
/** Everything, and the export of one rotation alone. */
let files: BundleFiles;
let alone: BundleFiles;
let logKey: string;
/** How many changes were tried, by what they are. */
const tried = new Map<string, number>();

beforeAll(async () => {
  life = await startLife();
  await life.live('app', { kind: 'provision' });
  await life.live('app', { kind: 'rotate' }, [life.grace, life.alan]);
  await life.live('app', { kind: 'rotate' }, [life.alan, life.joan]);
  await life.live('other', { kind: 'provision' });
  await life.live('app', { kind: 'validate' });
  files = await life.bundle();
  alone = await exportBundle(life.evidence.shelf, { operation: 'nhi/app/rotate/2' });
  logKey = files.get('log.vkey')!;
}, 120_000);
afterAll(async () => {
  process.stdout.write(`tried and found: ${[...tried].map(([what, count]) => `${count} ${what}`).join(', ')}\n`);
  await life?.end();
});

function count(what: string, more = 1): void {
  tried.set(what, (tried.get(what) ?? 0) + more);
}

/** Says whether the verifier finds something, by its quickest checks first. */
async function isFound(changed: BundleFiles): Promise<boolean> {
  const log = logUnderTest(changed, { logKey });
  const quick = await checkLog(log, { logKey });
  for (const index of log.manifest?.entries ?? []) quick.push(...(await checkEntry(log, entryUnderTest(log, index))));
  if (quick.some(({ verdict }) => verdict === 'broken')) return true;
  return (await verifyBundle(changed, { logKey, noReplay: true })).some(({ verdict }) => verdict === 'broken');
}

const withText = (from: BundleFiles, ...changes: (readonly [string, string])[]): BundleFiles =>
  new Map([...from, ...changes]);

/** With a table of contents that fits, as anybody can write it. */
function refitted(changed: BundleFiles, entries = manifestOf(files)!.entries): BundleFiles {
  const content = [...changed].filter(([name]) => name !== manifestName && name !== manifestDigestName);
  return withManifest(new Map(content), manifestOf(changed)?.selection ?? {}, entries);
}

describe('without the key of the log', () => {
  test('a byte flipped is found by the table of contents: every byte of what is small, 500 places of each history, 100 of the code', async () => {
    for (const [path, text] of files) {
      if (path === manifestName || path === manifestDigestName) continue;
      const most = path.startsWith('bundles/') ? 100 : path.startsWith('histories/') ? 500 : Infinity;
      // The other files are left out: they would be read again for each flip, and say nothing of this one.
      const own = withManifest(new Map([[path, text]]), {}, []);
      for (const at of placesIn(text, most)) {
        const log = logUnderTest(withText(own, [path, flipped(text, at)]), { logKey });
        const [check] = await checkLog(log, { logKey });
        if (check?.detail !== `${path} was changed`) expect(`${path} at ${at}`).toBe('found');
        count('flips');
      }
    }
    expect(tried.get('flips')).toBeGreaterThan(50_000);
  });

  test('a byte flipped in the table of contents itself, or in its digest, is found: every one', async () => {
    for (const path of [manifestName, manifestDigestName])
      for (const at of placesIn(files.get(path)!, Infinity)) {
        const log = logUnderTest(withText(files, [path, flipped(files.get(path)!, at)]), { logKey });
        if (log.manifest) expect(`${path} at ${at}`).toBe('found');
        count('flips in the table of contents');
      }
    expect(await isFound(withText(files, [manifestName, flipped(files.get(manifestName)!, 9)]))).toBe(true);
  });

  test('a byte flipped is found also where the table of contents was made to fit: 120 places of each file, 40 of code and history', async () => {
    const { entries } = manifestOf(alone)!;
    for (const [path, text] of alone) {
      if (path === manifestName || path === manifestDigestName) continue;
      for (const at of placesIn(text, /^(bundles|histories)/.test(path) ? 40 : 120)) {
        const changed = refitted(withText(alone, [path, flipped(text, at)]), entries);
        if (!(await isFound(changed))) expect(`${path} at ${at}`).toBe('found');
        count('flips with a table that fits');
      }
    }
  });

  test('a file that is missing or there twice, a record that is missing, two records that are swapped: each is found', async () => {
    for (const [path, text] of files) {
      const without = new Map([...files].filter(([name]) => name !== path));
      const doubled = withText(files, [`${path}.more`, text]);
      for (const changed of [without, doubled, ...(path.startsWith('manifest') ? [] : [refitted(without)])]) {
        if (!(await isFound(changed))) expect(`without ${path}`).toBe('found');
        count('files missing or too many');
      }
    }
    const all = manifestOf(files)!.entries;
    for (const index of all) {
      const without = new Map([...files].filter(([name]) => name !== entryName(index) && name !== proofName(index)));
      const fewer = all.filter((one) => one !== index);
      expect(await isFound(refitted(without, fewer)), `without entry ${index}`).toBe(true);
      count('records missing');
      for (const other of fewer) {
        const [one, two] = [files.get(entryName(index))!, files.get(entryName(other))!];
        const proofs = [proofName(index), proofName(other)].map((name) => files.get(name)!) as [string, string];
        const swapped = withText(files, [entryName(index), two], [entryName(other), one]);
        const moved = withText(swapped, [proofName(index), proofs[1]], [proofName(other), proofs[0]]);
        expect(await isFound(refitted(swapped)), `entries ${index} and ${other}`).toBe(true);
        expect(await isFound(refitted(moved)), `entries ${index} and ${other} with their proofs`).toBe(true);
        count('records swapped', 2);
      }
    }
  });

  test('a line of the leaves, of the checkpoint, of a proof that is missing, doubled or swapped with the next is found: every one', async () => {
    const { entries } = manifestOf(alone)!;
    for (const path of ['leaves', 'checkpoint', ...entries.map(proofName)]) {
      const lines = alone.get(path)!.split('\n');
      for (const [at, line] of lines.entries()) {
        const changes = [
          lines.filter((_, other) => other !== at),
          [...lines.slice(0, at), line, ...lines.slice(at)],
          ...(at > 0 ? [lines.with(at, lines[at - 1]!).with(at - 1, line)] : []),
        ];
        for (const changed of changes.map((each) => each.join('\n')).filter((text) => text !== alone.get(path))) {
          if (!(await isFound(refitted(withText(alone, [path, changed]), entries))))
            expect(`${path}, line ${at}: ${JSON.stringify(changed)}`).toBe('found');
          count('lines missing, doubled or swapped');
        }
      }
    }
  });
});

/** Whoever has the log's key, and signs all anew so that every hash fits. */
describe('even with the key of the log', () => {
  /** What does not hold of each of these records, in one log beside one another. */
  async function foundOf(forger: Forger): Promise<string[][]> {
    const checks = await verifyBundle(await forger.bundle(), { logKey, noReplay: true });
    return forger.records.map((_, at) =>
      checks
        .filter(({ check }) => check !== 'replay')
        .filter(({ subject, verdict }) => verdict !== 'held' && new RegExp(`\\bentry ${at}\\b`).test(subject))
        .map(({ check, detail }) => `${check}: ${detail}`),
    );
  }

  test('whatever is changed, missing or swapped in the record of a gated rotation is found, but for what the worker alone says', async () => {
    const forger = Forger.of(files, life);
    const tamperings = tamperingsOf(forger.record<ProcessRecord>(1)).filter(({ value }) => isStatement(value));
    forger.records = tamperings.map(({ value }) => ({ kind: 'process', record: value }));
    const found = await foundOf(forger);
    count('changes in a record by the log’s own key', tamperings.length);
    expect(tamperings.length).toBeGreaterThan(400);
    expect(tamperings.filter((_, at) => found[at]!.length === 0).map(({ where }) => where)).toEqual([
      ...['code.node: gone', 'code.node: another', 'code.version: gone', 'code.version: another'],
      'permit: another',
      // The decision has who asked too. The order of signers says nothing.
      ...['requester: gone', 'signers.0: swapped', 'signers.1: swapped'],
    ]);
  });

  test('a history in which an event is missing, doubled, or swapped with the next is found: every one', async () => {
    const forger = Forger.of(files, life);
    const [record, events] = [forger.records[1]!, forger.record(1).history!.events];
    const edits = Array.from({ length: events }, (_, at) => at).flatMap((at) => [
      (all: readonly Event[]) => all.filter((__, other) => other !== at),
      (all: readonly Event[]) => [...all.slice(0, at), all[at]!, ...all.slice(at)],
      (all: readonly Event[]) => (at === 0 ? [] : all.with(at, all[at - 1]!).with(at - 1, all[at]!)),
    ]);
    forger.records = edits.map(() => record);
    for (const [index, edit] of edits.entries()) forger.changeHistory(index, (all) => [...edit(all)]);
    const found = await foundOf(forger);
    count('edits of a history by the log’s own key', edits.length);
    for (const [index, what] of found.entries())
      expect(what.join('\n'), `edit ${index}`).toMatch(
        /history: .*(not in order|does not begin)|never asked for the seal/,
      );
  });

  test('a record that is missing or swapped with another is found by a checkpoint that is kept elsewhere: every one', async () => {
    const checkpoint = files.get('checkpoint')!;
    const isMissed = async (forger: Forger): Promise<boolean> => {
      const checks = await verifyBundle(await forger.bundle(), { logKey, checkpoint, noReplay: true });
      return checks.some(({ check, verdict }) => check === 'consistency' && verdict === 'broken');
    };
    const { records } = Forger.of(files, life);
    for (const [at, one] of records.entries()) {
      expect(await isMissed(Forger.of(files, life).drop(at)), `without entry ${at}`).toBe(true);
      for (const [second, other] of records.entries()) {
        if (second <= at) continue;
        const forger = Forger.of(files, life);
        forger.records = records.with(at, other).with(second, one);
        expect(await isMissed(forger), `entries ${at} and ${second}`).toBe(true);
        count('records missing or swapped by the log’s own key');
      }
      count('records missing or swapped by the log’s own key');
    }
  });
});

type Event = Record<string, unknown>;

/** Without its plan or the digest of its history there is nothing that a statement could be about. */
function isStatement(record: ProcessRecord): boolean {
  try {
    return statementOf(record) !== '';
  } catch {
    return false;
  }
}
