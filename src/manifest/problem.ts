/** Where something stands in a file; lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A path inside a document. */
export type Path = readonly (string | number)[];

/** Something in a manifest or in the operator's file that has to change before anything is done. */
export interface Problem extends Place {
  /** Field path, e.g. `identities[0].rotation.every`; empty for the document itself. */
  readonly path: string;
  /** What is wrong: what was expected, and what was found. */
  readonly problem: string;
  /** What to do about it. */
  readonly fix: string;
}

/** One line for people: `payments.yaml:12:7 identities[0].kind: expected …. Write …`. */
export function formatProblem(problem: Problem): string {
  const field = problem.path === '' ? '' : ` ${problem.path}`;
  return `${problem.file}:${problem.line}:${problem.column}${field}: ${problem.problem}. ${problem.fix}`;
}

/** Writes a path as people read it. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    const name = /^[\w-]{1,60}$/.test(step) ? step : show(step);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** Reads a path such as `grants[0].may[1]`. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[(\d+)\]|([^.[\]]+)/g)].map((match) =>
    match[1] === undefined ? match[2]! : Number(match[1]),
  );
}

/**
 * Names a value in a message. Long text is not repeated: a value that stands in the wrong field may be a secret, and
 * control characters could rewrite a terminal.
 */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'an empty value';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value !== 'string') return String(value);
  if (value === '') return 'an empty text';
  return /^[ -~]{1,40}$/.test(value) && !looksSecret(value) ? `'${value}'` : `a text of ${value.length} characters`;
}

const secretValues: readonly RegExp[] = [
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  /\bAGE-SECRET-KEY-1/i,
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/,
  /\bgithub_pat_[A-Za-z0-9_]{20,}/,
  /\bglpat-[A-Za-z0-9_-]{16,}/,
  /\bxox[abprs]-[A-Za-z0-9-]{10,}/,
  /\bsk-[A-Za-z0-9_-]{20,}/,
  /\bwhsec_[A-Za-z0-9+/=]{8,}/,
  /\bhv[sb]\.[A-Za-z0-9_-]{20,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\./,
  /\bSCRAM-SHA-256\$/,
  /\b[a-z][a-z0-9+.-]*:\/\/[^\s/@:]*:(?!\{\{|\$\{)[^\s/@]+@/i,
];

/** Says whether a text has the shape of secret material: a private key, a token of a known vendor, an address with a password. */
export function looksSecret(text: string): boolean {
  return secretValues.some((shape) => shape.test(text));
}

/** `Did you mean 'x'?`, or the list of what is known. */
export function suggest(written: string, known: readonly string[]): string {
  const near = nearest(written, known);
  if (near !== undefined) return `Did you mean '${near}'?`;
  if (known.length === 0) return 'There is none yet.';
  const listed = known.slice(0, 12).join(', ');
  return `Known: ${listed}${known.length > 12 ? ` and ${known.length - 12} more` : ''}.`;
}

function nearest(written: string, known: readonly string[]): string | undefined {
  if (written.length > 60) return undefined;
  const plain = (text: string) => text.toLowerCase().replaceAll(/[-_ ]/g, '');
  const ranked = known
    .map((name) => ({ name, distance: editDistance(plain(written), plain(name)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
