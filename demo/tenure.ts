/** Tenure as its users have it: the command line, run in the operator's folder, its output shown as it comes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';
import { packageRoot } from '../src/package-root.js';
import { dyingWithParent } from '../src/temporal/dev-server.js';
import type { Terminal } from './terminal.js';

/** A command that has ended. */
export interface Ran {
  readonly code: number;
  /** Both streams, in the order in which they came, without colours. */
  readonly lines: readonly string[];
}

export const program = join(packageRoot, 'bin', 'tenure.mjs');

/** A command that takes longer has gone wrong: the story goes on without it, and its claim fails. */
const longestMs = 90_000;

export class Tenure {
  readonly #running = new Set<ChildProcess>();
  /** Commands that are shown now. While there are several, each line says whose it is. */
  #shown = 0;
  #isMute = false;

  constructor(
    private readonly folder: string,
    private readonly terminal: Terminal,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** Runs a command and shows it with its output. */
  async run(...args: readonly string[]): Promise<Ran> {
    this.terminal.command(['tenure', ...args]);
    const child = this.#spawn(args, ['ignore', 'pipe', 'pipe']);
    const lines: string[] = [];
    this.#shown += 1;
    for (const stream of [child.stdout!, child.stderr!]) {
      createInterface(stream).on('line', (line) => {
        lines.push(stripVTControlCharacters(line));
        this.#show(args[0]!, line);
      });
    }
    const late = setTimeout(() => {
      this.terminal.output(`(ended after ${longestMs / 1_000} s)`);
      child.kill('SIGKILL');
    }, longestMs);
    const code = await endOf(child);
    clearTimeout(late);
    this.#shown -= 1;
    return { code, lines };
  }

  /** Starts a worker and waits until it works. Its log goes to a file. */
  async startWorker(log: string): Promise<Worker> {
    this.terminal.command(['tenure', 'worker']);
    const file = openSync(log, 'a');
    const child = this.#spawn(['worker'], ['ignore', 'pipe', file]);
    closeSync(file);
    const works = new Promise<void>((resolve, reject) => {
      createInterface(child.stdout!).on('line', (line) => {
        this.#show('worker', line, 1);
        if (line.startsWith('working for')) resolve();
      });
      child.once('exit', (code, signal) => reject(new Error(`the worker ended with ${code ?? signal}; see ${log}`)));
    });
    await works;
    return new Worker(child);
  }

  /** Ends whatever still runs. */
  async stop(): Promise<void> {
    this.#isMute = true;
    const left = [...this.#running];
    const ended = left.map((child) => endOf(child));
    for (const child of left) child.kill('SIGTERM');
    const hard = setTimeout(() => left.forEach((child) => child.kill('SIGKILL')), 12_000);
    await Promise.all(ended);
    clearTimeout(hard);
  }

  #show(verb: string, line: string, others = 0): void {
    if (this.#isMute) return;
    const { dim } = this.terminal.paint;
    this.terminal.output(this.#shown + others > 1 ? `${dim(`${verb} |`)} ${line}` : line);
  }

  #spawn(args: readonly string[], stdio: ['ignore', 'pipe', 'pipe' | number]): ChildProcess {
    // A group of its own where it dies with the demo anyway: Ctrl-C reaches the demo alone, which ends it in order.
    const guard = dyingWithParent();
    const [command, ...rest] = [...guard, process.execPath, program, ...args] as [string, ...string[]];
    const child = spawn(command, rest, { cwd: this.folder, env: this.env, stdio, detached: guard.length > 0 });
    this.#running.add(child);
    child.once('close', () => this.#running.delete(child));
    return child;
  }
}

/** A `tenure worker`. */
export class Worker {
  constructor(private readonly child: ChildProcess) {}

  get pid(): number {
    return this.child.pid!;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const ended = endOf(this.child);
    this.child.kill('SIGKILL');
    await ended;
  }
}

/**
 * The environment for commands in the operator's folder. Without the user's own Temporal settings: the demo has a server of
 * its own, and must never work on another.
 */
export function cleanEnvironment(env: NodeJS.ProcessEnv, isColourful: boolean): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !/^(TEMPORAL|TENURE)_/.test(name) && name !== 'FORCE_COLOR');
  return { ...Object.fromEntries(own), ...(isColourful ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }) };
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode ?? 1);
    child.once('error', reject);
    // After its last line was read.
    child.once('close', (code) => resolve(code ?? 1));
  });
}
