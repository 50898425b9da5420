/** What workers note in the state folder, which those of an installation share: small files that are made once, and trouble with them told in one way. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import { createFile, hasErrorCode } from './durable.js';

/** Does `work` on a file or folder. `StoreUnavailable` where that fails, which passes when the folder is repaired. */
export async function inState<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TenureError) throw error;
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new TenureError('StoreUnavailable', `${where} is not available (${code}); repair the state folder`);
  }
}

/** Writes it unless something is there, which then stays; tells whether it was written. */
export function noteOnce(file: string, what: unknown): Promise<boolean> {
  return inState(file, async () => {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return createFile(file, canonicalJson(what));
  });
}

/** What was noted in a file; undefined where it is not there. */
export function noted<T>(file: string): Promise<T | undefined> {
  return inState(file, async () => {
    const text = await unlessAbsent(readFile(file, 'utf8'));
    return text === undefined ? undefined : (JSON.parse(text) as T);
  });
}

/** Keeps what never changes, so that it is read once; not without bound. */
export function remember<T>(known: Map<string, T>, file: string, what: T): T {
  if (known.size >= mostRemembered) known.clear();
  known.set(file, what);
  return what;
}

const mostRemembered = 1_000;

/** The names in a folder: none where it is not there. */
export function namesIn(folder: string): Promise<readonly string[]> {
  return inState(folder, async () => (await unlessAbsent(readdir(folder))) ?? []);
}

/** A file name for anything, however it is spelled. */
export function fileNameOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function unlessAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
