/**
 * What was lent and what of it is back, as this worker itself knows it: whatever becomes of the workflows that lend and stand guard, rights
 * that have outlived their time are found here. Files beside the permits, one for each of both.
 */
import { join } from 'node:path';
import { fileNameOf, namesIn, noted, noteOnce } from '../files/state.js';
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
  const folderOf = (identity: string): string => join(folder, fileNameOf(identity));
  const write = async (file: string, what: unknown): Promise<void> => {
    await noteOnce(file, what);
  };
  return {
    begin: (lending) => write(join(folderOf(lending.identity), fileNameOf(lending.operation) + lentEnding), lending),
    end: (identity, operation) => write(join(folderOf(identity), fileNameOf(operation) + backEnding), { operation }),
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
  // Of what is noted nothing is ever removed.
  return Promise.all(open.map(async (name) => (await noted<Lending>(join(folder, name)))!));
}
