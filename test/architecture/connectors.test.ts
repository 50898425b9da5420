/** A connector (a target, a store) stands alone: deleting one never breaks another, and each can be read by itself. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';

/** What every connector of a folder may import, besides its own files. */
const shared = {
  'src/targets': ['target', 'guard'],
  'src/stores': ['store', 'slots', 'fingerprint', 'secret-source'],
} as const;

/** The one place that knows every connector. */
const registry = 'registry';

test.each(Object.entries(shared))('no connector in %s imports another', async (folder, common) => {
  expect(await crossings(path.join(packageRoot, folder), common)).toEqual([]);
});

test('a connector that imports another is found, from its file and from its folder', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'tenure-connectors-'));
  const plant = async (file: string, specifier: string) => {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), `import { x } from '${specifier}';\nexport const y = x;\n`);
  };
  await plant('redis.ts', './postgresql.js');
  await plant('redis/acl.ts', '../postgresql/scram.js');
  await plant('redis/users.ts', '../target.js');
  await plant('postgresql.ts', './postgresql/scram.js');
  await plant('registry.ts', './postgresql.js');
  expect(await crossings(folder, ['target'])).toEqual([
    'redis.ts imports postgresql',
    'redis/acl.ts imports postgresql',
  ]);
  await rm(folder, { recursive: true });
});

async function crossings(folder: string, common: readonly string[]): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts')).sort();
  const found = await Promise.all(
    files.map(async (file) => {
      const own = connectorOf(file);
      if (own === registry || common.includes(own)) return [];
      const others = (await importsOf(path.join(folder, file)))
        .map((specifier) => path.relative(folder, path.resolve(folder, path.dirname(file), specifier)))
        .filter((imported) => !imported.startsWith('..'))
        .map(connectorOf)
        .filter((name) => name !== own && !common.includes(name));
      return others.map((name) => `${file} imports ${name}`);
    }),
  );
  return found.flat();
}

const connectorOf = (file: string) => file.split(path.sep)[0]!.replace(/\.[jt]s$/, '');

async function importsOf(file: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
  return [...source.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, specifier]) => specifier!);
}
