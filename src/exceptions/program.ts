/** Runs a program that the operator's file names, as a check: no shell, and nothing of the worker's own environment that may be secret. */
import { spawn, type ChildProcess } from 'node:child_process';
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
  const ended = endOf(child);
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

/** Its exit code, or what came instead. Never rejects: a program that is not there emits an error and no exit. */
function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? `ended by ${String(signal)}`));
    child.once('error', (error: NodeJS.ErrnoException) => resolve(`could not be started (${error.code ?? 'error'})`));
  });
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
