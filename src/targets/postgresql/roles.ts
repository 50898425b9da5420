/** Reads the roles of an identity and what they are members of, and makes, marks and disables them. */
import { TenureError } from '../../domain/errors.js';
import type { Subject } from '../target.js';
import type { Session } from './connection.js';
import { checkFence, formatMark, type Mark, markPrefix, parseMark } from './mark.js';
import { groupOf, loginsOf } from './names.js';

/** A role of the server. */
export interface Role {
  readonly oid: string;
  readonly name: string;
  readonly mark: Mark | undefined;
  readonly canLogin: boolean;
  /** Attributes that no identity may have, e.g. `CREATEDB`. */
  readonly attributes: readonly string[];
  readonly inherits: boolean;
  readonly expires: boolean;
}

/** The roles of one identity as they are. */
export interface Roles {
  readonly group: Role | undefined;
  /** Every marked role but the group, whatever it is called now. */
  readonly logins: readonly Role[];
  /** Roles with a name of ours that are not ours. */
  readonly foreign: readonly string[];
}

const rolesQuery = `
  SELECT r.oid::text AS oid, r.rolname AS name, shobj_description(r.oid, 'pg_authid') AS comment, r.rolcanlogin AS "canLogin",
    r.rolinherit AS inherits, coalesce(r.rolvaliduntil < 'infinity', false) AS expires,
    array_remove(ARRAY[
      CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
      CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
      CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS attributes
  FROM pg_roles r
  WHERE r.rolname = ANY($1) OR r.oid IN (
    SELECT objoid FROM pg_shdescription WHERE classoid = 'pg_authid'::regclass AND starts_with(description, $2))
  ORDER BY r.rolname`;

/** Reads the roles of an identity. */
export async function readRoles({ client }: Session, identity: string, database: string): Promise<Roles> {
  const names = [groupOf(identity), ...loginsOf(identity)];
  const { rows } = await client.query<Omit<Role, 'mark'> & { comment: string | null }>(rolesQuery, [
    names,
    markPrefix(identity),
  ]);
  const roles = rows.map(({ comment, ...role }): Role => ({ ...role, mark: parseMark(comment) }));
  const isOurs = ({ mark }: Role) => mark?.identity === identity && mark.database === database;
  return {
    group: roles.find((role) => isOurs(role) && role.mark?.kind === 'group'),
    logins: roles.filter((role) => isOurs(role) && role.mark?.kind === 'login'),
    foreign: roles.filter((role) => !isOurs(role)).map((role) => role.name),
  };
}

/** The login called `name`; refuses one that is not ours. */
export function loginNamed(roles: Roles, name: string, identity: string): Role | undefined {
  refuseForeign(roles, name, identity);
  return roles.logins.find((role) => role.name === name);
}

/**
 * Checks the fence and raises it. The group carries it, so the group is made where there is none: an attempt that comes late
 * has to find it. Where somebody else's role has that name nothing of ours can be, and nothing is made.
 */
export async function takeFence(session: Session, roles: Roles, subject: Subject, database: string): Promise<Roles> {
  checkFence(
    [roles.group, ...roles.logins].flatMap((role) => role?.mark ?? []),
    subject,
  );
  const { identity, epoch, operation } = subject;
  const name = roles.group?.name ?? groupOf(identity);
  const before = roles.group?.mark;
  if (roles.foreign.includes(name) || (before?.epoch === epoch && before.operation === operation)) return roles;
  if (!roles.group) await createRole(session, name);
  await writeMark(session, name, { identity, database, kind: 'group', epoch, operation });
  return readRoles(session, identity, database);
}

export async function createRole(session: Session, name: string): Promise<void> {
  await session.client.query(`CREATE ROLE ${session.id(name)} NOLOGIN INHERIT`);
}

/**
 * Makes the administrator a member of these roles where it is not: only a member sees a role's sessions and may end them.
 * Less than `pg_signal_backend`, which would let it end the sessions of everybody.
 */
export async function joinRoles(session: Session, names: readonly string[]): Promise<void> {
  const { client, admin, serverVersion, id } = session;
  const { rows } = await client.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles WHERE rolname = ANY($1) AND NOT pg_has_role(oid, 'USAGE')`,
    [names],
  );
  const options = serverVersion >= 160_000 ? ' WITH INHERIT TRUE, SET FALSE' : '';
  for (const { name } of rows) await client.query(`GRANT ${id(name)} TO ${id(admin.name)}${options}`);
}

/** Marks a role as ours. */
export async function writeMark({ client, id, literal }: Session, role: string, mark: Mark): Promise<void> {
  await client.query(`COMMENT ON ROLE ${id(role)} IS ${literal(formatMark(mark))}`);
}

/** Stops new logins. The password stays until it is purged, so that the refusal says why. */
export async function disableLogin({ client, id }: Session, role: string): Promise<void> {
  await client.query(`ALTER ROLE ${id(role)} NOLOGIN`);
}

/** Leaves a login without a password, and its mark without a version. */
export async function emptyLogin(session: Session, login: Role, subject: Subject): Promise<void> {
  await session.client.query(`ALTER ROLE ${session.id(login.name)} NOLOGIN PASSWORD NULL`);
  const { version: _, since: __, ...mark } = login.mark!;
  await writeMark(session, login.name, { ...mark, epoch: subject.epoch, operation: subject.operation });
}

/**
 * Lets `role` log in with a verifier. The verifier travels as a parameter and not as text: a statement that fails is logged
 * in full, and so is a role statement with `log_statement = ddl`; an error inside is raised anew, without its context.
 */
export async function enableLogin({ client }: Pick<Session, 'client'>, role: string, verifier: string): Promise<void> {
  await client.query(`SELECT set_config('tenure.role', $1, true), set_config('tenure.verifier', $2, true)`, [
    role,
    verifier,
  ]);
  await client.query(`DO $tenure$ BEGIN
    EXECUTE format('ALTER ROLE %I LOGIN PASSWORD %L', current_setting('tenure.role'), current_setting('tenure.verifier'));
    PERFORM set_config('tenure.verifier', '', true);
  EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM; END $tenure$`);
}

/** Refuses to work on a role that has a name of ours and is not ours. */
export function refuseForeign(roles: Roles, name: string, identity: string): void {
  if (!roles.foreign.includes(name)) return;
  throw new TenureError(
    'RejectedUnchanged',
    `${identity}: role ${name} exists and was not made by Tenure for this identity in this database, so it is not touched; rename or drop it, or choose another name for the identity`,
    { role: name },
  );
}
