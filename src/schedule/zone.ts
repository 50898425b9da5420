import { IANAZone } from 'luxon';

const zones = new Map<string, IANAZone>();
const dayMs = 86_400_000;

/** Says whether `name` is an IANA time zone of this machine, e.g. `Europe/Berlin` or `UTC`. */
export function isZone(name: string): boolean {
  if (zones.has(name)) return true;
  if ((name !== 'UTC' && !name.includes('/')) || !IANAZone.isValidZone(name)) return false;
  zones.set(name, IANAZone.create(name));
  return true;
}

/** Milliseconds that the wall clock of a zone is ahead of UTC at an instant. */
function offsetMs(zone: string, at: number): number {
  let known = zones.get(zone);
  if (!known) zones.set(zone, (known = IANAZone.create(zone)));
  return known.offset(at) * 60_000;
}

/** The wall clock at an instant, as the instant at which UTC would show the same. */
export function wallClock(zone: string, at: number): number {
  return at + offsetMs(zone, at);
}

/**
 * The instant at which the wall clock shows `wall` (given as the instant at which UTC would show it). A time that occurs
 * twice gives its first occurrence; a time that the spring change skips gives the end of the gap.
 */
export function instantOf(zone: string, wall: number): number {
  const before = offsetMs(zone, wall - dayMs);
  const after = offsetMs(zone, wall + dayMs);
  const candidates = [wall - before, wall - after].filter((at) => wallClock(zone, at) === wall);
  return candidates.length > 0 ? Math.min(...candidates) : endOfGap(zone, wall - dayMs, wall + dayMs, wall);
}

/** The first instant whose wall clock is not before `wall`. */
function endOfGap(zone: string, low: number, high: number, wall: number): number {
  let [from, to] = [low - dayMs, high + dayMs];
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2);
    if (wallClock(zone, middle) < wall) from = middle;
    else to = middle;
  }
  return to;
}

/** Adds whole days on the wall clock of a zone, so that 30 days after 02:10 is 02:10 whatever the season. */
export function addDays(zone: string, at: number, days: number): number {
  return instantOf(zone, wallClock(zone, at) + days * dayMs);
}
