import type { RotationPolicy } from '../domain/identity.js';
import { next } from './cron.js';
import { longestGapMs, parseWindows } from './window.js';

/** A field of a rotation policy, as the manifest names it, that can never work. */
export interface PolicyProblem {
  readonly field: 'every' | 'cron' | 'window' | 'grace' | 'jitter' | 'freeze' | 'whenNoWindow';
  readonly problem: string;
  readonly fix: string;
}

type Check = (policy: RotationPolicy) => PolicyProblem | undefined;

const checks: readonly Check[] = [unreadableWindow, windowTooRare, windowWithoutSchedule, graceTooLong, jitterTooWide];

/** What makes a policy impossible to keep. Pure. */
export function policyProblems(policy: RotationPolicy): PolicyProblem[] {
  return checks.map((check) => check(policy)).filter((problem) => problem !== undefined);
}

function unreadableWindow({ window }: RotationPolicy): PolicyProblem | undefined {
  const windows = window === undefined ? undefined : parseWindows(window);
  return windows && 'problem' in windows ? { field: 'window', ...windows } : undefined;
}

/** A window that comes round less often than the credential has to be replaced can only be kept by breaking it. */
function windowTooRare({ window, everyMs, whenNoWindow }: RotationPolicy): PolicyProblem | undefined {
  const windows = window === undefined ? undefined : parseWindows(window);
  if (!windows || 'problem' in windows || everyMs === undefined || whenNoWindow === 'break') return undefined;
  if (longestGapMs(windows) <= everyMs) return undefined;
  return {
    field: 'window',
    problem: 'the window opens less often than `every` asks for a rotation',
    fix: 'Open it more often, make `every` longer, or write `whenNoWindow: break`.',
  };
}

function windowWithoutSchedule({ window, everyMs, cron }: RotationPolicy): PolicyProblem | undefined {
  if (window === undefined || everyMs !== undefined || cron) return undefined;
  return {
    field: 'window',
    problem: 'a window without `every` or `cron`',
    fix: 'Windows bind scheduled rotations alone: add a schedule, or remove the window.',
  };
}

function graceTooLong(policy: RotationPolicy): PolicyProblem | undefined {
  const interval = shortestIntervalMs(policy);
  if (interval === undefined || policy.graceMs < interval) return undefined;
  return {
    field: 'grace',
    problem: 'the grace is not shorter than the time between two rotations',
    fix: 'Shorten the grace, or rotate less often.',
  };
}

function jitterTooWide(policy: RotationPolicy): PolicyProblem | undefined {
  const windows = policy.window === undefined ? undefined : parseWindows(policy.window);
  const interval = shortestIntervalMs(policy);
  if (interval !== undefined && policy.jitterMs > interval / 2) {
    return {
      field: 'jitter',
      problem: 'the jitter is more than half of the time between two rotations',
      fix: 'Shorten it.',
    };
  }
  if (!windows || 'problem' in windows) return undefined;
  const shortest = Math.min(...windows.openings.map(({ open, close }) => close - open)) * 60_000;
  return policy.jitterMs > shortest
    ? { field: 'jitter', problem: 'the jitter is longer than the window', fix: 'Shorten it, or widen the window.' }
    : undefined;
}

/** The shortest time between two scheduled rotations; of a cron expression, over its next eight times. */
function shortestIntervalMs({ everyMs, cron }: RotationPolicy): number | undefined {
  const intervals = everyMs === undefined ? [] : [everyMs];
  let at = cron && next(cron, 0);
  for (let looked = 0; cron && at !== undefined && looked < 8; looked += 1) {
    const following = next(cron, at);
    if (following !== undefined) intervals.push(following - at);
    at = following;
  }
  return intervals.length > 0 ? Math.min(...intervals) : undefined;
}
