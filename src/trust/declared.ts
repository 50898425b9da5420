/**
 * What identities were declared as, by what this worker has verified itself. What a workflow says of it is worth nothing: whoever can
 * start one says what they like. Files, one for each request that names a declared identity, which stay as they are.
 */
import { join } from 'node:path';
import type { IdentitySpec } from '../domain/identity.js';
import { fileNameOf, namesIn, noted, noteOnce, remember } from '../files/state.js';

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
  const folderOf = (identity: string): string => join(folder, fileNameOf(identity));
  return {
    async note(declared) {
      const { identity, how, request } = declared;
      const file = join(folderOf(identity), `${fileNameOf(how, request)}.json`);
      if (known.has(file)) return;
      await noteOnce(file, declared);
    },

    async of(identity) {
      const own = folderOf(identity);
      const names = (await namesIn(own)).filter((name) => name.endsWith('.json'));
      return Promise.all(names.map((name) => read(join(own, name))));
    },
  };

  /** A file never changes, so it is read once. */
  async function read(file: string): Promise<Declared> {
    const before = known.get(file);
    if (before) return before;
    // Of what is noted nothing is ever removed.
    const declared = (await noted<Declared>(file))!;
    return remember(known, file, declared);
  }
}
