import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { scheduleSpecOf, tickMsOf } from '../../src/schedule/tick.js';
import { parseWindows, windowsOfDay } from '../../src/schedule/window.js';
import type { Windows } from '../../src/schedule/window.js';
import { day, hour, policy } from './policies.js';

/** Matches as Temporal does: each field against the wall clock. */
function fires(cron: readonly string[], zone: string, at: number): boolean {
  const local = DateTime.fromMillis(at, { zone });
  const has = (field: string, value: number) => field === '*' || field.split(',').map(Number).includes(value);
  return cron.some((expression) => {
    const [minute, hours, , , weekday] = expression.split(' ') as [string, string, string, string, string];
    return has(minute, local.minute) && has(hours, local.hour) && has(weekday, local.weekday % 7);
  });
}

describe('what the Schedule of a policy fires on', () => {
  it('is nothing for a policy that is rotated only when asked', () => {
    expect(scheduleSpecOf(policy())).toBeUndefined();
  });

  it('is an interval for an age, more often the shorter it is', () => {
    expect(scheduleSpecOf(policy({ everyMs: 30 * day }))).toEqual({
      cron: [],
      timezone: 'UTC',
      everyMs: hour,
      jitterMs: 0,
    });
    expect(tickMsOf({ everyMs: hour })).toBe(180_000);
    expect(tickMsOf({ everyMs: 60_000 })).toBe(10_000);
  });

  it('is the expression and a sweep for a cron time, which a freeze or the spring change may swallow', () => {
    const cron = { expression: '0 3 1 * *', timezone: 'Europe/Berlin' };
    expect(scheduleSpecOf(policy({ cron, jitterMs: 2 * hour }))).toEqual({
      cron: ['0 3 1 * *'],
      timezone: 'Europe/Berlin',
      everyMs: hour,
      jitterMs: hour / 4,
    });
  });

  it('is the opening of each window and every quarter of an hour while it is open', () => {
    expect(scheduleSpecOf(policy({ everyMs: 30 * day, window: 'Sun 02:00-05:00 Europe/Berlin' }))).toEqual({
      cron: ['0,15,30,45 2,3,4 * * 0'],
      timezone: 'Europe/Berlin',
      jitterMs: 0,
    });
  });

  it('goes on into the next day for a window over midnight', () => {
    expect(scheduleSpecOf(policy({ everyMs: 30 * day, window: 'Fri,Sat 23:10-01:10 UTC' }))!.cron).toEqual([
      '10,25,40,55 23 * * 5,6',
      '10,25,40,55 0 * * 0,6',
    ]);
  });

  it.each(['break', 'ask'] as const)(
    'looks outside the windows as well where the policy says to %s when none is left',
    (whenNoWindow) => {
      const spec = scheduleSpecOf(policy({ everyMs: 30 * day, window: 'Sun 02:00-05:00 UTC', whenNoWindow }));
      expect(spec).toMatchObject({ everyMs: hour });
    },
  );

  it.each([
    'Sun 02:00-05:00 Europe/Berlin',
    'daily 01:35-02:25 America/New_York',
    'Mon-Fri 22:47-23:30; Sat 23:50-00:20 Australia/Lord_Howe',
    'daily 02:30-02:35 Europe/Berlin',
    'daily 00:00-24:00 UTC',
  ])('fires inside each occurrence of %s through a year of seasons, and nowhere else', (window) => {
    const windows = parseWindows(window) as Windows;
    const { cron } = scheduleSpecOf(policy({ everyMs: 30 * day, window }))!;
    const first = Date.UTC(2026, 0, 1) / day;
    for (let date = first; date < first + 366; date += 1) {
      for (const { from, to } of windowsOfDay(windows, date)) {
        const minutes = Array.from({ length: Math.ceil((to - from) / 60_000) }, (_, index) => from + index * 60_000);
        expect(
          minutes.some((at) => fires(cron, windows.zone, at)),
          new Date(from).toISOString(),
        ).toBe(true);
        if ((to - from) % day !== 0) expect(fires(cron, windows.zone, to + 120 * 60_000)).toBe(false);
      }
    }
  });
});
