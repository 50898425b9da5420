/** The leaf hashes of a log, read back after a start: from tiles of many where they are there, else from the entries themselves. */
import { exactBase64 } from './note.js';
import { leafHash } from './merkle.js';
import { numbered, type Shelf } from './shelf.js';

/** Hashes in one tile. Only full tiles are written; they can be made anew from the entries at any time. */
const tileSize = 256;

/** Leaf hashes from `from` to before `to`; undefined in the place of an entry that is not there. */
export async function readLeaves(
  shelf: Shelf,
  from: number,
  to: number,
  useTiles = true,
): Promise<(Buffer | undefined)[]> {
  const leaves: (Buffer | undefined)[] = [];
  while (from + leaves.length < to) {
    const at = from + leaves.length;
    const tile =
      useTiles && at % tileSize === 0 && at + tileSize <= to ? await readTile(shelf, at / tileSize) : undefined;
    leaves.push(...(tile ?? (await readEntries(shelf, at, Math.min(to, nextTile(at))))));
  }
  return leaves;
}

/** Writes the tile that leaf `size - 1` has filled, if it has filled one. */
export async function keepTile(shelf: Shelf, leaves: readonly Buffer[]): Promise<void> {
  const { length: size } = leaves;
  if (size === 0 || size % tileSize !== 0) return;
  const lines = leaves.slice(size - tileSize).map((leaf) => leaf.toString('base64'));
  await shelf.create(numbered('leaves', size / tileSize - 1), `${lines.join('\n')}\n`);
}

function nextTile(at: number): number {
  return (Math.floor(at / tileSize) + 1) * tileSize;
}

async function readTile(shelf: Shelf, number: number): Promise<Buffer[] | undefined> {
  const lines = (await shelf.get(numbered('leaves', number)))?.trimEnd().split('\n') ?? [];
  const leaves = lines.map(exactBase64).filter((leaf) => leaf?.length === 32) as Buffer[];
  return leaves.length === tileSize ? leaves : undefined;
}

/** How many entries are read at the same time: a bucket answers each in tens of milliseconds. */
const atOnce = 16;

async function readEntries(shelf: Shelf, from: number, to: number): Promise<(Buffer | undefined)[]> {
  const leaves: (Buffer | undefined)[] = [];
  for (let at = from; at < to; at += atOnce) {
    const numbers = Array.from({ length: Math.min(atOnce, to - at) }, (_, offset) => at + offset);
    const texts = await Promise.all(numbers.map((number) => shelf.get(numbered('entries', number, '.json'))));
    leaves.push(...texts.map((text) => (text === undefined ? undefined : leafHash(text))));
  }
  return leaves;
}
