/** Runs a program that the operator's file names, as a check: no shell, and nothing of the worker's own environment that may be secret. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const inherited = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];
const graceMs = 1_000;

/** Ends with its exit code, or with words for what came instead. Its whole process group ends with its time. */
export async function runProgram(
  command: readonly string[],
  more: Readonly<Record<string, string>>,
  timeoutMs: number,
): Promise<number | string> {
  const [program = '', ...args] = command;
  const own = inherited.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  const child = spawn(program, args, {
    detached: true,
    shell: false,
    stdio: 'ignore',
    env: { ...Object.fromEntries(own), ...more },
  });
  const ended: Promise<number | string> = Promise.race([
    once(child, 'exit').then(([code, signal]) => (typeof code === 'number' ? code : `ended by ${String(signal)}`)),
    once(child, 'error').then(
      ([error]) => `could not be started (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
    ),
  ]);
  const timer = new AbortController();
  const late = sleep(timeoutMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  const first = await Promise.race([ended, late]);
  timer.abort();
  if (first !== 'late') return first;
  end(child.pid, 'SIGTERM');
  await Promise.race([ended, sleep(graceMs)]);
  end(child.pid, 'SIGKILL');
  return `did not end within ${timeoutMs / 1_000} s`;
}

/** The group that the program leads, which is its own. */
function end(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}
