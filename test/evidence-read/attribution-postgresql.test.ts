/** A real server with its log switched on: what our target does there is explained, and what a hand does is found. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import { attribute, type Attribution } from '../../src/evidence/read/attribution/attribute.js';
import { readTargetLogs } from '../../src/evidence/read/attribution/files.js';
import { packageRoot } from '../../src/package-root.js';
import type { PostgresVersion } from '../systems/postgresql.js';
import { startFixture, type Fixture, type Minted } from '../targets/postgresql-fixture.js';
import { credential, record } from './records.js';

const prefix = '%m [%p] %quser=%u,app=%a,client=%h ';
const settings = {
  logging_collector: 'on',
  log_destination: 'stderr,csvlog,jsonlog',
  log_filename: 'server.log',
  log_timezone: 'UTC',
  log_line_prefix: prefix,
  log_connections: 'on',
  log_statement: 'ddl',
};
const expected = { administrators: ['tenure_admin'], addresses: [], applications: [], toleranceMs: 20 };
const pause = () => new Promise((done) => setTimeout(done, 120));

describe.each<PostgresVersion>([15, 18])('PostgreSQL %i', (version) => {
  let fixture: Fixture;
  let ours: ProcessRecord[];
  let current: Minted;
  let missing: string | undefined;
  const identity = 'payments-db';

  beforeAll(async () => {
    const started = await startFixture({ version, settings });
    if ('unavailable' in started) return void (missing = started.unavailable);
    fixture = started;
    ({ ours, current } = await lifeOf(fixture, identity));
  });
  afterAll(async () => fixture?.close());

  test.for(['.log', '.csv', '.json'])(
    '%s: every change of ours is explained, and all that a hand did is not',
    async (form, context) => {
      if (missing !== undefined) return context.skip(missing);
      const found = await attributed(form);
      const changes = found.explained.filter(({ event }) => event.what === 'change');
      expect(changes.length).toBeGreaterThan(4);
      expect(new Set(changes.map(({ operation }) => operation))).toEqual(
        new Set(ours.map(({ operation }) => operation)),
      );
      expect(
        found.unexplained.map(({ event, why }) => [event.what === 'change' ? event.statement : event.what, why]),
      ).toEqual([
        ['GRANT "payments-db" TO mallory', 'it was done with psql, and not by a worker'],
        ['ALTER ROLE "payments-db_a" LOGIN PASSWORD \'…\'', 'admin is not an administrator of Tenure'],
        [
          'login',
          expect.stringContaining('payments-db_a logged in after nhi/payments-db/rotate/2 had ended that login'),
        ],
        ['login', expect.stringContaining('it was refused: password authentication failed')],
        ['ALTER ROLE "payments-db_b" SUPERUSER', expect.any(String)],
      ]);
      expect(found.unexplained.at(-1)!.event).toMatchObject({ failed: true });
      expect(found.gaps).toEqual([]);
      expect(JSON.stringify(found)).not.toContain('hand-made');
    },
  );

  test('the query of the documents samples what is connected, as the reader of samples takes it', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const documents = readFileSync(join(packageRoot, 'docs/attribution.md'), 'utf8');
    const query = /psql -AtX -c "(SELECT .*?)" >>/s.exec(documents)![1]!;
    const file = join(fixture.server.folder, 'samples.jsonl');
    const client = await fixture.logIn(current.material);
    const rows = await fixture.server.sql(query);
    await client.end();
    writeFileSync(file, rows.map((row) => JSON.stringify(Object.values(row)[0])).join('\n'));
    const { events, samples } = await readTargetLogs({ logs: [], samples: [file], prefix }, new Set(['payments-db_b']));
    expect(events).toMatchObject([{ what: 'session', user: 'payments-db_b', address: '127.0.0.1' }]);
    expect(samples.length).toBeGreaterThan(0);
  });

  test('the log of a server that does not log connections or statements is blind, and says what to switch on', async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const quiet = await startFixture({
      version,
      settings: { ...settings, log_connections: 'off', log_statement: 'none' },
    });
    if ('unavailable' in quiet) throw new Error(quiet.unavailable);
    try {
      await quiet.sql('CHECKPOINT');
      const found = await attributed('.csv', quiet);
      expect(found.blind).toBe(true);
      expect(found.gaps.join()).toMatch(/log_connections.*log_statement/s);
    } finally {
      await quiet.close();
    }
  });

  async function attributed(form: string, where = fixture): Promise<Attribution> {
    const folder = join(where.server.folder, 'data', 'log');
    const logs = readdirSync(folder)
      .filter((name) => name.endsWith(form))
      .map((name) => join(folder, name));
    const roles = new Set([identity, `${identity}_a`, `${identity}_b`]);
    const read = await readTargetLogs({ logs, samples: [], prefix }, roles);
    const [from, to] = [read.coverage!.first!, read.coverage!.last!];
    return attribute({ identity, from, to, records: ours ?? [], ...read }, expected);
  }
});

/** A provisioning, a use, a rotation, and then what a hand does. */
async function lifeOf(fixture: Fixture, identity: string): Promise<{ ours: ProcessRecord[]; current: Minted }> {
  const { target } = fixture;
  let first!: Minted;
  let second!: Minted;
  const provision = await processed(identity, 'provision', 1, async () => {
    first = await fixture.install(fixture.subject(identity, 1));
    await target.verify(first.subject, first.material);
    return { after: { current: credential(`nhi/${identity}/provision/1`, first.holder.principal) } };
  });
  await (await fixture.logIn(first.material)).end();
  await pause();
  const rotate = await processed(identity, 'rotate', 2, async () => {
    second = await fixture.install(fixture.subject(identity, 3), first.holder);
    await target.verify(second.subject, second.material);
    const retired = await target.retire(second.subject, [first.holder], 'these');
    await target.refuse(second.subject, first.material, second.material);
    await target.purge(second.subject, [first.holder]);
    return { after: { current: credential(`nhi/${identity}/rotate/2`, second.holder.principal) }, proofs: { retired } };
  });
  await byHand(fixture, second);
  return { ours: [provision, rotate], current: second };
}

async function processed(
  identity: string,
  kind: 'provision' | 'rotate',
  number: number,
  work: () => Promise<Partial<ProcessRecord>>,
): Promise<ProcessRecord> {
  const startedAt = new Date().toISOString();
  const done = await work();
  const { plan: _plan, ...bare } = record({
    identity,
    kind,
    number,
    proofs: {},
    stages: [{ name: 'install', status: 'done', startedAt }],
  });
  const endedAt = new Date().toISOString();
  await pause();
  return { ...bare, startedAt, endedAt, ...done };
}

async function byHand({ server, ledger }: Fixture, { material }: Minted): Promise<void> {
  const runAs = async (user: string, password: string, application: string, text?: string): Promise<void> => {
    const { port } = server;
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user,
      password,
      database: 'ledger',
      application_name: application,
    });
    client.on('error', () => undefined);
    await client.connect();
    if (text) await client.query(text).catch(() => undefined);
    await client.end();
  };
  await server.sql('CREATE ROLE mallory NOLOGIN');
  await server.sql('GRANT SELECT ON public.ledger TO mallory', 'ledger');
  await runAs(ledger.user, ledger.adminPassword, 'psql', 'GRANT "payments-db" TO mallory');
  await server.sql(`ALTER ROLE "payments-db_a" LOGIN PASSWORD 'hand-made'`);
  await runAs('payments-db_a', 'hand-made', 'psql');
  await runAs('payments-db_b', 'wrong', 'billing').catch(() => undefined);
  await runAs('payments-db_b', material['password']!, 'billing', 'ALTER ROLE "payments-db_b" SUPERUSER');
  await server.sql('SELECT 1');
}
