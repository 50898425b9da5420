/**
 * What was lent and what of it is back, as this worker itself knows it: whatever becomes of the workflows that lend and stand guard, rights
 * that have outlived their time are found here. Files beside the permits, one for each of both.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import { createFile, hasErrorCode } from '../files/durable.js';
import type { Permit } from './permits.js';

/** The lending of one operation. */
export type Lending = Permit & { readonly lent: NonNullable<Permit['lent']> };

export interface Loans {
  /** Notes that rights are about to be lent; before they are. */
  begin(lending: Lending): Promise<void>;
  /** Notes that they are back. */
  end(identity: string, operation: string): Promise<void>;
  /** What was lent and is not back, of one identity or of all. */
  open(identity?: string): Promise<readonly Lending[]>;
}

/** Opens the notes in a folder, which is made when it is not there. */
export function loansIn(folder: string): Loans {
  const folderOf = (identity: string): string => join(folder, nameOf(identity));
  const write = (file: string, what: unknown): Promise<void> =>
    trying(file, async () => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await createFile(file, canonicalJson(what));
    });
  return {
    begin: (lending) => write(join(folderOf(lending.identity), nameOf(lending.operation) + lentEnding), lending),
    end: (identity, operation) => write(join(folderOf(identity), nameOf(operation) + backEnding), { operation }),
    async open(identity) {
      const folders = identity === undefined ? (await namesIn(folder)).map((name) => join(folder, name)) : [];
      const all = await Promise.all((identity === undefined ? folders : [folderOf(identity)]).map(openIn));
      return all.flat();
    },
  };
}

const lentEnding = '.lent.json';
const backEnding = '.back.json';

async function openIn(folder: string): Promise<readonly Lending[]> {
  const names = await namesIn(folder);
  const back = new Set(names);
  const open = names.filter(
    (name) => name.endsWith(lentEnding) && !back.has(name.slice(0, -lentEnding.length) + backEnding),
  );
  return Promise.all(
    open.map((name) =>
      trying(join(folder, name), async () => JSON.parse(await readFile(join(folder, name), 'utf8')) as Lending),
    ),
  );
}

function namesIn(folder: string): Promise<string[]> {
  return trying(folder, async () => {
    try {
      return await readdir(folder);
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return [];
      throw error;
    }
  });
}

async function trying<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new TenureError('StoreUnavailable', `${where} is not available (${code}); repair the state folder`);
  }
}

function nameOf(what: string): string {
  return createHash('sha256').update(what).digest('hex');
}
