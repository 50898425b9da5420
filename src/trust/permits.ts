/**
 * Which run of which workflow may change something. A permit is written once policy owes nothing more, and every effect needs one: so a
 * workflow that somebody else started, and a run that was reset to use an approval again, change nothing. Files, since the workers of an
 * installation share the state folder and a file can be made by one of them alone.
 */
import { join } from 'node:path';
import { TenureError } from '../domain/errors.js';
import { fileNameOf, noted, noteOnce, remember } from '../files/state.js';
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
  /** Those of these approvals in advance that no other run has used up. */
  unused(ids: readonly string[], run: Pick<Permit, 'operation' | 'run' | 'identity'>): Promise<readonly string[]>;
  /** The permit of a run. `ApprovalRefused` where there is none. */
  demand(operation: string, run: string): Promise<Permit>;
  /** The permit of an operation, whichever run has it. `ApprovalRefused` where there is none. */
  heldBy(operation: string): Promise<Permit>;
}

/** Opens the permits in a folder, which is made when it is not there. */
export function permitsIn(folder: string): Permits {
  const known = new Map<string, Permit>();
  const fileOf = (...what: string[]): string => join(folder, `${fileNameOf(...what)}.json`);
  /** It counts once for each identity and kind. */
  const advanceFile = (id: string, operation: string, identity: string): string =>
    fileOf('advance', id, identity, operation.split('/').at(-2)!);
  return {
    async grant(permit) {
      const { operation, identity, request, advance } = permit;
      for (const id of advance) await claim(advanceFile(id, operation, identity), 'approval in advance', permit);
      await claim(fileOf('request', identity, request), 'request', permit);
      await claim(fileOf('operation', operation), 'operation', permit);
    },

    async unused(ids, { operation, run, identity }) {
      const holders = await Promise.all(ids.map((id) => noted<Permit>(advanceFile(id, operation, identity))));
      const isFree = (holder: Permit | undefined): boolean =>
        !holder || (holder.operation === operation && holder.run === run);
      return ids.filter((_, index) => isFree(holders[index]));
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
    const permit = known.get(file) ?? (await noted<Permit>(file));
    if (permit?.operation !== operation) return undefined;
    return remember(known, file, permit);
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
  if (await noteOnce(file, permit)) return;
  // Of what is noted nothing is ever removed.
  const holder = (await noted<Permit>(file))!;
  if (holder.operation === permit.operation && holder.run === permit.run) return;
  throw new TenureError(
    'ApprovalRefused',
    `this ${what} has permitted a run of ${holder.operation} already, and counts once; ask again`,
    { operation: permit.operation, run: permit.run },
  );
}
