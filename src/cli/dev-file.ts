/** The note that `tenure dev` leaves in its state folder, so that other commands find its server. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

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

export async function removeDevNote(stateDirectory: string): Promise<void> {
  await rm(fileIn(stateDirectory), { force: true });
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
