/** Gives a consumer its credential as a file: whole or absent, and readable by nobody else unless the manifest says so. */
import { lstat, stat } from 'node:fs/promises';
import { dirname, isAbsolute } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TenureError } from '../domain/errors.js';
import { hasErrorCode, removeAbandoned, removeFile, replaceFile, syncFolder } from '../files/durable.js';
import type { Material } from '../stores/store.js';
import { acknowledged, refused, type Answer, type Telling } from './consumer.js';
import { realPlace } from './limits.js';
import { render, type FileNotify } from './render.js';

const readAgainMs = 250;
/** Others may write the same file for a newer version; whoever writes last has to have looked last. */
const mostWrites = 5;

/**
 * Brings the file in line with the store: what is current is rendered, and where nothing is current, or it was revoked,
 * the file is removed, since a program that finds no credential says so and one that finds a dead one is locked out.
 */
export async function tellFile(declared: FileNotify, telling: Telling, folders: readonly string[]): Promise<Answer> {
  try {
    const problem = await problemWith(declared);
    if (problem) return refused(problem);
    const place = await realPlace(declared.path, folders);
    if ('problem' in place) return refused(place.problem);
    const file = { ...declared, path: place.path };
    if (telling.announcement.event === 'credential.revoked') return await remove(file.path);
    return await write(file, telling);
  } catch (error) {
    if (error instanceof TenureError) return refused(error.message);
    if (error instanceof Error && 'code' in error)
      return refused(`${declared.path} cannot be written (${String(error.code)})`);
    throw error;
  }
}

async function write(file: FileNotify, telling: Telling): Promise<Answer> {
  const { event, version } = telling.announcement;
  const endsAt = Date.now() + telling.timeoutMs;
  for (let times = 0; times < mostWrites && !telling.signal.aborted; times += 1) {
    const current = await readCurrent(telling, endsAt);
    if (event === 'credential.published' && current?.version !== version) {
      return refused(`the store has ${current?.version ?? 'nothing'} as current, not ${version}`);
    }
    if (!current) return remove(file.path);
    await replaceFile(file.path, render(file, current.material), Number.parseInt(file.mode ?? '0600', 8));
    if ((await readCurrent(telling, endsAt))?.version === current.version) {
      await removeAbandoned(dirname(file.path));
      return acknowledged(`written to ${file.path}`);
    }
  }
  return refused(`${file.path} did not settle: the store changed at every look`);
}

async function remove(path: string): Promise<Answer> {
  await removeFile(path);
  await syncFolder(dirname(path));
  return acknowledged(`${path} is removed`);
}

async function problemWith({ path, mode }: FileNotify): Promise<string | undefined> {
  if (!isAbsolute(path)) return 'its file has to be an absolute path';
  if (mode !== undefined && !/^0(400|440|600|640|660)$/.test(mode))
    return `mode ${mode}: it has to be one of 0600, 0640, 0660, 0400, 0440`;
  try {
    if (!(await stat(dirname(path))).isDirectory()) return `${dirname(path)} is not a folder`;
    if ((await lstat(path)).isDirectory()) return `${path} is a folder`;
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) throw error;
    if (error instanceof Error && 'path' in error && error.path !== path)
      return `${dirname(path)} does not exist; make it`;
  }
  return undefined;
}

/** What is current, or undefined. A store that is away for a moment is asked again, as long as there is time. */
async function readCurrent(
  { store, announcement, signal }: Telling,
  endsAt: number,
): Promise<{ version: string; material: Material } | undefined> {
  for (;;) {
    try {
      const { record, material } = await store.read(announcement.delivery.path, { slot: 'current' });
      return { version: record.version, material };
    } catch (error) {
      if (!(error instanceof TenureError)) throw error;
      if (error.code === 'Conflict') return undefined;
      if (error.code !== 'StoreUnavailable' || signal.aborted || Date.now() + readAgainMs >= endsAt) throw error;
      await sleep(readAgainMs);
    }
  }
}
