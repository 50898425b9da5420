/** Connections of the administrator and of credentials under test, and the one transaction that every change runs in. */
import { createHash } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import type { Client, ClientConfig, Pool, PoolClient } from 'pg';
import type { Address } from './options.js';
import { toCommitError, toTenureError } from './errors.js';

export interface Timeouts {
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** What a transaction knows before its first step. */
export interface Session {
  readonly client: Client | PoolClient;
  /** `server_version_num`, e.g. 180004. */
  readonly serverVersion: number;
  readonly admin: { readonly oid: string; readonly name: string; readonly isSuperuser: boolean };
  /** The server's clock, ISO 8601. */
  readonly now: string;
  /** Quotes an identifier as the driver does. */
  id(name: string): string;
  /** Quotes a literal as the driver does. */
  literal(text: string): string;
}

/** Key of the advisory lock that one identity's changes take turns under. */
export function lockKey(text: string): string {
  const digest = createHash('sha256').update(`tenure/${text}`).digest();
  return digest.readBigInt64BE(0).toString();
}

const factsQuery = `SELECT current_setting('server_version_num')::int AS "serverVersion", oid::text AS oid, rolname AS name,
  rolsuper AS "isSuperuser", to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS now
  FROM pg_roles WHERE rolname = current_user`;

/** Opens connections to one target; the driver is loaded with the first. */
export class Connections {
  private pool: Promise<Pool> | undefined;

  constructor(
    readonly address: Address,
    private readonly tls: ConnectionOptions | false,
    private readonly timeouts: Timeouts,
    private readonly adminPassword: () => Promise<string>,
  ) {}

  /** Works as the administrator outside a transaction; `urgent` on a connection of its own, so that it waits for no other. */
  async read<T>(doing: string, work: (session: Session) => Promise<T>, urgent = false): Promise<T> {
    const reading = async (client: Client | PoolClient) => work(await this.openSession(client, factsQuery));
    return urgent ? this.withOwn(doing, reading) : this.withPooled(doing, reading);
  }

  /**
   * Runs `work` in one transaction, alone for this identity in this database. Nothing of it stays when it throws.
   * `urgent`: on a connection of its own, and a transaction that holds the lock is ended: it belongs to a process that was
   * pre-empted, and may hang.
   */
  async change<T>(doing: string, identity: string, work: (session: Session) => Promise<T>, urgent = false): Promise<T> {
    const transact = async (client: Client | PoolClient): Promise<T> => {
      const lock = `SELECT pg_advisory_xact_lock(${lockKey(identity)})`;
      if (urgent) await endLockHolders(client, lockKey(identity));
      const result = await work(await this.openSession(client, `BEGIN; ${lock}; ${factsQuery}`));
      await client.query('COMMIT').catch((error: unknown) => {
        throw toCommitError(error, doing);
      });
      return result;
    };
    return urgent ? this.withOwn(doing, transact) : this.withPooled(doing, transact);
  }

  /** Logs in with a user and password of its own, runs `work`, and ends the connection. Errors are the driver's. */
  async logIn<T>(user: string, password: string | undefined, work: (client: Client) => Promise<T>): Promise<T> {
    const { Client } = (await import('pg')).default;
    const client = new Client({ ...this.settings('tenure'), user, password: password ?? this.adminPassword });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      // The server may be gone, or never have answered: the socket is closed either way.
      await client.end().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    const pool = this.pool;
    this.pool = undefined;
    await (await pool)?.end();
  }

  private async withOwn<T>(doing: string, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await this.logIn(this.address.user, undefined, work);
    } catch (error) {
      throw toTenureError(error, doing);
    }
  }

  private async withPooled<T>(doing: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    try {
      const client = await (await this.openPool()).connect();
      try {
        const result = await work(client);
        client.release();
        return result;
      } catch (error) {
        // Destroyed, so that the server rolls back and nothing of a transaction that we gave up can still be committed.
        client.release(true);
        throw error;
      }
    } catch (error) {
      throw toTenureError(error, doing);
    }
  }

  private async openSession(client: Client | PoolClient, query: string): Promise<Session> {
    const results = [await client.query(query)].flat();
    const { serverVersion, now, ...admin } = results.at(-1)!.rows[0];
    return {
      client,
      serverVersion,
      now,
      admin,
      id: (name) => client.escapeIdentifier(name),
      literal: (text) => client.escapeLiteral(text),
    };
  }

  private openPool(): Promise<Pool> {
    this.pool ??= import('pg').then(({ default: { Pool } }) => {
      const settings = { ...this.settings('tenure'), user: this.address.user, password: this.adminPassword };
      const pool = new Pool({ ...settings, max: 4, idleTimeoutMillis: 30_000, allowExitOnIdle: true });
      pool.on('error', () => undefined);
      // A server that dies under a checked-out client emits on the client, which would end the process.
      pool.on('connect', (client) => client.on('error', () => undefined));
      return pool;
    });
    return this.pool;
  }

  private settings(application: string): ClientConfig {
    const { connectTimeoutMs, statementTimeoutMs } = this.timeouts;
    const { host, port, database } = this.address;
    return {
      host,
      port,
      database,
      ssl: this.tls,
      application_name: application,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      // Above the server's own limit: it speaks when the server cannot.
      query_timeout: statementTimeoutMs + 2_000,
      keepAlive: true,
      // Names resolve as written, whatever the server or a role sets. To compile what asks a catalog takes longer than to run it.
      options: '-c search_path=pg_catalog -c jit=off',
    };
  }
}

async function endLockHolders(client: Client | PoolClient, key: string): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND a.usename = current_user
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid = (($1::bigint >> 32) & 4294967295)::oid AND l.objid = ($1::bigint & 4294967295)::oid`,
    [key],
  );
}
