import { describe, expect, it } from 'vitest';
import type { Freeze, RotationPolicy } from '../../src/domain/identity.js';
import { dueChecks, evaluateDue, mayChange, nextRotation, startDelayMs } from '../../src/schedule/due.js';
import { day, freeze, hour, policy } from './policies.js';

const sunday = 'Sun 02:00-05:00 Europe/Berlin';
const berlin = 'Europe/Berlin';

interface Row {
  readonly title: string;
  readonly policy: Partial<RotationPolicy>;
  readonly last?: string;
  readonly now: string;
  readonly freezes?: readonly Freeze[];
  readonly reason: string;
  readonly due?: true;
  readonly next: string | undefined;
}

// 2026-11-01 is a Sunday; Berlin is at +01:00 from 25 October on, at +02:00 from 29 March on.
const rows: readonly Row[] = [
  {
    title: 'a manual policy is never scheduled',
    policy: {},
    last: '2026-11-01T00:00:00Z',
    now: '2030-01-01T00:00:00Z',
    reason: 'not-scheduled',
    next: undefined,
  },
  {
    title: 'an unknown age is due at once',
    policy: { everyMs: 30 * day },
    now: '2026-11-01T00:00:00Z',
    reason: 'first',
    due: true,
    next: '2026-11-01T00:00:00.000Z',
  },
  {
    title: 'an unknown age still waits for the window',
    policy: { everyMs: 30 * day, window: sunday },
    now: '2026-11-02T00:00:00Z',
    reason: 'outside-window',
    next: '2026-11-08T01:00:00.000Z',
  },
  {
    title: 'an age rotates one look before it is too old',
    policy: { everyMs: 30 * day },
    last: '2026-11-01T00:00:00Z',
    now: '2026-11-20T00:00:00Z',
    reason: 'not-yet',
    next: '2026-11-30T23:00:00.000Z',
  },
  {
    title: 'jitter moves the start forward by its whole spread',
    policy: { everyMs: 30 * day, jitterMs: 2 * hour },
    last: '2026-11-01T00:00:00Z',
    now: '2026-11-20T00:00:00Z',
    reason: 'not-yet',
    next: '2026-11-30T21:00:00.000Z',
  },
  {
    title: 'it is due in that room',
    policy: { everyMs: 30 * day },
    last: '2026-11-01T00:00:00Z',
    now: '2026-11-30T23:30:00Z',
    reason: 'age',
    due: true,
    next: '2026-11-30T23:30:00.000Z',
  },
  {
    title: 'what is too old is overdue',
    policy: { everyMs: 30 * day },
    last: '2026-10-01T00:00:00Z',
    now: '2026-11-30T23:30:00Z',
    reason: 'overdue',
    due: true,
    next: '2026-11-30T23:30:00.000Z',
  },
  {
    title: 'the last window before the age is taken',
    policy: { everyMs: 30 * day, window: sunday },
    last: '2026-11-01T01:10:00Z',
    now: '2026-11-10T00:00:00Z',
    reason: 'not-yet',
    next: '2026-11-29T01:00:00.000Z',
  },
  {
    title: 'it is due while that window is open',
    policy: { everyMs: 30 * day, window: sunday },
    last: '2026-11-01T01:10:00Z',
    now: '2026-11-29T03:59:59Z',
    reason: 'age',
    due: true,
    next: '2026-11-29T03:59:59.000Z',
  },
  {
    title: 'the end of a window does not belong to it',
    policy: { everyMs: 30 * day, window: sunday },
    last: '2026-11-01T01:10:00Z',
    now: '2026-11-29T04:00:00Z',
    reason: 'not-yet',
    next: '2026-12-06T01:00:00.000Z',
  },
  {
    title: 'after the missed window it waits for the next (skip)',
    policy: { everyMs: 30 * day, window: sunday },
    last: '2026-11-01T01:10:00Z',
    now: '2026-12-02T00:00:00Z',
    reason: 'outside-window',
    next: '2026-12-06T01:00:00.000Z',
  },
  {
    title: 'after the missed window it asks (ask)',
    policy: { everyMs: 30 * day, window: sunday, whenNoWindow: 'ask' },
    last: '2026-11-01T01:10:00Z',
    now: '2026-12-02T00:00:00Z',
    reason: 'no-window-left',
    next: '2026-12-06T01:00:00.000Z',
  },
  {
    title: 'after the missed window it starts outside before it is too old (break)',
    policy: { everyMs: 30 * day, window: sunday, whenNoWindow: 'break' },
    last: '2026-11-01T01:10:00Z',
    now: '2026-11-29T04:00:00Z',
    reason: 'not-yet',
    next: '2026-12-01T00:55:00.000Z',
  },
  {
    title: 'and says that it broke the window (break)',
    policy: { everyMs: 30 * day, window: sunday, whenNoWindow: 'break' },
    last: '2026-11-01T01:10:00Z',
    now: '2026-12-02T00:00:00Z',
    reason: 'window-broken',
    due: true,
    next: '2026-12-02T00:00:00.000Z',
  },
  {
    title: 'a weekly age keeps its weekly window',
    policy: { everyMs: 7 * day, window: sunday },
    last: '2026-11-01T01:00:05Z',
    now: '2026-11-02T00:00:00Z',
    reason: 'not-yet',
    next: '2026-11-08T01:00:00.000Z',
  },
  {
    title: 'a weekly age keeps its weekly window in the week of 169 hours',
    policy: { everyMs: 7 * day, window: sunday, whenNoWindow: 'break' },
    last: '2026-10-25T00:00:05Z',
    now: '2026-10-27T00:00:00Z',
    reason: 'not-yet',
    next: '2026-11-01T01:00:00.000Z',
  },
  {
    title: 'a cron time never breaks a window, since nothing becomes too old',
    policy: { cron: { expression: '0 12 1 * *', timezone: berlin }, window: sunday, whenNoWindow: 'break' },
    last: '2026-10-04T00:00:00Z',
    now: '2026-11-03T00:00:00Z',
    reason: 'outside-window',
    next: '2026-11-08T01:00:00.000Z',
  },
  {
    title: 'a window that opened before a rotation is served by it',
    policy: { everyMs: 7 * day, window: sunday },
    last: '2026-11-01T01:10:00Z',
    now: '2026-11-01T02:00:00Z',
    reason: 'just-rotated',
    next: '2026-11-08T01:00:00.000Z',
  },
  {
    title: 'a rotation by hand just before its window is not followed by another',
    policy: { everyMs: 7 * day, window: sunday },
    last: '2026-10-31T22:00:00Z',
    now: '2026-11-01T01:30:00Z',
    reason: 'just-rotated',
    next: '2026-11-08T01:00:00.000Z',
  },
  {
    title: 'a rotation by hand days before a window is',
    policy: { everyMs: 7 * day, window: sunday },
    last: '2026-10-29T22:00:00Z',
    now: '2026-10-30T22:00:00Z',
    reason: 'not-yet',
    next: '2026-11-01T01:00:00.000Z',
  },
  {
    title: 'a rotation by hand just before the cron time serves it',
    policy: { cron: { expression: '0 3 * * 0', timezone: berlin } },
    last: '2026-10-31T22:00:00Z',
    now: '2026-11-01T03:00:00Z',
    reason: 'just-rotated',
    next: '2026-11-08T02:00:00.000Z',
  },
  {
    title: 'a cron time that has come is due',
    policy: { cron: { expression: '0 3 * * 0', timezone: berlin } },
    last: '2026-10-25T02:00:05Z',
    now: '2026-11-01T02:00:00Z',
    reason: 'calendar',
    due: true,
    next: '2026-11-01T02:00:00.000Z',
  },
  {
    title: 'a cron time waits for its window',
    policy: { cron: { expression: '0 12 1 * *', timezone: berlin }, window: sunday },
    last: '2026-10-04T00:00:00Z',
    now: '2026-11-03T00:00:00Z',
    reason: 'outside-window',
    next: '2026-11-08T01:00:00.000Z',
  },
  {
    title: 'of an age and a cron time the first one counts',
    policy: { everyMs: 90 * day, cron: { expression: '0 3 1 * *', timezone: berlin } },
    last: '2026-11-10T00:00:00Z',
    now: '2026-11-11T00:00:00Z',
    reason: 'just-rotated',
    next: '2026-12-01T02:00:00.000Z',
  },
  {
    title: 'a cron time in the gap of spring fires at its end',
    policy: { cron: { expression: '30 2 * * *', timezone: berlin } },
    last: '2026-03-28T02:00:00Z',
    now: '2026-03-28T12:00:00Z',
    reason: 'not-yet',
    next: '2026-03-29T01:00:00.000Z',
  },
  {
    title: 'a cron time that occurs twice in autumn counts once',
    policy: { cron: { expression: '30 2 * * *', timezone: berlin } },
    last: '2026-10-25T00:30:05Z',
    now: '2026-10-25T01:30:00Z',
    reason: 'not-yet',
    next: '2026-10-26T01:30:00.000Z',
  },
  {
    title: 'a window in the hour that occurs twice opens at its first occurrence',
    policy: { everyMs: 30 * day, window: 'Sun 02:15-05:00 Europe/Berlin' },
    last: '2026-10-01T00:00:00Z',
    now: '2026-10-20T00:00:00Z',
    reason: 'not-yet',
    next: '2026-10-25T00:15:00.000Z',
  },
  {
    title: 'a window that lies in the gap of spring does not open that day',
    policy: { everyMs: 30 * day, window: 'daily 02:10-02:50 Europe/Berlin' },
    last: '2026-02-26T01:00:00Z',
    now: '2026-03-29T00:30:00Z',
    reason: 'outside-window',
    next: '2026-03-30T00:10:00.000Z',
  },
  {
    title: 'a window whose start the spring change skips opens at the end of the gap',
    policy: { everyMs: 30 * day, window: 'Sun 02:30-05:00 Europe/Berlin' },
    last: '2026-03-01T12:00:00Z',
    now: '2026-03-29T00:30:00Z',
    reason: 'not-yet',
    next: '2026-03-29T01:00:00.000Z',
  },
  {
    title: 'a window over midnight belongs to the day on which it opens',
    policy: { everyMs: 30 * day, window: 'Fri 22:00-04:00 Europe/Berlin' },
    last: '2026-11-01T00:00:00Z',
    now: '2026-11-28T02:59:59Z',
    reason: 'age',
    due: true,
    next: '2026-11-28T02:59:59.000Z',
  },
  {
    title: 'and ends there',
    policy: { everyMs: 30 * day, window: 'Fri 22:00-04:00 Europe/Berlin' },
    last: '2026-10-20T00:00:00Z',
    now: '2026-11-28T03:00:00Z',
    reason: 'outside-window',
    next: '2026-12-04T21:00:00.000Z',
  },
  {
    title: 'several windows are taken together',
    policy: { everyMs: 30 * day, window: 'Mon-Fri 22:00-23:00, Sat 01:00-06:00 UTC' },
    last: '2026-10-01T00:00:00Z',
    now: '2026-11-28T00:00:00Z',
    reason: 'outside-window',
    next: '2026-11-28T01:00:00.000Z',
  },
  {
    title: 'a freeze over the deadline: it rotates before the freeze',
    policy: { everyMs: 30 * day },
    last: '2026-11-10T00:00:00Z',
    now: '2026-11-15T00:00:00Z',
    freezes: [freeze('2026-12-01T00:00:00Z', '2027-01-07T00:00:00Z')],
    reason: 'not-yet',
    next: '2026-11-30T23:00:00.000Z',
  },
  {
    title: 'a freeze holds up what is overdue',
    policy: { everyMs: 30 * day },
    last: '2026-10-01T00:00:00Z',
    now: '2026-12-10T00:00:00Z',
    freezes: [freeze('2026-12-01T00:00:00Z', '2027-01-07T00:00:00Z')],
    reason: 'frozen',
    next: '2027-01-07T00:00:00.000Z',
  },
  {
    title: 'a freeze is never broken, not even by break',
    policy: { everyMs: 30 * day, window: sunday, whenNoWindow: 'break' },
    last: '2026-10-01T00:00:00Z',
    now: '2026-12-10T00:00:00Z',
    freezes: [freeze('2026-12-01T00:00:00Z', '2027-01-07T00:00:00Z')],
    reason: 'frozen',
    next: '2027-01-07T00:00:00.000Z',
  },
  {
    title: 'the freezes of the policy count as well',
    policy: { everyMs: 30 * day, freeze: [freeze('2026-12-01T00:00:00Z', '2027-01-07T00:00:00Z')] },
    last: '2026-10-01T00:00:00Z',
    now: '2026-12-10T00:00:00Z',
    reason: 'frozen',
    next: '2027-01-07T00:00:00.000Z',
  },
  {
    title: 'freezes that touch hold as one',
    policy: { everyMs: 30 * day },
    last: '2026-10-01T00:00:00Z',
    now: '2026-12-10T00:00:00Z',
    freezes: [
      freeze('2026-12-20T00:00:00Z', '2027-01-07T00:00:00Z'),
      freeze('2026-12-01T00:00:00Z', '2026-12-20T00:00:00Z'),
    ],
    reason: 'frozen',
    next: '2027-01-07T00:00:00.000Z',
  },
  {
    title: 'a frozen window is passed over for an earlier one',
    policy: { everyMs: 30 * day, window: sunday },
    last: '2026-11-01T01:10:00Z',
    now: '2026-11-10T00:00:00Z',
    freezes: [freeze('2026-11-28T00:00:00Z', '2026-12-15T00:00:00Z')],
    reason: 'not-yet',
    next: '2026-11-22T01:00:00.000Z',
  },
  {
    title: 'freezing the time just after a rotation does not make it rotate over and over',
    policy: { everyMs: 30 * day },
    last: '2026-11-10T00:00:00Z',
    now: '2026-11-10T00:01:00Z',
    freezes: [freeze('2026-11-10T01:00:00Z', '2026-12-15T00:00:00Z')],
    reason: 'just-rotated',
    next: '2026-12-15T00:00:00.000Z',
  },
  {
    title: 'a last rotation in the future (a clock that was put back) is never due',
    policy: { everyMs: 30 * day },
    last: '2026-12-01T00:00:00Z',
    now: '2026-11-10T00:00:00Z',
    reason: 'just-rotated',
    next: '2026-12-30T23:00:00.000Z',
  },
];

describe('is a rotation due?', () => {
  it.each(rows)('$title', (row) => {
    const input = {
      policy: policy(row.policy),
      lastRotatedAt: row.last,
      freezes: row.freezes ?? [],
      now: new Date(row.now),
    };
    expect(nextRotation(input)).toBe(row.next);
    expect(evaluateDue(input)).toMatchObject({ due: row.due ?? false, reason: row.reason });
  });

  it('asks its checks in this order', () => {
    expect(dueChecks.map(([name]) => name)).toEqual([
      'is it scheduled at all?',
      'is this its start?',
      'was it rotated a moment ago?',
      'is it too early?',
      'does a freeze hold it up?',
      'is no window left before it is too old?',
      'is it outside its windows?',
      'is no time allowed at all?',
    ]);
  });

  it('names the reason of the freeze and when it ends', () => {
    const freezes = [freeze('2026-12-01T00:00:00Z', '2027-01-07T00:00:00Z', 'books are closed')];
    const input = {
      policy: policy({ everyMs: day }),
      lastRotatedAt: '2026-10-01T00:00:00Z',
      freezes,
      now: new Date('2026-12-10T00:00:00Z'),
    };
    expect(evaluateDue(input).detail).toBe('a freeze holds until 2027-01-07T00:00:00.000Z: books are closed');
  });

  it('refuses a policy whose window cannot be read instead of ignoring the window', () => {
    const input = { policy: policy({ everyMs: day, window: 'sometimes' }), freezes: [], now: new Date() };
    expect(() => evaluateDue(input)).toThrow(/window of the rotation policy test cannot be read/);
  });
});

describe('may anything change now?', () => {
  const freezes = [
    freeze('2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'),
    freeze('2026-12-31T00:00:00Z', '2027-01-07T00:00:00Z', 'stock-taking'),
  ];

  it('says no in a freeze, until the last joined freeze ends', () => {
    expect(mayChange({ freezes, emergency: false, now: new Date('2026-12-10T00:00:00Z') })).toEqual({
      clear: false,
      until: '2027-01-07T00:00:00.000Z',
      reason: 'year end',
    });
  });

  it('lets a recorded emergency through', () => {
    expect(mayChange({ freezes, emergency: true, now: new Date('2026-12-10T00:00:00Z') })).toEqual({ clear: true });
  });

  it('holds from its first instant and not at its last', () => {
    expect(mayChange({ freezes, emergency: false, now: new Date('2026-12-01T00:00:00Z') }).clear).toBe(false);
    expect(mayChange({ freezes, emergency: false, now: new Date('2027-01-07T00:00:00Z') }).clear).toBe(true);
  });
});

describe('the spread of starts', () => {
  const input = {
    policy: policy({ everyMs: 30 * day, jitterMs: hour, window: sunday }),
    lastRotatedAt: '2026-11-01T01:10:00Z',
    freezes: [],
    now: new Date('2026-11-29T01:00:00Z'),
  };

  it('is the same for the same name and different for others', () => {
    const delays = Array.from({ length: 1000 }, (_, index) => startDelayMs(`identity-${index}`, input));
    expect(delays).toEqual(Array.from({ length: 1000 }, (_, index) => startDelayMs(`identity-${index}`, input)));
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => delays.filter((delay) => Math.floor(delay / (hour / 10)) === tenth).length,
    );
    expect(Math.min(...tenths)).toBeGreaterThan(60);
    expect(Math.max(...delays)).toBeLessThan(hour);
  });

  it('never leaves the window', () => {
    const late = { ...input, now: new Date('2026-11-29T03:59:00Z') };
    const delays = Array.from({ length: 200 }, (_, index) => startDelayMs(`identity-${index}`, late));
    expect(Math.max(...delays)).toBeLessThan(60_000);
  });
});
