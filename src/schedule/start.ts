/** Finds the next allowed start of a scheduled rotation. */
import type { Facts } from './facts.js';
import { next } from './cron.js';
import { spanAt, subtractSpans } from './span.js';
import type { Span } from './span.js';
import { dayOf, windowsOfDay } from './window.js';
import { instantOf } from './zone.js';

/**
 * Why a rotation starts when it does. `first`: the age of the credential is not known. `age`: it would become too old.
 * `calendar`: its cron time has come. `overdue`: it is too old already. `window-broken`: no window was left, and the policy
 * says to start outside of one.
 */
export type StartReason = 'first' | 'age' | 'calendar' | 'overdue' | 'window-broken';

/** An allowed start: never in a freeze, inside a window unless the policy says to break it, never before `now`. */
export interface Start {
  readonly at: number;
  readonly why: StartReason;
}

const dayMs = 86_400_000;
/** Days that are looked at when windows are searched; a freeze is skipped as a whole. */
const horizonDays = 400;

/** The next start; undefined when nothing is scheduled or no time is allowed within reach. */
export function nextStart(facts: Facts): Start | undefined {
  const { policy, last, now } = facts;
  if (policy.everyMs === undefined && !policy.cron) return undefined;
  if (last === undefined) return startFrom(facts, now, 'first');
  const starts = [startByAge(facts), startByCalendar(facts)].filter((start) => start !== undefined);
  return starts.sort((a, b) => a.at - b.at)[0];
}

function startByAge(facts: Facts): Start | undefined {
  const { deadline, now, windows, policy } = facts;
  if (deadline === undefined) return undefined;
  if (now < deadline) {
    const chance = windows ? lastWindow(facts, deadline) : lastUnfrozen(facts, deadline);
    if (chance !== undefined) return { at: Math.max(chance, now), why: 'age' };
    const broken = windows && policy.whenNoWindow === 'break' ? lastUnfrozen(facts, deadline) : undefined;
    if (broken !== undefined) return { at: Math.max(broken, now), why: 'window-broken' };
  }
  return startFrom(facts, Math.max(now, deadline), 'overdue');
}

function startByCalendar(facts: Facts): Start | undefined {
  const at = calendarTime(facts);
  return at === undefined ? undefined : startFrom(facts, Math.max(at, facts.now), 'calendar');
}

/** The first cron time after the last rotation; one that follows it too closely counts as served. */
export function calendarTime({ policy, last }: Facts): number | undefined {
  if (!policy.cron || last === undefined) return undefined;
  const first = next(policy.cron, last);
  const second = first === undefined ? undefined : next(policy.cron, first);
  if (first === undefined || second === undefined) return first;
  return first - last < (second - first) / 10 ? second : first;
}

/** The first allowed start at or after an instant. */
function startFrom(facts: Facts, from: number, why: StartReason): Start | undefined {
  const inWindow = firstWindow(facts, from);
  const mayBreak = facts.windows !== undefined && facts.policy.whenNoWindow === 'break' && why !== 'calendar';
  const anyTime = mayBreak ? firstUnfrozen(facts, from) : undefined;
  if (anyTime !== undefined && (inWindow === undefined || anyTime < inWindow))
    return { at: anyTime, why: 'window-broken' };
  return inWindow === undefined ? undefined : { at: inWindow, why };
}

function firstUnfrozen({ frozen }: Facts, from: number): number {
  return spanAt(frozen, from)?.to ?? from;
}

function firstWindow(facts: Facts, from: number): number | undefined {
  const { windows, frozen } = facts;
  if (!windows) return firstUnfrozen(facts, from);
  let day = dayOf(windows.zone, from) - 1;
  for (let looked = 0; looked < horizonDays; looked += 1) {
    const piece = openPieces(facts, day).find((open) => open.to > from);
    if (piece) return Math.max(piece.from, from);
    day += 1;
    const freeze = spanAt(frozen, instantOf(windows.zone, day * dayMs));
    if (freeze) day = Math.max(day, dayOf(windows.zone, freeze.to) - 1);
  }
  return undefined;
}

/** The opening of the last window before the deadline that is still ahead or open; a window opened before the last rotation is served. */
function lastWindow(facts: Facts, deadline: number): number | undefined {
  const { windows, last, now, youngestMs } = facts;
  if (!windows || last === undefined) return undefined;
  const firstDay = dayOf(windows.zone, Math.max(now, last)) - 1;
  for (let day = dayOf(windows.zone, deadline); day >= firstDay; day -= 1) {
    const fits = openPieces(facts, day).filter(
      (piece) => piece.from >= last + youngestMs && piece.from <= deadline && piece.to > now,
    );
    const piece = fits.at(-1);
    if (piece) return piece.from;
  }
  return undefined;
}

/** The latest start that leaves room before the deadline, or before a freeze that reaches over it. */
function lastUnfrozen({ frozen, last, now, youngestMs, marginMs }: Facts, deadline: number): number | undefined {
  const pieces = subtractSpans({ from: last! + youngestMs, to: deadline }, frozen);
  const piece = pieces.filter((open) => open.to > now).at(-1);
  return piece && Math.max(piece.from, piece.to - marginMs);
}

/** What the freezes leave of a day's windows. */
function openPieces({ windows, frozen }: Facts, day: number): Span[] {
  return windowsOfDay(windows!, day).flatMap((span) => subtractSpans(span, frozen));
}

/** The open stretch that an instant lies in, for spreading starts inside it; undefined when it lies in none. */
export function openSpanAt(facts: Facts, at: number): Span | undefined {
  const { windows, frozen } = facts;
  if (spanAt(frozen, at)) return undefined;
  if (!windows) return { from: -Infinity, to: frozen.find((span) => span.from > at)?.from ?? Infinity };
  const day = dayOf(windows.zone, at);
  return spanAt([...openPieces(facts, day - 1), ...openPieces(facts, day)], at);
}
