/** Reads what an identity's roles may do: rights, memberships, and what they own. Reads only. */
import type { Session } from './connection.js';
import type { Right, Rights } from './scope.js';

/** A right that is in a catalog now. */
export interface Granted {
  /** `TABLE`, `ROUTINE`, …; `DEFAULT` is for rights on objects that are yet to come. */
  readonly keyword: string;
  /** The object as SQL, quoted by the server. */
  readonly object: string;
  readonly column: string | null;
  readonly classId: string;
  readonly objectId: string;
  readonly grantee: string;
  readonly grantor: string;
  readonly privilege: string;
  readonly grantable: boolean;
}

/** A right of the scope, with the object that it means on this server. */
export interface Wanted extends Right {
  readonly keyword: string;
  readonly object: string;
  readonly classId: string | null;
  /** Null when there is no such object. */
  readonly objectId: string | null;
  readonly owner: string | null;
  /** Whether the group may do it by any way, PUBLIC included. */
  readonly effective: boolean;
}

/** `member` has the rights of `role`. */
export interface Membership {
  readonly role: string;
  readonly member: string;
  readonly grantor: string;
  readonly admin: boolean;
  readonly inherit: boolean;
}

/** All that a set of roles may do. */
export interface Holdings {
  readonly granted: readonly Granted[];
  /** Edges above the given roles, and those directly below them. */
  readonly memberships: readonly Membership[];
  /** What the roles own in this database, temporary objects apart, in the server's words. */
  readonly owned: readonly { readonly role: string; readonly what: string }[];
  /** Databases, other than this one, in which the roles own or may do something. */
  readonly elsewhere: readonly string[];
}

const keywords = { table: 'TABLE', database: 'DATABASE', schema: 'SCHEMA', sequence: 'SEQUENCE', function: 'ROUTINE' };

const wantedQuery = `
  SELECT i.n, o."classId", o."objectId", o.owner, coalesce(o.object, i.label) AS object,
    coalesce(CASE i.kind
      WHEN 'database' THEN has_database_privilege($2, o.oid, i.privilege)
      WHEN 'schema' THEN has_schema_privilege($2, o.oid, i.privilege) END, false) AS effective
  FROM jsonb_to_recordset($1::jsonb)
    AS i(n int, kind text, schema text, name text, args text, privilege text, label text)
  LEFT JOIN LATERAL (
    SELECT oid, 'pg_class'::regclass::oid::text AS "classId", c.oid::text AS "objectId", pg_get_userbyid(relowner)::text AS owner,
      format('%I.%I', i.schema, i.name) AS object
    FROM pg_class c WHERE i.kind IN ('table', 'sequence') AND c.relname = i.name
      AND c.relnamespace = (SELECT n.oid FROM pg_namespace n WHERE n.nspname = i.schema)
      AND (c.relkind = 'S') = (i.kind = 'sequence') AND c.relkind = ANY('{r,p,v,m,f,S}')
    UNION ALL
    SELECT oid, 'pg_namespace'::regclass::oid::text, oid::text, pg_get_userbyid(nspowner)::text, format('%I', i.name)
    FROM pg_namespace WHERE i.kind = 'schema' AND nspname = i.name
    UNION ALL
    SELECT oid, 'pg_database'::regclass::oid::text, oid::text, pg_get_userbyid(datdba)::text, format('%I', i.name)
    FROM pg_database WHERE i.kind = 'database' AND datname = i.name
    UNION ALL
    SELECT oid, 'pg_proc'::regclass::oid::text, oid::text, pg_get_userbyid(proowner)::text, oid::regprocedure::text
    FROM pg_proc WHERE i.kind = 'function'
      AND oid = CASE WHEN i.kind = 'function' THEN to_regprocedure(format('%I.%I(%s)', i.schema, i.name, i.args)) END
  ) o ON true
  ORDER BY i.n`;

/** Finds the objects of a scope. `group` has to exist. */
export async function findWanted({ client }: Session, rights: Rights, group: string): Promise<Wanted[]> {
  const items = rights.rights.map((right, n) => ({ ...right, n, label: labelOf(right) }));
  const { rows } = await client.query(wantedQuery, [JSON.stringify(items), group]);
  return rows.map(({ n, ...found }): Wanted => {
    const right = rights.rights[n]!;
    return { ...right, keyword: keywords[right.kind], ...found };
  });
}

/** How an object is called in sentences where the server does not know it. */
function labelOf({ schema, name, args }: Right): string {
  return `${schema === undefined ? '' : `${schema}.`}${name}${args === undefined ? '' : `(${args})`}`;
}

/** Only objects that name the roles in their access list are looked at, found by the index of shared dependencies. */
const grantedQuery = `
  WITH role AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY($1)),
  dep AS (
    SELECT DISTINCT classid, objid FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND refobjid IN (SELECT oid FROM role) AND deptype = 'a'
      AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))),
  acl AS (
    SELECT classid, objid, CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS keyword,
      format('%s.%I', relnamespace::regnamespace, relname) AS object, NULL::name AS col, relacl AS acl, relowner AS owner
      FROM pg_class JOIN dep ON classid = 'pg_class'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'TABLE', format('%s.%I', c.relnamespace::regnamespace, c.relname), a.attname,
      a.attacl, c.relowner
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN dep ON classid = 'pg_class'::regclass AND objid = c.oid
      WHERE a.attacl IS NOT NULL
    UNION ALL SELECT classid, objid, 'SCHEMA', format('%I', nspname), NULL, nspacl, nspowner
      FROM pg_namespace JOIN dep ON classid = 'pg_namespace'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'DATABASE', format('%I', datname), NULL, datacl, datdba
      FROM pg_database JOIN dep ON classid = 'pg_database'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'ROUTINE', oid::regprocedure::text, NULL, proacl, proowner
      FROM pg_proc JOIN dep ON classid = 'pg_proc'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'TYPE', oid::regtype::text, NULL, typacl, typowner
      FROM pg_type JOIN dep ON classid = 'pg_type'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'LANGUAGE', format('%I', lanname), NULL, lanacl, lanowner
      FROM pg_language JOIN dep ON classid = 'pg_language'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'FOREIGN DATA WRAPPER', format('%I', fdwname), NULL, fdwacl, fdwowner
      FROM pg_foreign_data_wrapper JOIN dep ON classid = 'pg_foreign_data_wrapper'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'FOREIGN SERVER', format('%I', srvname), NULL, srvacl, srvowner
      FROM pg_foreign_server JOIN dep ON classid = 'pg_foreign_server'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'LARGE OBJECT', oid::text, NULL, lomacl, lomowner
      FROM pg_largeobject_metadata JOIN dep ON classid IN ('pg_largeobject'::regclass, 'pg_largeobject_metadata'::regclass) AND objid = oid
    UNION ALL SELECT classid, objid, 'TABLESPACE', format('%I', spcname), NULL, spcacl, spcowner
      FROM pg_tablespace JOIN dep ON classid = 'pg_tablespace'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'PARAMETER', parname, NULL, paracl, 10
      FROM pg_parameter_acl JOIN dep ON classid = 'pg_parameter_acl'::regclass AND objid = oid
    UNION ALL SELECT classid, objid, 'DEFAULT', format('FOR ROLE %s%s', defaclrole::regrole,
        CASE WHEN defaclnamespace = 0 THEN '' ELSE format(' IN SCHEMA %s', defaclnamespace::regnamespace) END),
      CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES'
        WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END, defaclacl, defaclrole
      FROM pg_default_acl JOIN dep ON classid = 'pg_default_acl'::regclass AND objid = oid)
  SELECT keyword, object, col AS column, classid::text AS "classId", objid::text AS "objectId", role.rolname AS grantee,
    coalesce(grantor.rolname, '') AS grantor, privilege_type AS privilege, is_grantable AS grantable
  FROM acl CROSS JOIN aclexplode(acl) x JOIN role ON role.oid = x.grantee LEFT JOIN pg_roles grantor ON grantor.oid = x.grantor
  WHERE x.grantee <> acl.owner
  ORDER BY 1, 2, 3, 6, 8`;

const membershipQuery = `
  WITH RECURSIVE own AS (SELECT oid FROM pg_roles WHERE rolname = ANY($1)),
  edge AS (
    SELECT m.roleid, m.member, coalesce(g.rolname, '') AS grantor, m.admin_option AS admin,
      coalesce((to_jsonb(m) ->> 'inherit_option')::boolean, true) AS inherit
    FROM pg_auth_members m LEFT JOIN pg_roles g ON g.oid = m.grantor),
  above AS (SELECT oid FROM own UNION SELECT edge.roleid FROM above JOIN edge ON edge.member = above.oid)
  SELECT r.rolname AS role, m.rolname AS member, grantor, admin, inherit
  FROM edge JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member
  WHERE member IN (SELECT oid FROM above) OR roleid IN (SELECT oid FROM own)
  ORDER BY 1, 2, 3`;

const ownedQuery = `
  SELECT r.rolname AS role,
    CASE WHEN d.dbid IN (0, here.oid) THEN pg_describe_object(d.classid, d.objid, d.objsubid) END AS what,
    (SELECT datname FROM pg_database WHERE oid = d.dbid AND d.dbid <> here.oid) AS elsewhere
  FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid,
    (SELECT oid FROM pg_database WHERE datname = current_database()) here
  WHERE d.refclassid = 'pg_authid'::regclass AND r.rolname = ANY($1) AND (d.deptype = 'o' OR d.dbid NOT IN (0, here.oid))
  ORDER BY 1, 2, 3`;

/** Reads the memberships around `roles`, the rights of `roles` and of all above them, and what `roles` own. */
export async function readHoldings({ client }: Session, roles: readonly string[]): Promise<Holdings> {
  const { rows: memberships } = await client.query<Membership>(membershipQuery, [roles]);
  const { rows: granted } = await client.query<Granted>(grantedQuery, [[...reachOf(memberships, roles)]]);
  const { rows } = await client.query<{ role: string; what: string | null; elsewhere: string | null }>(ownedQuery, [
    roles,
  ]);
  return {
    granted,
    memberships,
    owned: rows.flatMap(({ role, what }) => (what && !/ pg_(toast_)?temp_\d/.test(what) ? [{ role, what }] : [])),
    elsewhere: [...new Set(rows.flatMap((row) => row.elsewhere ?? []))],
  };
}

/** `roles` and every role whose rights they have. */
export function reachOf(memberships: readonly Membership[], roles: readonly string[]): Set<string> {
  const reached = new Set(roles);
  // A set may grow while it is walked; what is added is walked too.
  for (const member of reached) {
    for (const edge of memberships) if (edge.member === member) reached.add(edge.role);
  }
  return reached;
}
