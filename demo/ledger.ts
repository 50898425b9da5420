/** The database of the demo: a real PostgreSQL with a table, and Tenure's administrator as the documented SQL file makes it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { groupOf, loginsOf } from '../src/targets/postgresql/names.js';
import { isLoopback } from '../src/targets/postgresql/options.js';
import { makeLedger } from '../test/systems/ledger.js';
import { startPostgres, type PostgresServer } from '../test/systems/postgresql.js';
import type { Tls } from './messages.js';

type Rows = Record<string, unknown>[];

export interface Ledger {
  /** For people, without a password. */
  readonly where: string;
  readonly host: string;
  readonly port: number;
  readonly tls: Tls;
  readonly adminPassword: string;
  readonly logFile?: string;
  /** As the superuser, for checks that do not ask Tenure. */
  sql(text: string): Promise<Rows>;
  /** Makes the server refuse every login of this role, whatever its password, until the given function is called. */
  refuse?(login: string): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export async function openLedger(url: string | undefined, identity: string): Promise<Ledger> {
  return url === undefined ? ownLedger() : givenLedger(url, identity);
}

async function ownLedger(): Promise<Ledger> {
  const server = await startPostgres({ version: 18, settings: { max_connections: '300' } });
  if ('unavailable' in server)
    throw new Error(`${server.unavailable}; give the demo a server with TENURE_DEMO_POSTGRES=postgresql://…`);
  try {
    const { host, port, adminPassword } = await makeLedger(server);
    return {
      where: `PostgreSQL ${server.version} at ${host}:${port}`,
      ...{ host, port, adminPassword, tls: false, logFile: server.logFile },
      sql: (text) => server.sql(text, 'ledger'),
      refuse: (login) => rejectInHba(server, login),
      stop: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/** A `reject` line in pg_hba.conf, as an administrator of the server could write it. */
async function rejectInHba(server: PostgresServer, login: string): Promise<() => Promise<void>> {
  const file = join(server.folder, 'data', 'pg_hba.conf');
  const before = readFileSync(file, 'utf8');
  const write = async (text: string, rules: number): Promise<void> => {
    writeFileSync(file, text);
    await server.sql('SELECT pg_reload_conf()');
    // The server reads it a moment after it was told to; a new session shows what it has read.
    for (const end = Date.now() + 5_000; Date.now() < end; await sleep(50)) {
      const isRejected = await isKeptOut(server, login);
      if (isRejected === rules > 0) return;
    }
    throw new Error('PostgreSQL did not read pg_hba.conf again');
  };
  await write(`host all "${login}" ${server.host}/32 reject\n${before}`, 1);
  return () => write(before, 0);
}

/** Only pg_hba.conf answers with 28000 before a password is asked for. */
async function isKeptOut({ host, port }: PostgresServer, user: string): Promise<boolean> {
  const session = new pg.Client({ host, port, user, password: 'none', database: 'ledger' });
  session.on('error', () => undefined);
  const code = await session.connect().then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
  await session.end().catch(() => undefined);
  return code === '28000';
}

async function givenLedger(url: string, identity: string): Promise<Ledger> {
  const { hostname: host, port, searchParams } = new URL(url);
  const mode = searchParams.get('sslmode');
  const tls: Tls =
    mode === 'disable' ? false : mode === 'no-verify' ? { rejectUnauthorized: false } : !isLoopback(host);
  const server = {
    host,
    port: Number(port || 5432),
    sql: (text: string, database?: string) => sqlAt(url, tls, text, database),
  };
  await refuseUsed(server, identity);
  const stop = () => removeAll(server, identity);
  try {
    const { adminPassword } = await makeLedger(server);
    const where = `PostgreSQL at ${host}:${server.port}`;
    return { ...server, where, tls, adminPassword, sql: (text) => server.sql(text, 'ledger'), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function sqlAt(url: string, ssl: Tls, text: string, database = 'postgres'): Promise<Rows> {
  const { hostname: host, port, username, password } = new URL(url);
  const client = new pg.Client({
    ...{ host, port: Number(port || 5432), user: decodeURIComponent(username), password: decodeURIComponent(password) },
    ...{ database, ssl, connectionTimeoutMillis: 10_000 },
  });
  await client.connect();
  try {
    const result: pg.QueryResult | pg.QueryResult[] = await client.query(text);
    return (Array.isArray(result) ? (result as pg.QueryResult[]).at(-1)! : result).rows as Rows;
  } finally {
    await client.end();
  }
}

interface Given {
  sql(text: string, database?: string): Promise<Rows>;
}

const ownRoles = ['tenure_admin', 'tenure_repair', 'ledger_owner'];

function rolesOf(identity: string): string[] {
  return [...loginsOf(identity), groupOf(identity)];
}

/** What the demo makes it also drops: on a server where any of it exists already, somebody would lose it. */
async function refuseUsed(server: Given, identity: string): Promise<void> {
  const names = [...ownRoles, ...rolesOf(identity)].map((name) => pg.escapeLiteral(name)).join(', ');
  const found = await server.sql(
    `SELECT 'database ' || datname AS what FROM pg_database WHERE datname = 'ledger'
     UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname IN (${names})`,
  );
  if (found.length === 0) return;
  const what = found.map((row) => String(row['what'])).join(', ');
  throw new Error(`the given server has ${what} already; the demo makes and drops its own, so it needs another server`);
}

async function removeAll(server: Given, identity: string): Promise<void> {
  await server.sql('DROP DATABASE IF EXISTS ledger WITH (FORCE)');
  for (const role of [...rolesOf(identity), ...ownRoles])
    await server.sql(`DROP ROLE IF EXISTS ${pg.escapeIdentifier(role)}`);
}
