/** What names mean on this server, and what they lead to: a view to its functions, a table to its triggers, defaults and policies. */
import type { Session } from '../connection.js';
import type { Name } from './mentions.js';

/** A name to look up. `writes`: what happens on a change counts too. `implied`: what no statement has to name. */
export interface Question extends Partial<Name> {
  readonly kind: 'relation' | 'function' | 'column' | 'type' | 'implied';
  readonly writes?: boolean;
}

/** An object that a name means or leads to. */
export interface Found {
  /** Of the question. */
  readonly n: number;
  readonly classId: string;
  readonly objectId: string;
  readonly schema: string;
  readonly kind: 'relation' | 'sequence' | 'function' | 'other';
  /** It was named. What is only led to needs rights of the identity where `counts`. */
  readonly direct: boolean;
  readonly counts: boolean;
  readonly writes: boolean;
  /** It comes with the server. */
  readonly isSystem: boolean;
  /** It runs in the name of the caller, and may do anything. */
  readonly isOpaque: boolean;
}

/** Extensions whose functions look at no table. Those of others may. */
const inert =
  'bloom btree_gin btree_gist citext cube dict_int dict_xsyn earthdistance fuzzystrmatch hstore intarray isn ltree pg_stat_statements ' +
  'pg_trgm pgcrypto seg tcn unaccent uuid-ossp';

/** Functions of the server that run what is in a text, or look at a table that is named in one. */
const runners =
  'query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml table_to_xmlschema ' +
  'table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema ' +
  'database_to_xml_and_xmlschema ts_stat ts_rewrite';

const foundQuery = `
  WITH RECURSIVE question AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS q(n int, kind text, schema text, name text, writes boolean)),
  reached(n, writes, classid, objid, counts, direct) AS (
    SELECT q.n, q.writes, s.classid, s.objid, true, q.kind <> 'implied'
    FROM question q LEFT JOIN pg_namespace ns ON ns.nspname = q.schema::name CROSS JOIN LATERAL (
      SELECT 'pg_class'::regclass::oid AS classid, oid AS objid FROM pg_class
        WHERE q.kind = 'relation' AND relname = q.name::name AND (q.schema IS NULL OR relnamespace = ns.oid)
      UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p
        WHERE q.kind IN ('function', 'column') AND proname = q.name::name AND (q.schema IS NULL OR pronamespace = ns.oid)
          AND (q.kind = 'function' OR (pronargs > 0 AND pronargs - pronargdefaults <= 1
            AND (SELECT typtype FROM pg_type WHERE oid = proargtypes[0]) IN ('c', 'p')))
      UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type
        WHERE q.kind = 'type' AND typname = q.name::name AND (q.schema IS NULL OR typnamespace = ns.oid)
      UNION ALL SELECT 'pg_proc'::regclass, f FROM (
          SELECT oprcode::oid AS f FROM pg_operator UNION SELECT castfunc FROM pg_cast UNION SELECT amproc::oid FROM pg_amproc
          UNION SELECT evtfoid FROM pg_event_trigger WHERE evtevent = 'login') implied
        WHERE q.kind = 'implied' AND f >= 16384 AND NOT EXISTS (
          SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
          WHERE d.classid = 'pg_proc'::regclass AND d.objid = f AND d.deptype = 'e'
            AND d.refclassid = 'pg_extension'::regclass AND x.extname = ANY($3))) s
    UNION
    SELECT r.n, r.writes, e.classid, e.objid, r.counts AND e.counts, false FROM reached r CROSS JOIN LATERAL (
      -- What belongs to a table, a view or a type.
      SELECT d.classid, d.objid, true AS counts FROM pg_depend d
        WHERE r.classid IN ('pg_class'::regclass, 'pg_type'::regclass) AND d.refclassid = r.classid AND d.refobjid = r.objid
          AND d.deptype IN ('a', 'i') AND (d.classid IN ('pg_policy'::regclass, 'pg_rewrite'::regclass)
            OR (d.classid = 'pg_constraint'::regclass AND r.classid = 'pg_type'::regclass)
            OR (r.writes AND d.classid IN ('pg_trigger'::regclass, 'pg_attrdef'::regclass, 'pg_constraint'::regclass))
            OR (r.writes AND d.classid = 'pg_class'::regclass
              AND (SELECT relkind FROM pg_class WHERE oid = d.objid) IN ('i', 'I')))
      -- Where a change goes on, in the name of the owner; triggers there run in that of the caller.
      UNION ALL SELECT r.classid, inhrelid, false FROM pg_inherits
        WHERE r.writes AND r.classid = 'pg_class'::regclass AND inhparent = r.objid
      UNION ALL SELECT r.classid, conrelid, false FROM pg_constraint
        WHERE r.writes AND r.classid = 'pg_class'::regclass AND confrelid = r.objid AND contype = 'f'
          AND (confdeltype IN ('c', 'n', 'd') OR confupdtype IN ('c', 'n', 'd'))
      -- What these use.
      UNION ALL SELECT d.refclassid, d.refobjid, d.refclassid <> 'pg_class'::regclass OR r.classid <> 'pg_rewrite'::regclass
          OR coalesce((SELECT o.option_value::boolean FROM pg_rewrite w JOIN pg_class v ON v.oid = w.ev_class,
              pg_options_to_table(v.reloptions) o WHERE w.oid = r.objid AND o.option_name = 'security_invoker'), false)
        FROM pg_depend d
        WHERE d.classid = r.classid AND d.objid = r.objid AND d.deptype = 'n'
          AND (d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
            OR (d.refclassid = 'pg_type'::regclass AND (r.writes OR r.classid <> 'pg_class'::regclass))
            OR (d.refclassid = 'pg_class'::regclass
              AND r.classid IN ('pg_policy'::regclass, 'pg_attrdef'::regclass, 'pg_proc'::regclass, 'pg_rewrite'::regclass)
              AND d.refobjid IS DISTINCT FROM CASE r.classid
                WHEN 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy WHERE oid = r.objid)
                WHEN 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite WHERE oid = r.objid) END))) e)
  SELECT r.n, r.classid::text AS "classId", r.objid::text AS "objectId", r.direct, r.counts, r.writes,
    coalesce(cn.nspname, pn.nspname, tn.nspname, '') AS schema,
    CASE WHEN c.relkind = 'S' THEN 'sequence' WHEN c.oid IS NOT NULL THEN 'relation' WHEN p.oid IS NOT NULL THEN 'function'
      ELSE 'other' END AS kind,
    coalesce(cn.nspname, pn.nspname, tn.nspname, '') IN ('pg_catalog', 'information_schema', 'pg_toast', '') AS "isSystem",
    coalesce(CASE
      WHEN pn.nspname IN ('pg_catalog', 'information_schema') THEN p.proname = ANY($2)
      ELSE NOT p.prosecdef AND NOT (l.lanname IN ('c', 'internal') AND p.provolatile = 'i') AND NOT EXISTS (
        SELECT FROM pg_depend d JOIN pg_extension x ON x.oid = d.refobjid
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
          AND d.refclassid = 'pg_extension'::regclass AND x.extname = ANY($3)) END, false) AS "isOpaque"
  FROM reached r
    LEFT JOIN pg_class c ON r.classid = 'pg_class'::regclass AND c.oid = r.objid LEFT JOIN pg_namespace cn ON cn.oid = c.relnamespace
    LEFT JOIN pg_proc p ON r.classid = 'pg_proc'::regclass AND p.oid = r.objid LEFT JOIN pg_namespace pn ON pn.oid = p.pronamespace
    LEFT JOIN pg_language l ON l.oid = p.prolang
    LEFT JOIN pg_type t ON r.classid = 'pg_type'::regclass AND t.oid = r.objid LEFT JOIN pg_namespace tn ON tn.oid = t.typnamespace
  WHERE r.direct OR c.oid IS NOT NULL OR p.oid IS NOT NULL`;

/** Looks all of them up at once; `n` in an answer is the place of its question. */
export async function findObjects({ client }: Session, questions: readonly Question[]): Promise<Found[]> {
  const numbered = questions.map((question, n) => ({ writes: false, ...question, n }));
  const { rows } = await client.query<Found>(foundQuery, [
    JSON.stringify(numbered),
    runners.split(' '),
    inert.split(' '),
  ]);
  return rows;
}
