/** A log in a folder that several workers share. A name appears with its whole content or not at all, whatever crashes. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { TenureError } from '../domain/errors.js';
import { createFile, hasErrorCode, removeAbandoned } from '../files/durable.js';
import { numberIn, type Shelf } from './shelf.js';

/** Opens the folder; it is made at the first write. */
export function directoryShelf(directory: string): Shelf {
  const swept = new Set<string>();
  return {
    where: directory,
    get: (name) => telling(join(directory, name), 'read', () => textOf(join(directory, name))),
    async create(name, text) {
      const path = join(directory, name);
      return telling(path, 'written', async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        if (!swept.has(dirname(path))) await removeAbandoned(dirname(path));
        swept.add(dirname(path));
        return createFile(path, text);
      });
    },
    async list(folder) {
      const names = await telling(join(directory, folder), 'read', () => namesIn(join(directory, folder)));
      return names.map((name) => `${folder}/${name}`).sort();
    },
    async last(folder) {
      const numbers = (await this.list(folder)).map(numberIn).filter((number) => number !== undefined);
      return numbers.at(-1);
    },
  };
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Without the files that a writer has not finished: their names begin with `~`, as no name of ours does. */
async function namesIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith('~'))
      .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function telling<T>(path: string, verb: 'read' | 'written', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new TenureError(
      'StoreUnavailable',
      `the evidence log: ${path} could not be ${verb} (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}); make the folder ${verb === 'read' ? 'readable' : 'writable'}`,
    );
  }
}
