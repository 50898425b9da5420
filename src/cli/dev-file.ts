/** The note that `tenure dev` leaves in its state folder, so that other commands find its server. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { CliError } from './errors.js';

export interface DevNote {
  readonly address: string;
  readonly namespace: string;
  readonly uiUrl: string;
  /** Of `tenure dev`; a note whose process is gone counts for nothing. */
  readonly pid: number;
}

export async function writeDevNote(stateDirectory: string, note: DevNote): Promise<void> {
  await writeFile(fileIn(stateDirectory), `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

/** Removes one's own; that of another process stays. */
export async function removeDevNote(stateDirectory: string): Promise<void> {
  if ((await readDevNote(stateDirectory))?.pid === process.pid) await rm(fileIn(stateDirectory), { force: true });
}

/** Demands that no `tenure dev` runs here: two servers on one database would spoil it. */
export async function demandNoOther(stateDirectory: string): Promise<void> {
  const note = await readDevNote(stateDirectory);
  // After a crash the number may be another program's by now.
  if (!note || !(await isAnswered(note.address))) return;
  throw new CliError(
    'Conflict',
    `tenure dev runs in this folder already, as process ${note.pid}: Temporal is at ${note.address}, its UI at ${note.uiUrl}`,
    ['tenure doctor', `kill ${note.pid}`],
  );
}

function isAnswered(address: string): Promise<boolean> {
  const [, host, port] = /^(.*):(\d+)$/.exec(address) ?? [];
  return new Promise((resolve) => {
    const socket = connect({ host: host!, port: Number(port) });
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(2_000, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** The note of a `tenure dev` that runs now. */
export async function readDevNote(stateDirectory: string): Promise<DevNote | undefined> {
  try {
    const note = JSON.parse(await readFile(fileIn(stateDirectory), 'utf8')) as DevNote;
    return isAlive(note.pid) ? note : undefined;
  } catch {
    return undefined;
  }
}

function fileIn(stateDirectory: string): string {
  return join(stateDirectory, 'dev.json');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
