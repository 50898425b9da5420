/** Real logins: whether a credential is accepted, and if not, whether that is because of the credential. */
import { TenureError } from '../../domain/errors.js';
import type { Material } from '../../stores/store.js';
import type { Client } from 'pg';
import type { Connections } from './connection.js';
import { type DriverError, sqlState, toTenureError } from './errors.js';
import type { Wanted } from './rights.js';

export type Attempt<T = undefined> =
  | { readonly accepted: true; readonly as: string; readonly found: T }
  /** Refused because of the credential, and for no other reason. */
  | { readonly accepted: false; readonly code: string; readonly answer: string };

/**
 * Logs in with `material`, or as the administrator on a new connection, and asks something there.
 * Throws when what happens says nothing about the credential.
 */
export async function attempt<T>(
  connections: Connections,
  doing: string,
  material: Material | undefined,
  ask: (client: Client) => Promise<T>,
): Promise<Attempt<T>> {
  const user = material ? (material.username ?? '') : connections.address.user;
  const password = material && (material.password ?? '');
  try {
    return await connections.logIn(user, password, async (client) => {
      const { rows } = await client.query<{ user: string }>('SELECT session_user AS user');
      return { accepted: true, as: rows[0]!.user, found: await ask(client) };
    });
  } catch (error) {
    const code = refusalCode(error);
    if (code !== undefined) return { accepted: false, code, answer: (error as Error).message };
    throw aboutTheServer(error, doing);
  }
}

/** The rights of `wanted` that the logged-in role does not have: the server's own answer for this very session. */
export async function deniedRights(client: Client, wanted: readonly Wanted[]): Promise<Wanted[]> {
  const known = wanted.filter((want) => want.objectId !== null);
  const { rows } = await client.query<{ n: number }>(
    `SELECT i.n FROM jsonb_to_recordset($1::jsonb) AS i(n int, kind text, oid oid, privilege text)
     WHERE NOT CASE i.kind
       WHEN 'table' THEN has_table_privilege(i.oid, i.privilege)
       WHEN 'sequence' THEN has_sequence_privilege(i.oid, i.privilege)
       WHEN 'function' THEN has_function_privilege(i.oid, i.privilege)
       WHEN 'schema' THEN has_schema_privilege(i.oid, i.privilege)
       ELSE has_database_privilege(i.oid, i.privilege) END
     ORDER BY i.n`,
    [JSON.stringify(known.map(({ kind, objectId, privilege }, n) => ({ n, kind, oid: objectId, privilege })))],
  );
  return rows.map(({ n }) => known[n]!);
}

/**
 * The SQLSTATE of a refusal for the right reason: a wrong password, or a role that may not log in. SQLSTATE 28000 is also
 * what pg_hba.conf's refusals carry; the server's own function tells them apart, where the message may be translated.
 */
export function refusalCode(error: unknown): string | undefined {
  const state = sqlState(error);
  if (state === '28P01') return state;
  const { routine, message } = error as DriverError;
  const byRole = routine === 'InitializeSessionUserId' || message.endsWith('is not permitted to log in');
  return state === '28000' && byRole ? state : undefined;
}

/** Says whether `error` of an attempt is the server's refusal of this login for another reason than its credential. */
export function isKeptOut(error: unknown): error is TenureError {
  return error instanceof TenureError && isKeepingOut(error.facts['sqlState']);
}

function isKeepingOut(state: unknown): boolean {
  return typeof state === 'string' && (state.startsWith('28') || state === '42501');
}

function aboutTheServer(error: unknown, doing: string): unknown {
  const state = sqlState(error);
  if (!isKeepingOut(state)) return toTenureError(error, doing);
  return new TenureError(
    'TargetUnavailable',
    `${doing}: PostgreSQL did not let it in, for another reason than the credential (SQLSTATE ${state}); look at pg_hba.conf and at CONNECT on the database`,
    { sqlState: state },
  );
}
