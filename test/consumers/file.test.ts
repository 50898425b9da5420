import { execFile } from 'node:child_process';
import { access, chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify, parseEnv } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { render, type FileNotify } from '../../src/consumers/render.js';
import { TenureError } from '../../src/domain/errors.js';
import { newScene, secret, version, type Scene } from './scene.js';

let scene: Scene;
let path: string;
beforeEach(async () => {
  scene = await newScene();
  await mkdir(join(scene.folder, 'app'));
  path = join(scene.folder, 'app/credential');
});
afterEach(async () => scene.close());

type Event = 'credential.published' | 'credential.withdrawn' | 'credential.revoked';
async function tell(file: Partial<FileNotify> = {}, event: Event = 'credential.published', timeoutMs = 2_000) {
  const notify = { file: { path, format: 'json' as const, ...file } };
  const [answer] = await scene.tell([{ name: 'app', notify, timeoutMs }], { event });
  return answer!;
}
const written = async () => JSON.parse(await readFile(path, 'utf8')) as Record<string, string>;
/** Publishes another credential beside the scene's. */
async function publishNext(operation: string, epoch: number, password: string): Promise<void> {
  await scene.store.stage('payments/db', { operation, epoch }, () => Promise.resolve({ password }));
  await scene.store.publish('payments/db', { operation, epoch });
}

describe('a file', () => {
  it('gets the current credential, readable by its user alone', async () => {
    expect(await tell()).toMatchObject({ status: 'acknowledged' });
    expect(await written()).toEqual({ username: 'payments-db_b', password: secret });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(scene.folder, 'app'))).toEqual(['credential']);
  });

  it('has the permission bits that the manifest gives, whatever the umask, and never opens to all', async () => {
    const umask = process.umask(0o077);
    try {
      await tell({ mode: '0640' });
    } finally {
      process.umask(umask);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await tell({ mode: '0644' })).toMatchObject({ status: 'refused' });
    await chmod(path, 0o666);
    await tell();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is replaced whole: a reader sees the old or the new one and never a part', async () => {
    await tell();
    const seen = new Set<string>();
    let done = false;
    const reader = (async () => {
      while (!done) seen.add((await written())['password']!);
    })();
    for (let count = 1; count <= 30; count += 1) {
      await publishNext(`nhi/payments-db/rotate/${count + 3}`, 6, `${count}`.repeat(5_000));
      await scene.tell([{ name: 'app', notify: { file: { path, format: 'json' } } }], {
        version: `nhi/payments-db/rotate/${count + 3}`,
      });
    }
    done = true;
    await reader;
    expect(seen.size).toBeGreaterThan(2);
  });

  it('is written anew with what is current again when a credential is withdrawn', async () => {
    await publishNext('nhi/payments-db/rotate/4', 6, 'newer');
    await scene.tell([{ name: 'app', notify: { file: { path, format: 'json' } } }], {
      version: 'nhi/payments-db/rotate/4',
    });
    expect(await written()).toEqual({ password: 'newer' });
    await scene.store.withdraw('payments/db', { operation: 'nhi/payments-db/rotate/4', epoch: 7 });
    expect(await tell({}, 'credential.withdrawn')).toMatchObject({ status: 'acknowledged' });
    expect((await written())['password']).toBe(secret);
  });

  it('is removed when the withdrawn credential was the first', async () => {
    await tell();
    await scene.store.withdraw('payments/db', { operation: version, epoch: 7 });
    expect(await tell({}, 'credential.withdrawn')).toMatchObject({ status: 'acknowledged' });
    await expect(access(path)).rejects.toThrow('ENOENT');
  });

  it('is removed when the credential is revoked, also twice and with a damaged store', async () => {
    await tell();
    await writeFile(join(scene.folder, 'store/payments/db/entry~99.json'), 'damaged');
    for (let times = 0; times < 2; times += 1) {
      expect(await tell({}, 'credential.revoked')).toMatchObject({ status: 'acknowledged' });
      await expect(access(path)).rejects.toThrow('ENOENT');
    }
  });

  it('is refused when the store has another version as current', async () => {
    const notify = { file: { path, format: 'json' as const } };
    const [answer] = await scene.tell([{ name: 'app', notify }], { version: 'nhi/payments-db/rotate/9' });
    expect(answer).toMatchObject({ status: 'refused', detail: expect.stringContaining(version) });
    await expect(access(path)).rejects.toThrow('ENOENT');
  });

  it('waits for a store that is away for a moment', async () => {
    const read = scene.store.read.bind(scene.store);
    let away = 2;
    scene.store.read = async (where, which) => {
      if (away-- > 0) throw new TenureError('StoreUnavailable', 'away');
      return read(where, which);
    };
    expect(await tell()).toMatchObject({ status: 'acknowledged' });
    away = Number.POSITIVE_INFINITY;
    expect(await tell({}, 'credential.published', 600)).toMatchObject({ status: 'refused', detail: 'away' });
  });

  it('has the newer credential in the end, though an older hand-over writes last', async () => {
    const read = scene.store.read.bind(scene.store);
    let looks = 0;
    scene.store.read = async (where, which) => {
      const found = await read(where, which);
      // After the first look somebody else publishes; what was read is old by the time it is written.
      if ((looks += 1) === 1) await publishNext('nhi/payments-db/rotate/4', 8, 'newer');
      return found;
    };
    await tell({}, 'credential.withdrawn');
    expect(await written()).toEqual({ password: 'newer' });
  });

  it('is refused with the reason where it cannot be', async () => {
    await mkdir(join(scene.folder, 'folder'));
    for (const [bad, why] of [
      ['relative/path', /absolute/],
      [join(scene.folder, 'absent/credential'), /absent does not exist; make it/],
      [join(scene.folder, 'folder'), /is a folder/],
      [join(scene.folder, 'store.key/credential'), /not a folder/],
    ] as const) {
      const answer = await tell({ path: bad });
      expect(answer.status).toBe('refused');
      expect(answer.detail).toMatch(why);
    }
  });

  it('takes the place of a link and leaves alone what the link led to', async () => {
    const precious = join(scene.folder, 'precious');
    await writeFile(precious, 'precious');
    await symlink(precious, path);
    await tell();
    expect(await readFile(precious, 'utf8')).toBe('precious');
    expect((await written())['password']).toBe(secret);
  });

  it('is refused, unwritten and unquoted, where its form cannot hold the credential', async () => {
    for (const file of [
      { format: 'dotenv' },
      { format: 'template', template: '{{user}}' },
      { format: 'template' },
    ] as const) {
      const { status, detail } = await tell(file);
      expect(status).toBe('refused');
      expect(detail).not.toContain(secret);
    }
    expect(await readdir(join(scene.folder, 'app'))).toEqual([]);
  });
});

describe('a template', () => {
  const template = (text: string, material: Record<string, string>) =>
    render({ path, format: 'template', template: text }, material);

  it('has its placeholders filled with values as they are', () => {
    const awkward = { username: 'a', password: '$& $1 {{username}} \\n' };
    expect(template('u={{username}} p={{ password }};{{password}} {x} {{', awkward)).toBe(
      `u=a p=${awkward.password};${awkward.password} {x} {{`,
    );
  });

  it.each(['{{user}}', '{{}}', '{{constructor}}', '{{username.length}}', '{{ __proto__ }}'])(
    'with the unknown placeholder %s is refused, naming what there is',
    (text) => {
      expect(() => template(text, { username: 'a', password: 'hidden' })).toThrow(/there is only: username, password$/);
    },
  );
});

describe('a dotenv file', () => {
  const dotenv = (material: Record<string, string>) => render({ path, format: 'dotenv' }, material);

  it.each([
    ['plain', 'abc'],
    ['empty', ''],
    ['spaces', '  a  b '],
    ['a hash', 'a # b'],
    ['a dollar', '$HOME ${HOME} $(id) `id`'],
    ['double quotes', 'say "hello"'],
    ['single quotes', "it's"],
    ['a backslash', 'a\\nb\\\\c'],
    ['several lines', 'line 1\nline 2\n\nline 4 = x'],
    ['an equals sign', 'a=b==c'],
    ['unicode', 'pässwörd 😀'],
    ['an exclamation mark', 'a!b!!c'],
  ])('with %s means the same to a shell and to Node', async (_, value) => {
    const text = dotenv({ before: 'x', 'pass-word': value, after: 'y' });
    expect({ ...parseEnv(text) }).toEqual({ BEFORE: 'x', PASS_WORD: value, AFTER: 'y' });
    expect(await asShellReads(text)).toEqual({ BEFORE: 'x', PASS_WORD: value, AFTER: 'y' });
  });

  it.each([
    ['both quotes', `a'b"c`],
    ['a single quote and a dollar', `a'b$c`],
    ['a backslash at the end', 'abc\\'],
    ['a carriage return', 'a\r\nb'],
    ['a zero byte', 'a\0b'],
  ])('is refused with %s, naming the field and not the value', (_, value) => {
    expect(() => dotenv({ password: value })).toThrow(/^password has characters/);
    expect(() => dotenv({ password: value })).not.toThrow(value);
  });

  it('means the same to Node for every value that is not refused', () => {
    const value = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '`', '#', '\n', '=', ' ', 'a') }),
    );
    fc.assert(
      fc.property(value, value, (one, two) => {
        let text: string;
        try {
          text = dotenv({ one, two });
        } catch (error) {
          expect(error).toBeInstanceOf(TenureError);
          return;
        }
        expect({ ...parseEnv(text) }).toEqual({ ONE: one, TWO: two });
      }),
    );
  });

  it('is refused where a field is no name, or two are the same', () => {
    expect(() => dotenv({ '1st': 'a' })).toThrow(/no name/);
    expect(() => dotenv({ 'a-b': '1', a_b: '2' })).toThrow(/both A_B/);
  });
});

async function asShellReads(text: string): Promise<Record<string, string>> {
  const file = join(scene.folder, 'env');
  await writeFile(file, text);
  const print = `console.log(JSON.stringify({ BEFORE: process.env.BEFORE, PASS_WORD: process.env.PASS_WORD, AFTER: process.env.AFTER }))`;
  const script = `set -a; . "$1"; exec "$0" -e "$2"`;
  const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, file, print]);
  return JSON.parse(stdout) as Record<string, string>;
}
