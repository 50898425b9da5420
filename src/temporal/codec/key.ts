/** Keys that payloads are encrypted with: 32 random bytes, each under an id that stands beside what it encrypted. */
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SecretSource } from '../../config/types.js';
import { TenureError } from '../../domain/errors.js';
import { createFile } from '../../files/durable.js';
import { readSecret } from '../../stores/secret-source.js';

/** The keys of one configuration. */
export interface KeyRing {
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Id of the key that encrypts; without one nothing is encrypted, and what was encrypted can be read. */
  readonly current?: string;
}

/** Begins a key's line, so that a scanner for secrets knows one when it sees it. */
const label = 'TENURE-CODEC-KEY-1';
const keyBytes = 32;

/** Makes a key file that only this user can read, unless there is one already; says whether it made one. */
export async function createCodecKey(file: string, id: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  return createFile(file, `${label}:${id}:${randomBytes(keyBytes).toString('base64')}\n`);
}

/** Reads the key `id`: the line that {@link createCodecKey} writes, or 32 bytes in base64 as `openssl rand -base64 32` does. */
export async function readCodecKey(source: SecretSource, id: string): Promise<KeyObject> {
  const what = `payload key ${id}`;
  const where = 'env' in source ? `the variable ${source.env}` : source.file;
  const secret = await readSecret(source, what);
  const [, ownId, labelled] = /^TENURE-CODEC-KEY-1:([^:]*):(.*)$/.exec(secret) ?? [];
  if (ownId !== undefined && ownId !== id)
    throw new TenureError(
      'InvalidRequest',
      `${what}: ${where} holds another key; name the file of ${id}, or correct the id`,
    );
  const text = labelled ?? secret;
  const key = Buffer.from(text, 'base64');
  if (key.length === keyBytes && key.toString('base64') === text) return createSecretKey(key);
  throw new TenureError(
    'InvalidRequest',
    `${what}: ${where} does not hold a key of ${keyBytes} bytes in base64; restore it, or make a new one with: tenure key make codec`,
  );
}
