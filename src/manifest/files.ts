import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import type { Problem } from './problem.js';

const operatorFiles = ['tenure.yaml', 'tenure.yml'];
/** More files than any folder of manifests has; a wrong path such as `/` ends here. */
const fileLimit = 5000;
const folderLimit = 10_000;

/**
 * The manifests that paths stand for: files as they are, folders with every `.yaml` and `.yml` below them except hidden
 * ones, `node_modules` and the operator's own file. Sorted, each file once.
 */
export async function manifestFiles(paths: readonly string[]): Promise<{ files: string[]; problems: Problem[] }> {
  const search: Search = { files: new Map(), folders: new Set(), problems: [] };
  for (const path of paths) await visit(path, search, true);
  return { files: [...search.files.values()], problems: search.problems };
}

interface Search {
  /** Real path to the path that was asked for. */
  readonly files: Map<string, string>;
  readonly folders: Set<string>;
  readonly problems: Problem[];
}

async function visit(path: string, search: Search, isNamed: boolean): Promise<void> {
  try {
    const real = await realpath(path);
    const found = await stat(real);
    if (found.isDirectory()) await visitFolder(path, real, search);
    else if (isNamed || isManifest(path)) add(path, real, search);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const problem =
      code === 'ENOENT' ? 'there is no such file or folder' : `it cannot be read (${code ?? 'unknown reason'})`;
    search.problems.push(problemOf(path, problem, 'Check the path and its permissions.'));
  }
}

async function visitFolder(path: string, real: string, search: Search): Promise<void> {
  // A link that leads back up would be walked for ever.
  if (search.folders.has(real) || search.folders.size >= folderLimit || search.files.size >= fileLimit) return;
  search.folders.add(real);
  const names = (await readdir(path)).filter((name) => !name.startsWith('.') && name !== 'node_modules');
  for (const name of names.sort()) await visit(join(path, name), search, false);
}

function add(path: string, real: string, search: Search): void {
  if (search.files.size === fileLimit) {
    search.problems.push(problemOf(path, `more than ${fileLimit} manifests`, 'Name a smaller folder.'));
  }
  if (search.files.size <= fileLimit && !search.files.has(real)) search.files.set(real, path);
}

function isManifest(path: string): boolean {
  return ['.yaml', '.yml'].includes(extname(path)) && !operatorFiles.includes(basename(path));
}

function problemOf(file: string, problem: string, fix: string): Problem {
  return { file, line: 1, column: 1, path: '', problem, fix };
}
