/** Finding a key to sign with: named ones, those of development, and whatever ssh-keygen can reach. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Directory } from '../../src/domain/directory.js';
import { makeDevelopmentKeys, standIn } from '../../src/trust/development-keys.js';
import { developmentDirectory, directorySource } from '../../src/trust/directory-file.js';
import { writtenDirectory } from '../../src/trust/directory-schema.js';
import { verifyRequest } from '../../src/trust/requests.js';
import { automationSigner, developmentKeyFile, openSigner, type SignerOptions } from '../../src/trust/sign.js';
import { readSshKeyLine } from '../../src/trust/ssh-key.js';
import { requestSigned, type Signer } from '../../src/trust/statements.js';
import { describeUnless } from '../support/machine.js';
import { directoryOf, person } from '../support/signers.js';
import { opensshMissing } from './openssh.js';

let folder: string;
let home: string;
let agent: ChildProcess | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-sign-'));
  home = join(folder, 'home');
  await mkdir(join(home, '.ssh'), { recursive: true });
  if (opensshMissing !== undefined) return;
  agent = spawn('ssh-agent', ['-D', '-a', join(folder, 'agent')], { stdio: ['ignore', 'pipe', 'ignore'] });
  await once(agent.stdout!, 'data');
});
afterAll(async () => {
  agent?.kill();
  await rm(folder, { recursive: true, force: true });
});

const name = 'ada@example.com';
const env = (more: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH']!,
  HOME: home,
  GIT_CONFIG_NOSYSTEM: '1',
  ...more,
});

/** A new key of ssh-keygen's, and the directory in which it is hers. */
async function newKey(file: string, passphrase = '', type = 'ed25519'): Promise<Directory> {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'x', '-f', file]);
  return hers((await readFile(`${file}.pub`, 'utf8')).trim());
}

function hers(text: string): Directory {
  const key = { id: readSshKeyLine(text).id, text, hardware: false };
  return { parties: [{ name, kind: 'person', groups: [], keys: [key] }], revoked: [] };
}

const open = (directory: Directory, more: Partial<SignerOptions> = {}): Promise<Signer> =>
  openSigner({ name, directory, env: env(), cwd: folder, stateDirectory: join(folder, 'state'), ...more });
const complaint = (opened: Promise<unknown>): Promise<string> =>
  opened.then(
    () => 'opened',
    (error: unknown) => `${(error as { code: string }).code}: ${(error as Error).message}`,
  );

/** Signs a request and verifies it against the directory. */
async function works(signer: Signer, directory: Directory): Promise<void> {
  const asked = await requestSigned({ id: 'r', kind: 'rotate', requester: signer.name }, 'payments-db', signer);
  const attested = await verifyRequest(asked, 'payments-db', { directory, now: new Date() });
  expect(attested).toMatchObject({ name: signer.name, key: signer.keyId });
}

describeUnless(opensshMissing, 'a key that is named', () => {
  test('signs here when it is a PEM, for SSH as for services', async () => {
    for (const key of ['ed25519', 'p256', 'rsa', 'jwk-ed25519', 'jwk-p256', 'jwk-rsa'] as const) {
      const signer = person(name, { key });
      const keyFile = join(folder, `${key}.pem`);
      await writeFile(keyFile, signer.pem!, { mode: 0o600 });
      await works(await open(directoryOf(signer), { keyFile }), directoryOf(signer));
      await works(await open(directoryOf(signer), { env: env({ TENURE_KEY: keyFile }) }), directoryOf(signer));
    }
  });

  test('signs by ssh-keygen when it is one of OpenSSH’s, also where its public half lies nowhere beside it', async () => {
    const keyFile = join(folder, 'openssh');
    const directory = await newKey(keyFile);
    await works(await open(directory, { keyFile }), directory);
    await rm(`${keyFile}.pub`);
    await works(await open(directory, { keyFile }), directory);
  });

  test('is known before its passphrase is asked for, and without the passphrase nothing is signed', async () => {
    const keyFile = join(folder, 'locked');
    const directory = await newKey(keyFile, 'not a real one');
    await rm(`${keyFile}.pub`);
    const askpass = join(folder, 'askpass');
    await writeFile(askpass, '#!/bin/sh\necho "$ANSWER"\n', { mode: 0o700 });
    const asking = (ANSWER: string) => env({ SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', ANSWER });
    await works(await open(directory, { keyFile, env: asking('not a real one') }), directory);
    const signer = await open(directory, { keyFile, env: asking('wrong') });
    expect(await complaint(works(signer, directory))).toContain('InvalidRequest: ssh-keygen could not sign');
  });

  test('is refused where others can read it, where it is no key, and where it is not hers', async () => {
    const signer = person(name);
    const keyFile = join(folder, 'open.pem');
    await writeFile(keyFile, signer.pem!, { mode: 0o644 });
    expect(await complaint(open(directoryOf(signer), { keyFile }))).toContain('others can read');
    await chmod(keyFile, 0o600);
    expect(await complaint(open(directoryOf(person(name)), { keyFile }))).toContain(`keys: ['${signer.key.text}']`);
    expect(await complaint(open(directoryOf(), { keyFile }))).toContain(`- { name: ${name}, groups: []`);
    const none = join(folder, 'none');
    expect(await complaint(open(directoryOf(signer), { keyFile: none }))).toContain('no key that can sign');
    const openssh = join(folder, 'other');
    await newKey(openssh);
    expect(await complaint(open(directoryOf(signer), { keyFile: openssh }))).toContain('none of ada@example.com');
    await writeFile(none, '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n');
    expect(await complaint(open(directoryOf(signer), { keyFile: none }))).toContain('no key that can sign');
  });

  test('counts only in its time', async () => {
    const signer = person(name);
    const keyFile = join(folder, 'timed.pem');
    await writeFile(keyFile, signer.pem!, { mode: 0o600 });
    const { party } = signer;
    const ended: Directory = {
      parties: [{ ...party, keys: [{ ...signer.key, to: '2026-01-01T00:00:00Z' }] }],
      revoked: [],
    };
    expect(await complaint(open(ended, { keyFile }))).toContain('none of ada@example.com in the directory');
  });
});

describeUnless(opensshMissing, 'without a name', () => {
  test('the SSH agent signs, and its private key lies nowhere', async () => {
    const file = join(folder, 'in-agent');
    const directory = await newKey(file, '', 'ecdsa');
    const around = env({ SSH_AUTH_SOCK: join(folder, 'agent') });
    execFileSync('ssh-add', ['-q', file], { env: around, stdio: 'ignore' });
    await rm(file);
    await works(await open(directory, { env: around }), directory);
    // A .pub file names a key of the agent too.
    await works(await open(directory, { env: around, keyFile: `${file}.pub` }), directory);
    execFileSync('ssh-add', ['-q', '-D'], { env: around, stdio: 'ignore' });
    await rm(`${file}.pub`);
    expect(await complaint(open(directory, { env: around }))).toContain('none of the keys of ada@example.com is here');
  });

  test("git's signing key signs: a file, or a key of the agent", async () => {
    const file = join(home, 'for-git');
    const directory = await newKey(file);
    const set = (value: string) => writeFile(join(home, '.gitconfig'), `[user]\n\tsigningkey = ${value}\n`);
    await set('~/for-git.pub');
    await works(await open(directory), directory);
    await set(file);
    await works(await open(directory), directory);
    await set(`key::${directory.parties[0]!.keys[0]!.text}`);
    expect((await open(directory)).keyId).toBe(directory.parties[0]!.keys[0]!.id);
    await set('0123456789ABCDEF');
    expect(await complaint(open(directory))).toContain('no key is here');
    await rm(join(home, '.gitconfig'));
  });

  test('a key in ~/.ssh signs, if the directory has it', async () => {
    const file = join(home, '.ssh', 'id_ed25519');
    const directory = await newKey(file);
    await works(await open(directory), directory);
    const told = await complaint(open(directoryOf(person(name))));
    expect(told).toContain(
      `${readSshKeyLine(directory.parties[0]!.keys[0]!.text).id} of ${file}.pub is here and is another`,
    );
    const line = directory.parties[0]!.keys[0]!.text.replace(/ x$/, '');
    expect(await complaint(open({ parties: [], revoked: [] }))).toContain(`keys: ['${line}']`);
    const keyless = { parties: [{ ...directory.parties[0]!, keys: [] }], revoked: [] };
    expect(await complaint(open(keyless))).toContain(`no key of ada@example.com. If this is you`);
    await rm(file);
    await rm(`${file}.pub`);
    expect(await complaint(open({ parties: [], revoked: [] }))).toContain('ssh-keygen -t ed25519');
  });

  test('a security key says that it has to be touched, before ssh-keygen waits for it', async () => {
    const { securityKey } = await import('../support/signers.js');
    const { sshSigner } = await import('../../src/trust/ssh-signer.js');
    const { readSshKey } = await import('../../src/trust/ssh-key.js');
    const told: string[] = [];
    const key = readSshKey(securityKey().blob);
    const around = { env: env(), cwd: folder, tell: (line: string) => void told.push(line) };
    const signer = sshSigner(name, { key, from: 'nowhere' }, around);
    expect(await complaint(works(signer, directoryOf()))).toContain(
      'ssh-keygen could not sign with the key of nowhere',
    );
    expect(told).toEqual([`touch the security key ${key.id}`]);
  });

  test('it says so where ssh-keygen is not there, or signs with something else', async () => {
    const file = join(home, '.ssh', 'id_other');
    const directory = await newKey(file);
    const bin = join(folder, 'bin');
    await mkdir(bin);
    const missing = await open(directory, { env: { HOME: home, PATH: bin } });
    expect(await complaint(works(missing, directory))).toContain('it is not installed');
    const other = join(folder, 'another');
    await newKey(other);
    const real = execFileSync('sh', ['-c', 'command -v ssh-keygen'], { encoding: 'utf8' }).trim();
    await writeFile(join(bin, 'ssh-keygen'), `#!/bin/sh\nexec ${real} -q -Y sign -n tenure -f ${other}\n`, {
      mode: 0o700,
    });
    expect(await complaint(works(missing, directory))).toContain('did not sign with SHA256:');
  });
});

describe('tenure dev', () => {
  test('makes a key for each of three once, which sign what they ask, and nobody else can read', async () => {
    const state = join(folder, 'dev');
    const file = join(folder, 'tenure.yaml');
    await writeFile(file, '{}\n');
    const made = await makeDevelopmentKeys(state, name, 'automation/tenure');
    expect(made).toEqual([name, standIn, 'automation/tenure']);
    const before = await readFile(developmentDirectory(state), 'utf8');
    expect(await makeDevelopmentKeys(state, name, 'automation/tenure')).toEqual([]);
    expect(await readFile(developmentDirectory(state), 'utf8')).toBe(before);
    const source = directorySource({ file, stateDirectory: state });
    const directory = await source.current();
    expect(directory.parties).toMatchObject([
      { name, kind: 'person', groups: ['security', 'platform', 'responders', 'owners'] },
      { name: standIn, kind: 'person', groups: ['security', 'platform', 'responders', 'owners'] },
      { name: 'automation/tenure', kind: 'automation', owner: name },
    ]);
    for (const one of [name, standIn])
      await works(await open(directory, { name: one, stateDirectory: state }), directory);
    for (const { name: one } of directory.parties) {
      const { mode } = await stat(developmentKeyFile(state, one));
      expect(mode & 0o777).toBe(0o600);
    }
    await works(
      await automationSigner({ automation: { name: 'automation/tenure' }, stateDirectory: state }, source),
      directory,
    );
  });

  test('adds whoever works here next, and a new key where one was lost', async () => {
    const state = join(folder, 'dev');
    expect(await makeDevelopmentKeys(state, 'grace@example.com', 'automation/tenure')).toEqual(['grace@example.com']);
    await rm(developmentKeyFile(state, standIn));
    expect(await makeDevelopmentKeys(state, name, 'automation/tenure')).toEqual([standIn]);
    const { parties } = await directorySource({ file: join(folder, 'tenure.yaml'), stateDirectory: state }).current();
    expect(parties.map(({ keys }) => keys.length)).toEqual([1, 2, 1, 1]);
  });

  test('does not go on with a key that is none', async () => {
    const state = join(folder, 'broken');
    const file = developmentKeyFile(state, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, 'no key');
    await expect(makeDevelopmentKeys(state, name, 'automation/tenure')).rejects.toThrow('holds no key that can sign');
  });

  test('keeps each key in a file of its own folder, whatever the name', () => {
    for (const one of ['../../etc/passwd', '..', 'a/b', '.hidden', 'a\\b'])
      expect(dirname(developmentKeyFile('/state', one))).toBe('/state/keys');
  });
});

describe('the automation of a worker', () => {
  const at = async (text: string, directory: Directory) => {
    const file = join(folder, 'automation.pem');
    await writeFile(file, text, { mode: 0o600 });
    const own = join(folder, 'automation.yaml');
    await writeFile(own, JSON.stringify({ directory: writtenDirectory(directory) }));
    const automation = { name, key: { file } };
    return automationSigner(
      { automation, stateDirectory: folder },
      directorySource({ file: own, stateDirectory: folder }),
    );
  };

  test('signs with the key that is configured', async () => {
    const signer = person(name, { kind: 'automation', owner: 'grace@example.com', key: 'jwk-ed25519' });
    const directory = directoryOf(signer, person('grace@example.com'));
    await works(await at(signer.pem!, directory), directory);
  });

  test('says what to do where its key is missing, unusable, or not in the directory', async () => {
    const stateDirectory = join(folder, 'empty');
    const source = directorySource({ file: join(folder, 'tenure.yaml'), stateDirectory });
    expect(await complaint(automationSigner({ automation: { name }, stateDirectory }, source))).toContain(
      'does not exist',
    );
    expect(await complaint(at('no key', directoryOf()))).toContain('no PEM that can be used');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const unusual = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(await complaint(at(unusual, directoryOf()))).toContain('no PEM that can be used');
    const { pem, key } = person(name);
    expect(await complaint(at(pem!, directoryOf()))).toContain(
      `- { name: ${name}, owner: YOU, keys: ['${key.text}'] }`,
    );
    expect(await complaint(at(pem!, directoryOf(person(name))))).toContain('is not in the directory');
  });
});
