/** Samples of `pg_stat_activity`, one JSON object a line: less than a log, since what came and went between two of them is not there. */
import type { TargetEvent } from './events.js';
import type { Unread } from './postgresql-lines.js';

/** The sessions of these roles, each once, with when it was first and last seen. */
export async function sampledEvents(
  lines: AsyncIterable<string>,
  file: string,
  roles: ReadonlySet<string>,
): Promise<{
  readonly events: readonly TargetEvent[];
  readonly unread: readonly Unread[];
  readonly times: readonly string[];
}> {
  const sessions = new Map<string, TargetEvent & { what: 'session' }>();
  const [unread, times]: [Unread[], string[]] = [[], []];
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    const sample = sampleIn(text);
    if (!sample) {
      unread.push({ unread: 'it is no sample', line });
      continue;
    }
    times.push(sample.at);
    if (!roles.has(sample.user)) continue;
    const { pid, ...rest } = sample;
    sessions.set(`${pid} ${sample.since}`, { what: 'session', ...rest, source: `${file}:${line}` });
  }
  return { events: [...sessions.values()], unread, times };
}

function sampleIn(text: string) {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const { at, pid, usename, application_name: application, client_addr: address, backend_start: since } = value;
    if (typeof usename !== 'string' || typeof at !== 'string' || typeof since !== 'string') return undefined;
    return {
      at: new Date(at).toISOString(),
      since: new Date(since).toISOString(),
      pid: String(pid),
      user: usename,
      ...(typeof application === 'string' && application !== '' && { application }),
      ...(typeof address === 'string' && { address }),
    };
  } catch {
    return undefined;
  }
}
