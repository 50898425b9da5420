import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TenureConfig } from '../../src/config/types.js';
import { TenureError } from '../../src/domain/errors.js';
import { deriveKey, fingerprintOf } from '../../src/stores/fingerprint.js';
import { createLocalStoreKey, localStoreOptions } from '../../src/stores/local.js';
import { openStores } from '../../src/stores/registry.js';
import { readSecret } from '../../src/stores/secret-source.js';
import { expectCode } from '../conformance/store.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-registry-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

function config(stores: TenureConfig['stores']): TenureConfig {
  return { file: join(folder, 'tenure.yaml'), stores } as TenureConfig;
}

describe('the stores of an operator’s file', () => {
  it('are opened by name, once, with paths relative to that file', async () => {
    await createLocalStoreKey(join(folder, 'store.key'));
    const stores = openStores(config({ local: { type: 'local', directory: 'store', key: { file: 'store.key' } } }));
    await stores.get('local').probe();
    await stores.get('local').raise('a/b', { operation: 'o', epoch: 3 });
    expect(stores.get('local')).toBe(stores.get('local'));
    expect((await stores.get('local').describe('a/b')).epoch).toBe(3);
  });

  it('are not touched before they are asked for', () => {
    const stores = openStores(
      config({ good: { type: 'local', directory: 's', key: { file: 'k' } }, bad: { type: 'x' } }),
    );
    expect(stores.get('good').name).toBe('good');
    expect(() => stores.get('bad')).toThrow(/type x is not known; known are: local/);
  });

  it('that do not exist are refused with the names that do', () => {
    const stores = openStores(config({ local: { type: 'local', directory: 's', key: { file: 'k' } } }));
    for (const name of ['vault', 'constructor', '']) {
      expect(() => stores.get(name)).toThrow(TenureError);
      expect(() => stores.get(name)).toThrow(/it has: local/);
    }
  });

  it.each([
    {},
    { directory: 's' },
    { directory: '', key: { file: 'k' } },
    { directory: 's', key: 'AGE-SECRET-KEY-1X' },
    { directory: 's', key: { file: 'k', env: 'K' } },
    { directory: 's', key: { file: 'k' }, extra: 1 },
  ])('are refused with options like %j', (options) => {
    expect(localStoreOptions.safeParse({ type: 'local', ...options }).success).toBe(false);
  });
});

describe('a secret by place', () => {
  it('is read without the white space around it, and refused when it is not there', async () => {
    const file = join(folder, 'secret');
    await writeFile(file, '  value \n', { mode: 0o600 });
    expect(await readSecret({ file }, 'the key')).toBe('value');
    await writeFile(file, '\n');
    await expectCode('InvalidRequest', readSecret({ file }, 'the key'));
    const absent = await expectCode('InvalidRequest', readSecret({ file: join(folder, 'absent') }, 'the key'));
    expect(absent.message).toMatch(/^the key: .*does not exist/);
    await expectCode('InvalidRequest', readSecret({ env: 'TENURE_TEST_UNSET' }, 'the key'));
  });
});

describe('a fingerprint', () => {
  const key = deriveKey('operator key', 'fingerprint');
  const material = { username: 'x', password: 'guessable' };

  it('is sixteen hex characters, equal for equal material, and another for another key or purpose', () => {
    const print = fingerprintOf(key, material);
    expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(fingerprintOf(key, { password: 'guessable', username: 'x' })).toBe(print);
    const others = [
      fingerprintOf(key, { ...material, password: 'guessablf' }),
      fingerprintOf(deriveKey('operator kez', 'fingerprint'), material),
      fingerprintOf(deriveKey('operator key', 'store seal'), material),
    ];
    expect(new Set([print, ...others]).size).toBe(4);
  });
});
