import { instantOf, isZone, wallClock } from './zone.js';
import type { Span } from './span.js';

/** One opening of the wall clock, on some days of the week. */
export interface Opening {
  /** 0 is Sunday. The day on which it opens. */
  readonly days: readonly number[];
  /** Minutes after midnight. */
  readonly open: number;
  /** Minutes after the midnight of the opening day; more than 1440 when it closes on the next day. */
  readonly close: number;
}

/** When scheduled rotations may start. */
export interface Windows {
  readonly zone: string;
  readonly openings: readonly Opening[];
}

/** A window that cannot be read: what was expected, and what to write. */
export interface WindowFault {
  readonly problem: string;
  readonly fix: string;
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const dayMs = 86_400_000;
const example = "Write it like 'Sun 02:00-05:00 Europe/Berlin' or 'Mon-Fri 22:00-04:00, Sat 00:00-06:00 UTC'.";

/** A window shorter than this is refused: a rotation would hardly ever meet it. */
export const shortestWindowMinutes = 5;

/**
 * Reads windows: `DAYS HH:MM-HH:MM`, several of them with commas or semicolons between, one IANA time zone at the end.
 * Days are `Sun`, `Mon-Fri`, `Mon,Wed` or `daily`. An end that is not after the start is on the next day.
 */
export function parseWindows(text: string): Windows | WindowFault {
  const words = text.trim().split(/\s+/);
  const zone = words.pop() ?? '';
  if (!/^[A-Za-z]/.test(zone) || dayNames.includes(zone.toLowerCase()))
    return fault('expected a time zone at the end of the window');
  if (!isZone(zone))
    return fault(`there is no time zone '${zone.slice(0, 40)}'`, 'Write an IANA name such as Europe/Berlin, or UTC.');
  const openings: Opening[] = [];
  let days: string[] = [];
  for (const part of words.join(' ').split(/[,;]/)) {
    const item = part.trim();
    const match = /^(?:(\S+) )?(\d{1,2}:\d{2}) ?- ?(\d{1,2}:\d{2})$/.exec(item);
    if (match?.[1]) days.push(match[1]);
    if (!match) days.push(item);
    else {
      const opening = readOpening(days, match[2]!, match[3]!);
      if ('problem' in opening) return opening;
      openings.push(opening);
      days = [];
    }
  }
  if (days.length > 0 || openings.length === 0) return fault('expected days and a time from-to in every window');
  return { zone, openings };
}

function readOpening(days: readonly string[], from: string, to: string): Opening | WindowFault {
  const numbers = days.map(readDays);
  if (days.length === 0 || numbers.includes(undefined))
    return fault('expected days such as Sun, Mon-Fri or daily before the time');
  const [open, end] = [minutesOf(from, 1439), minutesOf(to, 1440)];
  if (open === undefined || end === undefined) return fault('expected times between 00:00 and 24:00');
  if (open === end)
    return fault('a window that opens and closes at the same time', 'For the whole day write 00:00-24:00.');
  const close = end > open ? end : end + 1440;
  if (close - open < shortestWindowMinutes)
    return fault(`a window shorter than ${shortestWindowMinutes} minutes`, 'Make it longer.');
  return { days: [...new Set(numbers.flatMap((some) => some!))].sort(), open, close };
}

function readDays(text: string): readonly number[] | undefined {
  const name = text.toLowerCase();
  if (name === 'daily') return [0, 1, 2, 3, 4, 5, 6];
  const [first, last, ...rest] = name.split('-').map((day) => dayNames.indexOf(day));
  if (first === undefined || first < 0 || last === -1 || rest.length > 0) return undefined;
  const count = last === undefined ? 1 : ((last - first + 7) % 7) + 1;
  return Array.from({ length: count }, (_, index) => (first + index) % 7);
}

function minutesOf(text: string, max: number): number | undefined {
  const [hours, minutes] = text.split(':').map(Number) as [number, number];
  const total = hours * 60 + minutes;
  return minutes < 60 && total <= max ? total : undefined;
}

function fault(problem: string, fix = example): WindowFault {
  return { problem, fix };
}

/**
 * The windows that open on one day, as instants, in order. A start that the spring change skips opens at the end of the
 * gap; a window that lies in the gap does not open at all.
 *
 * @param day days since 1 January 1970 on the wall clock of the windows' zone
 */
export function windowsOfDay({ zone, openings }: Windows, day: number): Span[] {
  const weekday = (((day + 4) % 7) + 7) % 7;
  return openings
    .filter((opening) => opening.days.includes(weekday))
    .map(({ open, close }) => ({
      from: instantOf(zone, day * dayMs + open * 60_000),
      to: instantOf(zone, day * dayMs + close * 60_000),
    }))
    .filter((span) => span.from < span.to)
    .sort((a, b) => a.from - b.from);
}

/** The day of an instant on the wall clock of a zone, as {@link windowsOfDay} counts. */
export function dayOf(zone: string, at: number): number {
  return Math.floor(wallClock(zone, at) / dayMs);
}

/** The longest wall-clock time from one opening to the next, over the week; milliseconds. */
export function longestGapMs({ openings }: Windows): number {
  const starts = [...new Set(openings.flatMap(({ days, open }) => days.map((day) => day * 1440 + open)))].sort(
    (a, b) => a - b,
  );
  return Math.max(...starts.map((start, index) => (starts[index + 1] ?? starts[0]! + 7 * 1440) - start)) * 60_000;
}
