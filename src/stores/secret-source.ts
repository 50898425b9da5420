/** Reads a secret from where the operator keeps it: a file that nobody else can read, or a variable. */
import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import type { SecretSource } from '../config/types.js';
import { TenureError, type ErrorCode } from '../domain/errors.js';

/** How the operator's file names a secret. Never the secret itself. */
export const secretSource = z
  .union([
    z.strictObject({ file: z.string().min(1).max(1000) }),
    z.strictObject({ env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
  ])
  .describe('Where the secret is: a file of mode 0600, or a variable. Never the secret itself.');

/** Permission bits of group and others. */
const othersMask = 0o077;

/**
 * The secret without surrounding white space. `what` names it in messages, e.g. `the key of store local`.
 * Fails with `code` when it is absent, empty, or readable by anybody but its owner.
 */
export async function readSecret(
  source: SecretSource,
  what: string,
  code: ErrorCode = 'InvalidRequest',
): Promise<string> {
  return 'env' in source ? fromVariable(source.env, what, code) : fromFile(source.file, what, code);
}

function fromVariable(name: string, what: string, code: ErrorCode): string {
  const secret = process.env[name]?.trim();
  if (!secret) throw new TenureError(code, `${what}: the variable ${name} is not set; set it and try again`);
  return secret;
}

async function fromFile(file: string, what: string, code: ErrorCode): Promise<string> {
  try {
    const { mode } = await stat(file);
    if ((mode & othersMask) !== 0) {
      throw new TenureError(code, `${what}: others can read ${file}; close it with: chmod 600 '${file}'`);
    }
    const secret = (await readFile(file, 'utf8')).trim();
    if (secret === '') throw new TenureError(code, `${what}: ${file} is empty`);
    return secret;
  } catch (error) {
    if (error instanceof TenureError) throw error;
    throw new TenureError(code, `${what}: ${file} ${whyUnread(error)}`);
  }
}

function whyUnread(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist; make it, or name another file in tenure.yaml';
  if (code === 'EACCES') return 'may not be read by this user; change its owner';
  return `cannot be read (${code ?? 'unknown error'})`;
}
