import { TenureError } from '../domain/errors.js';
import type { Freeze, RotationPolicy } from '../domain/identity.js';
import { mergeSpans } from './span.js';
import type { Span } from './span.js';
import { tickMsOf } from './tick.js';
import { parseWindows } from './window.js';
import type { Windows } from './window.js';
import { addDays } from './zone.js';

const dayMs = 86_400_000;

/** What "is it due?" is asked with. The clock is an argument, so that the answer is a pure function. */
export interface DueInput {
  readonly policy: RotationPolicy;
  /** When the current credential was published, ISO 8601; undefined when it is not known. */
  readonly lastRotatedAt?: string | undefined;
  /** The operator's freezes; the policy's own are added. */
  readonly freezes: readonly Freeze[];
  readonly now: Date;
}

/** The input in the form that the checks work with; instants are milliseconds. */
export interface Facts {
  readonly policy: RotationPolicy;
  readonly now: number;
  readonly last: number | undefined;
  readonly freezes: readonly Freeze[];
  /** The freezes, joined. */
  readonly frozen: readonly Span[];
  readonly windows: Windows | undefined;
  /** The credential is too old from here on. */
  readonly deadline: number | undefined;
  /** A schedule leaves a credential alone until it is this old, so that a rotation by hand is not followed by another. */
  readonly youngestMs: number;
  /** Room that a rotation gets before its deadline: the spread, and the time until the schedule looks again. */
  readonly marginMs: number;
}

/** Prepares the facts. Throws `InvalidRequest` for a policy that a manifest would not have been allowed to declare. */
export function factsOf({ policy, lastRotatedAt, freezes, now }: DueInput): Facts {
  const all = [...freezes, ...policy.freeze];
  const windows = windowsOf(policy);
  const last = lastRotatedAt === undefined ? undefined : Date.parse(lastRotatedAt);
  const zone = windows?.zone ?? policy.cron?.timezone;
  return {
    policy,
    now: now.getTime(),
    last,
    freezes: all,
    frozen: mergeSpans(all.map(spanOf)),
    windows,
    deadline: last === undefined ? undefined : deadlineOf(last, policy.everyMs, zone),
    youngestMs: Math.floor((policy.everyMs ?? 0) / 10),
    marginMs: policy.jitterMs + tickMsOf(policy),
  };
}

/** A freeze as a span. */
export function spanOf(freeze: Freeze): Span {
  return { from: Date.parse(freeze.from), to: Date.parse(freeze.to) };
}

/** The policy's windows; undefined when it may start at any time. */
export function windowsOf(policy: RotationPolicy): Windows | undefined {
  if (policy.window === undefined) return undefined;
  const windows = parseWindows(policy.window);
  if (!('problem' in windows)) return windows;
  throw new TenureError(
    'InvalidRequest',
    `The window of the rotation policy ${policy.name} cannot be read: ${windows.problem}. ${windows.fix}`,
  );
}

/** Whole days are counted on the wall clock where there is one: 7 days after Sunday 02:10 is Sunday 02:10, also in the week that has 169 hours. */
function deadlineOf(last: number, everyMs: number | undefined, zone: string | undefined): number | undefined {
  if (everyMs === undefined) return undefined;
  return zone !== undefined && everyMs % dayMs === 0 ? addDays(zone, last, everyMs / dayMs) : last + everyMs;
}
