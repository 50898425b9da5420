import type { RotationPolicy } from '../domain/identity.js';
import { parseWindows } from './window.js';
import type { Opening } from './window.js';

const minuteMs = 60_000;
const dayMinutes = 1440;
const steps = [15, 10, 5, 3, 2, 1];

/**
 * When the one Temporal Schedule of a policy starts a campaign. It fires more often than anything is due: the campaign asks
 * each identity, and a rotation that failed is tried again while its window is open.
 */
export interface ScheduleDescription {
  /** Five-field cron expressions, numbers only. */
  readonly cron: readonly string[];
  /** Zone of `cron`. */
  readonly timezone: string;
  /** Beside `cron`: fire each time this long has passed. */
  readonly everyMs?: number;
  /** Spread of the firing itself; each identity is spread by `startDelayMs` on top. */
  readonly jitterMs: number;
}

/** The time between two looks at what is due; milliseconds. */
export function tickMsOf(policy: Pick<RotationPolicy, 'window' | 'everyMs'>): number {
  const windows = policy.window === undefined ? undefined : parseWindows(policy.window);
  if (windows && 'openings' in windows) {
    const shortest = Math.min(...windows.openings.map(({ open, close }) => close - open));
    return (steps.find((step) => step <= shortest / 4) ?? 1) * minuteMs;
  }
  return sweepMs(policy.everyMs);
}

function sweepMs(everyMs: number | undefined): number {
  const hour = 60 * minuteMs;
  return everyMs === undefined ? hour : Math.min(Math.max(Math.floor(everyMs / 20), 10_000), hour);
}

/** What the Schedule of a policy fires on; undefined for a policy that is rotated only when asked. */
export function scheduleSpecOf(policy: RotationPolicy): ScheduleDescription | undefined {
  if (policy.everyMs === undefined && !policy.cron) return undefined;
  const tickMs = tickMsOf(policy);
  const jitterMs = Math.min(policy.jitterMs, Math.floor(tickMs / 4));
  const windows = policy.window === undefined ? undefined : parseWindows(policy.window);
  if (windows && 'openings' in windows) {
    const cron = windows.openings.flatMap((opening) => ticksIn(opening, tickMs / minuteMs));
    // Outside the windows it has to look as well where the policy may break them, or tells people that none is left.
    const sweep = policy.whenNoWindow !== 'skip' ? { everyMs: sweepMs(policy.everyMs) } : {};
    return { cron: [...new Set(cron)], timezone: windows.zone, ...sweep, jitterMs };
  }
  // Beside the cron expression a sweep: the one firing may fall in a freeze, or in the hour that the spring change skips.
  return {
    cron: policy.cron ? [policy.cron.expression] : [],
    timezone: policy.cron?.timezone ?? 'UTC',
    everyMs: tickMs,
    jitterMs,
  };
}

/** Cron expressions that fire at the opening and then at every step while it is open. */
function ticksIn({ days, open, close }: Opening, step: number): string[] {
  const byHour = new Map<string, number[]>();
  for (let minute = open; minute < close; minute += step) {
    const nextDay = minute >= dayMinutes;
    const hour = Math.floor((minute % dayMinutes) / 60);
    const key = `${hour} * * ${days
      .map((day) => (day + (nextDay ? 1 : 0)) % 7)
      .sort()
      .join(',')}`;
    byHour.set(key, [...(byHour.get(key) ?? []), minute % 60]);
  }
  return joinHours([...byHour].map(([rest, minutes]) => ({ minutes: minutes.join(','), rest })));
}

/** Hours with the same minutes share one expression. */
function joinHours(ticks: readonly { minutes: string; rest: string }[]): string[] {
  const hours = new Map<string, string[]>();
  for (const { minutes, rest } of ticks) {
    const [hour, ...days] = rest.split(' ');
    const key = `${minutes}|${days.join(' ')}`;
    hours.set(key, [...(hours.get(key) ?? []), hour!]);
  }
  return [...hours].map(([key, some]) => {
    const [minutes, days] = key.split('|');
    return `${minutes} ${some.join(',')} ${days}`;
  });
}
