/** Exceptions as they are published for policy: one file each, written by the worker once it has verified every signature. */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import type { ExceptionRecord } from '../domain/exception.js';
import { createFile, hasErrorCode, replaceFile } from '../files/durable.js';

/** What an exception may be called, which makes it a file name too. */
export const exceptionName = /^[a-z0-9][a-z0-9._-]{0,119}$/;

export interface Published {
  /** Undefined where there is none. */
  read(id: string): Promise<ExceptionRecord | undefined>;
  /** Every one, also those that ended, oldest first. */
  all(): Promise<ExceptionRecord[]>;
  /** Publishes a new one; false where one of this id is there already. */
  create(record: ExceptionRecord): Promise<boolean>;
  replace(record: ExceptionRecord): Promise<void>;
  /** Ends it, for good: whatever is written about it afterwards, it has ended. The first end stays. */
  end(id: string, end: Ending): Promise<void>;
}

/** When and why it ended. */
export interface Ending {
  readonly since: string;
  readonly why: string;
}

/** Opens the exceptions of an installation. The folder is made when something is published. */
export function publishedIn(stateDirectory: string): Published {
  const folder = join(stateDirectory, 'trust', 'exceptions');
  const fileOf = (id: string): string => {
    if (exceptionName.test(id)) return join(folder, `${id}.json`);
    throw new TenureError('InvalidRequest', 'this is not what an exception may be called');
  };
  const endOf = (id: string): string => fileOf(id).replace(/\.json$/, '.ended');
  const reading = async <T>(work: () => Promise<T>, absent: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) return absent;
      throw unavailable(folder, error);
    }
  };
  const json = <T>(file: string): Promise<T | undefined> =>
    reading<T | undefined>(async () => JSON.parse(await readFile(file, 'utf8')) as T, undefined);
  const read = async (id: string): Promise<ExceptionRecord | undefined> => {
    const record = await json<ExceptionRecord>(fileOf(id));
    // After the record: an end that is written meanwhile is seen.
    const end = record && (await json<Ending>(endOf(id)));
    return record && end ? { ...record, ...end, status: 'ended' } : record;
  };
  const writing = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return await work();
    } catch (error) {
      throw unavailable(folder, error);
    }
  };
  return {
    read,
    async all() {
      const names = await reading(() => readdir(folder), []);
      const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
      const found = await Promise.all(ids.filter((id) => exceptionName.test(id)).map(read));
      return found
        .filter((record) => record !== undefined)
        .toSorted((one, other) => one.approvedAt.localeCompare(other.approvedAt));
    },
    create: (record) => writing(() => createFile(fileOf(record.terms.id), canonicalJson(record))),
    replace: (record) => writing(() => replaceFile(fileOf(record.terms.id), canonicalJson(record))),
    end: (id, end) => writing(async () => void (await createFile(endOf(id), canonicalJson(end)))),
  };
}

function unavailable(folder: string, error: unknown): TenureError {
  if (error instanceof TenureError) return error;
  const { code = 'unreadable' } = error as NodeJS.ErrnoException;
  return new TenureError(
    'StoreUnavailable',
    `which exceptions hold is not known: ${folder} is not available (${code}); repair the state folder`,
  );
}
