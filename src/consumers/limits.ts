/**
 * What a worker does for consumers. It holds the keys of everything, and manifests are written by many: so which programs it runs, where
 * it writes and whom it calls is for the operator to say.
 */
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { Consumer } from '../domain/identity.js';

/** What the operator's file allows. */
export interface ConsumerLimits {
  /** Absolute paths. None named is none. */
  readonly programs: readonly string[];
  /** Absolute paths; also what is below them. None named is none. */
  readonly folders: readonly string[];
  /** `host`, or `host:port` where the port is not that of the scheme. None named is any. */
  readonly hosts: readonly string[];
}

/** Why a consumer may not be told like this, with what would allow it; undefined where it may. Looks at no file. */
export function whyNotAllowed({ notify }: Pick<Consumer, 'notify'>, limits: ConsumerLimits): string | undefined {
  if ('command' in notify) return programProblem(notify.command[0] ?? '', limits.programs);
  if ('file' in notify) return folderProblem(notify.file.path, limits.folders);
  return 'webhook' in notify ? hostProblem(notify.webhook, limits.hosts) : undefined;
}

function programProblem(program: string, programs: readonly string[]): string | undefined {
  // A name alone would be whatever the worker's PATH makes of it.
  if (!isAbsolute(program)) return `the program ${program} has to be named by its absolute path`;
  if (programs.includes(program)) return undefined;
  return `the worker may not run ${program}: ${allow('programs', program)}`;
}

function folderProblem(path: string, folders: readonly string[]): string | undefined {
  if (!isAbsolute(path)) return 'its file has to be named by its absolute path';
  const folder = dirname(resolve(path));
  if (folders.some((allowed) => isWithin(folder, allowed))) return undefined;
  return `the worker may not write in ${folder}: ${allow('folders', folder)}`;
}

function hostProblem(address: string, hosts: readonly string[]): string | undefined {
  if (hosts.length === 0 || !URL.canParse(address)) return undefined;
  const { host } = new URL(address);
  if (hosts.includes(host)) return undefined;
  return `the worker may not call ${host}: ${allow('hosts', host)}`;
}

function allow(key: keyof ConsumerLimits, value: string): string {
  return `an operator allows it with consumers.${key}: [${value}] in tenure.yaml`;
}

/**
 * The path as it really is, with no link on the way to its folder: one that was put there could lead out of what is allowed. Fails like
 * the file system does.
 */
export async function realPlace(
  path: string,
  folders: readonly string[],
): Promise<{ readonly path: string } | { readonly problem: string }> {
  const folder = await realpath(dirname(resolve(path)));
  const allowed = await Promise.all(folders.map((one) => realpath(one).catch(() => undefined)));
  if (allowed.some((one) => one !== undefined && isWithin(folder, one))) return { path: join(folder, basename(path)) };
  return {
    problem: `the worker may not write in ${folder}, which is where ${path} leads: ${allow('folders', folder)}`,
  };
}

function isWithin(folder: string, allowed: string): boolean {
  const way = relative(allowed, folder);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
