import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { evaluateDue, nextRotation, startDelayMs } from '../../src/schedule/due.js';
import type { DueInput } from '../../src/schedule/facts.js';
import { policyProblems } from '../../src/schedule/problems.js';
import { day, hour, policy } from './policies.js';

const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Apia', 'Asia/Kathmandu', 'UTC'];
const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const start = Date.UTC(2026, 0, 1);
const instant = fc.integer({ min: 0, max: 730 * 24 * 60 }).map((minutes) => start + minutes * 60_000 + 1234);
const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

interface Opening {
  readonly day: number;
  readonly open: number;
  readonly close: number;
}

const openings = fc.array(
  fc
    .record({
      day: fc.integer({ min: 0, max: 6 }),
      open: fc.integer({ min: 0, max: 1439 }),
      close: fc.integer({ min: 0, max: 1439 }),
    })
    .filter(({ open, close }) => (close - open + 1440) % 1440 >= 30),
  { minLength: 1, maxLength: 3 },
);
const zone = fc.constantFrom(...zones);
const windowed = fc.record({ zone, openings });

const freezes = fc.array(
  fc.record({ from: instant, length: fc.integer({ min: 1, max: 60 * 24 * 60 }) }).map(({ from, length }) => ({
    from: new Date(from).toISOString(),
    to: new Date(from + length * 60_000).toISOString(),
    reason: 'freeze',
  })),
  { maxLength: 4 },
);

const situations = fc
  .record({
    windowed: fc.option(windowed, { nil: undefined }),
    every: fc.option(fc.integer({ min: 1, max: 120 * 24 }), { nil: undefined }),
    cron: fc.option(fc.constantFrom('0 3 * * 0', '30 2 * * *', '15 4 1 * *', '0 0 29 2 *'), { nil: undefined }),
    cronZone: zone,
    jitter: fc.integer({ min: 0, max: 59 }),
    whenNoWindow: fc.constantFrom('skip' as const, 'ask' as const, 'break' as const),
    freezes,
    last: fc.option(instant, { nil: undefined }),
    now: instant,
  })
  .map((one) => ({
    windowed: one.windowed,
    input: {
      policy: policy({
        ...(one.every === undefined ? {} : { everyMs: one.every * hour }),
        ...(one.cron === undefined ? {} : { cron: { expression: one.cron, timezone: one.cronZone } }),
        ...(one.windowed && { window: text(one.windowed) }),
        jitterMs: one.jitter * 60_000,
        whenNoWindow: one.whenNoWindow,
      }),
      lastRotatedAt: one.last === undefined ? undefined : new Date(one.last).toISOString(),
      freezes: one.freezes,
      now: new Date(one.now),
    } satisfies DueInput,
  }))
  .filter(({ input }) => policyProblems(input.policy).every(({ field }) => field === 'window'));

function text({ zone: name, openings: some }: { zone: string; openings: readonly Opening[] }): string {
  return `${some.map(({ day: weekday, open, close }) => `${weekdays[weekday]} ${clock(open)}-${clock(close)}`).join(', ')} ${name}`;
}

/** Written apart from the code under test: reads the wall clock and compares. */
function isInWindow(
  { zone: name, openings: some }: { zone: string; openings: readonly Opening[] },
  at: number,
): boolean {
  const local = DateTime.fromMillis(at, { zone: name });
  const minute = local.hour * 60 + local.minute;
  return some.some(({ day: weekday, open, close }) => {
    const sameDay = local.weekday - 1 === weekday;
    const nextDay = local.weekday - 1 === (weekday + 1) % 7;
    return open < close
      ? sameDay && minute >= open && minute < close
      : (sameDay && minute >= open) || (nextDay && minute < close);
  });
}

const isFrozen = ({ freezes: some }: DueInput, at: number) =>
  some.some(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to));

function check(
  property: (situation: {
    input: DueInput;
    windowed: { zone: string; openings: readonly Opening[] } | undefined;
  }) => void,
) {
  fc.assert(fc.property(situations, property), { numRuns: 400 });
}

describe('the next rotation, for any policy, freezes and clock', () => {
  it('is never in a freeze, never before now, and strictly after the last one', () => {
    check(({ input }) => {
      const next = nextRotation(input);
      if (next === undefined) return;
      const at = Date.parse(next);
      expect(isFrozen(input, at)).toBe(false);
      expect(at).toBeGreaterThanOrEqual(input.now.getTime());
      if (input.lastRotatedAt !== undefined) expect(at).toBeGreaterThan(Date.parse(input.lastRotatedAt));
    });
  });

  it('is never outside a window, unless the policy says to break it', () => {
    check(({ input, windowed: some }) => {
      const next = nextRotation(input);
      if (next === undefined || !some || input.policy.whenNoWindow === 'break') return;
      expect(isInWindow(some, Date.parse(next)), `${next} in ${input.policy.window}`).toBe(true);
    });
  });

  it('is now exactly when it is due', () => {
    check(({ input }) => {
      expect(evaluateDue(input).due).toBe(nextRotation(input) === input.now.toISOString());
    });
  });

  it('is due when its time has come, as long as nothing changed', () => {
    check(({ input }) => {
      const next = nextRotation(input);
      if (next !== undefined) expect(evaluateDue({ ...input, now: new Date(next) }).due).toBe(true);
    });
  });

  it('does not come again at once after a rotation', () => {
    check(({ input }) => {
      const next = nextRotation(input);
      if (next === undefined) return;
      const rotated = { ...input, lastRotatedAt: next, now: new Date(Date.parse(next) + 1000) };
      expect(evaluateDue(rotated).due).toBe(false);
    });
  });

  it('comes before the credential is too old where no window and no freeze stand in the way', () => {
    check(({ input }) => {
      const { everyMs } = input.policy;
      if (everyMs === undefined || input.lastRotatedAt === undefined || everyMs < 2 * day) return;
      const { window: _window, ...free } = input.policy;
      const last = Date.parse(input.lastRotatedAt);
      const next = nextRotation({ ...input, policy: free, freezes: [], now: new Date(last) });
      expect(Date.parse(next!)).toBeLessThan(last + everyMs + hour);
    });
  });

  it('stays allowed after the spread of starts', () => {
    fc.assert(
      fc.property(situations, fc.string({ minLength: 1 }), ({ input, windowed: some }, name) => {
        if (!evaluateDue(input).due) return;
        const at = input.now.getTime() + startDelayMs(name, input);
        expect(isFrozen(input, at)).toBe(false);
        if (some && input.policy.whenNoWindow !== 'break') expect(isInWindow(some, at)).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it('stays out of a freeze that begins soon, also where the start breaks its window', () => {
    const input: DueInput = {
      policy: policy({
        cron: { expression: '0 3 * * 0', timezone: 'Europe/Berlin' },
        window: 'Mon 00:00-00:30 Europe/Berlin',
        whenNoWindow: 'break',
        jitterMs: 180_000,
      }),
      lastRotatedAt: undefined,
      freezes: [{ from: '2026-01-01T00:03:01.234Z', to: '2026-01-01T00:04:01.234Z', reason: 'freeze' }],
      now: new Date('2026-01-01T00:02:01.234Z'),
    };
    for (const name of ['4', 'a', 'payments-db', 'x'.repeat(40)])
      expect(startDelayMs(name, input)).toBeLessThan(60_000);
  });
});
