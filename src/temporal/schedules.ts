/** One Temporal Schedule for each rotation policy. It starts a campaign, which selects what is due. */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleSpec,
} from '@temporalio/client';
import type { RotationPolicy } from '../domain/identity.js';
import { campaignWorkflow, taskQueue, type CampaignStart, type Trigger } from '../domain/wire.js';
import { formatDuration } from '../manifest/duration.js';
import { scheduleSpecOf } from '../schedule/tick.js';
import { quoted } from './visibility-query.js';

const prefix = 'rotation/';
const dayMs = 86_400_000;

/** Id of the schedule of a policy. */
export function scheduleId(policy: string): string {
  return `${prefix}${policy}`;
}

/** What becomes of the schedules; names of policies. */
export interface ScheduleDiff {
  readonly create: readonly string[];
  readonly update: readonly string[];
  readonly unchanged: readonly string[];
  /** In Temporal and in no manifest. Deleted only when asked for. */
  readonly vanished: readonly string[];
}

export interface ListedSchedule {
  readonly policy: string;
  readonly paused: boolean;
  readonly note: string;
  /** ISO 8601. */
  readonly nextAt: string | null;
  readonly lastAt: string | null;
}

/** What {@link syncSchedules} would do. Touches nothing. */
export async function diffSchedules(client: Client, policies: readonly RotationPolicy[]): Promise<ScheduleDiff> {
  const wanted = policies.filter(isScheduled);
  const found = await Promise.all(wanted.map((policy) => compare(client, policy)));
  const named = (how: Comparison): string[] =>
    wanted.filter((_, index) => found[index] === how).map(({ name }) => name);
  const names = new Set(wanted.map(({ name }) => name));
  const vanished = (await listSchedules(client)).map(({ policy }) => policy).filter((name) => !names.has(name));
  return { create: named('absent'), update: named('different'), unchanged: named('same'), vanished };
}

/** Makes the schedules be those of `policies`. A paused one stays paused. Without `prune`, vanished ones stay. Safe to repeat. */
export async function syncSchedules(
  client: Client,
  policies: readonly RotationPolicy[],
  prune = false,
): Promise<ScheduleDiff> {
  const diff = await diffSchedules(client, policies);
  for (const policy of policies) {
    if (diff.create.includes(policy.name)) await client.schedule.create(optionsOf(policy));
    if (diff.update.includes(policy.name)) await update(client, policy);
  }
  if (prune) for (const name of diff.vanished) await unlessAbsent(client.schedule.getHandle(scheduleId(name)).delete());
  return diff;
}

/** A policy without an age and without a cron rotates only when asked. */
export function isScheduled(policy: RotationPolicy): boolean {
  return policy.everyMs !== undefined || policy.cron !== undefined;
}

type Comparison = 'absent' | 'different' | 'same';

async function compare(client: Client, policy: RotationPolicy): Promise<Comparison> {
  try {
    const { action } = await client.schedule.getHandle(scheduleId(policy.name)).describe();
    return isDeepStrictEqual(action.memo, optionsOf(policy).action.memo) ? 'same' : 'different';
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return 'absent';
    throw error;
  }
}

async function update(client: Client, policy: RotationPolicy): Promise<void> {
  const options = optionsOf(policy);
  const handle = client.schedule.getHandle(scheduleId(policy.name));
  await handle.update(({ state }) => ({ ...options, state: stateAfter(state, options) }));
}

/** A changed policy must not start what somebody paused, nor lose why. */
function stateAfter(
  { paused, note }: ScheduleDescription['state'],
  options: ScheduleOptions,
): NonNullable<ScheduleOptions['state']> {
  return paused ? { paused, ...(note !== undefined && { note }) } : { ...options.state };
}

function optionsOf(policy: RotationPolicy) {
  const start: CampaignStart = { policy: policy.name, ...(policy.whenNoWindow === 'ask' && { asks: true }) };
  return {
    scheduleId: scheduleId(policy.name),
    spec: specOf(policy),
    action: {
      type: 'startWorkflow',
      workflowType: campaignWorkflow,
      workflowId: `campaign/${policy.name}`,
      args: [start],
      taskQueue,
      staticSummary: `Rotate what is due under ${policy.name}`,
      // The memo of a schedule itself can never be changed; that of its action can, and every campaign carries it.
      memo: { policy: timesOf(policy) },
    },
    policies: {
      // A campaign that is still at work looks again by itself for what became due meanwhile, and ends within about a day.
      overlap: ScheduleOverlapPolicy.SKIP,
      // The server's default is a year: after an outage that would end in a stampede.
      catchupWindow: dayMs,
    },
    state: { note: noteOf(policy) },
  } satisfies ScheduleOptions;
}

/** Identities of one policy may differ in their strategy, never in their times. */
function timesOf({ name, everyMs, cron, window, jitterMs, freeze, whenNoWindow }: RotationPolicy): unknown {
  return JSON.parse(JSON.stringify({ name, everyMs, cron, window, jitterMs, freeze, whenNoWindow }));
}

function specOf(policy: RotationPolicy): ScheduleSpec {
  const spec = scheduleSpecOf(policy);
  if (!spec) return {};
  return {
    cronExpressions: [...spec.cron],
    timezone: spec.timezone,
    jitter: spec.jitterMs,
    ...(spec.everyMs !== undefined && { intervals: [{ every: spec.everyMs }] }),
  };
}

/** The policy in words, as the Schedules page of the Temporal UI shows it. */
export function noteOf(policy: RotationPolicy): string {
  return [
    policy.everyMs === undefined ? '' : `every ${formatDuration(policy.everyMs)}`,
    policy.cron === undefined ? '' : `at ${policy.cron.expression} (${policy.cron.timezone})`,
    policy.window === undefined ? '' : `in ${policy.window}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/**
 * Every schedule of this tool, by policy name. Temporal's list may be a moment behind on which there are; what is told of each
 * is asked of itself, so that a pause shows at once.
 */
export async function listSchedules(client: Client): Promise<ListedSchedule[]> {
  const names: string[] = [];
  for await (const summary of client.schedule.list()) {
    if (summary.scheduleId.startsWith(prefix)) names.push(summary.scheduleId.slice(prefix.length));
  }
  const found = await Promise.all(names.toSorted().map((policy) => describe(client, policy)));
  return found.filter((schedule) => schedule !== undefined);
}

async function describe(client: Client, policy: string): Promise<ListedSchedule | undefined> {
  const found = await described(client, policy);
  if (!found) return undefined;
  const { state, info } = found;
  return {
    policy,
    paused: state.paused,
    note: state.note ?? '',
    nextAt: info.nextActionTimes[0]?.toISOString() ?? null,
    lastAt: info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
  };
}

/** Starts no more campaigns. False when there is no such schedule. */
export async function pauseSchedule(client: Client, policy: string, note: string): Promise<boolean> {
  return unlessAbsent(client.schedule.getHandle(scheduleId(policy)).pause(note));
}

/** Starts campaigns again. False when there is no such schedule. */
export async function resumeSchedule(client: Client, policy: string, note: string): Promise<boolean> {
  return unlessAbsent(client.schedule.getHandle(scheduleId(policy)).unpause(note));
}

/** What became of starting a campaign by hand. */
type Triggered = 'started' | 'at work' | 'absent';

/**
 * Starts the campaign of a schedule now, as the schedule would, unless one is at work. Not by the schedule itself, which has no place for
 * who asks: what `signed` gives is carried by the campaign.
 */
export async function startCampaign(
  client: Client,
  policy: string,
  signed: (campaign: string) => Promise<Trigger>,
): Promise<Triggered> {
  const found = await described(client, policy);
  if (!found) return 'absent';
  const { action, info } = found;
  if (info.runningActions.length > 0 || (await isStartedByHand(client, policy))) return 'at work';
  const workflowId = `${byHand(policy)}${randomUUID()}`;
  const asked = await signed(workflowId);
  const start: CampaignStart = { ...(action.args?.[0] as CampaignStart), policy, asked };
  const staticSummary = `Rotate what is due under ${policy}, asked by ${asked.by}`.slice(0, 200);
  await client.workflow.start(campaignWorkflow, { workflowId, taskQueue, args: [start], staticSummary });
  return 'started';
}

function byHand(policy: string): string {
  return `campaign/${policy}/by-hand/`;
}

async function isStartedByHand(client: Client, policy: string): Promise<boolean> {
  const query = `WorkflowType = '${campaignWorkflow}' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH ${quoted(byHand(policy))}`;
  return (await client.workflow.count(query)).count > 0;
}

async function described(client: Client, policy: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(scheduleId(policy)).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}

async function unlessAbsent(done: Promise<void>): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}
