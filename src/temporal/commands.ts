/** Programs that are run for their output. */
import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import path from 'node:path';

/** How a program ended. */
export interface Ended {
  readonly ok: boolean;
  readonly stdout: string;
  /** The last lines of standard error, or why the program could not be started or was stopped. */
  readonly complaint: string;
}

/** Runs a program to its end, or until `timeoutMs` (milliseconds) have passed. Never throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv; readonly timeoutMs: number },
): Promise<Ended> {
  return new Promise((resolve) => {
    const { cwd, env = process.env, timeoutMs } = options;
    const child = spawn(command, args, { ...(cwd && { cwd }), env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const timer = setTimeout(() => (timedOut = child.kill('SIGKILL')), timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const end = (ok: boolean, complaint: string) => {
      clearTimeout(timer);
      resolve({ ok, stdout, complaint });
    };
    child.once('error', (error) => end(false, error.message));
    child.once('close', (code) => {
      if (timedOut) end(false, `stopped after ${timeoutMs / 1_000} s without an end`);
      else end(code === 0, lastLines(stderr || stdout));
    });
  });
}

/** The program's absolute path on the PATH, if it is there and may be run. */
export function onPath(program: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const name = process.platform === 'win32' ? `${program}.exe` : program;
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  return folders.map((folder) => path.resolve(folder, name)).find(isExecutable);
}

/** Whether this is a file that may be run. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Absent, a folder above is closed, not executable: it can't be run, whichever it is.
    return false;
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join('\n');
}
