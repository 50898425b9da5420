/** A worker on real systems: what a login did and did not do reaches the proof, the process as people see it, and the review. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { UseRecord } from '../../src/domain/use.js';
import { openEvidence } from '../../src/evidence/open.js';
import { packageRoot } from '../../src/package-root.js';
import { review } from '../../src/review/review.js';
import { prepareGround } from '../sweep/ground.js';
import { Lane } from '../sweep/lane.js';
import { enduringTiming, Subject } from '../sweep/subject.js';
import { describeOn } from '../support/machine.js';
import '../support/quiet.js';

const started = await prepareGround();
describeOn(started, 'recorded use', (ground) => {
  let lane: Lane;
  let subject: Subject;
  const folder = join(ground.config.stateDirectory, 'use');

  beforeAll(async () => {
    const { postgres } = ground;
    await postgres.sql(`ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'`);
    await postgres.shutDown();
    await postgres.restart();
    await postgres.sql(await readFile(join(packageRoot, 'examples', 'postgresql-admin-use.sql'), 'utf8'), 'ledger');
    lane = await Lane.inside(ground, 'recorded-use');
    subject = new Subject(lane, { timing: enduringTiming });
  });
  afterAll(async () => {
    await subject?.close();
    await lane?.stop();
    await ground.stop();
  });

  /** Runs a process to its end, and gives what was sealed of it. */
  async function carriedOut(kind: 'provision' | 'validate') {
    const { id } = await subject.ask({ kind });
    const { recent } = await subject.stateWhen(({ recent }) => recent.some(({ requestId }) => requestId === id));
    const { operation } = recent.find(({ requestId }) => requestId === id)!;
    const records = await openEvidence(ground.config).recordsOf(subject.name);
    const state = await subject.process(operation!);
    return {
      use: records.at(-1)!.proofs.accepted?.use,
      note: state.stages.find(({ name }) => name === 'verify')?.note,
    };
  }

  /** As though the last look had been so many days earlier. */
  async function earlier(days: number): Promise<void> {
    const [name] = await readdir(folder);
    const record = JSON.parse(await readFile(join(folder, name!), 'utf8')) as UseRecord;
    const rights = Object.entries(record.rights).map(([right, { since, calls }]) => {
      return [right, { calls, since: new Date(Date.parse(since) - days * 86_400_000).toISOString() }];
    });
    await writeFile(join(folder, name!), JSON.stringify({ ...record, rights: Object.fromEntries(rights) }));
  }

  test('what was used is not told of; what was not used for a month is, in proof, note and review', async () => {
    expect((await carriedOut('provision')).use).toBeUndefined();
    expect((await carriedOut('validate')).use).toEqual({ known: true, unused: [] });
    await earlier(31);
    const [path] = subject.paths;
    const { material } = await ground.store.read(path!, { slot: 'current' });
    const client = new pg.Client({ connectionString: material['url'] });
    await client.connect();
    await client.query('SELECT * FROM ledger');
    await client.end();
    const { use, note } = await carriedOut('validate');
    expect(use).toMatchObject({ known: true, unused: [{ right: 'insert on table ledger' }] });
    expect(note).toContain('not seen in use: insert on table ledger');
    const records = await openEvidence(ground.config).all();
    const directory = { parties: [], revoked: [] };
    const findings = review(
      { records, directory, identities: [], exceptions: [], now: new Date() },
      ground.config.review,
    );
    expect(findings.filter(({ rule }) => rule === 'unused-entitlements')).toMatchObject([
      { severity: 'low', subject: subject.name, what: expect.stringContaining(': insert on table ledger') },
    ]);
    await ground.postgres.sql('REVOKE pg_read_all_stats FROM tenure_admin');
    expect((await carriedOut('validate')).note).toContain('GRANT pg_read_all_stats');
    expect(await readdir(folder)).toEqual([]);
  });
});
