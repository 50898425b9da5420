/** Under which user, and where, a test server may run that refuses to be root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** The user to run as when this process is root: `name` where it exists, else `nobody`. Undefined when not root. */
export function serverUser(name: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return lookUp(name) ?? lookUp('nobody') ?? { uid: 65_534, gid: 65_534 };
}

function lookUp(name: string): ServerUser | undefined {
  try {
    const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

/** A new folder that another user can reach, whatever TMPDIR says. */
export function traversableTemporaryFolder(prefix: string): string {
  const place = [tmpdir(), '/tmp', '/var/tmp'].find(isTraversable) ?? tmpdir();
  return mkdtempSync(join(place, prefix));
}

/** Says whether every folder down to `path` lets other users through. */
export function isTraversable(path: string): boolean {
  try {
    for (let at = path; ; at = dirname(at)) {
      if ((statSync(at).mode & 0o001) === 0) return false;
      if (dirname(at) === at) return true;
    }
  } catch {
    return false;
  }
}
