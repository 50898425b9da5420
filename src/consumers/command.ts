/** Tells a consumer by running a program: no shell, nothing secret in its arguments or environment. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Material } from '../stores/store.js';
import { acknowledged, inSeconds, refused, type Answer, type Telling } from './consumer.js';
import { redact } from '../stores/redact.js';
import { slots } from '../domain/credential.js';

/** What a program is given of the worker's own environment. The rest may hold the worker's secrets. */
const inherited = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'XDG_RUNTIME_DIR'];

/** How long a program may take to end after SIGTERM, milliseconds. */
const graceMs = 2_000;
/** How much of the end of standard error is kept, bytes. */
const keptBytes = 8_192;

/** Runs `command` and takes exit code 0 for an acknowledgement. Its whole process group ends with its time. */
export async function tellCommand(command: readonly string[], telling: Telling): Promise<Answer> {
  const [program, ...args] = command;
  if (!program) return refused('the command is empty');
  const env = environmentFor(telling);
  // A group of its own, so that what the program started can be ended with it.
  const child = spawn(program, args, { detached: true, shell: false, stdio: ['ignore', 'ignore', 'pipe'], env });
  const tail = tailOf(child);
  const outcome = await outcomeOf(child, telling);
  const said = outcome === 'exit code 0' ? '' : await lastWords(tail, telling);
  // Something that the program left running may hold the pipe open for as long as it lives.
  child.stderr?.destroy();
  if (outcome === 'exit code 0') return acknowledged(outcome);
  return refused(said ? `${outcome}: ${said}` : outcome);
}

function environmentFor({ announcement }: Telling): NodeJS.ProcessEnv {
  const { identity, operation, event, version, delivery } = announcement;
  const own = inherited.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  return {
    ...Object.fromEntries(own),
    TENURE_IDENTITY: identity,
    TENURE_OPERATION: operation,
    TENURE_EVENT: event,
    TENURE_VERSION: version,
    TENURE_STORE: delivery.store,
    TENURE_PATH: delivery.path,
  };
}

async function outcomeOf(child: ChildProcess, { timeoutMs, signal }: Telling): Promise<string> {
  const ended = once(child, 'exit').then(
    ([code, killedBy]: unknown[]) => (code === null ? `ended by ${String(killedBy)}` : `exit code ${String(code)}`),
    (error: NodeJS.ErrnoException) => `could not be started (${error.code ?? 'unknown error'})`,
  );
  const stopped = new Promise<'stopped'>((resolve) => {
    if (signal.aborted) resolve('stopped');
    signal.addEventListener('abort', () => resolve('stopped'), { once: true });
  });
  const first = await Promise.race([ended, stopped]);
  if (first !== 'stopped') return first;
  await endGroup(child, ended);
  return `did not end within ${inSeconds(timeoutMs)}`;
}

async function endGroup(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  await Promise.race([ended, sleep(graceMs, undefined, { ref: false })]);
  // Also when the program itself has ended: what it started may still run.
  signalGroup(child, 'SIGKILL');
  await ended;
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The group is gone already.
  }
}

interface Tail {
  /** Resolves when no more is to come, or soon after the program ended: a child of it may hold the pipe open. */
  closed: Promise<unknown>;
  text: Buffer;
  isWhole: boolean;
}

function tailOf(child: ChildProcess): Tail {
  const { stderr } = child;
  const tail: Tail = { closed: Promise.resolve(), text: Buffer.alloc(0), isWhole: true };
  if (!stderr) return tail;
  stderr.on('data', (chunk: Buffer) => {
    const all = Buffer.concat([tail.text, chunk]);
    tail.isWhole &&= all.length <= keptBytes;
    tail.text = all.subarray(-keptBytes);
  });
  tail.closed = once(stderr, 'close').catch(() => undefined);
  return tail;
}

/** The last line of standard error, without anything of the credentials that the program could have read. */
async function lastWords(tail: Tail, telling: Telling): Promise<string> {
  await Promise.race([tail.closed, sleep(200)]);
  // A line that was cut at its beginning could begin in the middle of a secret, and then nothing would recognise it.
  const text = tail.isWhole ? tail.text.toString() : tail.text.toString().replace(/^[^\n]*(\n|$)/, '');
  if (text.trim() === '') return '';
  const materials = await materialsOf(telling);
  if (!materials) return '(what it said is kept back: the store cannot be read to redact it)';
  return redact(text, materials).trim().split(/\r?\n/).at(-1)!;
}

async function materialsOf({ store, announcement }: Telling): Promise<Material[] | undefined> {
  const { path } = announcement.delivery;
  try {
    const entry = await store.describe(path);
    const filled = slots.filter((slot) => entry.slots[slot]);
    const read = await Promise.all(filled.map((slot) => store.read(path, { slot })));
    return read.map(({ material }) => material);
  } catch {
    return undefined;
  }
}
