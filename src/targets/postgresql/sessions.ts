/** Who is connected, and the end of it. */
import type { Usage } from '../../domain/credential.js';
import { TenureError } from '../../domain/errors.js';
import type { Connections, Session } from './connection.js';
import { joinRoles } from './roles.js';

const pollMs = 50;
/** A login that was let in just before it was disabled shows up late: none has to be left twice, this far apart. */
const settleMs = 75;

/** Sessions of a login; with `before`, only those older than that moment by the server's clock. */
export async function usageOf({ client, now }: Session, principal: string, before?: string): Promise<Usage> {
  const { rows } = await client.query<{ who: string }>(
    `SELECT format('%s, %s, since %s', coalesce(client_addr::text, 'local'), coalesce(nullif(application_name, ''), 'no name'),
       to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS who
     FROM pg_stat_activity WHERE usename = $1 AND ($2::timestamptz IS NULL OR backend_start < $2) ORDER BY backend_start`,
    [principal, before ?? null],
  );
  return { principal, sessions: rows.length, at: now, who: rows.slice(0, 20).map((row) => row.who) };
}

/**
 * Ends all sessions of these logins and waits until none is left. With `reach: 'begun before'` those that begin from now on stay: the
 * logins are still accepted. Gives how many were ended.
 */
export async function endSessions(
  connections: Connections,
  doing: string,
  principals: readonly string[],
  timeoutMs: number,
  { urgent = false, reach = 'all' }: { readonly urgent?: boolean; readonly reach?: 'all' | 'begun before' } = {},
): Promise<number> {
  if (principals.length === 0) return 0;
  const ended = new Set<number>();
  const deadline = Date.now() + timeoutMs;
  const work = async (session: Session) => {
    await joinRoles(session, principals);
    for (let calm = false; ;) {
      const { rows } = await session.client.query<{ pid: number }>(
        `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE usename = ANY($1) AND ($2::timestamptz IS NULL OR backend_start < $2)`,
        [principals, reach === 'all' ? null : session.now],
      );
      for (const { pid } of rows) ended.add(pid);
      if (rows.length === 0 && calm) return ended.size;
      calm = rows.length === 0;
      if (!calm && Date.now() > deadline) throw stillConnected(doing, rows.length, timeoutMs);
      await new Promise((done) => setTimeout(done, calm ? settleMs : pollMs));
    }
  };
  return connections.read(doing, work, urgent);
}

function stillConnected(doing: string, left: number, timeoutMs: number): TenureError {
  const message = `${doing}: ${left} sessions did not end within ${timeoutMs} ms; it is tried again`;
  return new TenureError('StillInUse', message, { left });
}
