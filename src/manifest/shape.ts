/** Checks plain values against zod schemas and says what is wrong in words that name the field, what was expected and what to do. */
import type { z } from 'zod';
import { formatPath, show, suggest } from './problem.js';
import type { Path, Problem } from './problem.js';
import type { YamlDocument } from './yaml.js';

type Issue = z.core.$ZodIssue;
type Shape = Readonly<Record<string, z.ZodType>>;

/** The fields of a mapping that hold what they should; those that do not are in the problems. */
export type Checked<S extends Shape> = { readonly [K in keyof S]?: z.output<S[K]> };

/** Checks each field for itself, so that one wrong field hides nothing about the others. */
export function checkFields<S extends Shape>(
  document: YamlDocument,
  at: Path,
  value: unknown,
  shape: S,
): { fields: Checked<S>; problems: Problem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const fix = `Write its fields below it: ${Object.keys(shape).slice(0, 6).join(', ')}.`;
    return { fields: {}, problems: [problemAt(document, at, `expected a mapping, found ${show(value)}`, fix)] };
  }
  const given = value as Record<string, unknown>;
  const known = Object.keys(shape);
  const problems = Object.keys(given)
    .filter((key) => !known.includes(key))
    .map((key) => unknownField(document, [...at, key], key, known));
  const fields: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(shape)) {
    const result = schema.safeParse(Object.hasOwn(given, key) ? given[key] : undefined);
    if (result.success) fields[key] = result.data;
    else
      problems.push(
        ...result.error.issues.flatMap((issue) => issueProblems(document, [...at, key], issue, given[key], schema)),
      );
  }
  return { fields: fields as Checked<S>, problems };
}

/** One problem at a path of a document. */
export function problemAt(
  document: YamlDocument,
  path: Path,
  problem: string,
  fix: string,
  part: 'key' | 'value' = 'value',
): Problem {
  return { ...document.placeOf(path, part), path: formatPath(path), problem, fix };
}

/** Turns a zod issue inside `value` (which stands at `at`) into problems. */
export function issueProblems(
  document: YamlDocument,
  at: Path,
  issue: Issue,
  value: unknown,
  schema?: z.ZodType,
): Problem[] {
  const path = [...at, ...(issue.path as (string | number)[])];
  const found = valueAt(value, issue.path as Path);
  const one = (problem: string, fix: string, part: 'key' | 'value' = 'value') => [
    problemAt(document, path, problem, fix, part),
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) =>
        unknownField(document, [...path, key], key, siblingsOf(schema, issue.path as Path)),
      );
    case 'invalid_type':
      if (found === undefined) return [missing(document, path, issue.expected)];
      return one(
        `expected ${typeWords[issue.expected] ?? issue.expected}, found ${describe(found)}`,
        typeFix(issue.expected, found),
      );
    case 'invalid_value':
      if (found === undefined) return [missing(document, path, `one of ${issue.values.join(', ')}`)];
      return one(
        `expected one of ${issue.values.join(', ')}, found ${show(found)}`,
        suggest(String(found), issue.values.map(String)),
      );
    case 'too_small':
    case 'too_big':
      return one(boundWords(issue), 'Change it to fit.');
    case 'invalid_union':
      return unionProblems(document, at, issue, value, path, found);
    case 'invalid_key':
      return one(
        `${issue.issues[0]?.message ?? 'expected a plain name'}, found ${show(path.at(-1))}`,
        'Rename it.',
        'key',
      );
    default: {
      const [problem, fix = 'Change it.'] = issue.message.split(' | ');
      return one(issue.code === 'custom' ? problem! : `${problem}, found ${show(found)}`, fix);
    }
  }
}

function unionProblems(
  document: YamlDocument,
  at: Path,
  issue: Issue & { code: 'invalid_union' },
  value: unknown,
  path: Path,
  found: unknown,
): Problem[] {
  if (found === undefined) return [missing(document, path, 'a value')];
  // The branch that was meant is the one that complains about the inside of the value, not about its kind or its fields.
  const weight = (branch: readonly Issue[]) =>
    branch.filter((inner) => isAboutWhole(inner, found)).length * 100 + branch.length;
  const [meant] = [...issue.errors].sort((a, b) => weight(a) - weight(b));
  if (!meant || meant.every((inner) => inner.code === 'invalid_type' && inner.path.length === 0)) {
    const fix = 'See docs/manifest.md and docs/configuration.md for the forms of this field.';
    return [problemAt(document, path, `found ${describe(found)}, which fits none of the forms`, fix)];
  }
  if (meant.some((inner) => isAboutWhole(inner, found)) && issue.errors.length > 1)
    return formProblems(document, path, issue.errors, found);
  return meant.flatMap((inner) =>
    issueProblems(document, at, { ...inner, path: [...issue.path, ...inner.path] } as Issue, value),
  );
}

/** For a mapping that is none of several forms, each known by its own field. */
function formProblems(
  document: YamlDocument,
  path: Path,
  branches: readonly (readonly Issue[])[],
  found: unknown,
): Problem[] {
  const given = Object.keys(found as object);
  const unknownTo = (branch: readonly Issue[]) =>
    branch.flatMap((inner) => (inner.code === 'unrecognized_keys' && inner.path.length === 0 ? inner.keys : []));
  const unknown = given.filter((key) =>
    branches.every(
      (branch) =>
        unknownTo(branch).includes(key) ||
        branch.some(({ code, path: at }) => code === 'invalid_type' && at.length === 0),
    ),
  );
  const absent = branches.flatMap((branch) =>
    branch
      .filter((inner) => inner.path.length === 1 && isAboutWhole(inner, found))
      .map((inner) => String(inner.path[0])),
  );
  const forms = [...new Set([...absent, ...given.filter((key) => !unknown.includes(key))])];
  if (unknown.length > 0) return unknown.map((key) => unknownField(document, [...path, key], key, forms));
  return [
    problemAt(document, path, `expected exactly one of ${forms.join(', ')}`, 'Keep one, with all that belongs to it.'),
  ];
}

function isAboutWhole(issue: Issue, found: unknown): boolean {
  if (issue.code === 'unrecognized_keys') return issue.path.length === 0;
  return issue.path.length === 0 ? issue.code === 'invalid_type' : valueAt(found, issue.path as Path) === undefined;
}

function unknownField(document: YamlDocument, path: Path, key: string, known: readonly string[]): Problem {
  const name = /^[\w-]{1,40}$/.test(key) ? `'${key}'` : show(key);
  return problemAt(
    document,
    path,
    `${name} is not a field here`,
    known.length === 0 ? 'Remove it.' : suggest(key, known),
    'key',
  );
}

function missing(document: YamlDocument, path: Path, expected: string): Problem {
  const name = path.at(-1);
  return problemAt(document, path, `${show(name)} is missing`, `Add it: ${typeWords[expected] ?? expected}.`);
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

function describe(found: unknown): string {
  return typeof found === 'number' || typeof found === 'boolean' ? `the ${typeof found} ${String(found)}` : show(found);
}

function typeFix(expected: string, found: unknown): string {
  if (expected === 'string' && (typeof found === 'number' || typeof found === 'boolean')) return 'Put it in quotes.';
  if (expected === 'array') return 'Write one entry for each line, each with a dash.';
  return `Write ${typeWords[expected] ?? expected}.`;
}

function boundWords(issue: Issue & { code: 'too_small' | 'too_big' }): string {
  const few = issue.code === 'too_small';
  const bound = Number(few ? issue.minimum : issue.maximum);
  const side = few ? 'at least' : 'at most';
  const unit = { string: ' characters', array: ' entries' }[issue.origin as string] ?? '';
  return `expected ${side} ${bound}${unit}`;
}

/** The value at a path, or undefined. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, step) => {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, step)) return undefined;
    return (inner as Record<string | number, unknown>)[step];
  }, value);
}

/** The fields that a schema knows at a path, for "did you mean". */
function siblingsOf(schema: z.ZodType | undefined, path: Path): readonly string[] {
  let inner: unknown = schema;
  for (const step of [...path, undefined]) {
    inner = unwrap(inner);
    const shape = (inner as { shape?: Record<string, unknown> } | undefined)?.shape;
    if (step === undefined) return shape ? Object.keys(shape) : [];
    inner = shape && typeof step === 'string' ? shape[step] : (inner as { element?: unknown } | undefined)?.element;
  }
  return [];
}

function unwrap(schema: unknown): unknown {
  const definition = (schema as { def?: { innerType?: unknown; in?: unknown } } | undefined)?.def;
  const inner = definition?.innerType ?? definition?.in;
  return inner === undefined ? schema : unwrap(inner);
}
