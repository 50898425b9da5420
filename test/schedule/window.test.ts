import { describe, expect, it } from 'vitest';
import { longestGapMs, parseWindows, windowsOfDay } from '../../src/schedule/window.js';
import type { Windows } from '../../src/schedule/window.js';
import { parseCron } from '../../src/schedule/cron.js';
import { policyProblems } from '../../src/schedule/problems.js';
import { day, hour, policy } from './policies.js';

const dayNumber = (date: string) => Date.parse(`${date}T00:00:00Z`) / day;
const iso = (windows: string, date: string) =>
  windowsOfDay(parseWindows(windows) as Windows, dayNumber(date)).map(({ from, to }) => [
    new Date(from).toISOString(),
    new Date(to).toISOString(),
  ]);

describe('windows', () => {
  it.each([
    ['Sun 02:00-05:00 Europe/Berlin', [{ days: [0], open: 120, close: 300 }]],
    ['daily 22:00-04:00 UTC', [{ days: [0, 1, 2, 3, 4, 5, 6], open: 1320, close: 1680 }]],
    ['Mon-Fri 00:00-24:00 UTC', [{ days: [1, 2, 3, 4, 5], open: 0, close: 1440 }]],
    ['Fri-Mon 1:00 - 2:00 UTC', [{ days: [0, 1, 5, 6], open: 60, close: 120 }]],
    [
      'mon, wed 01:00-02:00; Sat 03:00-04:00 UTC',
      [
        { days: [1, 3], open: 60, close: 120 },
        { days: [6], open: 180, close: 240 },
      ],
    ],
  ])('reads %s', (text, openings) => {
    expect(parseWindows(text)).toMatchObject({ openings });
  });

  it.each([
    ['', /time zone/],
    ['Sun 02:00-05:00', /time zone/],
    ['Sun 02:00-05:00 Sun', /time zone/],
    ['Sun 02:00-05:00 Europe/Atlantis', /no time zone 'Europe\/Atlantis'/],
    ['Sun 02:00-05:00 EST', /no time zone 'EST'/],
    ['Europe/Berlin', /days and a time/],
    ['Sun Europe/Berlin', /days and a time/],
    ['Sun 02:00-05:00, Mon UTC', /days and a time/],
    ['02:00-05:00 UTC', /days such as/],
    ['Someday 02:00-05:00 UTC', /days such as/],
    ['Mon-Tue-Wed 02:00-05:00 UTC', /days such as/],
    ['Sun 02:00-25:00 UTC', /between 00:00 and 24:00/],
    ['Sun 24:00-05:00 UTC', /between 00:00 and 24:00/],
    ['Sun 02:75-05:00 UTC', /between 00:00 and 24:00/],
    ['Sun 02:00-02:00 UTC', /same time/],
    ['Sun 02:00-02:04 UTC', /shorter than 5 minutes/],
  ])('refuses "%s"', (text, problem) => {
    expect((parseWindows(text) as { problem: string }).problem).toMatch(problem);
  });

  it('follow the wall clock through the seasons', () => {
    expect(iso('Sun 02:00-05:00 Europe/Berlin', '2026-03-22')).toEqual([
      ['2026-03-22T01:00:00.000Z', '2026-03-22T04:00:00.000Z'],
    ]);
    expect(iso('Sun 02:00-05:00 Europe/Berlin', '2026-03-29')).toEqual([
      ['2026-03-29T01:00:00.000Z', '2026-03-29T03:00:00.000Z'],
    ]);
    expect(iso('Sun 02:00-05:00 Europe/Berlin', '2026-10-25')).toEqual([
      ['2026-10-25T00:00:00.000Z', '2026-10-25T04:00:00.000Z'],
    ]);
  });

  it('do not open where the whole window is skipped', () => {
    expect(iso('Sun 02:10-02:50 Europe/Berlin', '2026-03-29')).toEqual([]);
    expect(iso('daily 10:00-12:00 Pacific/Apia', '2011-12-30')).toEqual([]);
  });

  it('know the longest time between two openings', () => {
    expect(longestGapMs(parseWindows('Sun 02:00-05:00 UTC') as Windows)).toBe(7 * day);
    expect(longestGapMs(parseWindows('daily 02:00-05:00 UTC') as Windows)).toBe(day);
    expect(longestGapMs(parseWindows('Mon-Fri 02:00-05:00 UTC') as Windows)).toBe(3 * day);
  });
});

describe('cron expressions', () => {
  it('are five fields and a zone, with names as numbers', () => {
    expect(parseCron('0 3 1 JAN,jul * Europe/Berlin')).toEqual({
      expression: '0 3 1 1,7 *',
      timezone: 'Europe/Berlin',
    });
    expect(parseCron('0 3 * * Mon-Fri UTC')).toEqual({ expression: '0 3 * * 1-5', timezone: 'UTC' });
  });

  it.each([
    ['0 3 1 * *', /five cron fields and a time zone/],
    ['0 0 3 1 * * UTC', /five cron fields/],
    ['0 3 1 * * Nowhere/City', /no time zone/],
    ['0 0 30 2 * UTC', /never fires/],
    ['0 0 31 4,6 * UTC', /never fires/],
    ['0 0 1 * 1 UTC', /days of the month and days of the week/],
    ['61 0 * * * UTC', /not a cron expression/],
    ['0 0 L * * UTC', /numbers and the names/],
    ['0 0 ? * * UTC', /numbers, names/],
    ['@daily x x x x UTC', /numbers, names/],
  ])('refuse "%s"', (text, problem) => {
    expect((parseCron(text) as { problem?: string }).problem ?? 'it was taken').toMatch(problem);
  });
});

describe('a policy that cannot be kept', () => {
  it.each([
    [{ everyMs: day, window: 'Sun 02:00-05:00 UTC' }, 'window'],
    [{ window: 'Sun 02:00-05:00 UTC' }, 'window'],
    [{ everyMs: day, window: 'never' }, 'window'],
    [{ everyMs: day, graceMs: day }, 'grace'],
    [{ cron: { expression: '0 * * * *', timezone: 'UTC' }, graceMs: hour }, 'grace'],
    [{ everyMs: day, jitterMs: 13 * hour }, 'jitter'],
    [{ everyMs: 30 * day, window: 'Sun 02:00-05:00 UTC', jitterMs: 4 * hour }, 'jitter'],
  ])('%j is a problem of its %s', (differs, field) => {
    expect(policyProblems(policy(differs)).map((problem) => problem.field)).toEqual([field]);
  });

  it.each([
    [{ everyMs: day, window: 'Sun 02:00-05:00 UTC', whenNoWindow: 'break' as const }],
    [{ everyMs: 7 * day, window: 'Sun 02:00-05:00 Europe/Berlin', graceMs: day }],
    [{ everyMs: day, graceMs: day - 1 }],
    [{}],
  ])('%j is none', (differs) => {
    expect(policyProblems(policy(differs))).toEqual([]);
  });
});
