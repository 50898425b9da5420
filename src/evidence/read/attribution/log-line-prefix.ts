/** What stands before each message of a stderr log, as the server's `log_line_prefix` says. */
import { TenureError } from '../../../domain/errors.js';

export interface Prefix {
  readonly time: string | undefined;
  readonly pid: string | undefined;
  readonly user: string | undefined;
  readonly application: string | undefined;
  readonly address: string | undefined;
  readonly code: string | undefined;
  readonly severity: string;
  readonly message: string;
}

const time = String.raw`(?<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \S+)`;

/** What each escape can stand for; any other is left out of the reading. */
const escapes: Readonly<Record<string, string>> = {
  m: time,
  t: time,
  p: String.raw`(?<pid>\d+)`,
  u: '(?<user>.*?)',
  a: '(?<application>.*?)',
  h: '(?<address>.*?)',
  r: String.raw`(?<address>.*?)(?:\(\d+\))?`,
  e: '(?<code>[0-9A-Z]{5})',
  '%': '%',
};

/** Reads the beginning of a line; undefined where it is not as `prefix` says. */
export function prefixReader(prefix: string): (text: string) => Prefix | undefined {
  const pattern = patternOf(prefix);
  return (text) => {
    const groups = pattern.exec(text)?.groups;
    if (!groups) return undefined;
    const { severity, message } = groups as { severity: string; message: string };
    const of = (name: string): string | undefined => groups[name]?.trim();
    return {
      time: of('time'),
      pid: of('pid'),
      user: of('user'),
      application: of('application'),
      address: of('address'),
      code: of('code'),
      severity,
      message,
    };
  };
}

function patternOf(prefix: string): RegExp {
  if (!/%[mt]/.test(prefix) || !prefix.includes('%p')) {
    throw new TenureError(
      'InvalidRequest',
      `log_line_prefix ${JSON.stringify(prefix)} has no time (%m) or no process (%p), so nothing in the log can be told apart; write csvlog or jsonlog, or a prefix with both`,
      { next: ['tenure attribute --help'] },
    );
  }
  const [always = '', sessionsOnly] = prefix.split('%q');
  const optional = sessionsOnly === undefined ? '' : `(?:${readable(sessionsOnly)})?`;
  return new RegExp(`^${readable(always)}${optional}(?<severity>[A-Z]+\\d?):  (?<message>.*)$`, 's');
}

function readable(part: string): string {
  return part.replaceAll(/%-?\d*(.)|([^%]+)/g, (_whole, escape: string | undefined, text: string | undefined) =>
    text === undefined ? (escapes[escape!] ?? '.*?') : text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`),
  );
}
