/** A bundle of evidence as it travels: texts by path, in a folder or in one file. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { TenureError } from '../../domain/errors.js';

/** Texts by their path in the bundle, with slashes. */
export type BundleFiles = ReadonlyMap<string, string>;

/** Bytes. Room for every history of years; what is larger is no bundle of ours. */
const largestFile = 1_000_000_000;

const elsewhere = { next: ['tenure evidence export --out NEW-PLACE …'] };

/** Writes a bundle: as one file where `path` ends with `.json` or `.json.gz`, else as a folder that is not there yet or is empty. */
export async function writeBundle(path: string, files: BundleFiles): Promise<void> {
  if (!isOneFile(path)) return writeFolder(path, files);
  const text = `${JSON.stringify({ v: 1, files: Object.fromEntries(files) })}\n`;
  await writeFile(path, path.endsWith('.gz') ? gzipSync(text) : text, { flag: 'wx' }).catch((error: unknown) => {
    throw unwritten(path, error);
  });
}

/** Reads what {@link writeBundle} wrote. */
export async function readBundle(path: string): Promise<BundleFiles> {
  const found = await stat(path).catch((error: unknown) => {
    throw unread(path, (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'is not there' : 'cannot be read');
  });
  return found.isDirectory() ? readFolder(path) : readOneFile(path, found.size);
}

function isOneFile(path: string): boolean {
  return /\.json(\.gz)?$/.test(path);
}

async function writeFolder(folder: string, files: BundleFiles): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0)
      throw new TenureError(
        'InvalidRequest',
        `${folder} is not empty; name a new folder, so that nothing of another export is taken for this one`,
        elsewhere,
      );
    for (const parent of new Set([...files.keys()].map((name) => dirname(join(folder, name)))))
      await mkdir(parent, { recursive: true });
    for (const [name, text] of files) await writeFile(join(folder, name), text, { flag: 'wx' });
  } catch (error) {
    throw error instanceof TenureError ? error : unwritten(folder, error);
  }
}

async function readFolder(folder: string): Promise<BundleFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files = new Map<string, string>();
  for (const path of paths) files.set(relative(folder, path).split(sep).join('/'), exactText(await readFile(path)));
  return files;
}

/**
 * Bytes that are no UTF-8 would be read as replacement characters, so that a change of them could go unseen; as Latin-1 every byte
 * stays a character of its own, and no digest fits.
 */
function exactText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : bytes.toString('latin1');
}

const oneFile = z.strictObject({ v: z.literal(1), files: z.record(z.string(), z.string()) });

async function readOneFile(path: string, size: number): Promise<BundleFiles> {
  if (size > largestFile) throw unread(path, 'is too large for a bundle');
  const { success, data } = oneFile.safeParse(parsed(path, await readFile(path)));
  if (!success) throw unread(path, 'is no bundle of evidence');
  return new Map(Object.entries(data.files));
}

function parsed(path: string, bytes: Buffer): unknown {
  try {
    const plain = path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: largestFile }) : bytes;
    return JSON.parse(exactText(plain)) as unknown;
  } catch {
    throw unread(path, 'is damaged');
  }
}

function unread(path: string, why: string): TenureError {
  return new TenureError(
    'InvalidRequest',
    `the bundle ${path} ${why}; make one with: tenure evidence export --all --out FOLDER`,
    { next: ['tenure evidence export --all --out FOLDER'] },
  );
}

function unwritten(path: string, error: unknown): TenureError {
  const { code = 'unknown error' } = error as NodeJS.ErrnoException;
  return new TenureError(
    'InvalidRequest',
    `the bundle ${path} could not be written (${code}); name a new place`,
    elsewhere,
  );
}
