/** Says whether the administrator can do its work, and what to grant where it cannot. */
import type { Connections } from './connection.js';
import { attempt } from './login.js';
import { useRemark } from './use/use.js';

interface Facts {
  readonly version: string;
  readonly number: number;
  readonly recovering: boolean;
  readonly mayMakeRoles: boolean;
  readonly user: string;
}

const factsQuery = `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,
  pg_is_in_recovery() AS recovering, rolcreaterole OR rolsuper AS "mayMakeRoles", current_user AS user
  FROM pg_roles WHERE rolname = current_user`;

/** The server's version, what stands in the way, and what cannot be told. */
export async function probeServer(connections: Connections, doing: string, readsOnStandbys: boolean) {
  const { facts, remark } = await connections.read(doing, async (session) => ({
    facts: (await session.client.query<Facts>(factsQuery)).rows[0]!,
    remark: await useRemark(session, readsOnStandbys),
  }));
  const { version, number, recovering, mayMakeRoles, user } = facts;
  const wrong = { username: user, password: 'certainly-not-the-password' };
  const isOpen = (await attempt(connections, doing, wrong, () => Promise.resolve(undefined))).accepted;
  const problems = [
    number < 150_000 && `PostgreSQL ${version} is too old; Tenure needs 15 or later`,
    recovering && 'this server is a standby and cannot be changed; name the primary',
    !mayMakeRoles && `${user} may not make roles; a superuser runs: ALTER ROLE "${user}" CREATEROLE`,
    isOpen &&
      'pg_hba.conf lets people in without looking at the password (trust, peer or cert), so no refusal can be proven; use scram-sha-256',
  ];
  const remarks = remark === undefined ? [] : [remark];
  return { version, problems: problems.filter((problem) => problem !== false), remarks };
}
