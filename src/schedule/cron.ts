import { Cron } from 'croner';
import { isZone } from './zone.js';

/** A cron expression and its time zone, as a rotation policy holds it. */
export interface CronRule {
  readonly expression: string;
  readonly timezone: string;
}

export interface CronFault {
  readonly problem: string;
  readonly fix: string;
}

const example = "Write it like '0 3 1 * * Europe/Berlin': minute, hour, day of month, month, day of week, time zone.";

/**
 * Reads five standard fields and an IANA time zone. Only what every cron reads the same way is taken: numbers, names,
 * `*`, lists, ranges, steps, and not both days of the month and days of the week, which some join with "and", others with "or".
 */
export function parseCron(text: string): CronRule | CronFault {
  const words = text.trim().split(/\s+/);
  if (words.length !== 6) return fault('expected five cron fields and a time zone');
  const timezone = words.pop()!;
  if (!isZone(timezone))
    return fault(
      `there is no time zone '${timezone.slice(0, 40)}'`,
      'Write an IANA name such as Europe/Berlin, or UTC, at the end.',
    );
  const expression = words.join(' ');
  if (!words.every((word) => /^[0-9A-Za-z*,/-]+$/.test(word)))
    return fault('expected only numbers, names, *, commas, dashes and steps');
  if (words[2] !== '*' && words[4] !== '*')
    return fault('days of the month and days of the week together', 'Use one of them and write * for the other.');
  const rule = { expression: words.map(namesToNumbers).join(' '), timezone };
  if (/[A-Za-z]/.test(rule.expression)) return fault('expected only numbers and the names of months and days');
  try {
    if (next(rule, 0) === undefined) return fault(`'${expression}' never fires`, 'Choose a day that exists.');
  } catch {
    return fault(`'${expression.slice(0, 60)}' is not a cron expression`);
  }
  return rule;
}

function fault(problem: string, fix = example): CronFault {
  return { problem, fix };
}

const names: Readonly<Record<number, readonly string[]>> = {
  3: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  4: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

/** Other readers of the expression (Temporal) take numbers everywhere and names only here and there. */
function namesToNumbers(field: string, index: number): string {
  return field.replaceAll(/[A-Za-z]+/g, (name) => {
    const number = names[index]?.indexOf(name.toLowerCase()) ?? -1;
    return number < 0 ? name : String(number);
  });
}

/** The first time after an instant; undefined when there is none. A time that the spring change skips fires at the end of the gap. */
export function next(rule: CronRule, after: number): number | undefined {
  return cronOf(rule).nextRun(new Date(after))?.getTime();
}

const parsed = new Map<string, Cron>();
const parsedLimit = 1000;

function cronOf({ expression, timezone }: CronRule): Cron {
  const key = `${expression} ${timezone}`;
  let cron = parsed.get(key);
  if (!cron) {
    if (parsed.size >= parsedLimit) parsed.clear();
    // Paused: this is a calendar here, never a timer.
    parsed.set(key, (cron = new Cron(expression, { timezone, mode: '5-part', paused: true })));
  }
  return cron;
}
