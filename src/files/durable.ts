/**
 * Files that are whole or absent, whatever crashes: written under another name, flushed, then linked or renamed into
 * place, and the folder flushed, since a name is durable only when its folder is.
 */
import { randomUUID } from 'node:crypto';
import { link, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Begins with a character that no name of ours may contain, so that it is never taken for content. */
const temporaryName = /^~[0-9a-f-]{36}\.tmp$/;

/** Age at which a temporary file belongs to nobody any more, milliseconds. A writer that was slower than this starts over. */
const abandonedMs = 60_000;

/** Puts `content` at `path`, over what was there. */
export async function replaceFile(path: string, content: string, mode = 0o600): Promise<void> {
  const folder = dirname(path);
  const temporary = await writeTemporary(folder, content, mode);
  await rename(temporary, path).catch(async (error: unknown) => {
    await removeFile(temporary);
    throw error;
  });
  await syncFolder(folder);
}

/** Puts `content` at `path` only if nothing is there; says whether it did. `link` is what makes this one atomic step. */
export async function createFile(path: string, content: string, mode = 0o600): Promise<boolean> {
  const folder = dirname(path);
  const temporary = await writeTemporary(folder, content, mode);
  try {
    await link(temporary, path);
  } catch (error) {
    if (hasErrorCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await removeFile(temporary);
  }
  await syncFolder(folder);
  return true;
}

/** Flushes the names in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file; an absent one is fine. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  });
}

/** Removes what killed writers left in `folder`. */
export async function removeAbandoned(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => temporaryName.test(name));
  await Promise.all(names.map((name) => removeWhenAbandoned(join(folder, name))));
}

/** Says whether `error` is a system error with one of these codes, e.g. `ENOENT`. */
export function hasErrorCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

async function writeTemporary(folder: string, content: string, mode: number): Promise<string> {
  const path = join(folder, `~${randomUUID()}.tmp`);
  const handle = await open(path, 'wx', mode);
  try {
    // The mode given to open() is narrowed by the umask; this one is not.
    await handle.chmod(mode);
    await handle.writeFile(content);
    await handle.sync();
  } catch (error) {
    await removeFile(path);
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

async function removeWhenAbandoned(path: string): Promise<void> {
  try {
    if (Date.now() - (await stat(path)).mtimeMs > abandonedMs) await removeFile(path);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
  }
}
