/** Sign-ins and changes in PostgreSQL's log. Sessions are followed by their process, since a stderr log may name nobody. */
import type { ChangeEvent, Coverage, LoginEvent, TargetEvent } from './events.js';
import type { LogLine, Unread } from './postgresql-lines.js';
import { roleStatements } from './sql-roles.js';

interface Seen {
  user?: string;
  application?: string;
  address?: string;
  /** The changes that its last statement asked for, until it is known whether that failed. */
  pending: { readonly index: number; readonly sql: string }[];
}

const unreadNamed = 5;

/** Reads the files of one server in the order of time, and keeps what names one of its roles. */
export class PostgresqlEvents {
  private readonly sessions = new Map<string, Seen>();
  private readonly found: TargetEvent[] = [];
  private readonly unread: string[] = [];
  private readonly tally = { lines: 0, unreadCount: 0, connections: false, statements: false, anonymous: 0 };
  private first: string | undefined;
  private last: string | undefined;

  /** `roles` grows by the names that a role is given. */
  constructor(private readonly roles: Set<string>) {}

  take(entry: LogLine | Unread, file: string): void {
    if ('unread' in entry) {
      this.tally.unreadCount += 1;
      if (this.unread.length < unreadNamed) this.unread.push(`${file}:${entry.line}: ${entry.unread}`);
      return;
    }
    this.tally.lines += 1;
    this.first ??= entry.at;
    this.last = entry.at;
    this.read(entry, `${file}:${entry.line}`);
  }

  get events(): readonly TargetEvent[] {
    return this.found;
  }

  get coverage(): Coverage {
    const { first, last, unread, tally } = this;
    return { ...(first !== undefined && { first }), ...(last !== undefined && { last }), unread, ...tally };
  }

  private read(line: LogLine, source: string): void {
    const { message, severity } = line;
    if (message.startsWith('connection received: ')) return this.received(line);
    if (message.startsWith('connection authorized: ')) return this.authorized(line, source);
    if (severity === 'FATAL') return this.refused(line, source);
    if (severity === 'ERROR') return this.failed(line.pid, line.statement);
    if (severity === 'STATEMENT') return this.failed(line.pid, message);
    const sql = statementIn(message);
    if (sql !== undefined) this.statement(line, sql, source);
  }

  private received({ pid, message }: LogLine): void {
    this.tally.connections = true;
    const address = /^connection received: host=(.+?)(?: port=\d+)?$/.exec(message)?.[1];
    this.sessions.set(pid, { ...(address !== undefined && { address }), pending: [] });
  }

  private authorized(line: LogLine, source: string): void {
    this.tally.connections = true;
    const match = authorizedPattern.exec(line.message);
    const user = line.user ?? match?.groups?.['user'];
    const application = match?.groups?.['application'] ?? line.application;
    const address = line.address ?? this.sessions.get(line.pid)?.address;
    const who = {
      ...(user !== undefined && { user }),
      ...(application && { application }),
      ...(address && { address }),
    };
    this.sessions.set(line.pid, { ...who, pending: [] });
    if (user === undefined || !this.roles.has(user)) return;
    this.found.push({ what: 'login', at: line.at, ...who, user, accepted: true, source });
  }

  /** Whoever is sent away before they are in. A session that is ended later says so in other words. */
  private refused(line: LogLine, source: string): void {
    const session = this.sessions.get(line.pid);
    const match = refusedPattern.exec(line.message);
    const user = line.user ?? match?.[1] ?? match?.[2];
    // A server that is starting or stopping sends everybody away.
    const isSentAway = session !== undefined && session.user === undefined && line.code?.startsWith('57') === false;
    const isLogin = match !== null || line.code?.startsWith('28') === true || isSentAway;
    if (!isLogin || user === undefined || !this.roles.has(user)) return;
    const address = line.address ?? session?.address;
    const event: LoginEvent = {
      what: 'login',
      at: line.at,
      user,
      accepted: false,
      answer: line.message.split('\n', 1)[0]!,
      ...(line.application !== undefined && { application: line.application }),
      ...(address !== undefined && { address }),
      source,
    };
    this.found.push(event);
  }

  /** An error may be of a later statement, which was not logged by itself. */
  private failed(pid: string, statement: string | undefined): void {
    for (const { index, sql } of this.sessions.get(pid)?.pending ?? []) {
      if (sql !== statement) continue;
      this.found[index] = { ...(this.found[index] as ChangeEvent), failed: true };
    }
  }

  private statement(line: LogLine, sql: string, source: string): void {
    this.tally.statements = true;
    const session = this.sessions.get(line.pid) ?? { pending: [] };
    this.sessions.set(line.pid, session);
    session.pending = [];
    const [user, application, address] = [
      line.user ?? session.user,
      line.application ?? session.application,
      line.address ?? session.address,
    ];
    for (const { text, roles, renamedTo } of roleStatements(sql, this.roles)) {
      if (renamedTo !== undefined) this.roles.add(renamedTo);
      if (user === undefined) this.tally.anonymous += 1;
      session.pending.push({ index: this.found.length, sql });
      this.found.push({
        what: 'change',
        at: line.at,
        ...(user !== undefined && { user }),
        ...(application !== undefined && { application }),
        ...(address !== undefined && { address }),
        statement: text,
        roles,
        failed: false,
        source,
      });
    }
  }
}

const authorizedPattern =
  /^connection authorized: user=(?<user>.*?)(?: database=.*?)?(?: application_name=(?<application>.*?))?(?: (?:SSL|GSS) .*)?$/s;

const refusedPattern =
  /^(?:\w+ authentication failed for user|role) "(.*)"(?: is not permitted to log in| does not exist)?$|^no pg_hba\.conf entry for .*user "(.*)", database/s;

const statementPattern = /^(?:duration: [\d.]+ ms {2})?(?:statement|execute [^:]*): (.*)$/s;

function statementIn(message: string): string | undefined {
  return statementPattern.exec(message)?.[1];
}
