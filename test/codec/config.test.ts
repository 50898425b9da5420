/** What stands under `encryption` in the operator's file, as everything reads it and as verbs read it alone. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { loadEncryption } from '../../src/config/encryption.js';
import { loadConfig } from '../../src/config/load.js';
import { pretend } from '../cli/support/terminal.js';

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-encryption-'));
  file = join(folder, 'tenure.yaml');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const one = '{ id: one, key: { file: keys/one } }';
const two = '{ id: two, key: { env: TWO } }';

async function both(text: string): Promise<unknown> {
  await writeFile(file, text);
  const { encryption } = await loadConfig(file);
  expect(await loadEncryption(file)).toEqual(encryption ? { encryption } : {});
  return encryption;
}

test('one key encrypts, and its file is beside the operator’s file', async () => {
  expect(await both(`encryption: { keys: [${one}] }`)).toEqual({
    keys: [{ id: 'one', key: { file: join(folder, 'keys/one') } }],
    current: 'one',
  });
});

test('of several keys the current one encrypts, and none where that is switched off', async () => {
  expect(await both(`encryption: { keys: [${one}, ${two}], current: two }`)).toMatchObject({ current: 'two' });
  const off = await both(`encryption: { keys: [${one}, ${two}], current: two, encrypt: false }`);
  expect(off).not.toHaveProperty('current');
});

test('without the field nothing is encrypted, also where only a comment speaks of it', async () => {
  expect(await both('stateDirectory: state\n# encryption: later')).toBeUndefined();
  expect(await loadEncryption(join(folder, 'nowhere.yaml'))).toEqual({});
});

test('a codec server listens on this machine unless it is told otherwise', async () => {
  const encryption = await both(
    `encryption: { keys: [${one}], codecServer: { origins: ['http://127.0.0.1:8233'], token: { file: token } } }`,
  );
  expect(encryption).toMatchObject({
    codecServer: { host: '127.0.0.1', port: 8889, token: { file: join(folder, 'token') } },
  });
});

describe('it is refused, by the whole and alone,', () => {
  test.each([
    ['several keys and none that is current', `{ keys: [${one}, ${two}] }`, 'it is not said which key encrypts'],
    ['a current key that is not there', `{ keys: [${one}], current: gone }`, 'no key is called gone'],
    ['one id twice', `{ keys: [${one}, ${one}], current: one }`, 'two keys are called one'],
    ['no key', '{ keys: [] }', 'keys'],
    ['an id with a blank', "{ keys: [{ id: 'a b', key: { env: K } }] }", 'Rename it'],
    ['a key that stands there itself', `{ keys: [{ id: one, key: ${'k'.repeat(44)} }] }`, 'key'],
    ['every origin', `{ keys: [${one}], codecServer: { origins: ['*'] } }`, 'expected an origin'],
    ['an origin with a path', `{ keys: [${one}], codecServer: { origins: ['https://a/b'] } }`, 'expected an origin'],
    [
      'an issuer that anybody on the way could be',
      `{ keys: [${one}], codecServer: { jwt: { issuer: 'http://login.example.com', audience: a } } }`,
      'expected an https address',
    ],
  ])('with %s', async (_what, written, complaint) => {
    await writeFile(file, `encryption: ${written}`);
    await expect(loadConfig(file)).rejects.toThrow(complaint);
    await expect(loadEncryption(file)).rejects.toThrow(complaint);
  });

  test('as a file that is broken elsewhere, since something may stand there that is not seen', async () => {
    await writeFile(file, `encryption: { keys: [${one}] }\nstores: { : [`);
    await expect(loadEncryption(file)).rejects.toThrow('so nothing was sent');
  });

  test('as a file that cannot be read', async () => {
    await expect(loadEncryption(folder)).rejects.toThrow('so nothing was sent');
  });
});

describe('the verbs', () => {
  test('key make writes a key once, and says what to write into the operator’s file', async () => {
    const terminal = pretend({ cwd: folder });
    expect(await run(['key', 'make', 'codec', '--id', 'k-1'], terminal.io)).toBe(0);
    expect(terminal.stdout()).toContain('encryption: { keys: [{ id: k-1, key: { file: k-1.codec-key } }] }');
    const again = pretend({ cwd: folder });
    expect(await run(['key', 'make', 'codec', '--id', 'k-1'], again.io)).toBe(1);
    expect(again.stderr()).toContain('never written over');
    expect(await run(['key', 'make', 'codec', '--id', 'Not A Name'], pretend({ cwd: folder }).io)).toBe(2);
  });

  test('codec-server says what is missing in the operator’s file', async () => {
    await writeFile(file, 'stateDirectory: state');
    const terminal = pretend({ cwd: folder });
    expect(await run(['codec-server'], terminal.io)).toBe(1);
    expect(terminal.stderr()).toContain('has no encryption.codecServer');
    expect(terminal.stderr()).toContain('next: tenure codec-server --help');
  });

  test('codec-server at a port that is taken says so, and how to get another', async () => {
    await writeFile(join(folder, 'token'), 'a-token-of-this-test-that-nobody-guesses\n', { mode: 0o600 });
    await writeFile(join(folder, 'one'), randomBytes(32).toString('base64'), { mode: 0o600 });
    const keys = '[{ id: one, key: { file: one } }]';
    await writeFile(file, `encryption: { keys: ${keys}, codecServer: { origins: [], token: { file: token } } }`);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const terminal = pretend({ cwd: folder });
    expect(await run(['codec-server', '--port', String(port)], terminal.io)).toBe(1);
    expect(terminal.stderr()).toContain(`it cannot listen at 127.0.0.1:${port} (EADDRINUSE)`);
    expect(terminal.stderr()).toContain('next: tenure codec-server --port 0');
    await new Promise((resolve) => other.close(resolve));
  });
});
