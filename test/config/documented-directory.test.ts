/** The directory that the documents show is one that is taken: whoever copies it has people who can sign. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { packageRoot } from '../../src/package-root.js';
import { directorySchema } from '../../src/trust/directory-schema.js';

test('the directory in docs/configuration.md is one, and tells a security key from a file', async () => {
  const text = await readFile(join(packageRoot, 'docs', 'configuration.md'), 'utf8');
  const [, block] = /```yaml\n(directory:\n[^`]*)```/u.exec(text)!;
  const { parties } = directorySchema.parse((parse(block!) as { directory: unknown }).directory);
  expect(parties.map(({ name, kind, keys: [key] }) => [name, kind, key?.hardware, key?.from])).toEqual([
    ['ada@example.com', 'person', false, undefined],
    ['cyd@example.com', 'person', true, '2026-01-01T00:00:00.000Z'],
    ['automation/tenure', 'automation', false, undefined],
  ]);
});
