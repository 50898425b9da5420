/** The last door before something changes: every effect needs the permit of the run that asks for it. */
import type { Info } from '@temporalio/activity';
import { TenureError } from '../src/domain/errors.js';
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
  if (!effects.has(activityType)) return;
  const { workflowId = '', runId = '' } = workflowExecution ?? {};
  const permit = await permits.demand(workflowId, runId);
  const { identity, operation, spec, from } = (change ?? {}) as Partial<Change>;
  const isAnother =
    operation !== workflowId ||
    identity !== permit.identity ||
    !permit.specs.includes(digestOf(spec ?? {})) ||
    (from !== undefined && from.version !== permit.from?.version);
  if (!isAnother) return;
  throw new TenureError(
    'ApprovalRefused',
    `${activityType} was asked for something else than ${workflowId} was permitted to do; nothing was touched`,
    { operation: workflowId, run: runId },
  );
}
