import { access } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TenureError } from '../domain/errors.js';

const fileName = 'tenure.yaml';

/** Where to look for the operator's file. */
export interface ConfigSearch {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * The operator's file: the path that was asked for, `TENURE_CONFIG`, or the nearest `tenure.yaml` from the working folder
 * upward. Absolute. `InvalidRequest` when there is none; a path that was asked for is not checked here.
 */
export async function findConfig(
  path: string | undefined,
  { cwd = process.cwd(), env = process.env }: ConfigSearch = {},
): Promise<string> {
  const asked = path ?? (env['TENURE_CONFIG'] === '' ? undefined : env['TENURE_CONFIG']);
  if (asked !== undefined) return resolve(cwd, asked);
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    if (await exists(join(folder, fileName))) return join(folder, fileName);
    if (folder === dirname(folder)) break;
  }
  throw new TenureError(
    'InvalidRequest',
    `There is no ${fileName} in this folder or above it. Run \`tenure dev\` here to begin with a small one, or name yours with --config or TENURE_CONFIG.`,
    { next: ['tenure dev'] },
  );
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
