import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CliError } from './errors.js';

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Exit codes as shells use them. */
const notFound = 127;
const notExecutable = 126;

let running = 0;

/** Whether signals are the business of a command that we run. */
export function isChildRunning(): boolean {
  return running > 0;
}

/**
 * Runs a command on our own terminal, passes signals on, and gives its exit code; for one that a signal ended, 128 and
 * the signal's number.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<number> {
  const child = spawn(command, args, { env, cwd, stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of passedOn) process.on(signal, forward);
  running += 1;
  try {
    return await new Promise<number>((resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => reject(cannotRun(command, error)));
      child.once('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
    });
  } finally {
    running -= 1;
    for (const signal of passedOn) process.off(signal, forward);
  }
}

function cannotRun(command: string, error: NodeJS.ErrnoException): CliError {
  const isAbsent = error.code === 'ENOENT';
  const why = isAbsent ? 'was not found' : 'cannot be run';
  return new CliError(
    'Usage',
    `the command ${command} ${why}`,
    ['tenure exec --help'],
    isAbsent ? notFound : notExecutable,
  );
}
