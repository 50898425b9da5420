/** The key of the evidence log: Ed25519, used for nothing else. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SecretSource } from '../config/types.js';
import { TenureError } from '../domain/errors.js';
import { createFile } from '../files/durable.js';
import { readSecret } from '../stores/secret-source.js';

const what = 'the key of the evidence log';

/** Makes a key file that only this user can read, unless there is one already; says whether it made one. */
export async function createEvidenceKey(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  return createFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

/** Reads the key: PKCS8 in PEM, as `openssl genpkey -algorithm ed25519` writes it. */
export async function readEvidenceKey(source: SecretSource): Promise<KeyObject> {
  const pem = await readSecret(source, what, 'StoreUnavailable');
  const where = 'env' in source ? `the variable ${source.env}` : source.file;
  const key = parsed(pem);
  if (key?.asymmetricKeyType === 'ed25519') return key;
  throw new TenureError(
    'StoreUnavailable',
    `${what}: ${where} does not hold an Ed25519 private key; restore it, or make a new log and its key with: openssl genpkey -algorithm ed25519`,
  );
}

/** The library's message could quote the key. */
function parsed(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
