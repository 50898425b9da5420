/** Under which user, and where, a test server may run that refuses to be root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
  return mkdtempSync(join(traversablePlace(), prefix));
}

/**
 * The same, with the id of this process in it: folders of processes that were killed before they could tidy up are removed
 * by the next one.
 */
export function ownTemporaryFolder(prefix: string): string {
  const place = traversablePlace();
  for (const name of readdirSync(place)) if (name.startsWith(prefix)) removeIfOrphaned(join(place, name));
  const folder = traversableTemporaryFolder(prefix);
  writeFileSync(join(folder, ownerFile), String(process.pid));
  return folder;
}

function traversablePlace(): string {
  return [tmpdir(), '/tmp', '/var/tmp'].find(isTraversable) ?? tmpdir();
}

const ownerFile = 'owner.pid';

function removeIfOrphaned(folder: string): void {
  try {
    const owner = Number(readFileSync(join(folder, ownerFile), 'utf8'));
    if (Number.isInteger(owner) && owner > 0 && !isRunning(owner)) rmSync(folder, { recursive: true, force: true });
  } catch {
    // Without an owner it is not ours to judge; it may be in the making, or going.
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
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
