/** Which entries an operation has: names on the shelf that say it, so that nobody has to read the whole log for one record. */
import { numbered, numberIn, type Shelf } from './shelf.js';

/** One entry of an operation. A run that was reset has another one. */
export interface EntryOfOperation {
  readonly index: number;
  readonly run: string;
}

export async function noteUnder(
  shelf: Shelf,
  { operation, run }: { readonly operation: string; readonly run: string },
  index: number,
): Promise<void> {
  await shelf.create(numbered(folderOf(operation), index), run);
}

/** The entries of one operation, oldest first. */
export async function listUnder(shelf: Shelf, operation: string): Promise<EntryOfOperation[]> {
  const folder = folderOf(operation);
  const names = (await shelf.list(folder)).filter((name) => name.lastIndexOf('/') === folder.length);
  return Promise.all(names.map(async (name) => ({ index: numberIn(name)!, run: (await shelf.get(name)) ?? '' })));
}

/** The indexes of all entries whose operation begins with `prefix` and a slash. */
export async function indexesUnder(shelf: Shelf, prefix: string): Promise<number[]> {
  const numbers = (await shelf.list(folderOf(prefix))).map(numberIn).filter((number) => number !== undefined);
  return numbers.sort((one, other) => one - other);
}

/** An operation's slashes are folders; nothing else of it can be one. */
function folderOf(operation: string): string {
  const parts = operation.split('/').map((part) => encodeURIComponent(part).replaceAll('.', '%2E'));
  return ['operations', ...parts].join('/');
}
