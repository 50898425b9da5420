/** Signing by `ssh-keygen -Y sign`: it knows agents, passphrases and security keys, and asks at the terminal by itself. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { TenureError } from '../domain/errors.js';
import { signatureNamespace } from '../domain/statement.js';
import { readSshKey, readSshKeyLine, type SshKey } from './ssh-key.js';
import { armor, readSshsig } from './sshsig.js';
import { statementText } from './statement-text.js';
import type { Signer } from './statements.js';
import { WireReader } from './ssh-wire.js';

/** What it takes from its surroundings. */
export interface SshSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Says what a person has to do now. */
  tell?(line: string): void;
}

/** A public key that `ssh-keygen` may be able to sign with. */
export interface SshCandidate {
  readonly key: SshKey;
  /** Where it was found, for messages. */
  readonly from: string;
  /** File of the private key; absent where an agent holds it. */
  readonly file?: string;
}

/** The keys at hand: of the agent, of git's configuration, of `~/.ssh`; in this order. */
export async function sshCandidates(around: SshSurroundings): Promise<SshCandidate[]> {
  const [agent, git, folder] = await Promise.all([ofAgent(around), ofGit(around), ofFolder(around)]);
  return [...agent, ...git, ...folder];
}

/** The key in a file: an OpenSSH private key, encrypted or not, or a `.pub` file whose private key an agent holds. */
export async function sshCandidateOf(file: string): Promise<SshCandidate | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const key = publicKeyIn(text) ?? publicKeyIn(await readFile(`${file}.pub`, 'utf8').catch(() => ''));
  return key && { key, from: file, file };
}

/** Signs as `name` with a candidate. */
export function sshSigner(name: string, candidate: SshCandidate, around: SshSurroundings): Signer {
  return {
    name,
    keyId: candidate.key.id,
    async sign(statement) {
      const text = statementText(statement);
      const signature = await signedBySsh(candidate, text, around);
      const read = readSshsig(signature);
      // An agent may offer what it likes.
      if (read.keyId !== candidate.key.id || !read.isOf(Buffer.from(text)))
        throw new TenureError('InvalidRequest', `ssh-keygen did not sign with ${candidate.key.id}; nothing was sent`);
      return { statement: text, signature };
    },
  };
}

async function signedBySsh({ key, from, file }: SshCandidate, text: string, around: SshSurroundings): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-sign-'));
  try {
    const path = file ?? join(folder, 'key.pub');
    if (file === undefined) await writeFile(path, `${key.type} ${key.blob.toString('base64')}\n`, { mode: 0o600 });
    if (key.application !== undefined) around.tell?.(`touch the security key ${key.id}`);
    return await run(['-q', '-Y', 'sign', '-n', signatureNamespace, '-f', path], text, from, around);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What it asks (touch, PIN, passphrase) it asks at the terminal itself; only the statement and the signature pass here. */
function run(args: readonly string[], input: string, from: string, { env, cwd }: SshSurroundings): Promise<string> {
  const failed = (why: string): TenureError =>
    new TenureError('InvalidRequest', `ssh-keygen could not sign with the key of ${from}: ${why}; nothing was sent`);
  return new Promise((done, fail) => {
    const child = spawn('ssh-keygen', args, { cwd, env: env as NodeJS.ProcessEnv, stdio: ['pipe', 'pipe', 'inherit'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', (part: Buffer) => parts.push(part));
    child.on('error', () => fail(failed('it is not installed')));
    child.on('close', (code) => {
      if (code === 0) done(inOneForm(Buffer.concat(parts).toString('latin1')));
      else fail(failed('see what it said above'));
    });
    // It may end before it has read everything.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** Whatever the line ends and lengths of this `ssh-keygen` are. */
function inOneForm(armored: string): string {
  return armor(Buffer.from(armored.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64'));
}

async function ofAgent(around: SshSurroundings): Promise<SshCandidate[]> {
  if (!around.env['SSH_AUTH_SOCK']) return [];
  const lines = await output('ssh-add', ['-L'], around);
  return lines.split('\n').flatMap((line) => {
    const key = keyInLine(line);
    return key ? [{ key, from: 'the SSH agent' }] : [];
  });
}

/** `user.signingkey`, as git itself uses it with `gpg.format=ssh`: a file, or the key itself. */
async function ofGit(around: SshSurroundings): Promise<SshCandidate[]> {
  const written = (await output('git', ['config', 'user.signingkey'], around)).trim();
  const literal = keyInLine(written.replace(/^key::/, ''));
  if (literal) return [{ key: literal, from: "git's user.signingkey" }];
  if (written === '' || !/[/.~]/.test(written)) return [];
  const found = await sshCandidateOf(resolve(around.cwd, written.replace(/^~(?=\/)/, homeOf(around))));
  return found ? [{ ...found, from: `git's user.signingkey` }] : [];
}

async function ofFolder(around: SshSurroundings): Promise<SshCandidate[]> {
  const folder = join(homeOf(around), '.ssh');
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.pub')).toSorted();
  const found = await Promise.all(names.slice(0, 50).map((name) => sshCandidateOf(join(folder, name))));
  return found.filter((candidate) => candidate !== undefined);
}

function homeOf({ env }: SshSurroundings): string {
  return env['HOME'] ?? homedir();
}

/** What a command prints; nothing where it fails. */
async function output(command: string, args: readonly string[], { env, cwd }: SshSurroundings): Promise<string> {
  const options = { cwd, env: env as NodeJS.ProcessEnv, timeout: 5_000, encoding: 'utf8' } as const;
  return promisify(execFile)(command, [...args], options).then(
    ({ stdout }) => stdout,
    () => '',
  );
}

const opensshFormat = /^-----BEGIN OPENSSH PRIVATE KEY-----\n([\s\S]+?)\n-----END OPENSSH PRIVATE KEY-----/;

/** The public key in a `.pub` line or in an OpenSSH private key, where it stands in the open. */
function publicKeyIn(text: string): SshKey | undefined {
  const [, base64] = opensshFormat.exec(text) ?? [];
  if (base64 === undefined) return keyInLine(text.split('\n', 1)[0]!);
  try {
    const reader = new WireReader(Buffer.from(base64, 'base64'));
    reader.take('openssh-key-v1\0'.length);
    for (let skipped = 0; skipped < 3; skipped += 1) reader.string();
    reader.uint32();
    return readSshKey(reader.string());
  } catch {
    return undefined;
  }
}

function keyInLine(line: string): SshKey | undefined {
  try {
    return readSshKeyLine(line);
  } catch {
    return undefined;
  }
}
