/** The end of an identity on a server: what it owns is kept, its roles are dropped, and the server is asked again. */
import { TenureError } from '../../domain/errors.js';
import { bring } from './bring.js';
import type { Session } from './connection.js';
import { groupOf, loginsOf } from './names.js';
import { readHoldings } from './rights.js';
import { joinRoles, readRoles, type Roles } from './roles.js';

/** Drops the roles and gives the sentences that prove it. Runs inside one transaction: all of it, or nothing. */
export async function removeRoles(
  session: Session,
  identity: string,
  database: string,
  roles: Roles,
  retired: readonly string[],
): Promise<string[]> {
  const { client, id, admin } = session;
  const names = [...roles.logins, ...(roles.group ? [roles.group] : [])].map((role) => role.name);
  const { owned, elsewhere } = await readHoldings(session, names);
  if (elsewhere.length > 0) throw stillElsewhere(identity, names, elsewhere, id);
  await joinRoles(session, names);
  const list = names.map((name) => id(name)).join(', ');
  if (owned.length > 0) await client.query(`REASSIGN OWNED BY ${list} TO ${id(admin.name)}`);
  await bring(session, { identity, database, scope: undefined });
  // What is left are mentions in policies and default privileges; nothing is owned any more.
  if (names.length > 0) await client.query(`DROP OWNED BY ${list}`);
  for (const name of names) await client.query(`DROP ROLE ${id(name)}`);
  const kept = owned.map(({ what }) => `${what} was kept and belongs to ${admin.name} now`);
  return [...(await absence(session, identity, database, [...names, ...retired])), ...kept];
}

async function absence(
  session: Session,
  identity: string,
  database: string,
  names: readonly string[],
): Promise<string[]> {
  const after = await readRoles(session, identity, database);
  const left = [after.group, ...after.logins].flatMap((role) => role?.name ?? []);
  if (left.length > 0) throw new Error(`roles ${left.join(', ')} are still there after they were dropped`);
  const gone = [...new Set([groupOf(identity), ...loginsOf(identity), ...names])].filter(
    (name) => !after.foreign.includes(name),
  );
  const { rows } = await session.client.query<{ sessions: number }>(
    'SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE usename = ANY($1)',
    [gone],
  );
  return [
    ...gone.map((name) => `role ${name} does not exist`),
    ...after.foreign.map((name) => `role ${name} exists, was not made by Tenure, and was not touched`),
    `${rows[0]!.sessions} sessions of ${identity} are open`,
  ];
}

function stillElsewhere(
  identity: string,
  names: readonly string[],
  databases: readonly string[],
  id: Session['id'],
): TenureError {
  const roles = names.map((name) => id(name)).join(', ');
  return new TenureError(
    'RejectedUnchanged',
    `${identity}: its roles own something or have rights in ${databases.join(', ')}, which this target does not see, so they were disabled and not dropped; there a superuser runs: REASSIGN OWNED BY ${roles} TO …; DROP OWNED BY ${roles}; then try again`,
    { databases },
  );
}
