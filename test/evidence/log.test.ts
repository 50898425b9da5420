import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCheckpoint } from '../../src/evidence/checkpoint.js';
import { directoryShelf } from '../../src/evidence/directory-shelf.js';
import { checkpointName, entryName, openLog, type Appended } from '../../src/evidence/log.js';
import { isConsistent, isIncluded, leafHash, treeOf } from '../../src/evidence/merkle.js';
import { logKeyOf } from '../../src/evidence/note.js';
import type { Shelf } from '../../src/evidence/shelf.js';
import { statementText } from '../../src/evidence/statement.js';

const name = 'example.com/tenure';
const { privateKey } = generateKeyPairSync('ed25519');
const key = logKeyOf(name, privateKey);

let folder: string;
let shelf: Shelf;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-log-'));
  shelf = directoryShelf(folder);
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

function about(operation: string, run = 'run-1', more = {}): string {
  return statementText([{ name: operation, digest: `sha256:${'0'.repeat(64)}` }], 'urn:test', { run, ...more });
}

async function appended(count: number, log = openLog(shelf, name, privateKey), from = 0): Promise<Appended[]> {
  const all: Appended[] = [];
  for (let number = from; number < from + count; number += 1)
    all.push(await log.append(about(`nhi/app/rotate/${number}`)));
  return all;
}

async function entries(): Promise<string[]> {
  const names = (await readdir(join(folder, 'entries'))).sort();
  return Promise.all(names.map((each) => readFile(join(folder, 'entries', each), 'utf8')));
}

test('each entry gets the next place, a checkpoint, and a proof that leads to it', async () => {
  const all = await appended(9);
  const leaves = (await entries()).map(leafHash);
  expect(all.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  for (const { index, proof } of all) {
    const checkpoint = openCheckpoint(proof.checkpoint, key)!;
    expect(checkpoint).toEqual({ origin: name, size: index + 1, root: treeOf(leaves).root(index + 1) });
    expect(isIncluded(leaves[index]!, index, checkpoint.size, proof.hashes, checkpoint.root)).toBe(true);
    expect(await shelf.get(checkpointName(index + 1))).toBe(proof.checkpoint);
  }
});

test('the same operation and run is appended once, also by another worker; another run is another entry', async () => {
  const log = openLog(shelf, name, privateKey);
  const first = await log.append(about('nhi/app/rotate/1'));
  await appended(3, log, 2);
  const again = await openLog(shelf, name, privateKey).append(about('nhi/app/rotate/1', 'run-1', { other: 'words' }));
  expect([again.index, again.isNew, again.envelope]).toEqual([0, false, first.envelope]);
  const reset = await log.append(about('nhi/app/rotate/1', 'run-2'));
  expect([reset.index, reset.isNew]).toEqual([4, true]);
});

test('workers that append at the same time lose nothing, double nothing and write one tree', async () => {
  const logs = Array.from({ length: 4 }, () => openLog(directoryShelf(folder), name, privateKey));
  const all = await Promise.all(
    Array.from({ length: 60 }, (_, number) => logs[number % 4]!.append(about(`nhi/app/rotate/${number % 40}`))),
  );
  expect(new Set(all.map(({ index }) => index)).size).toBe(40);
  expect(await entries()).toHaveLength(40);
  const last = openCheckpoint((await shelf.get(checkpointName(40)))!, key)!;
  expect(last.root).toEqual(treeOf((await entries()).map(leafHash)).root());
});

test('an operation whose name another one begins with is another one', async () => {
  const log = openLog(shelf, name, privateKey);
  await log.append(about('nhi/app/rotate/1'));
  expect((await log.append(about('nhi/app/rotate'))).isNew).toBe(true);
  expect((await log.append(about('nhi/app/rotate/1/review'))).isNew).toBe(true);
  expect((await log.append(about('nhi/app/../../x'))).isNew).toBe(true);
  expect(await shelf.list('operations')).toHaveLength(4);
});

test('what another worker appends at this very moment is found, not appended again', async () => {
  const other = openLog(directoryShelf(folder), name, privateKey);
  let isFirst = true;
  const late: Shelf = {
    ...shelf,
    list: async (below) => {
      // After this worker has looked for new entries, and before it looks for the operation.
      if (isFirst && below.startsWith('operations/')) {
        isFirst = false;
        await other.append(about('nhi/app/rotate/1'));
      }
      return shelf.list(below);
    },
  };
  const again = await openLog(late, name, privateKey).append(about('nhi/app/rotate/1'));
  expect([again.index, again.isNew]).toEqual([0, false]);
  expect(openCheckpoint(again.proof.checkpoint, key)!.size).toBe(1);
});

test('every checkpoint only adds to those before it', async () => {
  await appended(20);
  const tree = treeOf((await entries()).map(leafHash));
  const checkpoints = await Promise.all(
    Array.from({ length: 20 }, async (_, at) => openCheckpoint((await shelf.get(checkpointName(at + 1)))!, key)!),
  );
  for (const [at, old] of checkpoints.entries())
    for (const now of checkpoints.slice(at))
      expect(isConsistent(old, now, tree.consistency(old.size, now.size))).toBe(true);
});

describe('after a crash', () => {
  test('an entry that no checkpoint covers is taken in, listed, and found again', async () => {
    const [, , last] = await appended(3);
    await unlink(join(folder, checkpointName(3)));
    await rm(join(folder, 'operations/nhi/app/rotate/2'), { recursive: true });
    const again = await openLog(shelf, name, privateKey).append(about('nhi/app/rotate/2'));
    expect([again.index, again.isNew]).toEqual([2, false]);
    expect(await shelf.get(checkpointName(3))).toBe(last!.proof.checkpoint);
  });

  test('a file that was half written when its writer died is no entry', async () => {
    await appended(2);
    await writeFile(join(folder, 'entries', '~00000000-0000-0000-0000-000000000000.tmp'), '{"payloadTy');
    const next = await openLog(shelf, name, privateKey).append(about('nhi/app/rotate/9'));
    expect(next.index).toBe(2);
    expect(await shelf.list('entries')).toEqual([entryName(0), entryName(1), entryName(2)]);
  });

  test('a log of many entries is read back by its tiles, and without them', async () => {
    const log = openLog(shelf, name, privateKey);
    await appended(260, log);
    expect(await shelf.list('leaves')).toEqual(['leaves/000000000000']);
    const next = await openLog(shelf, name, privateKey).append(about('nhi/app/rotate/260'));
    await writeFile(join(folder, 'leaves/000000000000'), 'damaged');
    const after = await openLog(shelf, name, privateKey).append(about('nhi/app/rotate/261'));
    const tree = treeOf((await entries()).map(leafHash));
    expect(openCheckpoint(next.proof.checkpoint, key)!.root).toEqual(tree.root(261));
    expect(openCheckpoint(after.proof.checkpoint, key)!.root).toEqual(tree.root(262));
  });
});

describe('nothing is appended to a log', () => {
  const again = (): Promise<Appended> =>
    openLog(directoryShelf(folder), name, privateKey).append(about('nhi/app/rotate/99'));

  test('whose entry was changed', async () => {
    await appended(4);
    await truncate(join(folder, entryName(1)), 10);
    await expect(again()).rejects.toMatchObject({
      code: 'StoreUnavailable',
      message: expect.stringContaining('last checkpoint'),
    });
  });

  test('whose entry is missing', async () => {
    await appended(4);
    await unlink(join(folder, entryName(2)));
    await expect(again()).rejects.toMatchObject({ code: 'StoreUnavailable' });
  });

  test('whose checkpoint another key has signed', async () => {
    await appended(2);
    const other = generateKeyPairSync('ed25519').privateKey;
    await expect(openLog(shelf, name, other).append(about('x'))).rejects.toMatchObject({
      message: expect.stringContaining('with this key'),
    });
  });

  test('into which somebody put an entry without its key', async () => {
    const log = openLog(shelf, name, privateKey);
    await appended(2, log);
    await writeFile(join(folder, entryName(2)), '{"payload":"","payloadType":"x","signatures":[]}');
    await expect(log.append(about('x'))).rejects.toMatchObject({
      message: expect.stringContaining('not signed with this log'),
    });
  });
});

test('only a statement in its canonical form is appended', async () => {
  const log = openLog(shelf, name, privateKey);
  await expect(log.append('{}')).rejects.toMatchObject({ code: 'InvalidRequest' });
  await expect(log.append(` ${about('x')}`)).rejects.toMatchObject({ code: 'InvalidRequest' });
});
