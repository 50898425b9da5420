/** A folder of policies: read, taken apart into single policies, checked against the schema. */
import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import cedar from '@cedar-policy/cedar-wasm/nodejs';
import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs';
import { TenureError } from '../domain/errors.js';
import { formatProblem, type Place, type Problem } from '../manifest/problem.js';
import { readYamlText } from '../manifest/read.js';
import { packageRoot } from '../package-root.js';
import { demand } from './cedar.js';
import { readNotes, type Notes } from './annotations.js';

/** The policies that come with Tenure. */
export const shippedPolicies = join(packageRoot, 'policies');
const schemaFile = join(shippedPolicies, 'tenure.cedarschema');

/** One policy, and where it was written. */
export interface Rule extends Notes {
  readonly id: string;
  readonly effect: 'permit' | 'forbid';
  readonly text: string;
  /** What follows `when` and `unless`, as Cedar writes it in JSON. */
  readonly conditions: unknown;
  readonly place: Place;
}

export interface Pack {
  readonly folder: string;
  /** Names of the files, sorted. */
  readonly files: readonly string[];
  readonly schema: string;
  /** `sha256:<hex>` of the texts. */
  readonly digest: string;
  /** Sorted by id. */
  readonly rules: readonly Rule[];
  readonly problems: readonly Problem[];
}

/** The texts of a folder: cheap to read, and all that a pack depends on. */
export interface PackTexts {
  readonly folder: string;
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly schema: string;
}

/** Reads every `.cedar` file of a folder. Throws a retryable `StoreUnavailable`: as long as nobody knows the rules, nothing is allowed. */
export async function readPackTexts(folder: string): Promise<PackTexts> {
  const names = await policyFiles(folder);
  if (names.length === 0) throw unreadable(folder, 'it holds no .cedar file');
  const files = await Promise.all(names.map(async (name) => ({ name, text: await textOf(join(folder, name)) })));
  return { folder, files, schema: await textOf(schemaFile) };
}

async function policyFiles(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.cedar')).sort();
  } catch (error) {
    throw unreadable(folder, `it cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

async function textOf(file: string): Promise<string> {
  const read = await readYamlText(file);
  if ('text' in read) return read.text;
  throw broken([read.problem]);
}

/** `sha256:<hex>` of the texts, with their names. */
export function digestOfTexts({ files, schema }: PackTexts): string {
  const hash = createHash('sha256');
  for (const part of [schema, ...files.flatMap(({ name, text }) => [name, text])])
    hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return `sha256:${hash.digest('hex')}`;
}

/** Takes the texts apart and checks every policy against the schema. What is wrong is in `problems`. */
export function parsePack(texts: PackTexts): Pack {
  const { folder, files, schema } = texts;
  const problems: Problem[] = [];
  const found = files.flatMap(({ name, text }) => rulesIn(join(folder, name), text, problems));
  const rules = found.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const [index, rule] of rules.entries())
    if (rules[index - 1]?.id === rule.id)
      problems.push(at(rule.place, `the @id ${rule.id} is given twice`, 'Give each policy its own.'));
  if (problems.length === 0) problems.push(...schemaProblems(rules, schema));
  return { folder, files: files.map(({ name }) => name), schema, digest: digestOfTexts(texts), rules, problems };
}

function rulesIn(file: string, text: string, problems: Problem[]): Rule[] {
  const parts = cedar.policySetTextToParts(text);
  if (parts.type === 'failure') {
    problems.push(...parts.errors.map((error) => cedarProblem(file, text, 0, error)));
    return [];
  }
  for (const template of parts.policy_templates)
    problems.push(at(placeIn(file, text, offsetOf(text, template)), 'it is a template', 'Write out each policy.'));
  return parts.policies.flatMap((part) => ruleIn(file, text, part, problems));
}

function ruleIn(file: string, text: string, part: string, problems: Problem[]): Rule[] {
  const place = placeIn(file, text, offsetOf(text, part));
  const read = cedar.policyToJson(part);
  demand(read);
  const { effect, annotations = {}, conditions } = read.json;
  const { notes, problems: found } = readNotes(annotations, effect);
  problems.push(...found.map(({ problem, fix }) => at(place, problem, fix)));
  return notes.id === undefined ? [] : [{ ...notes, id: notes.id, effect, text: part, conditions, place }];
}

/** All at once: the schema is read for each call. */
function schemaProblems(rules: readonly Rule[], schema: string): Problem[] {
  const answer = cedar.validate({
    validationSettings: { mode: 'strict' },
    schema,
    policies: { staticPolicies: Object.fromEntries(rules.map(({ id, text }) => [id, text])) },
  });
  if (answer.type === 'failure') return answer.errors.map((error) => cedarProblem(schemaFile, schema, 0, error));
  return [...answer.validationErrors, ...answer.validationWarnings].flatMap(({ policyId, error }) =>
    rules
      .filter(({ id }) => id === policyId)
      .map(({ text, place }) => cedarProblem(place.file, text, place.line - 1, error)),
  );
}

/** What Cedar complains about, at its place in a file. `linesBefore`: where `text` begins in it. */
export function cedarProblem(file: string, text: string, linesBefore: number, error: DetailedError): Problem {
  const [where] = error.sourceLocations ?? [];
  // Cedar counts bytes.
  const offset = where ? Buffer.from(text).subarray(0, where.start).toString().length : 0;
  const place = placeIn(file, text, offset);
  const label = where?.label ? `: ${where.label}` : '';
  return at(
    { ...place, line: place.line + linesBefore },
    `${error.message}${label}`,
    error.help === null ? 'Change it to fit the schema.' : `${capital(error.help)}.`,
  );
}

function offsetOf(text: string, part: string): number {
  return Math.max(0, text.indexOf(part));
}

function placeIn(file: string, text: string, offset: number): Place {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: before.at(-1)!.length + 1 };
}

function at(place: Place, problem: string, fix: string): Problem {
  return { ...place, path: '', problem, fix };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Why nothing is allowed now. */
export function broken(problems: readonly Problem[]): TenureError {
  return new TenureError(
    'StoreUnavailable',
    `The policies are broken, so nothing is allowed.\n${problems.map((problem) => `  ${formatProblem(problem)}`).join('\n')}`,
    { problems, next: ['tenure policy check'] },
  );
}

function unreadable(folder: string, why: string): TenureError {
  return new TenureError(
    'StoreUnavailable',
    `The policies in ${folder} are not known, so nothing is allowed: ${why}. Name the folder as policy.path in tenure.yaml, or leave that out for those that come with Tenure.`,
    { folder },
  );
}
