import { execFileSync } from 'node:child_process';
import { hostname, userInfo } from 'node:os';
import type { Io } from './io.js';

/**
 * Who is at the keyboard: `--as`, then `TENURE_AS`, then git's `user.email`, then the operating system's user. This is a
 * claim and no proof.
 */
export function personOf(io: Io, given?: string): string {
  return given ?? io.env['TENURE_AS'] ?? gitAddress(io) ?? `${userInfo().username}@${hostname()}`;
}

function gitAddress(io: Io): string | undefined {
  try {
    const options = {
      cwd: io.cwd,
      env: io.env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'],
    };
    return (
      execFileSync('git', ['config', 'user.email'], { ...options, encoding: 'utf8', timeout: 2_000 }).trim() ||
      undefined
    );
  } catch {
    return undefined;
  }
}
