/** Whose key signed is looked up in the directory as it was then, also where that has changed within the same second. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { directoriesAround, keepDirectory } from '../../src/evidence/attachments.js';
import { directoryShelf } from '../../src/evidence/directory-shelf.js';
import { directoryOf, person } from '../support/signers.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-attachments-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test.each([
  ['before all', '2030-01-01T00:00:09.999Z', ['ada']],
  ['in the second of the first', '2030-01-01T00:00:10.000Z', ['ada', 'grace']],
  ['between two', '2030-01-01T00:00:15.000Z', ['ada', 'grace']],
  ['in the second of the second, perhaps before it', '2030-01-01T00:00:20.001Z', ['ada', 'grace', 'alan']],
  ['after the second', '2030-01-01T00:00:21.000Z', ['grace', 'alan']],
  ['after all', '2030-01-01T00:01:00.000Z', ['alan']],
])('directories around an instant: %s', async (_, instant, expected) => {
  const shelf = directoryShelf(folder);
  for (const [name, second] of [
    ['ada', 10],
    ['grace', 20],
    ['alan', 30],
  ] as const)
    await keepDirectory(shelf, directoryOf(person(name)), new Date(`2030-01-01T00:00:${second}.500Z`));
  const found = await directoriesAround(shelf, instant);
  expect(found.map(({ parties }) => parties[0]!.name)).toEqual(expected);
});
