/**
 * The numbers of the processes that were permitted here: no effect has a fence beyond them. Whoever starts a process by hand may take any number
 * for it, and the fence of a high one keeps out what comes after, an emergency too. Empty files, which stay.
 */
import { join } from 'node:path';
import { TenureError } from '../domain/errors.js';
import { epochAfterwards, epochOf, undoEpoch } from '../domain/epoch.js';
import { parseProcessId } from '../domain/wire.js';
import { fileNameOf, namesIn, noteOnce } from '../files/state.js';
import { refused } from './refusal.js';

export interface Numbers {
  /** Notes that a process was permitted. */
  note(operation: string): Promise<void>;
  /** The highest number of an identity; 0 where none was permitted. */
  highest(identity: string): Promise<number>;
}

/** Opens the notes in a folder, which is made when it is not there. */
export function numbersIn(folder: string): Numbers {
  const folderOf = (identity: string): string => join(folder, fileNameOf(identity));
  return {
    async note(operation) {
      const { name, number } = parseProcessId(operation)!;
      await noteOnce(join(folderOf(name), String(number)), {});
    },

    async highest(identity) {
      const numbers = (await namesIn(folderOf(identity))).map(Number).filter(Number.isSafeInteger);
      return Math.max(0, ...numbers);
    },
  };
}

/** The last epoch that anything permitted may have written: taking lent rights back, or a step of the rotation that follows. */
export async function lastEpochPermitted(numbers: Pick<Numbers, 'highest'>, identity: string): Promise<number> {
  const number = await numbers.highest(identity);
  return number === 0 ? 0 : undoEpoch(epochAfterwards(epochOf(number)));
}

/**
 * Throws `Fenced` where something newer was permitted: better before anything is touched, since whoever asks again is given a number beyond
 * it. Throws `ApprovalRefused` where so many numbers are left out that nothing could follow one day.
 */
export async function demandNumber(operation: string, numbers: Pick<Numbers, 'highest'>): Promise<void> {
  const { name, number } = parseProcessId(operation)!;
  const highest = await numbers.highest(name);
  if (number < highest)
    throw new TenureError(
      'Fenced',
      `${operation}: process ${highest} of ${name} was permitted meanwhile, and fences this one off; nothing was touched. Ask again with: tenure`,
      { highest, number },
    );
  if (number <= highest + mostLeftOut) return;
  throw refused(
    'other-content',
    `${operation}: the last process of ${name} was number ${highest}; nothing was touched`,
  );
}

/** Processes that only look, or were refused, take a number too. */
const mostLeftOut = 1_000_000_000;
