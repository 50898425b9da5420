/** Table tests of policies: each row is a question and what is to be decided. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Decision } from '../domain/decision.js';
import type { Problem } from '../manifest/problem.js';
import { readYamlFile } from '../manifest/read.js';
import { checkFields, problemAt } from '../manifest/shape.js';
import type { YamlDocument } from '../manifest/yaml.js';
import type { Pack } from './pack.js';
import { policyOf, type Policy } from './policy.js';
import type { PolicyQuestion } from './question.js';
import { questionFrom } from './table-question.js';
import { tableFields, type Expected, type TableRow } from './table-schema.js';

/** One row, ready to be asked. */
export interface TableCase {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly question: PolicyQuestion;
  readonly expected: Expected;
  readonly productionEnvironments: readonly string[];
}

/** What became of a row. */
export interface TableResult {
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly passed: boolean;
  /** In words, also where both are the same. */
  readonly expected: string;
  readonly found: string;
}

/** Reads every table in `tests/` of a folder of policies. None is no problem. */
export async function readTables(
  folder: string,
): Promise<{ readonly cases: readonly TableCase[]; readonly problems: readonly Problem[] }> {
  const files = (await filesIn(join(folder, 'tests'))).map((name) => join(folder, 'tests', name));
  const read = await Promise.all(files.map(readTable));
  return { cases: read.flatMap(({ cases }) => cases), problems: read.flatMap(({ problems }) => problems) };
}

async function filesIn(folder: string): Promise<string[]> {
  const all = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return all.filter((name) => /\.ya?ml$/.test(name)).sort();
}

async function readTable(file: string): Promise<{ cases: TableCase[]; problems: Problem[] }> {
  const { documents, problems } = await readYamlFile(file);
  const read = documents.map(casesIn);
  return {
    cases: read.flatMap(({ cases }) => cases),
    problems: [...problems, ...read.flatMap((one) => one.problems)],
  };
}

function casesIn(document: YamlDocument): { cases: TableCase[]; problems: Problem[] } {
  const { fields, problems } = checkFields(document, [], document.value, tableFields);
  const { people, machines, productionEnvironments, tests } = fields;
  if (!people || !machines || !productionEnvironments || !tests || problems.length > 0) return { cases: [], problems };
  const cast = { people, machines };
  const caseOf = (row: TableRow, index: number): TableCase => ({
    file: document.file,
    line: document.placeOf(['tests', index]).line,
    name: row.name,
    question: questionFrom(row.given, cast),
    expected: row.expect,
    productionEnvironments,
  });
  return { cases: tests.map(caseOf), problems: tests.flatMap((row, index) => strangers(document, row, index, cast)) };
}

/** A name that nobody has would make a test pass for the wrong reason. */
function strangers(
  document: YamlDocument,
  { given }: TableRow,
  index: number,
  { people, machines }: { readonly people: object; readonly machines: object },
): Problem[] {
  const isKnown = (name: string) => Object.hasOwn(people, name) || Object.hasOwn(machines, name);
  const named = [
    [given.by, ['by']],
    ...given.approvals.map((one, at) => [typeof one === 'string' ? one : one.by, ['approvals', at]] as const),
    ...given.advance.map((one, at) => [one, ['advance', at]] as const),
  ] as const;
  return named
    .filter(([name]) => !isKnown(name))
    .map(([name, path]) =>
      problemAt(
        document,
        ['tests', index, 'given', ...path],
        `nobody here is called ${name}`,
        'Add them to `people` or `machines`.',
      ),
    );
}

/** Asks every row. */
export function runTables(pack: Pack, cases: readonly TableCase[]): TableResult[] {
  const policies = new Map<string, Policy>();
  const policyFor = (productionEnvironments: readonly string[]): Policy => {
    const key = JSON.stringify(productionEnvironments);
    const policy = policies.get(key) ?? policyOf(pack, { productionEnvironments });
    policies.set(key, policy);
    return policy;
  };
  return cases.map(({ file, line, name, question, expected, productionEnvironments }) => {
    const decision = policyFor(productionEnvironments).decide(question);
    const wanted = expectedInWords(expected);
    const found = foundInWords(decision, expected);
    return { file, line, name, passed: wanted === found, expected: wanted, found };
  });
}

function expectedInWords(expected: Expected): string {
  if (expected === 'allow') return 'allow';
  if ('deny' in expected) return `deny by ${listed(expected.deny)}`;
  const { review } = expected;
  if ('allow' in expected) return `allow by ${listed(expected.allow)}${optional('review', review)}`;
  const { needs, approvals, groups, stepUp } = expected;
  const parts = [optional('approvals', approvals), optional('groups', groups && listed(groups))];
  return `needs ${listed(needs)}${parts.join('')}${optional('step-up', stepUp)}${optional('review', review)}`;
}

/** Only of what the row speaks of, so that the two texts are the same where the row is right. */
function foundInWords({ effect, reasons, message, obligations }: Decision, expected: Expected): string {
  if (effect === 'deny') {
    const isError = reasons.includes('policy-error');
    return `deny by ${listed(reasons)}${isError ? `: ${message}` : ''}`;
  }
  const says = (name: string) => typeof expected === 'object' && Object.hasOwn(expected, name);
  const { approvals, groups = [], stepUp = false, gates = [], review } = obligations;
  const looked = says('review') ? optional('review', review?.people ?? 0) : '';
  if (approvals === 0) return expected === 'allow' ? 'allow' : `allow by ${listed(reasons)}${looked}`;
  const parts = [
    says('approvals') ? optional('approvals', approvals) : '',
    says('groups') ? optional('groups', listed(groups)) : '',
    says('stepUp') ? optional('step-up', stepUp) : '',
  ];
  return `needs ${listed(gates.map(({ id }) => id))}${parts.join('')}${looked}`;
}

function listed(all: readonly string[]): string {
  return all.toSorted().join(', ');
}

function optional(name: string, value: string | number | boolean | undefined): string {
  return value === undefined ? '' : `; ${name} ${value}`;
}
