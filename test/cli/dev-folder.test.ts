/** What `tenure dev` makes in a folder, and what it leaves alone. */
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prepare } from '../../src/cli/dev-folder.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-folder-'));
  file = join(folder, 'tenure.yaml');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ours = 'stores: { own: { type: local, directory: things, key: { file: keys/own.key } } }\n';

test('a folder without anything gets a smallest file and the key of its store, once', async () => {
  expect(await prepare(file)).toHaveLength(2);
  expect((await stat(join(folder, '.tenure', 'store.key'))).mode & 0o777).toBe(0o600);
  expect(await prepare(file)).toEqual([]);
});

test('a store that is named already and holds nothing yet gets its key', async () => {
  await writeFile(file, ours);
  expect(await prepare(file)).toEqual([expect.stringContaining('made keys/own.key: the key of store own')]);
  expect((await stat(join(folder, 'keys', 'own.key'))).mode & 0o777).toBe(0o600);
  expect(await prepare(file)).toEqual([]);
});

test('the lost key of a store that holds something is not made anew', async () => {
  await writeFile(file, ours);
  await mkdir(join(folder, 'things'));
  expect(await prepare(file)).toEqual([]);
  await expect(stat(join(folder, 'keys', 'own.key'))).rejects.toThrow('ENOENT');
});

test('a file with mistakes is left to those who need it', async () => {
  await writeFile(file, 'stores: 7\n');
  expect(await prepare(file)).toEqual([]);
});
