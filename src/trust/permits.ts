/**
 * Which run of which workflow may change something. A permit is written once policy owes nothing more, and every effect needs one: so a
 * workflow that somebody else started, and a run that was reset to use an approval again, change nothing. Files, since the workers of an
 * installation share the state folder and a file can be made by one of them alone.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import { createFile, hasErrorCode } from '../files/durable.js';
import type { Bound } from './binding.js';

/** What a run may do. Digests are `sha256:<hex>`. */
export interface Permit extends Bound {
  readonly v: 1;
  readonly operation: string;
  readonly run: string;
  readonly identity: string;
  /** Id of the request; it permits one run. */
  readonly request: string;
  readonly requester: string;
  readonly plan: string;
  readonly policy: string;
  /** The declared identities that it may bring about: more than one where rights are lent for a time. */
  readonly specs: readonly string[];
  /** The credential that goes. */
  readonly from?: { readonly principal: string; readonly version: string };
  /** Approvals given in advance that it used up, by the id of their statement. */
  readonly advance: readonly string[];
  readonly at: string;
}

export interface Permits {
  /** Permits a run. `ApprovalRefused` where the operation, its request, or an approval in advance has permitted another run already. */
  grant(permit: Permit): Promise<void>;
  /** The permit of a run. `ApprovalRefused` where there is none. */
  demand(operation: string, run: string): Promise<Permit>;
  /** The permit of an operation, whichever run has it. `ApprovalRefused` where there is none. */
  heldBy(operation: string): Promise<Permit>;
}

/** Opens the permits in a folder, which is made when it is not there. */
export function permitsIn(folder: string): Permits {
  const known = new Map<string, Permit>();
  const fileOf = (...what: string[]): string => join(folder, `${nameOf(what)}.json`);
  return {
    async grant(permit) {
      const { operation, identity, request, advance } = permit;
      const kind = operation.split('/').at(-2)!;
      for (const id of advance) await claim(fileOf('advance', id, identity, kind), 'approval in advance', permit);
      await claim(fileOf('request', identity, request), 'request', permit);
      await claim(fileOf('operation', operation), 'operation', permit);
    },

    async demand(operation, run) {
      const permit = await permitOf(operation);
      if (permit?.run !== run) throw notPermitted(operation, run);
      return permit;
    },

    async heldBy(operation) {
      const permit = await permitOf(operation);
      if (!permit) throw notPermitted(operation, 'any');
      return permit;
    },
  };

  async function permitOf(operation: string): Promise<Permit | undefined> {
    const file = fileOf('operation', operation);
    const permit = known.get(file) ?? (await read(file));
    if (permit?.operation !== operation) return undefined;
    remember(known, file, permit);
    return permit;
  }
}

function notPermitted(operation: string, run: string): TenureError {
  return new TenureError(
    'ApprovalRefused',
    `run ${run} of ${operation} was not permitted: it was started or reset outside Tenure; nothing was touched. Ask again with: tenure`,
    { operation, run },
  );
}

/** Takes something that counts once for one run. The same run may claim it again, since an activity may be repeated. */
async function claim(file: string, what: string, permit: Permit): Promise<void> {
  if (await write(file, permit)) return;
  const holder = await read(file);
  if (holder?.operation === permit.operation && holder.run === permit.run) return;
  throw new TenureError(
    'ApprovalRefused',
    `this ${what} has permitted a run of ${holder?.operation ?? 'another process'} already, and counts once; ask again`,
    { operation: permit.operation, run: permit.run },
  );
}

/** Tells whether it was written; a file that is there already stays. */
async function write(file: string, permit: Permit): Promise<boolean> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    return await createFile(file, canonicalJson(permit));
  } catch (error) {
    throw unavailable(file, error);
  }
}

async function read(file: string): Promise<Permit | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Permit;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw unavailable(file, error);
  }
}

function unavailable(file: string, error: unknown): TenureError {
  const { code = 'unreadable' } = error as NodeJS.ErrnoException;
  return new TenureError('StoreUnavailable', `the permit ${file} is not available (${code}); repair the state folder`);
}

/** A file name for anything, however it is spelled. */
function nameOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

const mostKnown = 1_000;

/** A permit never changes, so it is read once for each run. */
function remember(known: Map<string, Permit>, file: string, permit: Permit): void {
  if (known.size >= mostKnown) known.clear();
  known.set(file, permit);
}
