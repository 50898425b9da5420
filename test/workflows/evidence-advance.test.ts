/** An approval given in advance can be counted again by a stranger, and one that was swapped, altered, expired or used again is found. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InAdvance } from '../../src/domain/decision.js';
import type { Directory } from '../../src/domain/directory.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { Signed } from '../../src/domain/statement.js';
import type { BundleFiles } from '../../src/evidence/bundle/files.js';
import { manifestName, withManifest } from '../../src/evidence/bundle/manifest.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import { approversOf } from '../../src/evidence/read/approvers.js';
import { verifyBundle, type VerifyOptions } from '../../src/evidence/verify.js';
import { advanceSigned } from '../../src/trust/statements.js';
import { Forger } from '../evidence/forger.js';
import { startLife, type Life } from '../evidence/life.js';
import type { TestSigner } from '../support/signers.js';

const dayMs = 86_400_000;
const ownWords = { kinds: ['rotate', 'validate'], identities: ['app'], reason: 'the move' };
const rotated = 1;

let life: Life;
let files: BundleFiles;
let logKey: string;
let other: Signed;

beforeAll(async () => {
  life = await startLife();
  const given = (id: string, by: TestSigner, differs: Partial<typeof ownWords> = {}): Promise<Signed> =>
    advanceSigned({ id, ...ownWords, ...differs }, dayMs, by);
  await life.live('app', { kind: 'provision' });
  const advance = [await given('one', life.grace), await given('two', life.alan), await given('own', life.ada)];
  await life.live('app', { kind: 'rotate', advance });
  await life.live('app', { kind: 'rotate' }, [life.grace, life.alan]);
  await life.live('app', { kind: 'validate' });
  other = await given('other', life.joan, { identities: ['ledger'] });
  files = await life.bundle();
  logKey = files.get('log.vkey')!;
}, 120_000);
afterAll(async () => life?.end());

async function found(verdict: 'broken' | 'unknown', changed: BundleFiles, options: VerifyOptions = {}) {
  const checks = await verifyBundle(changed, { logKey, noReplay: true, ...options });
  return checks
    .filter((check) => check.verdict === verdict)
    .map(({ subject, check, detail }) => `${subject}: ${check}: ${detail}`)
    .join('\n');
}

const forger = (): Forger => Forger.of(files, life);

function counting(record: ProcessRecord, differs: Partial<InAdvance>): ProcessRecord {
  const decision = record.decision!;
  return { ...record, decision: { ...decision, inAdvance: { ...decision.inAdvance!, ...differs } } };
}

test('approvals that were given in advance are counted again, each by its signature, and were enough', async () => {
  const checks = await verifyBundle(files, { logKey });
  expect(checks.filter(({ verdict }) => verdict !== 'held')).toEqual([]);
  const said = checks.flatMap(({ subject, check, detail }) =>
    subject.startsWith('nhi/app/rotate/2') && /advance|once/.test(check) ? [`${check}: ${detail}`] : [],
  );
  expect(said).toEqual([
    expect.stringMatching(/^directory in advance: sha256:/),
    expect.stringMatching(/^approval in advance of grace@example.com: one, until .*, with key SHA256:/),
    expect.stringMatching(/^approval in advance of alan@example.com: two, until .*, with key jwk:/),
    'approval in advance of ada@example.com: it was handed in, and did not count',
    'in advance: approved as gate.rotation asked, by grace@example.com, alan@example.com',
    'counted once: one, two: for no other rotate of app',
  ]);
  expect(approversOf(forger().record(rotated))).toEqual(['alan@example.com', 'grace@example.com']);
});

test('in an export of that process alone nobody can tell that they counted for no other, and it says so', async () => {
  const part = await exportBundle(life.evidence.shelf, { operation: 'nhi/app/rotate/2' });
  expect(await found('broken', part)).toBe('');
  expect(await found('unknown', part)).toMatch(/: counted once: an export of app tells whether one, two counted/);
});

test('an approval that is merely claimed to have been given in advance is nobody’s approval', () => {
  const record = forger().record(rotated);
  const { advance: _, ...request } = record.request;
  expect(approversOf({ ...record, request })).toEqual([]);
  const { inAdvance: _counted, ...decision } = record.decision!;
  expect(approversOf({ ...record, decision })).toEqual([]);
});

test('the bundle brings the directory by which they were judged, with what it calls revoked', async () => {
  const { directory } = forger().record(rotated).decision!.inAdvance!;
  const name = `directories/${directory.slice('sha256:'.length)}.json`;
  expect(JSON.parse(files.get(name)!)).toEqual(life.directory);
  const content = [...files].filter(([each]) => !each.startsWith(manifestName.split('.')[0]!));
  const without = new Map(content.filter(([each]) => each !== name));
  const entries = [0, 1, 2, 3];
  expect(await found('unknown', withManifest(without, {}, entries))).toMatch(
    /: directory in advance: .* what was revoked then is not known/,
  );
  const changed = new Map(content.map(([each, text]) => [each, each === name ? `${text} ` : text]));
  expect(await found('broken', withManifest(changed, {}, entries))).toMatch(/: directory in advance: .* was changed/);
});

/** Whoever has the log's key, and signs all anew so that every hash fits. */
describe('even with the key of the log', () => {
  const handingIn = (record: ProcessRecord, change: (all: readonly Signed[]) => readonly Signed[]): ProcessRecord => ({
    ...record,
    request: { ...record.request, advance: change(record.request.advance!) },
  });
  const altered = ({ statement, signature }: Signed, differs: object): Signed => {
    const said = { ...(JSON.parse(statement) as object), ...differs };
    return { statement: JSON.stringify(said), signature };
  };

  test.each<[string, (record: ProcessRecord) => ProcessRecord, RegExp]>([
    [
      'swapped signatures',
      (record) =>
        handingIn(record, ([one, two]) => [
          { ...one!, signature: two!.signature },
          { ...two!, signature: one!.signature },
        ]),
      /approval in advance of grace@example.com: .*approval in advance of alan@example.com: /s,
    ],
    [
      'a longer life',
      (record) => handingIn(record, ([one, ...rest]) => [altered(one!, { exp: '2099-01-01T00:00:00.000Z' }), ...rest]),
      /approval in advance of grace@example.com: .*longer/,
    ],
    [
      'another reason',
      (record) => handingIn(record, ([one, ...rest]) => [altered(one!, { reason: 'another' }), ...rest]),
      /approval in advance of grace@example.com: the signature is not that of grace@example.com/,
    ],
    [
      'one for other identities',
      (record) => {
        const approvals = record.decision!.inAdvance!.approvals.map((one) =>
          one.id === 'one' ? { ...one, id: 'other', approver: 'joan@example.com' } : one,
        );
        return handingIn(counting(record, { approvals }), ([, ...rest]) => [other, ...rest]);
      },
      /approval in advance of joan@example.com: it was given for another task than to rotate app/,
    ],
    [
      'one of whoever asked',
      (record) => {
        const approvals = record.decision!.inAdvance!.approvals.map((one) =>
          one.id === 'one' ? { ...one, id: 'own', approver: 'ada@example.com' } : one,
        );
        return counting(record, { approvals });
      },
      /approval in advance of ada@example.com: ada@example.com asked for it/,
    ],
    [
      'other groups',
      (record) =>
        counting(record, {
          approvals: record.decision!.inAdvance!.approvals.map((one) => ({ ...one, groups: ['owner'] })),
        }),
      /approval in advance of grace@example.com: the record counts it for something else/,
    ],
    [
      'one that was never handed in',
      (record) => handingIn(record, ([one]) => [one!]),
      /: in advance: two is counted, and was not handed in/,
    ],
    [
      'one that is counted twice',
      (record) => {
        const [one] = record.decision!.inAdvance!.approvals;
        return counting(record, { approvals: [one!, one!] });
      },
      /: in advance: one of them is counted twice; somebody is counted twice/,
    ],
    [
      'a decision after they had expired',
      (record) => ({ ...record, decision: { ...record.decision!, at: '2099-01-01T00:00:00.000Z' } }),
      /approval in advance of grace@example.com: the statement expired/,
    ],
  ])('a record with %s is found', async (_, change, expected) => {
    expect(await found('broken', await forger().change(rotated, change).bundle())).toMatch(expected);
  });

  test.each<[string, (directory: Directory) => Directory, RegExp]>([
    [
      'that revoked it',
      (directory) => ({ ...directory, revoked: ['one'] }),
      /: the approval in advance one was revoked/,
    ],
    [
      'in which the key held no more',
      (directory) => ({
        ...directory,
        parties: directory.parties.map((party) => ({
          ...party,
          keys: party.keys.map((key) => ({ ...key, to: '2020-01-01T00:00:00.000Z' })),
        })),
      }),
      /approval in advance of grace@example.com: the key SHA256:.* does not hold now/,
    ],
    [
      'without the approver',
      () => ({ parties: [], revoked: [] }),
      /grace@example.com: the key that signed is nobody’s/,
    ],
  ])('a directory %s makes it count for nothing', async (_, change, expected) => {
    expect(await found('broken', await forger().judgedBy(rotated, change).bundle())).toMatch(expected);
    const given = change(life.directory);
    expect(await found('broken', files, { directory: given })).toMatch(expected);
  });

  test('one that is counted for two processes is found in both', async () => {
    const { request, decision } = forger().record(rotated);
    const replayed = await forger()
      .change(2, (record) => ({
        ...record,
        request: { ...record.request, advance: request.advance! },
        decision: { ...record.decision!, inAdvance: decision!.inAdvance! },
      }))
      .bundle();
    const lines = (await found('broken', replayed)).split('\n').filter((line) => line.includes('counted once'));
    expect(lines).toEqual([
      expect.stringContaining('nhi/app/rotate/2 (entry 1): counted once: one, two counted for nhi/app/rotate/3 too'),
      expect.stringContaining('nhi/app/rotate/3 (entry 2): counted once: one, two counted for nhi/app/rotate/2 too'),
    ]);
  });

  test('one that is used for another kind of process is found', async () => {
    const { request, decision } = forger().record(rotated);
    const { signed: _, ...bare } = request;
    const replayed = await forger()
      .change(0, (record) => ({
        ...record,
        request: { ...record.request, advance: bare.advance! },
        decision: { ...record.decision!, inAdvance: decision!.inAdvance! },
      }))
      .bundle();
    expect(await found('broken', replayed)).toMatch(
      /provision\/1 .*: approval in advance of grace@example.com: it was given for another task than to provision app/,
    );
  });

  test('fewer than a policy asked for at a gate are told: whether policy was content with them is not known here', async () => {
    const [rule] = forger().record(rotated).decision!.inAdvance!.spared;
    const more = { ...rule!, approvals: 3 };
    const changed = await forger()
      .change(rotated, (record) => counting(record, { spared: [more] }))
      .bundle();
    expect(await found('unknown', changed)).toMatch(
      /: in advance: policy let grace.* pass for less than gate.rotation/,
    );
  });
});
