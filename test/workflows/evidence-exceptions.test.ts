/** What was excepted, by whom and until when can be proven to a stranger, and what is changed in it afterwards is found and named. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExceptionEvidence } from '../../src/domain/evidence.js';
import { exceptionId, exceptionMessages, type ExceptionTerms, type Proposal } from '../../src/domain/exception.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import type { BundleFiles } from '../../src/evidence/bundle/files.js';
import { verifyBundle, type VerifyOptions } from '../../src/evidence/verify.js';
import { liveExceptions } from '../../src/exceptions/live.js';
import { Forger } from '../evidence/forger.js';
import { eventually } from '../support/engine.js';
import {
  ada,
  alan,
  asked,
  ballotOf,
  ExceptionEngine,
  grace,
  olga,
  termsOf,
  withdrawalOf,
} from '../support/exceptions.js';

let engine: ExceptionEngine;
let files: BundleFiles;
let logKey: string;
/** Withdrawn by ada; over by its time, after several runs; denied by alan. */
let [withdrawn, over, denied]: ExceptionTerms[] = [];

const handleOf = (id: string) => engine.client.workflow.getHandle(exceptionId(id));

beforeAll(async () => {
  engine = await ExceptionEngine.start();
  withdrawn = await engine.holding();
  await handleOf(withdrawn.id).signal(exceptionMessages.withdraw, await withdrawalOf(withdrawn.id, ada));
  await handleOf(withdrawn.id).result();
  over = await engine.holding({ until: new Date(Date.now() + 12_000).toISOString() }, { longestRun: 2 });
  await handleOf(over.id).result();
  denied = await asked(termsOf());
  const handle = await engine.begin(denied.id, { terms: denied });
  const { gate } = await engine.when(denied.id, ({ phase }) => phase === 'gate');
  await handle.signal(exceptionMessages.decide, await ballotOf(alan, exceptionId(denied.id), gate!, 'deny'));
  await handle.result();
  files = await exportBundle(engine.evidence.shelf, {});
  logKey = files.get('log.vkey')!;
}, 120_000);
afterAll(async () => engine?.stop());

async function broken(changed: BundleFiles, options: VerifyOptions = {}): Promise<string[]> {
  const checks = await verifyBundle(changed, { logKey, noReplay: true, ...options });
  return checks
    .filter(({ verdict }) => verdict === 'broken')
    .map(({ subject, check, detail }) => `${subject}: ${check}: ${detail}`);
}

const forger = (): Forger => Forger.of(files, { stateDirectory: engine.folder });

describe('an exception', () => {
  test('is on record when it is approved, when it is over, and when its gate refuses it; each record holds in every check', async () => {
    const checks = await verifyBundle(files, { logKey });
    expect(checks.filter(({ verdict }) => verdict !== 'held')).toEqual([]);
    const subjects = [...new Set(checks.map(({ subject }) => subject))];
    expect(subjects).toEqual([
      'log',
      `exception/${withdrawn!.id}/approved (entry 0)`,
      `exception/${withdrawn!.id}/ended (entry 1)`,
      `exception/${over!.id}/approved (entry 2)`,
      `exception/${over!.id}/ended (entry 3)`,
      `exception/${denied!.id}/refused (entry 4)`,
    ]);
    const names = (at: number): string[] =>
      checks.filter(({ subject }) => subject === subjects[at]).map(({ check }) => check);
    const common = ['signature', 'inclusion', 'statement', 'code', 'terms', 'directory', 'request'];
    const proof = ['history', 'history says', 'replay'];
    const approved = [...common, 'approval of grace@example.com', 'quorum'];
    expect(names(1)).toEqual([...approved, 'time', ...proof]);
    expect(names(2)).toEqual([...approved, 'end', 'approved before', ...proof]);
    expect(names(5)).toEqual([...common, 'denial of alan@example.com', 'quorum', 'end', ...proof]);
  });

  test('is told with its terms, its policy, its controls, its votes and why it ended', async () => {
    const records = (await engine.evidence.reader.under(`exception/${withdrawn!.id}`)).map(({ record }) => record);
    const [approved, ended] = records as ExceptionEvidence[];
    expect(approved).toMatchObject({
      what: 'approved',
      identity: 'payments-db',
      terms: withdrawn,
      examined: { decision: { effect: 'allow', obligations: { gates: [{ id: 'exception-second-person' }] } } },
      decision: { effect: 'allow', policyDigest: approved!.gate.policyDigest },
      gate: { votes: [{ approver: 'grace@example.com', decision: 'approve' }] },
      checks: [{ control: 'the program yes says yes', holds: true }],
    });
    expect(approved!.end).toBeUndefined();
    expect(ended).toMatchObject({
      what: 'ended',
      approval: (await engine.evidence.reader.under(`exception/${withdrawn!.id}/approved`))[0]!.digest,
      end: { why: expect.stringContaining('withdrawn by ada'), word: { by: ada.name } },
    });
    const [, late] = (await engine.evidence.reader.under(`exception/${over!.id}`)).map(({ record }) => record);
    expect(late).toMatchObject({ end: { why: expect.stringContaining('its time was over') } });
    expect(late!.run).not.toBe((late as ExceptionEvidence).gate.run);
  });

  test('is in the export of its identity, and can be exported alone', async () => {
    const entries = (part: BundleFiles): number =>
      [...part.keys()].filter((name) => name.startsWith('entries/')).length;
    const ofIdentity = await exportBundle(engine.evidence.shelf, { identity: 'payments-db' });
    const alone = await exportBundle(engine.evidence.shelf, { operation: exceptionId(withdrawn!.id) });
    expect([entries(ofIdentity), entries(alone)]).toEqual([5, 2]);
    expect([await broken(ofIdentity), await broken(alone)]).toEqual([[], []]);
  });

  test('leaves no record before a gate was open: what nobody signed, and a proposal that nobody took up', async () => {
    const before = await engine.evidence.reader.size();
    const [unsigned, proposed] = [termsOf(), termsOf()];
    await (await engine.begin(unsigned.id, { terms: unsigned })).result();
    const proposal: Proposal = {
      id: proposed.id,
      identity: 'payments-db',
      owner: olga.name,
      rules: ['rotation-overdue'],
      why: 'no window is left',
      closes: new Date(Date.now() + 500).toISOString(),
    };
    await (await engine.begin(proposed.id, { proposal })).result();
    expect(await engine.evidence.reader.size()).toBe(before);
  });
});

describe('while the log is away', () => {
  test('what was approved is looked after by nobody, so it lapses; with its record it goes on', async () => {
    const [there, away] = ['evidence', 'evidence.away'].map((name) => join(engine.folder, name));
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    await rename(there!, away!);
    await writeFile(there!, '');
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    const before = await eventually(
      () => engine.published(terms.id),
      (record) => record !== undefined,
    );
    // Its controls are due every 300 ms.
    await sleep(1_500);
    expect(await engine.published(terms.id)).toEqual(before);
    expect((await engine.when(terms.id, () => true)).phase).toBe('gate');
    const later = new Date(Date.now() + 11 * 60_000);
    expect((await liveExceptions(engine.folder, terms.identity, later)).map(({ id }) => id)).not.toContain(terms.id);
    await rm(there!);
    await rename(away!, there!);
    await engine.when(terms.id, ({ phase }) => phase === 'active');
    expect(await engine.evidence.reader.under(`${exceptionId(terms.id)}/approved`)).toHaveLength(1);
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, ada));
    await handle.result();
    await engine.replays(terms.id);
  });
});

/** Whoever has the log's key, and signs all anew so that every hash fits. */
describe('even with the key of the log', () => {
  const change = (index: number, how: (record: ExceptionEvidence) => ExceptionEvidence) =>
    forger().change<ExceptionEvidence>(index, how).bundle();

  test('a forger who changes nothing is not found: the instrument works', async () => {
    expect(await broken(await forger().bundle())).toEqual([]);
  });

  test.each<[string, number, (record: ExceptionEvidence) => ExceptionEvidence, RegExp]>([
    [
      'terms that last longer',
      0,
      (record) => ({ ...record, terms: { ...record.terms, until: '2099-01-01T00:00:00.000Z' } }),
      /: terms: what was voted on is other terms.*: request: what is signed is something else/s,
    ],
    [
      'another rule',
      0,
      (record) => ({ ...record, terms: { ...record.terms, rules: ['no-superusers'] } }),
      /: request: what is signed is something else/,
    ],
    [
      'another identity',
      0,
      (record) => ({ ...record, identity: 'ledger-db' }),
      /: terms: the terms are for payments-db/,
    ],
    [
      'what the controls said to the approvers',
      0,
      (record) => ({
        ...record,
        examined: { ...record.examined, checks: [{ ...record.examined.checks[0]!, holds: false }] },
      }),
      /: terms: what was voted on was shown with other controls/,
    ],
    [
      'the details of what the controls said to the approvers',
      0,
      (record) => ({
        ...record,
        examined: { ...record.examined, checks: [{ ...record.examined.checks[0]!, detail: 'all is well' }] },
      }),
      /: history says: it asked to seal something else/,
    ],
    [
      'other controls',
      0,
      (record) => ({ ...record, terms: { ...record.terms, controls: [{ kind: 'validate' }] } }),
      /: request: what is signed is something else/,
    ],
    [
      'the policies',
      0,
      (record) => ({
        ...record,
        examined: { ...record.examined, policyDigest: `sha256:${'0'.repeat(64)}` },
      }),
      /: terms: what was voted on was asked for by other policies/,
    ],
    [
      'the decision of policy',
      0,
      (record) => ({ ...record, decision: { ...record.decision!, effect: 'deny' } }),
      /: quorum: policy did not allow it/,
    ],
    [
      'who asked',
      0,
      (record) => ({
        ...record,
        examined: { ...record.examined, requester: { ...record.examined.requester, name: alan.name } },
      }),
      /: request: the record says that alan@example.com asked/,
    ],
    [
      'nobody’s approval',
      0,
      (record) => ({ ...record, gate: { ...record.gate, votes: [] } }),
      /: quorum: the gate needed more/,
    ],
    [
      'how many had to approve',
      0,
      (record) => ({ ...record, gate: { ...record.gate, needed: 0, votes: [] } }),
      /: quorum: .*policy asked for more people than the gate did/,
    ],
    [
      'an owner who approves their own',
      0,
      (record) => ({ ...record, examined: { ...record.examined, owner: grace.name } }),
      /: approval of grace@example.com: grace@example.com owns the identity/,
    ],
    ['a run', 0, (record) => ({ ...record, run: 'another' }), /: history: the record names two runs/],
    [
      'whose word ended it',
      1,
      (record) => ({ ...record, end: { ...record.end!, why: 'withdrawn by alan@example.com: not needed' } }),
      /: end: the record says something else/,
    ],
    [
      'a word that nobody signed',
      1,
      ({ end, ...record }) => ({ ...record, end: { ...end!, word: { ...end!.word!, reason: 'another' } } }),
      /: end: what is signed is something else/,
    ],
    [
      'the approval that it names',
      1,
      (record) => ({ ...record, approval: `sha256:${'0'.repeat(64)}` }),
      /: approved before: the record sha256:0+ of its approval is missing/,
    ],
    [
      'the outcome, as if it had been approved',
      4,
      (record) => ({ ...record, what: 'approved', approvedAt: record.end!.at }),
      /: quorum: the gate ended denied/,
    ],
    [
      'the reason of its refusal',
      4,
      (record) => ({ ...record, end: { ...record.end!, why: 'nobody came' } }),
      /: history says: it asked to seal something else/,
    ],
  ])('a record with %s is found', async (_, index, how, expected) => {
    expect((await broken(await change(index, how))).join('\n')).toMatch(expected);
  });

  test('approvals that were swapped between two exceptions count for neither', async () => {
    const [one, two] = [0, 2].map((index) => forger().record<ExceptionEvidence>(index).gate.votes);
    const swapped = await forger()
      .change<ExceptionEvidence>(0, (record) => ({ ...record, gate: { ...record.gate, votes: two! } }))
      .change<ExceptionEvidence>(2, (record) => ({ ...record, gate: { ...record.gate, votes: one! } }))
      .bundle();
    expect((await broken(swapped)).filter((line) => line.includes('approval of'))).toEqual([
      expect.stringContaining('it was signed for another process than this gate asks about'),
      expect.stringContaining('it was signed for another process than this gate asks about'),
    ]);
  });

  test('an approval that was dropped is missed by the record of the end', async () => {
    const without = await forger().drop(0).bundle();
    expect(await broken(without)).toEqual([expect.stringContaining(': approved before: the record')]);
  });

  test('an end that was dropped is missed, once the time of the exception is over', async () => {
    const checks = await verifyBundle(await forger().drop(3).bundle(), { logKey, noReplay: true });
    expect(
      checks.filter(({ verdict }) => verdict !== 'held').map(({ check, detail }) => [check, detail]),
    ).toContainEqual(['time', expect.stringContaining('no record of its end is here')]);
  });

  test('a history in which the gate was passed by something else is found by the replay', async () => {
    const forged = await forger()
      .changeHistory(0, (events) =>
        events.map((event) => {
          const scheduled = event['activityTaskScheduledEventAttributes'] as
            { activityType?: { name?: string } } | undefined;
          if (scheduled?.activityType?.name !== 'publishException') return event;
          return { ...event, activityTaskScheduledEventAttributes: { ...scheduled, activityType: { name: 'notify' } } };
        }),
      )
      .bundle();
    expect((await broken(forged, { noReplay: false })).join('\n')).toMatch(/approved.*: replay: .*something else/);
  });
});
