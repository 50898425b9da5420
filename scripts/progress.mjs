/** One line for each step of a script: what is done, for how long, and how it ended. Nothing installed is needed. */
import { spawn } from 'node:child_process';
import process from 'node:process';

/** A step that failed. Its output has been shown already: only the sentence is left to say. */
export class StepFailed extends Error {}

/**
 * Runs `work` under one progress line: counting seconds on a terminal, start and end in a pipe.
 *
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  const live = process.stderr.isTTY === true;
  const draw = (/** @type {string} */ mark, /** @type {string} */ end) =>
    process.stderr.write(`${live ? '\r\u001b[K' : ''}${mark} ${title}${end}`);
  draw('·', live ? '' : ' …\n');
  const timer = live ? setInterval(() => draw('·', ` … ${seconds()}`), 200) : undefined;
  try {
    const result = await work();
    clearInterval(timer);
    draw('✓', `  ${seconds()}\n`);
    return result;
  } catch (error) {
    clearInterval(timer);
    draw('✗', `  ${seconds()}\n`);
    throw error;
  }
}

/**
 * Runs a command quietly and shows its output only when it fails.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<string>} standard output
 */
export async function run(command, args, options = {}) {
  const { code, stdout, stderr } = await output(command, args, options);
  if (code === 0) return stdout;
  process.stderr.write(`\n${stdout}${stderr}\n`);
  throw new StepFailed(`\`${[command, ...args].join(' ')}\` ended with ${code}`);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 * @returns {Promise<{ code: number | string, stdout: string, stderr: string }>}
 */
function output(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], shell: needsShell(command) });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.once('error', (error) => reject(new StepFailed(`${command} can't be started: ${error.message}`)));
    child.once('close', (code, signal) => resolve({ code: code ?? signal ?? 1, stdout, stderr }));
  });
}

/**
 * Runs a command in the foreground, on the same terminal, and answers its exit code. A signal is passed on, and the
 * command's own end decides.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>}
 */
export function runInForeground(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: 'inherit' });
    const pass = (/** @type {NodeJS.Signals} */ signal) => child.kill(signal);
    // The terminal sends SIGINT to the whole group: the child has it already.
    const stay = () => undefined;
    process.on('SIGTERM', pass).on('SIGINT', stay);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      process.off('SIGTERM', pass).off('SIGINT', stay);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** npm and its tools are .cmd files on Windows, which only a shell starts. */
function needsShell(/** @type {string} */ command) {
  return process.platform === 'win32' && command === 'npm';
}
