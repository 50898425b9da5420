/** The last door before something changes: every effect needs the permit of the run that asks for it, and has to be what it permits. */
import type { Info } from '@temporalio/activity';
import { reviewId } from '../src/domain/elevation-review.js';
import { undoEpoch } from '../src/domain/epoch.js';
import { TenureError } from '../src/domain/errors.js';
import { makesCredential, stagesFor, type StageName } from '../src/domain/process.js';
import { digestOf } from '../src/policy/digest.js';
import { epochsOf, givenIn } from '../src/trust/binding.js';
import type { Loans } from '../src/trust/lent.js';
import type { Permit, Permits } from '../src/trust/permits.js';
import type { Change, ConsumerActivities, CredentialActivities } from './contract.js';

interface Effect {
  /** A process without this stage has no use for it. */
  readonly stage: StageName;
  readonly isUndo?: true;
}

/** Activities that change a target, a store, or what a consumer uses; the rest only looks, writes records, or asks. */
const effects = new Map<string, Effect>(
  Object.entries({
    stage: { stage: 'stage' },
    discard: { stage: 'stage', isUndo: true },
    install: { stage: 'install' },
    uninstall: { stage: 'install', isUndo: true },
    publish: { stage: 'publish' },
    withdraw: { stage: 'publish', isUndo: true },
    handOver: { stage: 'hand over' },
    retire: { stage: 'retire' },
    purge: { stage: 'purge' },
    remove: { stage: 'remove' },
    repair: { stage: 'repair' },
    elevate: { stage: 'elevate' },
  } satisfies Partial<Record<keyof CredentialActivities | keyof ConsumerActivities, Effect>>),
);

/** What an effect is told, as far as it is what its caller should say. */
type Told = Partial<
  Change & { readonly reach: string } & Pick<Parameters<ConsumerActivities['handOver']>[0], 'version' | 'event'>
>;

/** What the worker keeps about runs. */
export interface Doorway {
  readonly permits: Permits;
  readonly loans: Loans;
}

/**
 * Throws `ApprovalRefused` for an effect that was not permitted: to this run of this workflow, as a step of this kind of process, on this
 * identity, from what was shown, towards what was decided on. The workflow that asks may be anybody's.
 */
export async function demandPermit(
  { permits, loans }: Doorway,
  { activityType, workflowExecution }: Pick<Info, 'activityType' | 'workflowExecution'>,
  [change]: readonly unknown[],
  now: Date = new Date(),
): Promise<void> {
  const { workflowId = '', runId = '' } = workflowExecution ?? {};
  const told = (change ?? {}) as Told;
  if (activityType === 'restore') return demandLent(permits, told, workflowId, now);
  const effect = effects.get(activityType);
  if (!effect) return;
  const permit = await permits.demand(workflowId, runId);
  const why = told.operation === workflowId ? whyNot(activityType, effect, told, permit) : 'another operation';
  if (why !== undefined) throw somethingElse(activityType, permit, why);
  if (activityType === 'elevate') return beginLending(loans, permit, now);
  if (!effect.isUndo) await demandNothingLent(loans, permit);
}

/** Notes that lent rights are back, or that nothing is left that could have them: what follows may begin then. */
export async function noteBack(loans: Loans, activityType: string, [change]: readonly unknown[]): Promise<void> {
  const { identity = '', operation = '', reach } = (change ?? {}) as Told;
  if (activityType === 'restore') await loans.end(identity, operation);
  if (activityType !== 'retire' || reach !== 'everything') return;
  for (const open of await loans.open(identity)) await loans.end(identity, open.operation);
}

/** It is on record before it happens, so that it ends whatever happens. */
async function beginLending(loans: Loans, { lent, ...permit }: Permit, now: Date): Promise<void> {
  if (!lent || now.toISOString() > lent.until) throw tooLate({ ...permit, ...(lent && { lent }) });
  await loans.begin({ ...permit, lent });
}

/**
 * A later step would fence off taking the rights back, and its run may be anybody's. Only what takes everything down does not wait: there
 * is nothing left to take back then.
 */
async function demandNothingLent(loans: Loans, { kind, identity }: Permit): Promise<void> {
  if (kind === 'revoke' || kind === 'offboard') return;
  const [open] = await loans.open(identity);
  if (!open) return;
  throw new TenureError(
    'TargetUnavailable',
    `rights that ${open.operation} has lent to ${identity} are not taken back yet; this waits until they are. To end all at once: tenure revoke ${identity} --now`,
    { operation: open.operation },
  );
}

function whyNot(activityType: string, effect: Effect, told: Told, permit: Permit): string | undefined {
  if (!stagesFor(permit.kind, permit.repair).includes(effect.stage)) return `no ${permit.kind} does that`;
  if (told.identity !== permit.identity) return 'another identity';
  if (told.epoch !== epochOfEffect(activityType, effect, permit)) return 'a fence that is not its own';
  const isLending = activityType === 'elevate';
  if (digestOf(told.spec ?? {}) !== permit.specs[isLending ? 1 : 0]) return 'something that was not decided on';
  if (activityType === 'handOver') return whyNotTold(told, permit);
  return whyNotFrom(told, permit) ?? whyNotTowards(activityType, told) ?? whyNotAsFar(activityType, told, permit);
}

/** A fence far ahead would keep out everything that comes after, an emergency too. */
function epochOfEffect(activityType: string, { isUndo }: Effect, { operation }: Permit): number {
  const { lending, acting } = epochsOf(operation);
  if (activityType === 'elevate') return lending;
  return isUndo ? undoEpoch(acting) : acting;
}

/** What goes is what people were shown: no other login, no place of somebody else. */
function whyNotFrom(told: Told, { given }: Permit): string | undefined {
  const { specBefore, from, previous } = givenIn(told);
  if (specBefore !== given.specBefore) return 'another declaration until now';
  if (from !== given.from) return 'another credential that goes';
  return previous === given.previous ? undefined : 'other credentials that were left';
}

function whyNotTowards(activityType: string, { to, operation, spec }: Told): string | undefined {
  if (to === undefined) return activityType === 'install' ? 'no candidate' : undefined;
  const isIts =
    to.version === operation && to.target === spec!.target.name && digestOf(to.deliveries) === digestOf(spec!.deliver);
  return isIts ? undefined : 'a candidate that is not its own';
}

function whyNotAsFar(activityType: string, { reach }: Told, { kind }: Permit): string | undefined {
  if (activityType !== 'retire' && activityType !== 'purge') return undefined;
  const most = kind === 'revoke' || kind === 'offboard' ? 'everything' : 'these';
  return reach === most ? undefined : `an end of ${reach} credentials`;
}

/** Consumers hear of what the operation does, and of nothing else. Who they are is in the declared identity. */
function whyNotTold({ event, version }: Told, { kind, operation, from }: Permit): string | undefined {
  const due: Readonly<Record<string, string | undefined>> = makesCredential(kind)
    ? { 'credential.published': operation, 'credential.withdrawn': from?.version ?? operation }
    : { 'credential.revoked': from?.version };
  return version !== undefined && event !== undefined && Object.hasOwn(due, event) && due[event] === version
    ? undefined
    : `${event} of ${version}`;
}

/**
 * Taking lent rights back must not depend on the run that lent them: it may have been ended or reset by somebody who wants to keep them.
 * So its guard may too, and once their time is over whoever names the operation, in exactly one way: to what was declared then, behind
 * the fence of that operation, which the target refuses once anything later has begun.
 */
async function demandLent(permits: Permits, told: Told, workflowId: string, now: Date): Promise<void> {
  const permit = await permits.heldBy(told.operation ?? '');
  const why = whyNotBack(told, permit);
  if (why !== undefined) throw somethingElse('restore', permit, why);
  const isItsOwn = workflowId === permit.operation || workflowId === reviewId(permit.operation);
  if (!isItsOwn && !(now.toISOString() > permit.lent!.until))
    throw somethingElse('restore', permit, `their end before ${permit.lent!.until} by ${workflowId}`);
}

function whyNotBack(told: Told, permit: Permit): string | undefined {
  if (permit.kind !== 'elevate' || !permit.lent) return `rights that no ${permit.kind} lends`;
  if (told.identity !== permit.identity) return 'another identity';
  if (told.epoch !== undoEpoch(epochsOf(permit.operation).lending)) return 'a fence that is not its own';
  if (digestOf(told.spec ?? {}) !== permit.specs[0]) return 'something that was not decided on';
  return whyNotFrom(told, permit);
}

function somethingElse(activityType: string, { operation, run }: Permit, why: string): TenureError {
  return new TenureError(
    'ApprovalRefused',
    `${activityType} was asked for something else than ${operation} was permitted to do (${why}); nothing was touched`,
    { operation, run },
  );
}

/** Not as a refusal of the permit: an earlier attempt may have lent them, and they are still to be taken back then. */
function tooLate({ operation, lent }: Permit): TenureError {
  return new TenureError(
    'Fenced',
    `${operation} was permitted to lend rights until ${lent!.until}, and not any more; they are not lent now. Ask again with: tenure elevate`,
    { operation },
  );
}
