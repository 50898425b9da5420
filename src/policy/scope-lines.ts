/**
 * A scope as sorted lines, one for each right, so that two can be compared and people can read them: `select on table ledger`. It knows
 * no target: a list of mappings is a list of rights, a list of words is one right for each, anything else is a setting. Pure.
 */
import { canonicalJson } from '../canonical-json.js';

/** One right, or one setting. */
export interface ScopeLine {
  readonly line: string;
  /** What may be done, in lower case, e.g. `select`. */
  readonly verb?: string;
  /** On what, e.g. `table ledger`. */
  readonly object?: string;
  /** The role that it comes from, where it is a membership. */
  readonly role?: string;
  /** It is no right but a setting: to take it away may allow more. */
  readonly setting?: true;
}

/** What policy looks at. Every list is sorted and without repetition. */
export interface RightsSummary {
  readonly lines: readonly string[];
  readonly verbs: readonly string[];
  readonly objects: readonly string[];
  readonly roles: readonly string[];
  /** Some right reaches more than what it names: it holds a `*`, or its verb is `all`. */
  readonly wildcard: boolean;
}

/** The rights of a scope as sorted lines. */
export function scopeLines(scope: unknown): readonly string[] {
  return distinct(linesOf(scope).map(({ line }) => line));
}

/** What `after` allows that `before` did not. A setting that was changed or taken away counts: nobody knows what it kept out. */
export function growthOf(before: unknown, after: unknown): string[] {
  const had = linesOf(before);
  const has = new Set(linesOf(after).map(({ line }) => line));
  const known = new Set(had.map(({ line }) => line));
  const gone = had.filter(({ line, setting }) => setting && !has.has(line)).map(({ line }) => `no longer ${line}`);
  return distinct([...[...has].filter((line) => !known.has(line)), ...gone]);
}

/** The same scope in the words that policies use. */
export function rightsIn(...scopes: readonly unknown[]): RightsSummary {
  const lines = scopes.flatMap(linesOf);
  const all = (pick: (line: ScopeLine) => string | undefined) => distinct(lines.flatMap((line) => pick(line) ?? []));
  return {
    lines: all(({ line }) => line),
    verbs: all(({ verb }) => verb),
    objects: all(({ object }) => object),
    roles: all(({ role }) => role),
    wildcard: lines.some(({ line, verb }) => line.includes('*') || verb === 'all' || verb?.startsWith('all ')),
  };
}

function linesOf(scope: unknown): ScopeLine[] {
  return isMapping(scope) ? settings(scope, []) : scope === undefined ? [] : [{ line: text(scope), setting: true }];
}

function settings(scope: Record<string, unknown>, path: readonly string[]): ScopeLine[] {
  return Object.entries(scope).flatMap(([key, value]) => {
    const here = [...path, text(key)];
    if (isMapping(value)) return settings(value, here);
    if (!Array.isArray(value)) return [{ line: `${here.join('.')} ${text(value)}`, setting: true as const }];
    const isSetting = restricts.test(key);
    const lines = value.flatMap((item: unknown) => rights(item, key, here.join('.')));
    return isSetting ? lines.map(({ line }) => ({ line, setting: true as const })) : lines;
  });
}

function rights(item: unknown, key: string, path: string): ScopeLine[] {
  if (isMapping(item)) return grants(item, path);
  const word = text(item);
  return memberships.includes(key)
    ? [{ line: `member of ${word}`, role: String(item) }]
    : [{ line: `${path} ${word}` }];
}

/** One line for each verb on each object. */
function grants(grant: Record<string, unknown>, path: string): ScopeLine[] {
  const verbKey = verbKeys.find((key) => Object.hasOwn(grant, key));
  const verbs = verbKey === undefined ? [undefined] : listed(grant[verbKey]);
  const others = Object.entries(grant).filter(([key]) => key !== verbKey);
  const isTooMany = others.reduce((product, [, value]) => product * listed(value).length, verbs.length) > mostLines;
  // Nobody reads a thousand lines, and what is not read by line may be anything.
  if (isTooMany) return [{ line: `${path} ${canonicalJson(grant)}`, verb: 'all' }];
  const objects = combinations(others).map(phrase);
  return verbs.flatMap((verb) => objects.map((object) => lineFor(path, verb, object)));
}

function lineFor(path: string, verb: unknown, object: string): ScopeLine {
  if (verb === undefined) return { line: `${path} ${object}`, object };
  return { line: `${text(verb)} on ${object}`, verb: String(verb).toLowerCase(), object };
}

type Fields = readonly (readonly [key: string, value: unknown])[];

function combinations(fields: Fields): Fields[] {
  return fields.reduce<Fields[]>(
    (all, [key, value]) => all.flatMap((some) => listed(value).map((one) => [...some, [key, one] as const])),
    [[]],
  );
}

/** `on` names a table wherever rights on tables are written so. */
function phrase(fields: Fields): string {
  const words = fields.map(([key, value]) => `${key === 'on' ? 'table' : text(key)} ${text(value)}`);
  return words.length === 0 ? 'everything' : words.join(', ');
}

const verbKeys = ['may', 'verbs', 'actions', 'privileges', 'operations'];
const memberships = ['memberOf', 'roles'];
/** Lists of what is kept out: fewer of them is more. */
const restricts = /^(?:deny|denied|except|exclude|not|without)/i;
/** Of one entry of a list. Beyond it, the whole entry is one line. */
const mostLines = 1_000;

function listed(value: unknown): readonly unknown[] {
  return Array.isArray(value) && value.length > 0 ? value : [value];
}

/** Plain words stay as they are; what could be read as something else is quoted, so that two rights never share a line. */
function text(value: unknown): string {
  return typeof value === 'string' && plain.test(value) && !notText.test(value) ? value : canonicalJson(value);
}

const plain = /^[\p{L}_*/.][\p{L}\p{N}_*/.:@()+-]*$/u;
const notText = /^(?:true|false|null|everything)$/;

function distinct(lines: readonly string[]): string[] {
  return [...new Set(lines)].sort();
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
