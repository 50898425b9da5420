/** The last door before something changes: every effect needs the permit of the run that asks for it. */
import type { Info } from '@temporalio/activity';
import { epochAfterwards, epochOf, undoEpoch } from '../src/domain/epoch.js';
import { TenureError } from '../src/domain/errors.js';
import { parseProcessId } from '../src/domain/wire.js';
import { digestOf } from '../src/policy/digest.js';
import type { Permits } from '../src/trust/permits.js';
import type { Change, ConsumerActivities, CredentialActivities } from './contract.js';

/** Activities that change a target, a store, or what a consumer uses; the rest only looks, writes records, or asks. */
const effects: ReadonlySet<string> = new Set<keyof CredentialActivities | keyof ConsumerActivities>([
  'stage',
  'discard',
  'install',
  'uninstall',
  'publish',
  'withdraw',
  'retire',
  'purge',
  'remove',
  'repair',
  'elevate',
  'handOver',
]);

/**
 * Throws `ApprovalRefused` for an effect that was not permitted: to this run of this workflow, on this identity, towards what was decided
 * on. The workflow that asks may be anybody's.
 */
export async function demandPermit(
  permits: Permits,
  { activityType, workflowExecution }: Pick<Info, 'activityType' | 'workflowExecution'>,
  [change]: readonly unknown[],
): Promise<void> {
  if (activityType === 'restore') return demandLent(permits, change);
  if (!effects.has(activityType)) return;
  const { workflowId = '', runId = '' } = workflowExecution ?? {};
  const permit = await permits.demand(workflowId, runId);
  const { identity, operation, epoch, spec, from } = (change ?? {}) as Partial<Change>;
  const isAnother =
    operation !== workflowId ||
    !isItsEpoch(operation, epoch) ||
    identity !== permit.identity ||
    !permit.specs.includes(digestOf(spec ?? {})) ||
    (from !== undefined && from.version !== permit.from?.version);
  if (isAnother) throw somethingElse(activityType, workflowId, runId);
}

/** A fence far ahead would keep out everything that comes after, an emergency too. */
function isItsEpoch(operation: string, epoch: number | undefined): boolean {
  const { kind, number = NaN } = parseProcessId(operation) ?? {};
  const first = epochOf(number);
  const own = kind === 'elevate' ? [first, epochAfterwards(first)] : [first];
  return own.some((acts) => epoch === acts || epoch === undoEpoch(acts));
}

/**
 * Taking lent rights back must not depend on the run that lent them: it may have been ended or reset by somebody who wants to keep them.
 * So whoever names an operation that was permitted may have them taken back, in exactly one way: to what was declared then, behind the
 * fence of that operation, which the target refuses once anything later has begun.
 */
async function demandLent(permits: Permits, change: unknown): Promise<void> {
  const { identity, operation = '', epoch, spec, from } = (change ?? {}) as Partial<Change>;
  const permit = await permits.heldBy(operation);
  const number = parseProcessId(operation)?.number;
  const isIt =
    number !== undefined &&
    epoch === undoEpoch(epochOf(number)) &&
    identity === permit.identity &&
    digestOf(spec ?? {}) === permit.specs[0] &&
    from?.version === permit.from?.version &&
    from?.principal === permit.from?.principal;
  if (!isIt) throw somethingElse('restore', operation, permit.run);
}

function somethingElse(activityType: string, operation: string, run: string): TenureError {
  return new TenureError(
    'ApprovalRefused',
    `${activityType} was asked for something else than ${operation} was permitted to do; nothing was touched`,
    { operation, run },
  );
}
