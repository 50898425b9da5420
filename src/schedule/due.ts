/** Is a rotation due, may it start now, and when next? A pure, ordered chain of named checks; the first that answers decides. */
import type { Clearance } from '../domain/decision.js';
import type { Freeze } from '../domain/identity.js';
import { next } from './cron.js';
import { factsOf, spanOf } from './facts.js';
import type { DueInput, Facts } from './facts.js';
import { mergeSpans, spanAt } from './span.js';
import { calendarTime, nextStart, openSpanAt } from './start.js';
import type { Start, StartReason } from './start.js';

/** Why a scheduled rotation does not start now. */
export type NotDueReason =
  'not-scheduled' | 'just-rotated' | 'not-yet' | 'frozen' | 'no-window-left' | 'outside-window' | 'never-allowed';
export type DueReason = StartReason | NotDueReason;

/** The answer, for programs (`reason`) and people (`detail`). */
export interface Due {
  readonly due: boolean;
  readonly reason: DueReason;
  readonly detail: string;
}

interface Situation extends Facts {
  readonly start: Start | undefined;
}

type Check = (situation: Situation) => Due | undefined;

/** The checks, in the order in which they are asked. */
export const dueChecks: readonly (readonly [name: string, check: Check])[] = [
  ['is it scheduled at all?', isUnscheduled],
  ['is this its start?', isStarting],
  ['was it rotated a moment ago?', isJustRotated],
  ['is it too early?', isTooEarly],
  ['does a freeze hold it up?', isFrozen],
  ['is no window left before it is too old?', isOutOfWindows],
  ['is it outside its windows?', isOutsideWindows],
  ['is no time allowed at all?', isNeverAllowed],
];

/** Asks whether a scheduled rotation is due and may start now. */
export function evaluateDue(input: DueInput): Due {
  const facts = factsOf(input);
  const situation = { ...facts, start: nextStart(facts) };
  for (const [, check] of dueChecks) {
    const answer = check(situation);
    if (answer) return answer;
  }
  throw new Error('the last check always answers');
}

/** The next allowed start of a scheduled rotation, ISO 8601; undefined when nothing is scheduled. Spread by {@link startDelayMs}. */
export function nextRotation(input: DueInput): string | undefined {
  const start = nextStart(factsOf(input));
  return start && iso(start.at);
}

/** May anything change now? Only a freeze says no, and a recorded emergency passes it; windows bind scheduled starts alone. */
export function mayChange(input: {
  readonly freezes: readonly Freeze[];
  readonly emergency: boolean;
  readonly now: Date;
}): Clearance {
  const now = input.now.getTime();
  const span = input.emergency ? undefined : spanAt(mergeSpans(input.freezes.map(spanOf)), now);
  if (!span) return { clear: true };
  return { clear: false, until: iso(span.to), reason: reasonAt(input.freezes, now) };
}

/**
 * How long a campaign that starts now waits before it rotates this identity: the same for the same name, evenly spread
 * over the policy's jitter, and never past the end of the open window or into a freeze.
 */
export function startDelayMs(name: string, input: DueInput): number {
  const facts = factsOf(input);
  // A start that breaks its window is held up by freezes all the same.
  const freeze = facts.frozen.find(({ from }) => from > facts.now)?.from ?? Infinity;
  const end = openSpanAt(facts, facts.now)?.to ?? freeze;
  return Math.floor(Math.min(input.policy.jitterMs, end - facts.now) * fractionOf(name));
}

/** A number from 0 up to 1 that depends on the name alone (FNV-1a, then mixed so that similar names lie apart). */
function fractionOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function isUnscheduled({ policy }: Situation): Due | undefined {
  if (policy.everyMs !== undefined || policy.cron) return undefined;
  return no('not-scheduled', 'it is rotated only when asked');
}

const startWords: Readonly<Record<StartReason, string>> = {
  first: 'when it was last rotated is not known',
  age: 'it would be too old before its next chance',
  calendar: 'its time has come',
  overdue: 'it is older than its policy allows',
  'window-broken': 'no window was left before it is too old, and its policy says to start outside of one',
};

function isStarting({ start, now }: Situation): Due | undefined {
  return start && start.at <= now ? { due: true, reason: start.why, detail: startWords[start.why] } : undefined;
}

function isJustRotated(situation: Situation): Due | undefined {
  const { last, now, youngestMs, policy, start } = situation;
  if (last === undefined) return undefined;
  const first = policy.cron && next(policy.cron, last);
  const served = first !== undefined && first <= now && (calendarTime(situation) ?? 0) > now;
  if (!served && now >= last + youngestMs) return undefined;
  return no('just-rotated', `it was rotated at ${iso(last)}${then(start)}`);
}

/** Before this a rotation would not start even if every time were allowed. */
function idealStart(situation: Situation): number {
  const { deadline, marginMs, last } = situation;
  if (last === undefined) return -Infinity;
  return Math.min(deadline === undefined ? Infinity : deadline - marginMs, calendarTime(situation) ?? Infinity);
}

function isTooEarly(situation: Situation): Due | undefined {
  const { now, start } = situation;
  return now < idealStart(situation) ? no('not-yet', `it is not due yet${then(start)}`) : undefined;
}

function isFrozen({ frozen, freezes, now }: Situation): Due | undefined {
  const span = spanAt(frozen, now);
  return span && no('frozen', `a freeze holds until ${iso(span.to)}: ${reasonAt(freezes, now)}`);
}

function isOutOfWindows({ windows, policy, deadline, start, now }: Situation): Due | undefined {
  const isLate = deadline !== undefined && (start === undefined || start.at > deadline || now >= deadline);
  if (!windows || !isLate || policy.whenNoWindow !== 'ask') return undefined;
  return no(
    'no-window-left',
    `no window is left before it is too old at ${iso(deadline)}: rotate it by hand, or leave it${then(start)}`,
  );
}

function isOutsideWindows({ windows, start }: Situation): Due | undefined {
  return windows && start && no('outside-window', `it is due, and waits for its window${then(start)}`);
}

function isNeverAllowed(): Due {
  return no('never-allowed', 'no window within reach is free of freezes: change the window or the freezes');
}

function no(reason: NotDueReason, detail: string): Due {
  return { due: false, reason, detail };
}

function then(start: Start | undefined): string {
  return start ? `; next at ${iso(start.at)}` : '';
}

function reasonAt(freezes: readonly Freeze[], at: number): string {
  return freezes.find((freeze) => spanAt([spanOf(freeze)], at))?.reason ?? 'freeze';
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
