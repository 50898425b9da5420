import { execFile } from 'node:child_process';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import { readNewest, removeOlder, writeGeneration } from '../../src/stores/local/generations.js';
import { unavailable } from '../../src/stores/local/unavailable.js';
import type { Store } from '../../src/stores/store.js';
import { expectCode } from '../conformance/store.js';

const first = { operation: 'nhi/x/provision/1', epoch: 2 };
const second = { operation: 'nhi/x/rotate/2', epoch: 4 };

let folder: string;
let directory: string;
let keyFile: string;
let store: Store;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-files-'));
  directory = join(folder, 'store');
  keyFile = join(folder, 'store.key');
  await createLocalStoreKey(keyFile);
  store = openLocalStore('local', { directory, key: { file: keyFile } });
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const stageOne = (path = 'payments/db') =>
  store.stage(path, first, () => Promise.resolve({ username: 'payments-db_a', password: 'correct horse' }));
const onlyFile = async (path = 'payments/db') => {
  const names = await readdir(join(directory, path));
  expect(names).toHaveLength(1);
  return join(directory, path, names[0]!);
};

describe('the files of a local store', () => {
  it('are open to nobody but their user, whatever the umask', async () => {
    const umask = process.umask(0);
    try {
      await stageOne();
    } finally {
      process.umask(umask);
    }
    const file = await onlyFile();
    for (const place of [directory, join(directory, 'payments'), dirname(file)]) {
      expect((await stat(place)).mode & 0o777).toBe(0o700);
    }
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
  });

  it('hold no material in the clear, and only keyed fingerprints of it', async () => {
    const { fingerprint } = await stageOne();
    const text = await readFile(await onlyFile(), 'utf8');
    expect(text).toContain(fingerprint);
    for (const secret of ['correct horse', Buffer.from('correct horse').toString('base64'), 'payments-db_a']) {
      expect(text).not.toContain(secret);
    }
    const other = join(folder, 'other.key');
    await createLocalStoreKey(other);
    const elsewhere = openLocalStore('local', { directory: join(folder, 'elsewhere'), key: { file: other } });
    const same = { username: 'payments-db_a', password: 'correct horse' };
    expect((await elsewhere.stage('payments/db', first, () => Promise.resolve(same))).fingerprint).not.toBe(
      fingerprint,
    );
  });

  it('leave nothing of destroyed material behind, also when the writer was killed before it removed the old file', async () => {
    await stageOne();
    const old = await onlyFile();
    const kept = join(folder, 'kept');
    await cp(old, kept);
    await store.discard('payments/db', first);
    await rename(kept, old);
    await store.discard('payments/db', first);
    const left = await readFile(await onlyFile(), 'utf8');
    expect(left).not.toContain('"sealed"');
  });

  it('are told from what killed writers left, which the next writer removes once it is old', async () => {
    await stageOne();
    const abandoned = join(directory, 'payments/db', '~00000000-0000-4000-8000-000000000000.tmp');
    await writeFile(abandoned, 'torn');
    const longAgo = new Date(Date.now() - 120_000);
    await utimes(abandoned, longAgo, longAgo);
    await store.publish('payments/db', first);
    await onlyFile();
    expect((await store.read('payments/db', { slot: 'current' })).material.password).toBe('correct horse');
  });

  it.each([
    ['cut short', (file: string) => truncate(file, 100)],
    ['emptied', (file: string) => truncate(file, 0)],
    [
      'edited',
      async (file: string) => writeFile(file, (await readFile(file, 'utf8')).replace('"epoch": 2', '"epoch": 1')),
    ],
    ['of another generation', (file: string) => rename(file, file.replace('~1.', '~7.'))],
    ['of something else', (file: string) => writeFile(file, 'null')],
  ])('are refused when %s, named, and left as they are', async (_, damage) => {
    await stageOne();
    await damage(await onlyFile());
    const file = await onlyFile();
    const before = await readFile(file);
    for (const attempt of [
      () => store.describe('payments/db'),
      () => store.read('payments/db', { slot: 'next' }),
      () => store.publish('payments/db', first),
      () => stageOne(),
      () => store.clear('payments/db', second),
    ]) {
      const error = await expectCode('StoreUnavailable', attempt());
      expect(error.message).toContain(file);
      expect(error.message).toMatch(/backup/);
    }
    expect(await readFile(await onlyFile())).toEqual(before);
  });

  it('are refused when exchanged between paths', async () => {
    await stageOne();
    await store.stage('other', first, () => Promise.resolve({ password: 'other' }));
    await cp(await onlyFile(), await onlyFile('other'));
    const error = await expectCode('StoreUnavailable', store.read('other', { slot: 'next' }));
    expect(error.message).toContain('payments/db');
  });

  it('remember the last hundred credentials of a path, and no more', async () => {
    for (let count = 0; count <= 100; count += 1) {
      await store.stage('p', { operation: `nhi/x/rotate/${count + 2}`, epoch: 1 }, () =>
        Promise.resolve({ password: String(count) }),
      );
    }
    const again = (password: string) => store.stage('p', second, () => Promise.resolve({ password }));
    await expectCode('Conflict', again('1'));
    await expect(again('0')).resolves.toMatchObject({ version: second.operation });
  });
});

describe('a local store that cannot write', () => {
  it('says so when a file stands where a folder is needed, and changes nothing', async () => {
    await mkdir(directory, { mode: 0o700 });
    await writeFile(join(directory, 'payments'), '');
    const error = await expectCode('StoreUnavailable', stageOne());
    expect(error.message).toMatch(/move it away/);
    await expect(store.describe('other')).resolves.toEqual({ epoch: 0, slots: {} });
  });

  it('refuses a folder that others may enter, with the command that closes it', async () => {
    await mkdir(directory);
    await chmod(directory, 0o755);
    for (const attempt of [() => stageOne(), () => store.probe()]) {
      expect((await expectCode('StoreUnavailable', attempt())).message).toContain(`chmod 700 '${directory}'`);
    }
    await chmod(directory, 0o700);
    await stageOne();
  });

  it('says so when the folder is read-only', async (context) => {
    if (process.getuid?.() === 0) return context.skip('root may write everywhere');
    await stageOne();
    await chmod(join(directory, 'payments/db'), 0o500);
    try {
      await expectCode('StoreUnavailable', store.publish('payments/db', first));
      expect(Object.keys((await store.describe('payments/db')).slots)).toEqual(['next']);
    } finally {
      await chmod(join(directory, 'payments/db'), 0o700);
    }
  });

  it('says so when the disk is full, and is whole afterwards', async (context) => {
    const mounted = await smallDisk(directory);
    if (!mounted) return context.skip('mounting a small disk needs root');
    try {
      await stageOne();
      await writeFile(join(directory, 'filler'), Buffer.alloc(1024 * 1024)).catch(() => undefined);
      const error = await expectCode('StoreUnavailable', store.publish('payments/db', first));
      expect(error.message).toMatch(/disk is full/);
      expect(await readdir(join(directory, 'payments/db'))).toEqual(['entry~1.json']);
      await rm(join(directory, 'filler'));
      await store.publish('payments/db', first);
    } finally {
      await promisify(execFile)('umount', [directory]);
    }
  });

  it('says in words what the usual system errors mean', () => {
    for (const code of ['ENOSPC', 'EROFS', 'EACCES', 'EIO']) {
      const error = unavailable('local', '/some/place', Object.assign(new Error('raw'), { code }));
      expect(error).toMatchObject({ code: 'StoreUnavailable', message: expect.stringContaining('/some/place') });
    }
    const bug = new TypeError('a bug stays loud');
    expect(unavailable('local', '/some/place', bug)).toBe(bug);
  });
});

describe('the key of a local store', () => {
  it.each([0o640, 0o604, 0o666])('is refused with mode %o, with the command that closes it', async (mode) => {
    await chmod(keyFile, mode);
    for (const attempt of [() => stageOne(), () => store.describe('payments/db'), () => store.probe()]) {
      expect((await expectCode('StoreUnavailable', attempt())).message).toContain(`chmod 600 '${keyFile}'`);
    }
    await chmod(keyFile, 0o600);
    await stageOne();
  });

  it('is told from a damaged file when it is another one', async () => {
    await stageOne();
    const other = join(folder, 'other.key');
    await createLocalStoreKey(other);
    const wrong = openLocalStore('local', { directory, key: { file: other } });
    const error = await expectCode('StoreUnavailable', wrong.describe('payments/db'));
    expect(error.message).toMatch(/another key/);
  });

  it('is never quoted when it is not one', async () => {
    await writeFile(keyFile, 'AGE-SECRET-KEY-1NOTREALLY\n');
    const error = await expectCode('StoreUnavailable', store.describe('x'));
    expect(error.message).toContain(keyFile);
    expect(error.message).not.toContain('NOTREALLY');
  });

  it('is read as age-keygen writes it, from a file or a variable', async () => {
    const identity = await readFile(keyFile, 'utf8');
    await stageOne();
    await writeFile(keyFile, `# created: today\n# public key: age1…\n${identity}`);
    process.env['TENURE_TEST_STORE_KEY'] = identity;
    try {
      for (const key of [{ file: keyFile }, { env: 'TENURE_TEST_STORE_KEY' }]) {
        const read = await openLocalStore('local', { directory, key }).read('payments/db', { slot: 'next' });
        expect(read.material.password).toBe('correct horse');
      }
    } finally {
      delete process.env['TENURE_TEST_STORE_KEY'];
    }
    const absent = openLocalStore('local', { directory, key: { env: 'TENURE_TEST_STORE_KEY' } });
    expect((await expectCode('StoreUnavailable', absent.probe())).message).toContain('TENURE_TEST_STORE_KEY');
  });

  it('is made once and never over an older one', async () => {
    const before = await readFile(keyFile);
    expect(await createLocalStoreKey(keyFile)).toBe(false);
    expect(await readFile(keyFile)).toEqual(before);
  });
});

describe('the generations of a path', () => {
  it('let only one of two writers have a generation', async () => {
    const path = join(folder, 'g');
    const won = await Promise.all(['a', 'b', 'c'].map((text) => writeGeneration(path, 1, text)));
    expect(won.toSorted()).toEqual(['taken', 'taken', 'won']);
  });

  it('beat a writer that slept while its generation came and went', async () => {
    const path = join(folder, 'g');
    for (const generation of [1, 2, 3]) {
      expect(await writeGeneration(path, generation, `text ${generation}`)).toBe('won');
      await removeOlder(path, generation);
    }
    expect(await writeGeneration(path, 2, 'from the past')).toBe('overtaken');
    expect(await readNewest(path)).toMatchObject({ generation: 3, text: 'text 3' });
    expect(await readdir(path)).toEqual(['entry~3.json']);
  });
});

/** A disk of 256 kB, mounted where the store is; false where this user may not mount. */
async function smallDisk(place: string): Promise<boolean> {
  await mkdir(place, { mode: 0o700 });
  return promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', place]).then(
    () => true,
    () => false,
  );
}
