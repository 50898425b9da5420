/** Finds a key that somebody can sign with here and that the directory knows as theirs. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TenureConfig } from '../config/types.js';
import { isValidAt, partyNamed, type Directory, type Party } from '../domain/directory.js';
import { TenureError } from '../domain/errors.js';
import { readSecret } from '../stores/secret-source.js';
import type { DirectorySource } from './directory-file.js';
import { pemSigner, readPem, type PemKey } from './pem-signer.js';
import { sshCandidateOf, sshCandidates, sshSigner, type SshCandidate, type SshSurroundings } from './ssh-signer.js';
import type { Signer } from './statements.js';

/** Who wants to sign, and where their key may be. */
export interface SignerOptions extends SshSurroundings {
  readonly name: string;
  readonly directory: Directory;
  /** Only this key, whatever else there is. */
  readonly keyFile?: string;
  readonly stateDirectory: string;
  readonly now?: Date;
}

/** The private key that `tenure dev` makes for somebody. */
export function developmentKeyFile(stateDirectory: string, name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9@_+.-]/g, '-').replace(/^\.+/, '-');
  return join(stateDirectory, 'keys', `${plain}.pem`);
}

/**
 * Opens the first key that will do: the one that was named (`--key`, `TENURE_KEY`), that of `tenure dev`, then what `ssh-keygen` finds.
 * Throws `InvalidRequest` with what to do next, as `facts.next` too, when there is none.
 */
export async function openSigner(options: SignerOptions): Promise<Signer> {
  const { name, directory, stateDirectory, env, now = new Date() } = options;
  const party = partyNamed(directory, name);
  const keyFile = options.keyFile ?? env['TENURE_KEY'];
  if (keyFile) return fromNamed(keyFile, party, { ...options, now });
  const made = party && (await fromDevelopment(stateDirectory, party, now));
  if (made) return made;
  const candidates = await sshCandidates(options);
  const theirs = party && candidates.find(({ key }) => holds(party, key.id, now));
  if (theirs) return sshSigner(name, theirs, options);
  throw party ? noneAtHand(party, candidates[0]) : notInDirectory(name, candidates[0]);
}

/** As whom the worker asks. Throws `InvalidRequest` with what to do where it has no key that is in the directory now. */
export async function automationSigner(
  { automation: { name, key }, stateDirectory }: Pick<TenureConfig, 'automation' | 'stateDirectory'>,
  directory: DirectorySource,
): Promise<Signer> {
  const where = key ?? { file: developmentKeyFile(stateDirectory, name) };
  const what = `the key of ${name}, as which this worker asks`;
  const pem = readPem(await readSecret(where, what));
  if (!pem) throw nothing(`${what}: it is no PEM that can be used without a passphrase (Ed25519, ECDSA or RSA)`);
  const party = partyNamed(await directory.current(), name);
  const signer = party && pemSigner(pem, party, new Date());
  if (signer) return signer;
  throw nothing(
    `${what}, is not in the directory. Add under directory.automations in tenure.yaml: - { name: ${name}, owner: YOU, keys: ['${pem.sshLine}'] }`,
  );
}

async function fromNamed(
  file: string,
  party: Party | undefined,
  options: SignerOptions & { readonly now: Date },
): Promise<Signer> {
  const { name, now } = options;
  const pem = await pemIn(file, 'the key to sign with');
  const ssh = pem ? undefined : await sshCandidateOf(file);
  if (!pem && !ssh) throw nothing(`${file} is no key that can sign: expected an OpenSSH key or a PEM`);
  if (pem && party) {
    const signer = pemSigner(pem, party, now);
    if (signer) return signer;
  }
  if (ssh && party && holds(party, ssh.key.id, now)) return sshSigner(name, ssh, options);
  throw nothing(
    `the key in ${file} is none of ${name} in the directory. ${toAdd(name, ssh ? sshLine(ssh) : pem?.sshLine)}`,
  );
}

async function fromDevelopment(stateDirectory: string, party: Party, now: Date): Promise<Signer | undefined> {
  const pem = await pemIn(developmentKeyFile(stateDirectory, party.name), `the key of ${party.name}`);
  return pem && pemSigner(pem, party, now);
}

/** A PEM that this process can use; undefined where there is no such file, or where it is something else. */
async function pemIn(file: string, what: string): Promise<PemKey | undefined> {
  const pem = readPem(await readFile(file, 'utf8').catch(() => ''));
  // A key that others can read proves nothing.
  if (pem) await readSecret({ file }, what);
  return pem;
}

function holds(party: Party, keyId: string, now: Date): boolean {
  return party.keys.some((key) => key.id === keyId && isValidAt(key, now));
}

function notInDirectory(name: string, candidate: SshCandidate | undefined): TenureError {
  return nothing(`${name} is not in the directory. ${toAdd(name, candidate && sshLine(candidate))}`, 'tenure dev');
}

function noneAtHand({ name, keys }: Party, candidate: SshCandidate | undefined): TenureError {
  if (keys.length === 0)
    return nothing(`the directory has no key of ${name}. ${toAdd(name, candidate && sshLine(candidate))}`);
  const known = keys.map(({ id }) => id).join(', ');
  const found = candidate ? `${candidate.key.id} of ${candidate.from} is here and is another` : 'no key is here';
  return nothing(
    `none of the keys of ${name} is here: the directory has ${known}; ${found}. Plug it in, add it to the SSH agent, or name its file with --key`,
    'ssh-add -L',
  );
}

function sshLine({ key }: SshCandidate): string {
  return `${key.type} ${key.blob.toString('base64')}`;
}

/** What to write into the directory, ready to paste. */
function toAdd(name: string, line: string | undefined): string {
  if (line === undefined)
    return 'Make a key (ssh-keygen -t ed25519), and add the line of its .pub file under directory.people in tenure.yaml';
  return `If this is you, add under directory.people in tenure.yaml: - { name: ${name}, groups: [], keys: ['${line}'] }`;
}

function nothing(message: string, ...next: string[]): TenureError {
  return new TenureError('InvalidRequest', message, { next });
}
