/** One Temporal Schedule for each rotation policy. It starts a campaign, which selects what is due. */
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
import { campaignWorkflow, taskQueue, type CampaignStart } from '../domain/wire.js';
import { formatDuration } from '../manifest/duration.js';
import { scheduleSpecOf } from '../schedule/tick.js';

const prefix = 'rotation/';
const dayMs = 86_400_000;

/** Id of the schedule of a policy. */
export function scheduleId(policy: string): string {
  return `${prefix}${policy}`;
}

/** What {@link syncSchedules} found and did; names of policies. */
export interface ScheduleSync {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
  /** In Temporal and in no manifest. Deleted only when asked for. */
  readonly vanished: readonly string[];
  readonly deleted: readonly string[];
}

export interface ListedSchedule {
  readonly policy: string;
  readonly paused: boolean;
  readonly note: string;
  /** ISO 8601. */
  readonly nextAt: string | null;
  readonly lastAt: string | null;
}

/** Makes the schedules be those of `policies`. A paused one stays paused. Without `prune`, vanished ones are only reported. */
export async function syncSchedules(
  client: Client,
  policies: readonly RotationPolicy[],
  prune = false,
): Promise<ScheduleSync> {
  const created: string[] = [];
  const updated: string[] = [];
  const unchanged: string[] = [];
  const wanted = policies.filter(isScheduled);
  for (const policy of wanted) {
    const done = await syncOne(client, policy);
    ({ created, updated, unchanged })[done].push(policy.name);
  }
  const names = new Set(wanted.map(({ name }) => name));
  const vanished = (await listSchedules(client)).map(({ policy }) => policy).filter((name) => !names.has(name));
  if (prune) for (const name of vanished) await client.schedule.getHandle(scheduleId(name)).delete();
  return { created, updated, unchanged, vanished, deleted: prune ? vanished : [] };
}

/** A policy without an age and without a cron rotates only when asked. */
export function isScheduled(policy: RotationPolicy): boolean {
  return policy.everyMs !== undefined || policy.cron !== undefined;
}

async function syncOne(client: Client, policy: RotationPolicy): Promise<'created' | 'updated' | 'unchanged'> {
  const handle = client.schedule.getHandle(scheduleId(policy.name));
  const options = optionsOf(policy);
  try {
    const { action } = await handle.describe();
    if (isDeepStrictEqual(action.memo, options.action.memo)) return 'unchanged';
    await handle.update(({ state }) => ({ ...options, state: stateAfter(state, options) }));
    return 'updated';
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    await client.schedule.create(options);
    return 'created';
  }
}

/** A changed policy must not start what somebody paused, nor lose why. */
function stateAfter(
  { paused, note }: ScheduleDescription['state'],
  options: ScheduleOptions,
): NonNullable<ScheduleOptions['state']> {
  return paused ? { paused, ...(note !== undefined && { note }) } : { ...options.state };
}

function optionsOf(policy: RotationPolicy) {
  const start: CampaignStart = { policy: policy.name };
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
      memo: { policy: JSON.parse(JSON.stringify(policy)) as unknown },
    },
    policies: {
      // A campaign that is still at work finds by itself what became due meanwhile.
      overlap: ScheduleOverlapPolicy.SKIP,
      // The server's default is a year: after an outage that would end in a stampede.
      catchupWindow: dayMs,
    },
    state: { note: noteOf(policy) },
  } satisfies ScheduleOptions;
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
    `by ${policy.strategy}`,
  ]
    .filter((part) => part !== '')
    .join(', ');
}

/** Every schedule of this tool, by policy name. Eventually consistent, as Temporal's list is. */
export async function listSchedules(client: Client): Promise<ListedSchedule[]> {
  const found: ListedSchedule[] = [];
  for await (const summary of client.schedule.list()) {
    if (!summary.scheduleId.startsWith(prefix)) continue;
    found.push({
      policy: summary.scheduleId.slice(prefix.length),
      paused: summary.state.paused,
      note: summary.state.note ?? '',
      nextAt: summary.info.nextActionTimes[0]?.toISOString() ?? null,
      lastAt: summary.info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
    });
  }
  return found.toSorted((one, other) => one.policy.localeCompare(other.policy));
}

/** Starts no more campaigns. False when there is no such schedule. */
export async function pauseSchedule(client: Client, policy: string, note: string): Promise<boolean> {
  return unlessAbsent(client.schedule.getHandle(scheduleId(policy)).pause(note));
}

/** Starts campaigns again. False when there is no such schedule. */
export async function resumeSchedule(client: Client, policy: string, note: string): Promise<boolean> {
  return unlessAbsent(client.schedule.getHandle(scheduleId(policy)).unpause(note));
}

/** Starts a campaign now, unless one runs. False when there is no such schedule. */
export async function triggerSchedule(client: Client, policy: string): Promise<boolean> {
  return unlessAbsent(client.schedule.getHandle(scheduleId(policy)).trigger(ScheduleOverlapPolicy.SKIP));
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
