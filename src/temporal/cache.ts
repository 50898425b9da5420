/** Our own cache of programs: one folder for each program and version, filled whole or not at all. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { lock } from 'proper-lockfile';
import type { Progress } from './progress.js';
import type { Answer, Machine } from './sources.js';

/** How long another process may build before ours gives up waiting, in seconds. */
const patienceSeconds = 20 * 60;

/** Where programs are kept: `TENURE_CACHE`, else the user's cache folder. */
function cacheFolder({ env }: Pick<Machine, 'env'>): string {
  return env['TENURE_CACHE'] || path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'tenure');
}

/** One program at one version in the cache. */
export interface CacheEntry {
  /** `<program>-<version>` */
  readonly name: string;
  /** The file in the entry that is run. */
  readonly program: string;
}

/** Where the entry's program is, or would be. */
export function cachedPath(entry: CacheEntry, machine: Pick<Machine, 'env'>): string {
  return path.join(cacheFolder(machine), entry.name, entry.program);
}

/**
 * Fills an entry. `make` works in a folder beside it, which takes the entry's place only when `make` says that it is
 * good: whoever looks sees a whole entry or none. One process makes while the others wait and then find it.
 */
export async function fillEntry(
  entry: CacheEntry,
  machine: Machine,
  make: (folder: string) => Promise<{ readonly miss: string } | undefined>,
): Promise<Answer> {
  const target = cachedPath(entry, machine);
  await mkdir(cacheFolder(machine), { recursive: true });
  const release = await lockEntry(path.dirname(target), machine.progress);
  try {
    if (existsSync(target)) return { path: target };
    const folder = await mkdtemp(path.join(cacheFolder(machine), `${entry.name}.making-`));
    try {
      const failed = await make(folder);
      if (failed) return failed;
      // Without its program the entry was a leftover: nobody can be using it.
      await rm(path.dirname(target), { recursive: true, force: true });
      await chmod(folder, 0o755);
      await rename(folder, path.dirname(target));
      return { path: target };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
}

async function lockEntry(folder: string, progress: Progress): Promise<() => Promise<void>> {
  const options = {
    realpath: false,
    stale: 30_000,
    update: 5_000,
    // A machine that slept loses the lock: two builds at once are slow, and harmless because entries appear whole.
    onCompromised: () => undefined,
  };
  try {
    return await lock(folder, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    const retries = { retries: patienceSeconds, factor: 1, minTimeout: 1_000, maxTimeout: 1_000 };
    return progress.during(`waiting for another process that makes ${path.basename(folder)}`, () =>
      lock(folder, { ...options, retries }),
    );
  }
}
