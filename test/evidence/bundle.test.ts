import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOfText } from '../../src/evidence/attachments.js';
import { readBundle, writeBundle } from '../../src/evidence/bundle/files.js';
import { manifestDigestName, manifestName, manifestOf, withManifest } from '../../src/evidence/bundle/manifest.js';

const files = new Map([
  ['checkpoint', 'tenure\n1\n'],
  ['entries/000000000000.json', '{"ä":"\u2028"}'],
  ['leaves', ''],
]);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-bundle-'));
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

test.each(['a-folder', 'a/new/folder', 'file.json', 'file.json.gz'])(
  'what is written to %s is read, byte for byte',
  async (name) => {
    await writeBundle(join(folder, name), files);
    expect(await readBundle(join(folder, name))).toEqual(files);
  },
);

test('nothing is written over what is there', async () => {
  await writeFile(join(folder, 'file.json'), 'mine');
  await expect(writeBundle(join(folder, 'file.json'), files)).rejects.toMatchObject({ code: 'InvalidRequest' });
  await expect(writeBundle(folder, files)).rejects.toMatchObject({ message: expect.stringContaining('is not empty') });
  expect(await readFile(join(folder, 'file.json'), 'utf8')).toBe('mine');
});

test('bytes that are no text are not read as some other text', async () => {
  await writeFile(join(folder, 'checkpoint'), Buffer.from([0x61, 0xff]));
  const [text] = [...(await readBundle(folder)).values()];
  expect(text).toBe('a\u00ff');
});

test.each([
  ['nothing', undefined],
  ['no JSON', '{'],
  ['other JSON', '{"v":2}'],
  ['content that is no text', '{"v":1,"files":{"a":1}}'],
])('a file with %s is no bundle, and the message says how to make one', async (_, text) => {
  const path = join(folder, 'file.json');
  if (text !== undefined) await writeFile(path, text);
  await expect(readBundle(path)).rejects.toMatchObject({
    code: 'InvalidRequest',
    message: expect.stringContaining('tenure evidence export'),
  });
});

test('a packed file that is damaged is no bundle', async () => {
  const packed = gzipSync('{"v":1,"files":{}}');
  await writeFile(join(folder, 'file.json.gz'), packed.subarray(0, 20));
  await expect(readBundle(join(folder, 'file.json.gz'))).rejects.toMatchObject({
    message: expect.stringContaining('is damaged'),
  });
});

test('the table of contents lists every file with its digest, and is read in exactly one form', async () => {
  const bundle = withManifest(files, { identity: 'app' }, [0]);
  expect(manifestOf(bundle)).toMatchObject({ selection: { identity: 'app' }, entries: [0] });
  expect(Object.keys(manifestOf(bundle)!.files).sort()).toEqual([...files.keys()].sort());
  const text = ` ${bundle.get(manifestName)!}`;
  const spaced = new Map([...bundle, [manifestName, text], [manifestDigestName, `${digestOfText(text)}\n`]]);
  expect(manifestOf(spaced)).toBeUndefined();
});
