/** PostgreSQL's own log, line by line, in each of its three forms: csvlog, jsonlog and stderr. Times have to be in UTC. */
import { csvRows } from './csv.js';
import { prefixReader, type Prefix } from './log-line-prefix.js';

/** One message of the server. What the form does not hold is absent. */
export interface LogLine {
  /** ISO 8601. */
  readonly at: string;
  readonly pid: string;
  readonly user?: string;
  readonly application?: string;
  readonly address?: string;
  readonly severity: string;
  readonly code?: string;
  readonly message: string;
  /** What a client had sent that failed. In a stderr log it is a message of its own. */
  readonly statement?: string;
  /** The line of the file that it begins on. */
  readonly line: number;
}

/** A line that could not be understood. */
export interface Unread {
  readonly unread: string;
  readonly line: number;
}

type Lines = AsyncIterable<string>;

/** Reads a log whose form its first line tells. `prefix` is the server's `log_line_prefix`, for a stderr log. */
export async function* logLines(lines: Lines, prefix: string): AsyncGenerator<LogLine | Unread> {
  const source = lines[Symbol.asyncIterator]();
  const first = await source.next();
  if (first.done) return;
  const all = rejoin(first.value, source);
  if (first.value.startsWith('{')) yield* jsonLines(all);
  else if (csvStart.test(first.value)) yield* csvLines(all);
  else yield* stderrLines(all, prefixReader(prefix));
}

/** A csvlog begins with a time and a comma. */
const csvStart = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [A-Z]+,/;

async function* rejoin(first: string, rest: AsyncIterator<string>): AsyncGenerator<string> {
  yield first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}

async function* jsonLines(lines: Lines): AsyncGenerator<LogLine | Unread> {
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text !== '') yield jsonLine(text, line);
  }
}

function jsonLine(text: string, line: number): LogLine | Unread {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const field = (name: string): string | undefined => (value[name] === undefined ? undefined : String(value[name]));
    const address = field('remote_host');
    return lineOf(line, {
      time: field('timestamp'),
      pid: field('pid'),
      user: field('user'),
      application: field('application_name'),
      address,
      severity: field('error_severity'),
      code: field('state_code'),
      message: field('message'),
      statement: field('statement'),
    });
  } catch {
    return { unread: 'it is no JSON', line };
  }
}

async function* csvLines(lines: Lines): AsyncGenerator<LogLine | Unread> {
  for await (const { fields, line } of csvRows(lines)) {
    const at = (index: number): string | undefined => fields[index];
    yield lineOf(line, {
      time: at(0),
      user: at(1),
      pid: at(3),
      address: at(4)?.replace(/:\d+$/, ''),
      severity: at(11),
      code: at(12),
      message: at(13),
      application: at(22),
      statement: at(19),
    });
  }
}

async function* stderrLines(
  lines: Lines,
  read: (text: string) => Prefix | undefined,
): AsyncGenerator<LogLine | Unread> {
  let number = 0;
  let open: { readonly line: number; readonly prefix: Prefix; readonly texts: string[] } | undefined;
  const close = (): LogLine | Unread =>
    lineOf(open!.line, { ...open!.prefix, message: [open!.prefix.message, ...open!.texts].join('\n') });
  for await (const text of lines) {
    number += 1;
    // The server begins each further line of a message with a tab, so that no message can pass for two.
    if (text.startsWith('\t') && open) {
      open.texts.push(text.slice(1));
      continue;
    }
    if (open) yield close();
    open = undefined;
    const prefix = read(text);
    if (prefix) open = { line: number, prefix, texts: [] };
    else if (text !== '') yield { unread: 'its beginning is not as log_line_prefix says', line: number };
  }
  if (open) yield close();
}

type Raw = Partial<
  Record<
    'time' | 'pid' | 'user' | 'application' | 'address' | 'severity' | 'code' | 'message' | 'statement',
    string | undefined
  >
>;

function lineOf(line: number, raw: Raw): LogLine | Unread {
  const at = timeOf(raw.time);
  if (at === undefined) return { unread: `its time ${JSON.stringify(raw.time ?? '')} is not in UTC`, line };
  if (!raw.pid || raw.severity === undefined || raw.message === undefined) return { unread: 'it is incomplete', line };
  return {
    at,
    pid: raw.pid,
    severity: raw.severity,
    message: raw.message,
    line,
    ...known('user', raw.user),
    ...known('application', raw.application),
    ...known('address', raw.address),
    ...known('code', raw.code),
    ...known('statement', raw.statement),
  };
}

function known<K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined || value === '' || value === '[unknown]' ? {} : ({ [name]: value } as Record<K, string>);
}

/** An abbreviation of a zone can mean several; only UTC is taken, so that nothing is an hour off. */
function timeOf(text: string | undefined): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) (?:UTC|GMT|Etc\/UTC)$/.exec(text ?? '');
  const ms = match ? Date.parse(`${match[1]}T${match[2]}Z`) : Number.NaN;
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}
