import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { guardTarget } from '../../src/targets/guard.js';
import { postgresqlOptions, postgresqlTarget } from '../../src/targets/postgresql.js';
import { conformanceTarget, type TargetUnderTest } from '../conformance/target.js';
import { makeLedger } from '../systems/ledger.js';
import { startPostgres, type PostgresVersion } from '../systems/postgresql.js';
import type { Material } from '../../src/stores/store.js';

for (const version of [15, 18] as const) {
  conformanceTarget(`PostgreSQL ${version} conforms to the contract of targets`, () => startLedger(version));
}

async function startLedger(version: PostgresVersion): Promise<TargetUnderTest | { unavailable: string }> {
  const server = await startPostgres({ version });
  if ('unavailable' in server) return server;
  const ledger = await makeLedger(server);
  const variable = `TENURE_TEST_ADMIN_${version}`;
  process.env[variable] = ledger.adminPassword;
  const { host, database, user } = ledger;
  const open = (port: number) => {
    const options = { type: 'postgresql', host, port, database, user, password: { env: variable } };
    return guardTarget(postgresqlTarget('ledger-db', postgresqlOptions.parse(options), '/'));
  };
  return {
    open: () => open(server.port),
    // Port 1 is reserved, and nothing listens there.
    openUnreachable: () => open(1),
    scope: { grants: [{ on: 'ledger', may: ['select', 'insert'] }] },
    narrower: { grants: [{ on: 'ledger', may: ['select'] }] },
    wrong: { scope: { grants: [{ on: 'ledger', may: ['select', 'fly'] }] }, path: 'grants[0].may[1]' },
    logIn: openSession,
    grantByHand: (identity) =>
      server.sql(`GRANT DELETE ON public.ledger TO "${identity}"`, 'ledger').then(() => undefined),
    log: () => readFile(server.logFile, 'utf8'),
    close: () => server.stop(),
  };
}

async function openSession(material: Material) {
  const client = new pg.Client({ connectionString: material.url });
  client.on('error', () => undefined);
  await client.connect();
  return {
    isAlive: () =>
      client.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    close: () => client.end().catch(() => undefined),
  };
}
