/**
 * What identities were declared as, by what this worker has verified itself. What a workflow says of it is worth nothing: whoever can
 * start one says what they like. Files, one for each request that names a declared identity, which stay as they are.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import type { IdentitySpec } from '../domain/identity.js';
import { createFile, hasErrorCode } from '../files/durable.js';

/** One declared identity, as somebody signed it or as it was permitted. */
export interface Declared {
  readonly v: 1;
  readonly identity: string;
  /** Id of the request that names it. */
  readonly request: string;
  readonly by: string;
  /** `asked`: it may still be refused. `amended`: policy let pass that its purpose or the times of its rotations are new. `permitted`: policy and people let it pass. */
  readonly how: 'asked' | 'amended' | 'permitted';
  readonly spec: IdentitySpec;
  readonly at: string;
}

export interface Declarations {
  /** Notes it once; what was noted of a request stays. */
  note(declared: Declared): Promise<void>;
  /** Everything that was noted of an identity. */
  of(identity: string): Promise<readonly Declared[]>;
}

/** Opens the declarations in a folder, which is made when it is not there. */
export function declarationsIn(folder: string): Declarations {
  const known = new Map<string, Declared>();
  const folderOf = (identity: string): string => join(folder, nameOf([identity]));
  return {
    async note(declared) {
      const { identity, how, request } = declared;
      const file = join(folderOf(identity), `${nameOf([how, request])}.json`);
      if (known.has(file)) return;
      await trying(file, async () => {
        await mkdir(dirname(file), { recursive: true, mode: 0o700 });
        await createFile(file, canonicalJson(declared));
      });
    },

    async of(identity) {
      const own = folderOf(identity);
      const names = (await trying(own, () => namesIn(own))).filter((name) => name.endsWith('.json'));
      return Promise.all(names.map((name) => read(join(own, name))));
    },
  };

  /** A file never changes, so it is read once. */
  async function read(file: string): Promise<Declared> {
    const before = known.get(file);
    if (before) return before;
    const declared = await trying(file, async () => JSON.parse(await readFile(file, 'utf8')) as Declared);
    if (known.size >= mostKnown) known.clear();
    known.set(file, declared);
    return declared;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}

async function trying<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    throw new TenureError('StoreUnavailable', `${where} is not available (${code}); repair the state folder`);
  }
}

/** A file name for anything, however it is spelled. */
function nameOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

const mostKnown = 1_000;
