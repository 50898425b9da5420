import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import type { SecretSource } from '../../config/types.js';
import { TenureError } from '../../domain/errors.js';
import { createFile } from '../../files/durable.js';
import { deriveKey } from '../fingerprint.js';
import { readSecret } from '../secret-source.js';

/** What one age identity is good for. */
export interface LocalStoreKey {
  /** Names the key without giving it away, so that a wrong key is told from a damaged file. */
  readonly id: string;
  readonly sealKey: Buffer;
  readonly fingerprintKey: Buffer;
  encrypt(text: string): Promise<string>;
  decrypt(sealed: string): Promise<string>;
}

/** Makes a key file that only this user can read, unless there is one already; says whether it made one. */
export async function createLocalStoreKey(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return createFile(file, `${await generateX25519Identity()}\n`);
}

/** Reads an age identity as `age-keygen` writes it: comment lines and one `AGE-SECRET-KEY-…` line. */
export async function loadKey(source: SecretSource, store: string): Promise<LocalStoreKey> {
  const what = `the key of store ${store}`;
  const lines = (await readSecret(source, what, 'StoreUnavailable')).split(/\r?\n/);
  const identities = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  const [identity] = identities;
  if (identities.length !== 1 || !identity) throw notAnIdentity(what, source);
  try {
    return await keyOf(identity);
  } catch {
    // The library's message could quote the line.
    throw notAnIdentity(what, source);
  }
}

async function keyOf(identity: string): Promise<LocalStoreKey> {
  const encrypter = new Encrypter();
  const recipient = await identityToRecipient(identity);
  encrypter.addRecipient(recipient);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return {
    id: createHash('sha256').update(recipient).digest('hex').slice(0, 16),
    sealKey: deriveKey(identity, 'store seal'),
    fingerprintKey: deriveKey(identity, 'fingerprint'),
    encrypt: async (text) => Buffer.from(await encrypter.encrypt(text)).toString('base64'),
    decrypt: (sealed) => decrypter.decrypt(Buffer.from(sealed, 'base64'), 'text'),
  };
}

function notAnIdentity(what: string, source: SecretSource): TenureError {
  const where = 'env' in source ? `the variable ${source.env}` : source.file;
  return new TenureError(
    'StoreUnavailable',
    `${what}: ${where} does not hold one age identity (AGE-SECRET-KEY-1…); restore the key, or make a new one with: age-keygen`,
  );
}
