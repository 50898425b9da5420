/**
 * A campaign rotates what is due of one rotation policy. It spreads the start by jitter, keeps a budget for each target, so that a
 * hung target slows nobody else, and goes on when one identity fails. What waits for a person or a session gives its place back.
 * Temporal Schedules start it, one for each policy, and skip a start while it is at work: so it looks again by itself for what
 * became due meanwhile, and it ends, whatever hangs, after so many looks.
 */
import {
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { DueSelection, ScheduledOutcome } from '../activities/contract.js';
import { defaultTiming } from '../src/domain/process.js';
import { identityId, type CampaignStart } from '../src/domain/wire.js';
import { callerFor, waiterFor } from './lib/activities.js';
import { failureOf } from './lib/failure.js';
import { isOpen, renderCampaign, type CampaignItem, type CampaignReport } from './lib/render-campaign.js';

/** Identities that one campaign takes on; what is left is still due when the schedule fires again. */
const largest = 1_000;
/** Together a day. */
const usualLookAgainMs = 15 * 60_000;
const usualLooks = 96;
/** The activity itself stops after five minutes. */
const selectionMs = 10 * 60_000;

export async function campaign(start: CampaignStart): Promise<CampaignReport> {
  const { workflowId } = workflowInfo();
  const { policy, asked, asks = false, lookAgainMs = usualLookAgainMs, looks = usualLooks } = start;
  const report: CampaignReport = { policy, items: [], asking: [], leftOut: [] };
  const shift = new CancellationScope();
  const work: Promise<void>[] = [];
  const told = new Set<string>();
  let perTarget = 1;
  let taken = 0;

  for (let look = 1; look <= looks && taken < largest; look += 1) {
    const before = taken;
    await takeOn(look);
    if (taken === before && !isAtWork()) break;
    await condition(() => !isAtWork(), lookAgainMs, { summary: 'until it looks again' });
  }
  if (taken >= largest) await condition(() => !isAtWork(), lookAgainMs * looks, { summary: 'end of its shift' });
  shift.cancel();
  await Promise.all(work);
  return report;

  function isAtWork(): boolean {
    return report.items.some(isOpen);
  }

  async function takeOn(look: number): Promise<void> {
    const except = settled();
    const due = await select(except).catch((error: unknown) => withoutSelection(look, error));
    if (!due) return;
    perTarget = due.perTarget;
    remark(due);
    const items = due.identities
      .filter(({ name }) => !except.includes(name))
      .map((identity): CampaignItem => ({ ...identity, status: 'waiting' }));
    const names = new Set(items.map(({ name }) => name));
    report.items = [...report.items.filter(({ name }) => !names.has(name)), ...items];
    taken += items.length;
    setCurrentDetails(renderCampaign(report));
    work.push(...items.map((item) => rotateWithinBudget(item, `${workflowId}/${look}/${item.name}`)));
  }

  /** What failed is tried again when some time has passed, and not just because nothing else is left to do. */
  function settled(): string[] {
    const isLookingOn = isAtWork();
    return report.items.filter((item) => isOpen(item) || !isLookingOn).map(({ name }) => name);
  }

  function select(except: readonly string[]): Promise<DueSelection> {
    const patience = { ...defaultTiming, patienceMs: 2 * selectionMs };
    return callerFor(false, patience)('careful', `Select what is due of ${policy}`, selectionMs).selectDue({
      policy,
      limit: largest - taken,
      asks,
      except,
    });
  }

  /** What was taken on goes on. A campaign that never could look fails, so that the schedule starts the next one. */
  async function withoutSelection(look: number, error: unknown): Promise<undefined> {
    if (isCancellation(error)) throw error;
    await tell(policy, workflowId, 'warning', `what is due of ${policy} is not known: ${failureOf(error).message}`);
    if (look === 1) throw error;
  }

  /** Told once in a campaign, however often it looks. */
  function remark({ asking = [], leftOut = [] }: DueSelection): void {
    Object.assign(report, { asking, leftOut });
    for (const { name, detail } of asking) propose(name, detail);
    for (const { name, detail } of leftOut)
      tellOnce(name, `whether ${name} is due is not known: ${detail}; see: tenure show ${name}`);
  }

  /** Nobody can rotate it in time: its owner is given an exception to sign or to turn down. */
  function propose(name: string, why: string): void {
    if (told.has(name)) return;
    told.add(name);
    const proposed = callerFor(false)('careful', `Propose an exception for ${name}`)
      .proposeException({ identity: name, why })
      .then(({ detail }) => `${name} is due: ${why}; ${detail}`)
      .catch((error: unknown) => `${name} is due: ${why}; no exception could be proposed: ${failureOf(error).message}`);
    work.push(proposed.then((text) => tell(name, identityId(name), 'warning', text)));
  }

  function tellOnce(name: string, text: string): void {
    if (told.has(name)) return;
    told.add(name);
    work.push(tell(name, identityId(name), 'warning', text));
  }

  async function rotateWithinBudget(item: CampaignItem, requestId: string): Promise<void> {
    const outcome = await shift.run(() => rotate(item, requestId)).catch((error: unknown) => afterError(item, error));
    Object.assign(item, outcome);
    setCurrentDetails(renderCampaign(report));
    if (item.status !== 'failed' && item.status !== 'handed over') return;
    const { name, operation = identityId(name), detail = '' } = item;
    const level = item.status === 'failed' ? 'warning' : 'info';
    await tell(name, operation, level, `the scheduled rotation of ${name} ${inWords[item.status]}: ${detail}`);
  }

  async function rotate(item: CampaignItem, requestId: string): Promise<Partial<CampaignItem>> {
    const { name, jitterMs } = item;
    if (jitterMs > 0) await sleep(jitterMs, { summary: `jitter of ${name}` });
    await condition(() => takesPlace(item));
    setCurrentDetails(renderCampaign(report));
    const requester = `schedule/${policy}`;
    const input = { name, requestId, requester, ...(asked && { asked }) };
    const { outcome, ...others } = await waiterFor(`Rotate ${name}`).rotateOne(input);
    return { status: statusOf[outcome], ...others };
  }

  /** Taking the place belongs to the check: several conditions can come true at the same moment. */
  function takesPlace(item: CampaignItem): boolean {
    const running = report.items.filter(({ target, status }) => target === item.target && status === 'running').length;
    if (running >= perTarget) return false;
    item.status = 'running';
    return true;
  }

  async function tell(identity: string, operation: string, level: 'info' | 'warning', text: string): Promise<void> {
    await callerFor(false)('careful', 'Tell the operators')
      .notify({ identity, operation, level, text })
      .catch(() => {});
  }
}

const inWords = { failed: 'did not succeed', 'handed over': 'goes on without its campaign' } as const;

const statusOf: Readonly<Record<ScheduledOutcome['outcome'], CampaignItem['status']>> = {
  succeeded: 'succeeded',
  undone: 'failed',
  unfinished: 'failed',
  'pre-empted': 'failed',
  refused: 'failed',
  gone: 'failed',
  silent: 'failed',
  'not due': 'skipped',
  waits: 'handed over',
};

/** The end of the shift, or an attempt that Temporal itself gave up. */
function afterError({ status }: CampaignItem, error: unknown): Partial<CampaignItem> {
  if (!isCancellation(error)) return { status: 'failed', detail: failureOf(error).message };
  if (status === 'running') return { status: 'handed over', detail: 'it takes longer than a campaign lasts' };
  return { status: 'skipped', detail: 'no place was free for it; it is still due when the schedule fires again' };
}
