/**
 * Compare-and-set on plain files, without a lock that a killed process could leave behind. Each write makes a file of the
 * next generation by `link`, which fails when that file is there already; the highest generation is the truth, and only
 * lower ones are ever removed.
 *
 * The trap: a writer that slept may find the name of its generation free again, because it was removed as old. So after
 * its `link` it looks whether a higher one exists, and if so it asks the newest entry whether this write is among those
 * that it was built on.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createFile, hasErrorCode, removeAbandoned, removeFile, syncFolder } from '../../files/durable.js';

/** `~` is in no path, so that an entry never meets the folder of a path below it. */
const generationName = /^entry~([1-9][0-9]{0,14})\.json$/;

/** The newest file of a path. Generation 0 is none. */
export interface Newest {
  readonly generation: number;
  readonly file: string;
  readonly text: string;
}

export function fileOf(folder: string, generation: number): string {
  return join(folder, `entry~${generation}.json`);
}

/** The newest generation in `folder`. Looked for twice, so that one which was replaced in between is never given as newest. */
export async function readNewest(folder: string): Promise<Newest> {
  for (;;) {
    const generation = Math.max(0, ...(await generationsIn(folder)));
    const file = fileOf(folder, generation);
    const text = generation === 0 ? '' : await readIfThere(file);
    const newest = Math.max(0, ...(await generationsIn(folder)));
    if (text !== undefined && newest === generation) return { generation, file, text };
  }
}

/**
 * Writes `generation`. `won`: it was the newest. `taken`: somebody else was first. `overtaken`: a higher one exists, which
 * either was built on this one or makes it count for nothing; only what stands in the newest file can tell.
 */
export async function writeGeneration(
  folder: string,
  generation: number,
  text: string,
): Promise<'won' | 'taken' | 'overtaken'> {
  await makeFolder(folder);
  const file = fileOf(folder, generation);
  if (!(await createFile(file, text))) return 'taken';
  if (Math.max(...(await generationsIn(folder))) === generation) return 'won';
  await removeFile(file);
  return 'overtaken';
}

/** Removes what is older than `generation`, for good: material that was destroyed is in there. */
export async function removeOlder(folder: string, generation: number): Promise<void> {
  const older = (await generationsIn(folder)).filter((each) => each < generation);
  if (older.length === 0) return;
  await Promise.all(older.map((each) => removeFile(fileOf(folder, each))));
  await syncFolder(folder);
  await removeAbandoned(folder);
}

async function generationsIn(folder: string): Promise<number[]> {
  try {
    const names = await readdir(folder);
    return names.flatMap((name) => Number(generationName.exec(name)?.[1] ?? NaN)).filter((each) => !Number.isNaN(each));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  // Each new folder is durable only when the one that names it is.
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}
