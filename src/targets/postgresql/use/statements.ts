/** What the extension pg_stat_statements recorded of an identity's roles, and whether that is all that they did. */
import type { Session } from '../connection.js';

/** A statement as the server keeps it, without its constants. */
export interface Statement {
  /** Null when the server lost it. */
  readonly text: string | null;
  readonly calls: number;
  /** As another role, that the identity is a member of. */
  readonly asOther: boolean;
  /** It runs now; the count does not have it. */
  readonly isLive: boolean;
}

export interface Recording {
  readonly history: string;
  readonly statements: readonly Statement[];
}

interface State {
  readonly schema: string | null;
  readonly database: string;
  readonly user: string;
  readonly track: string | null;
  readonly utility: string | null;
  readonly ids: string | null;
  readonly mayRead: boolean;
  readonly hasInfo: boolean;
  readonly standbys: number;
  readonly exempt: string | null;
}

const stateQuery = `
  SELECT n.nspname AS schema, current_database() AS database, current_user AS user,
    current_setting('pg_stat_statements.track', true) AS track,
    current_setting('pg_stat_statements.track_utility', true) AS utility, current_setting('compute_query_id', true) AS ids,
    pg_has_role('pg_read_all_stats', 'USAGE') AS "mayRead",
    to_regclass(quote_ident(n.nspname) || '.pg_stat_statements_info') IS NOT NULL AS "hasInfo",
    (SELECT count(*)::int FROM pg_stat_replication r WHERE NOT EXISTS (
      SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')) AS standbys,
    (SELECT coalesce(r.rolname, 'every role') FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) AS one
      WHERE (s.setrole = 0 OR s.setrole = ANY($1::oid[]))
        AND one ~* '^(pg_stat_statements\\.track=none|pg_stat_statements\\.track_utility=(off|false|no|0)|compute_query_id=off)$'
      LIMIT 1) AS exempt
  FROM (SELECT) one LEFT JOIN pg_extension x ON x.extname = 'pg_stat_statements' LEFT JOIN pg_namespace n ON n.oid = x.extnamespace`;

/** Why use is not known here, and what to do about it; or the schema of the extension. */
export async function recordingState(
  { client }: Session,
  readsOnStandbys: boolean,
  roles: readonly string[] = [],
): Promise<{ readonly why: string } | { readonly schema: string }> {
  const state = (await client.query<State>(stateQuery, [roles])).rows[0]!;
  const { schema } = state;
  const why = obstacle(state, readsOnStandbys);
  return why === undefined && schema !== null ? { schema } : { why: why ?? 'pg_stat_statements is not there' };
}

function obstacle(state: State, readsOnStandbys: boolean): string | undefined {
  const { database, user, track, utility, ids, exempt } = state;
  if (state.schema === null)
    return `database ${database} has no pg_stat_statements; a superuser runs there: CREATE EXTENSION pg_stat_statements`;
  if (track === null)
    return 'pg_stat_statements is not loaded; put it into shared_preload_libraries and restart the server';
  if (!state.hasInfo)
    return 'pg_stat_statements is older than its server; its owner runs: ALTER EXTENSION pg_stat_statements UPDATE';
  if (!state.mayRead) return `${user} may not read statements; a superuser runs: GRANT pg_read_all_stats TO "${user}"`;
  if (track === 'none' || utility !== 'on' || ids === 'off')
    return 'not every statement is recorded; set pg_stat_statements.track = top, pg_stat_statements.track_utility = on and compute_query_id = auto';
  if (exempt !== null) return `recording is switched off for ${exempt}; take the setting back with: ALTER ROLE … RESET`;
  if (state.standbys > 0 && readsOnStandbys)
    return 'statements on its standbys are not seen here; where no identity reads there, set readsOnStandbys: false';
  return undefined;
}

/** Changes when something that was recorded may be gone: a reset, an eviction, a crash, a restart that keeps nothing, another server. */
const historyQuery = (schema: string) => `
  SELECT concat_ws(' ', extract(epoch FROM i.stats_reset), i.dealloc, extract(epoch FROM a.stats_reset),
    CASE WHEN current_setting('pg_stat_statements.save')::boolean THEN '' ELSE pg_postmaster_start_time()::text END) AS history
  FROM ${schema}.pg_stat_statements_info i, pg_stat_archiver a`;

/** Also those of the roles above: a session may take them on. */
const statementsQuery = (schema: string) => `
  WITH own AS (SELECT oid FROM pg_roles WHERE oid = ANY($1::oid[])),
  above AS (SELECT r.oid FROM pg_roles r WHERE EXISTS (SELECT FROM own WHERE pg_has_role(own.oid, r.oid, 'MEMBER')))
  SELECT s.query AS text, s.calls::float8 AS calls, s.userid NOT IN (SELECT oid FROM own) AS "asOther", false AS "isLive"
    FROM ${schema}.pg_stat_statements s
    WHERE s.userid IN (SELECT oid FROM above) AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  UNION ALL
  SELECT a.query, 0, false, true FROM pg_stat_activity a
    WHERE a.usesysid IN (SELECT oid FROM own) AND a.datname = current_database() AND a.state IS DISTINCT FROM 'idle'`;

/** What these roles did in this database, as far back as the server remembers. */
export async function readRecording(
  { client, id }: Session,
  schema: string,
  roles: readonly string[],
): Promise<Recording> {
  // First, so that what is lost in between is seen at the next look.
  const { rows } = await client.query<{ history: string }>(historyQuery(id(schema)));
  const { rows: statements } = await client.query<Statement>(statementsQuery(id(schema)), [roles]);
  return { history: rows[0]!.history, statements };
}
