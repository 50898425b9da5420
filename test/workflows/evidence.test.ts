/** What was sealed can be proven to a stranger, and whatever is changed in it afterwards is found and named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { BundleFiles } from '../../src/evidence/bundle/files.js';
import { manifestDigestName, manifestName, withManifest, type Selection } from '../../src/evidence/bundle/manifest.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import type { Check } from '../../src/evidence/verify/check.js';
import { verifyBundle, type VerifyOptions } from '../../src/evidence/verify.js';
import { entryName } from '../../src/evidence/log.js';
import { startLife, type Life } from '../evidence/life.js';
import { Forger, type Change } from '../evidence/forger.js';
import { person, directoryOf } from '../support/signers.js';

let life: Life;
let files: BundleFiles;
let earlier: string;
let logKey: string;

beforeAll(async () => {
  life = await startLife();
  await life.live('app', { kind: 'provision' });
  await life.live('app', { kind: 'rotate' }, [life.grace, life.alan]);
  earlier = (await life.bundle()).get('checkpoint')!;
  await life.live('app', { kind: 'rotate' }, [life.alan, life.joan]);
  await life.live('other', { kind: 'provision' });
  await life.live('app', { kind: 'validate' });
  files = await life.bundle();
  logKey = files.get('log.vkey')!;
}, 120_000);
afterAll(async () => life?.end());

/** Without replays, which take seconds, unless they are what is looked at. */
async function broken(changed: BundleFiles, options: VerifyOptions = {}): Promise<string[]> {
  const checks = await verifyBundle(changed, { logKey, noReplay: true, ...options });
  return checks.filter(({ verdict }) => verdict === 'broken').map(inWords);
}

function inWords({ subject, check, detail }: Check): string {
  return `${subject}: ${check}: ${detail}`;
}

test('an export of what was lived holds in every check, and says so for each', async () => {
  const checks = await verifyBundle(files, { logKey, checkpoint: earlier });
  expect(checks.filter(({ verdict }) => verdict !== 'held')).toEqual([]);
  const names = (subject: string): string[] =>
    checks.filter((check) => check.subject === subject).map((check) => check.check);
  expect(names('log')).toEqual([
    ...['files', 'key', 'checkpoint', 'tree', 'consistency', 'selection', 'numbers of app', 'numbers of other'],
  ]);
  expect(names('nhi/app/rotate/3 (entry 2)')).toEqual([
    ...['signature', 'inclusion', 'statement', 'plan', 'code', 'directory', 'request'],
    ...[
      'approval of alan@example.com',
      'approval of joan@example.com',
      'quorum',
      'permit',
      'history',
      'history says',
      'replay',
    ],
  ]);
});

describe('an export of a part holds too:', () => {
  test.each<[string, Selection, number]>([
    ['of one identity', { identity: 'app' }, 4],
    ['of one process', { operation: 'nhi/app/rotate/2' }, 1],
    ['of what ended since', { since: '2000-01-01T00:00:00.000Z' }, 5],
    ['of nothing', { identity: 'nobody' }, 0],
  ])('%s', async (_, selection, records) => {
    const part = await exportBundle(life.evidence.shelf, selection);
    expect([...part.keys()].filter((name) => name.startsWith('entries/'))).toHaveLength(records);
    expect(await broken(part, { checkpoint: earlier })).toEqual([]);
  });
});

describe('a stranger', () => {
  test('without the key of the log is told that it comes from the bundle, and runs no code of it', async () => {
    const checks = await verifyBundle(files);
    const unknown = checks.filter(({ verdict }) => verdict === 'unknown');
    expect(unknown.map(({ check }) => check)).toEqual(['key', 'replay', 'replay', 'replay', 'replay', 'replay']);
    expect(checks.some(({ verdict }) => verdict === 'broken')).toBe(false);
  });

  test('who knows the code replays it without the key', async () => {
    const ownCode = [...files.keys()].flatMap((name) => /^bundles\/(.+)\.js$/.exec(name)?.[1] ?? []);
    const checks = await verifyBundle(files, { ownCode: ownCode.map((digest) => `sha256:${digest}`) });
    expect(checks.filter(({ check }) => check === 'replay').map(({ verdict }) => verdict)).toEqual(
      Array(5).fill('held'),
    );
  });

  test('with a directory in which an approver had no key finds that this approval does not count', async () => {
    const { ada, alan, joan } = life;
    const directory = directoryOf(ada, alan, joan, person('grace@example.com', { groups: ['security'] }));
    const found = await broken(files, { directory });
    expect(found.map((line) => line.split(':').slice(0, 2).join(':'))).toEqual([
      'nhi/app/rotate/2 (entry 1): approval of grace@example.com',
      'nhi/app/rotate/3 (entry 2): approval of joan@example.com',
    ]);
  });
});

/** Whoever can write the files, and does not have the log's key. Also makes the table of contents fit again. */
describe('without the key of the log', () => {
  test.each(['log.vkey', 'checkpoint', 'leaves', 'entries/', 'proofs/', 'histories/', 'bundles/', 'directories/'])(
    'a change in %s is found also where the table of contents was made to fit',
    async (name) => {
      const path = [...files.keys()].find((each) => each.startsWith(name))!;
      const text = files.get(path)!;
      const at = Math.floor(text.length / 2);
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      expect(await broken(refitted(files, [[path, changed]]))).not.toEqual([]);
    },
  );

  test('a file that is taken out is missed by its name', async () => {
    for (const path of files.keys()) {
      const without = new Map([...files].filter(([name]) => name !== path));
      const found = await broken(without);
      expect(found.join('\n'), path).toContain(path === manifestDigestName ? manifestName : path);
    }
  });

  test('a file that does not belong there is named', async () => {
    expect(await broken(new Map([...files, ['entries/more.json', '{}']]))).toEqual([
      'log: files: entries/more.json does not belong to it',
    ]);
  });

  test('a record that is taken out is missed, also where the table of contents does not list it', async () => {
    const without = new Map([...files].filter(([name]) => !name.includes('000000000002.')));
    expect(await broken(refitted(without, [], { entries: [0, 1, 3, 4] }))).toEqual(
      expect.arrayContaining([expect.stringMatching(/^log: selection: entry 2 is missing; entry 2 is not listed/)]),
    );
    const part = await exportBundle(life.evidence.shelf, { identity: 'app' });
    const partly = new Map([...part].filter(([name]) => !name.includes('000000000002.')));
    expect(await broken(refitted(partly, [], { entries: [0, 1, 4] }))).toEqual([
      expect.stringContaining('log: numbers of app: process 3 left no record here'),
    ]);
  });

  test('records that are put in another order are found', async () => {
    const [one, two] = [files.get(entryName(1))!, files.get(entryName(2))!];
    const found = await broken(
      refitted(files, [
        [entryName(1), two],
        [entryName(2), one],
      ]),
    );
    expect(found).toEqual([
      expect.stringContaining('it is not entry 1 of the log: changed, or moved from another place'),
      expect.stringContaining('it is not entry 2 of the log'),
    ]);
    const lines = files.get('leaves')!.split('\n');
    const turned = [lines[1], lines[0], ...lines.slice(2)].join('\n');
    expect(await broken(refitted(files, [['leaves', turned]]))).toContainEqual(
      expect.stringContaining('the root does not follow from the hashes'),
    );
  });

  test('a log that was cut is found by an earlier checkpoint that is longer', async () => {
    const cut = await Forger.of(files, life).cutTo(1).bundle();
    expect(await broken(cut)).toContainEqual(
      expect.stringContaining('the checkpoint covers 5 entries, and 1 are listed'),
    );
  });

  test('another log with another key is not this one', async () => {
    const forged = await Forger.of(files, life, 'another key').bundle();
    expect((await broken(forged)).slice(0, 2)).toEqual([
      expect.stringContaining('log: key: the bundle is from a log with another key'),
      expect.stringContaining('log: checkpoint: it was not signed with the key'),
    ]);
    expect(await broken(forged, { logKey: forged.get('log.vkey')! })).toEqual([]);
  });
});

/** Whoever has the log's key, such as an operator of the worker, and signs all anew so that every hash fits. */
describe('even with the key of the log', () => {
  test('a forger who changes nothing is not found: the instrument works', async () => {
    expect(await broken(await Forger.of(files, life).bundle(), { noReplay: false })).toEqual([]);
  });

  test('a log that was rewritten or cut is found by an earlier checkpoint', async () => {
    const rewritten = await Forger.of(files, life)
      .change<ProcessRecord>(0, (record) => ({ ...record, outcome: 'undone' }))
      .bundle();
    expect(await broken(rewritten, { checkpoint: earlier })).toContainEqual(
      expect.stringContaining('the first 2 entries are not those of the earlier checkpoint'),
    );
    const cut = await Forger.of(files, life).cutTo(1).signed().bundle();
    expect(await broken(cut, { checkpoint: earlier })).toContainEqual(
      expect.stringContaining('had 2 entries at the earlier checkpoint and has 1 now: it was cut'),
    );
  });

  test('approvals that were swapped between records count for neither', async () => {
    const forger = Forger.of(files, life);
    const [one, two] = [forger.record(1).gate!.votes, forger.record(2).gate!.votes];
    const swapped = await forger
      .change(1, (record) => ({ ...record, gate: { ...record.gate!, votes: two } }))
      .change(2, (record) => ({ ...record, gate: { ...record.gate!, votes: one } }))
      .bundle();
    const found = await broken(swapped);
    const counted = (subject: string): (string | undefined)[] =>
      found.filter((line) => line.startsWith(`${subject}: approval`)).map((line) => line.split(': ').at(-1));
    const nobodys = 'the key that signed is nobody’s in the directory';
    const elsewhere = 'it was signed for another process than this gate asks about';
    expect(counted('nhi/app/rotate/2 (entry 1)')).toEqual([elsewhere, nobodys]);
    expect(counted('nhi/app/rotate/3 (entry 2)')).toEqual([elsewhere, elsewhere]);
  });

  test.each<[string, Change<ProcessRecord>, RegExp]>([
    [
      'a plan',
      (record) => ({ ...record, plan: { ...record.plan!, graceMs: 1 } }),
      /: plan: policy decided on another plan/,
    ],
    [
      'the plan and every digest of it',
      (record, forger) => forger.withPlan(record, { ...record.plan!, graceMs: 1 }),
      /: approval of .*: it was signed for another plan/,
    ],
    [
      'who asked',
      (record) => ({ ...record, requester: { ...record.requester!, name: 'alan@example.com' } }),
      /: request: the record says that alan@example.com asked, and ada@example.com signed/,
    ],
    [
      'what was asked',
      (record) => ({ ...record, request: { ...record.request, reason: 'something else' } }),
      /: request: what is signed is something else: its digest/,
    ],
    [
      'the signature of who asked',
      ({ request: { signed: _signed, ...request }, ...record }) => ({ ...record, request }),
      /: request: it is not signed/,
    ],
    [
      'an approval, so that it is missing',
      (record) => ({ ...record, gate: { ...record.gate!, votes: record.gate!.votes.slice(1) } }),
      /: quorum: the gate needed more: 1 more approval/,
    ],
    [
      'an approval, so that one person counts twice',
      (record) => ({ ...record, gate: { ...record.gate!, votes: [record.gate!.votes[0]!, record.gate!.votes[0]!] } }),
      /: quorum: somebody is counted twice/,
    ],
    [
      'how many had to approve',
      (record) => ({ ...record, gate: { ...record.gate!, needed: 1, votes: record.gate!.votes.slice(0, 1) } }),
      /: quorum: a policy asked for more people than the gate did/,
    ],
    [
      'the groups of an approver',
      (record) => ({
        ...record,
        gate: {
          ...record.gate!,
          votes: record.gate!.votes.map((vote) => ({ ...vote, groups: ['security', 'board'] })),
        },
      }),
      /: approval of .*: the record counts it for something else than was signed/,
    ],
    ['the gate', ({ gate: _gate, ...record }) => record, /: quorum: policy asked for approvals, and there was no gate/],
    ['the run', (record) => ({ ...record, run: 'another' }), /: history: the record names two runs/],
    [
      'a proof',
      (record) => ({ ...record, proofs: {} }),
      /: history says: it asked to seal something else than the record says/,
    ],
    ['the outcome', (record) => ({ ...record, outcome: 'undone' }), /: history says: it asked to seal something else/],
    [
      'the key of a signer',
      (record) => ({
        ...record,
        signers: record.signers!.map((party) => ({
          ...party,
          keys: party.keys.map((key) => ({ ...key, id: 'SHA256:x' })),
        })),
      }),
      /: request: the key that signed is nobody’s/,
    ],
    ['the history, by none', ({ history: _history, ...record }) => record, /^$/],
  ])('a record in which somebody changed %s is found', async (what, change, expected) => {
    const found = await broken(await Forger.of(files, life).change(1, change).bundle());
    if (what === 'the history, by none') expect(found).toEqual([]);
    else expect(found.join('\n')).toMatch(expected);
  });

  test.each<[string, (events: Forged[]) => Forged[], RegExp]>([
    ['without its last event', (events) => events.slice(0, -1), /history says: it never asked for the seal/],
    ['without an event in the middle', (events) => events.filter((_, at) => at !== 20), /not in order/],
    [
      'without an event, numbered anew',
      (events) => renumbered(events.filter(isNotInstall)),
      /replay: .*something else/,
    ],
    ['with two events swapped', (events) => swap(events, 12, 13), /not in order/],
    [
      'with two events swapped, numbered anew',
      (events) => renumbered(swap(events, activityAt(events, 'install'), activityAt(events, 'verify'))),
      /replay: .*something else/,
    ],
    [
      'with an activity that it never called',
      (events) => renamed(events, 'verify', 'trust'),
      /replay: .*something else/,
    ],
    ['in which another activity sealed', (events) => renamed(events, 'seal', 'notify'), /replay: .*something else/],
    [
      'of another workflow',
      (events) => events.map((event, at) => (at === 0 ? withText(event, '"rotate"', '"revoke"') : event)),
      /history: it is of a workflow revoke/,
    ],
    [
      'of another process',
      (events) => events.map((event, at) => (at === 0 ? withText(event, 'app/rotate/2', 'app/rotate/9') : event)),
      /history: it is of nhi\/app\/rotate\/9/,
    ],
    [
      'that received other decisions',
      (events) => events.map((event) => (isSignal(event) ? withInput(event, { signed: {} }) : event)),
      /history says: it never received the decision of grace/,
    ],
  ])('a history %s is found', async (_, change, expected) => {
    const forged = await Forger.of(files, life).changeHistory(1, change).bundle();
    expect((await broken(forged, { noReplay: !expected.source.includes('replay') })).join('\n')).toMatch(expected);
  });

  test('code that does something else is found by the replay', async () => {
    const forged = await Forger.of(files, life)
      .changeCode((code) => code.replace(').install(process.change())', ').verify(process.change())'))
      .bundle();
    expect(await broken(forged, { noReplay: false })).toContainEqual(
      expect.stringMatching(/rotate.*: replay: the code of that version does something else/),
    );
  });

  test('code that is no code is found by the replay', async () => {
    const forged = await Forger.of(files, life)
      .changeCode(() => 'this is no code')
      .bundle();
    expect(await broken(forged, { noReplay: false })).toContainEqual(expect.stringContaining(': replay: '));
  });
});

type Forged = Record<string, unknown>;

function refitted(
  from: BundleFiles,
  changes: readonly (readonly [string, string])[],
  { entries }: { readonly entries?: readonly number[] } = {},
): BundleFiles {
  const content = new Map(
    [...from, ...changes].filter(([name]) => name !== manifestName && name !== manifestDigestName),
  );
  const manifest = JSON.parse(from.get(manifestName)!) as { selection: Selection; entries: number[] };
  return withManifest(content, manifest.selection, entries ?? manifest.entries);
}

function renumbered(events: Forged[]): Forged[] {
  return events.map((event, at) => ({ ...event, eventId: String(at + 1) }));
}

function swap(events: Forged[], one: number, two: number): Forged[] {
  return events.map((event, at) => (at === one ? events[two]! : at === two ? events[one]! : event));
}

function isNotInstall(_: Forged, at: number, all: readonly Forged[]): boolean {
  return at !== activityAt(all, 'install');
}

function activityAt(events: readonly Forged[], name: string): number {
  return events.findIndex(
    (event) =>
      (event['activityTaskScheduledEventAttributes'] as { activityType?: { name?: string } } | undefined)?.activityType
        ?.name === name,
  );
}

function renamed(events: readonly Forged[], from: string, to: string): Forged[] {
  return events.map((event) => {
    const scheduled = event['activityTaskScheduledEventAttributes'] as { activityType?: { name?: string } } | undefined;
    return scheduled?.activityType?.name === from
      ? { ...event, activityTaskScheduledEventAttributes: { ...scheduled, activityType: { name: to } } }
      : event;
  });
}

function isSignal(event: Forged): boolean {
  return 'workflowExecutionSignaledEventAttributes' in event;
}

function withInput(event: Forged, input: unknown): Forged {
  const signal = event['workflowExecutionSignaledEventAttributes'] as { input: { payloads: { metadata: unknown }[] } };
  const [payload] = signal.input.payloads;
  const data = Buffer.from(JSON.stringify(input)).toString('base64');
  return {
    ...event,
    workflowExecutionSignaledEventAttributes: { ...signal, input: { payloads: [{ ...payload, data }] } },
  };
}

function withText(event: Forged, from: string, to: string): Forged {
  return JSON.parse(JSON.stringify(event).replaceAll(from, to)) as Forged;
}
