/** Each rule is seen to fail on a planted violation, and to let the same file pass without it. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';

interface Planted {
  readonly what: string;
  /** Folder that the file is planted in. */
  readonly at: string;
  readonly source: string;
  /** Words of the complaint; undefined where there must be none. */
  readonly complaint?: string;
}

const useOf = (specifier: string) => `import { thing } from '${specifier}';\nexport const used = thing;\n`;
const typeOf = (specifier: string) => `import type { Thing } from '${specifier}';\nexport type Used = Thing;\n`;
const domain = 'src/domain imports only itself';
const library = 'a library costs memory in every cached workflow';
const onlyTypes = 'takes only types from activities/';
const pure = 'Of src/ a workflow imports only domain/ and temporal/search-attributes.ts';

const planted: readonly Planted[] = [
  { what: 'the domain imports itself', at: 'src/domain', source: useOf('./errors.js') },
  { what: 'the domain imports Node', at: 'src/domain', source: useOf('node:fs'), complaint: domain },
  { what: 'the domain imports a library', at: 'src/domain', source: useOf('zod'), complaint: domain },
  {
    what: 'the domain imports a type of a store',
    at: 'src/domain',
    source: typeOf('../stores/store.js'),
    complaint: domain,
  },
  {
    what: 'the domain reads the clock',
    at: 'src/domain',
    source: 'export const now = Date.now();',
    complaint: 'no clock',
  },
  {
    what: 'the domain reads the environment',
    at: 'src/domain',
    source: "export const home = process.env['HOME'];",
    complaint: 'no I/O',
  },
  {
    what: 'a workflow imports the SDK',
    at: 'workflows',
    source: useOf('@temporalio/workflow') + typeOf('@temporalio/common'),
  },
  { what: 'a workflow imports zod', at: 'workflows', source: useOf('zod'), complaint: library },
  { what: 'a workflow imports Node', at: 'workflows', source: useOf('node:crypto'), complaint: library },
  { what: 'a workflow imports the client', at: 'workflows', source: useOf('@temporalio/client'), complaint: library },
  { what: 'a workflow takes types of activities', at: 'workflows', source: typeOf('../activities/contract.js') },
  {
    what: 'a workflow runs an activity',
    at: 'workflows',
    source: useOf('../activities/credentials.js'),
    complaint: onlyTypes,
  },
  {
    what: 'a part of a workflow runs an activity',
    at: 'workflows/lib',
    source: useOf('../../activities/credentials.js'),
    complaint: onlyTypes,
  },
  { what: 'a workflow imports its own proxies', at: 'workflows', source: useOf('./lib/activities.js') },
  { what: 'a part of a workflow imports its own proxies', at: 'workflows/lib', source: useOf('./activities.js') },
  { what: 'a workflow imports the domain', at: 'workflows', source: useOf('../src/domain/process.js') },
  {
    what: 'a part of a workflow imports the domain',
    at: 'workflows/lib',
    source: useOf('../../src/domain/process.js'),
  },
  {
    what: 'a workflow imports the search attributes',
    at: 'workflows',
    source: useOf('../src/temporal/search-attributes.js'),
  },
  {
    what: 'a part of a workflow imports the search attributes',
    at: 'workflows/lib',
    source: useOf('../../src/temporal/search-attributes.js'),
  },
  { what: 'a workflow imports a store', at: 'workflows', source: useOf('../src/stores/local.js'), complaint: pure },
  {
    what: 'a part of a workflow imports a connection',
    at: 'workflows/lib',
    source: useOf('../../src/temporal/connection.js'),
    complaint: pure,
  },
  {
    what: 'a workflow uses the process',
    at: 'workflows',
    source: 'export const id = process.pid;',
    complaint: 'sandbox',
  },
  { what: 'activities import a contract', at: 'activities', source: useOf('../src/targets/target.js') },
  {
    what: 'activities import a workflow',
    at: 'activities',
    source: useOf('../workflows/rotate.js'),
    complaint: 'activities/ never imports workflows/',
  },
  {
    what: 'activities import a type of a workflow',
    at: 'activities',
    source: typeOf('../workflows/lib/process.js'),
    complaint: 'activities/ never imports workflows/',
  },
  {
    what: 'a promise is left alone',
    at: 'src',
    source: 'const work = async () => 1;\nexport function go() { work(); }',
    complaint: 'no-floating-promises',
  },
  {
    what: 'a validator is asynchronous',
    at: 'src',
    source:
      'const register = (validator: (x: number) => void) => validator;\nexport const made = register(async (x) => { await Promise.resolve(x); });',
    complaint: 'no-misused-promises',
  },
  {
    what: 'a plain value is awaited',
    at: 'src',
    source: 'export async function go() { return await 1; }',
    complaint: 'await-thenable',
  },
  {
    what: 'a switch forgets a case',
    at: 'src',
    source: "export function go(x: 'a' | 'b') { switch (x) { case 'a': return 1; } return 2; }",
    complaint: 'switch-exhaustiveness-check',
  },
  {
    what: 'a type is imported as a value',
    at: 'src',
    source: "import { Stats } from 'node:fs';\nexport type Used = Stats;",
    complaint: 'consistent-type-imports',
  },
  { what: 'a value may be anything', at: 'src', source: 'export const it: any = 1;', complaint: 'no-explicit-any' },
];

describe('the lint rules', () => {
  let folder: string;
  let complaints: ReadonlyMap<string, string>;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tenure-lint-'));
    for (const file of ['.oxlintrc.json', 'tsconfig.json'])
      await copyFile(path.join(packageRoot, file), path.join(folder, file));
    await symlink(path.join(packageRoot, 'node_modules'), path.join(folder, 'node_modules'));
    for (const [index, { at, source }] of planted.entries()) {
      await mkdir(path.join(folder, at), { recursive: true });
      await writeFile(path.join(folder, at, `planted-${index}.ts`), source);
    }
    complaints = await lint(folder);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(
    planted.map((entry, index) => [entry.complaint ? 'complain when' : 'are silent when', entry.what, index] as const),
  )('%s %s', (_verdict, _what, index) => {
    const { at, complaint } = planted[index]!;
    const heard = complaints.get(`${at}/planted-${index}.ts`);
    if (complaint === undefined) expect(heard).toBeUndefined();
    else expect(heard).toContain(complaint);
  });
});

/** Everything that oxlint says, by file. */
async function lint(folder: string): Promise<ReadonlyMap<string, string>> {
  const args = [
    path.join(packageRoot, 'node_modules/oxlint/bin/oxlint'),
    '--type-aware',
    '-f',
    'json',
    'src',
    'workflows',
    'activities',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, maxBuffer: 1e8 }).catch(
    (error: { stdout: string }) => error,
  );
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: readonly { filename: string; code: string; message: string; help?: string }[];
  };
  const all = new Map<string, string>();
  for (const { filename, code, message, help = '' } of diagnostics)
    all.set(filename, `${all.get(filename) ?? ''}${code}: ${message} ${help}\n`);
  return all;
}
