import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drainPace, quietSince } from '../../src/domain/drain.js';

const start = Date.parse('2026-01-01T00:00:00.000Z');
const memoryOf = (graceMs: number, lastUse?: number) => ({
  startedAt: new Date(start).toISOString(),
  deadline: new Date(start + graceMs).toISOString(),
  ...(lastUse !== undefined && { lastUse }),
});
const hour = 3_600_000;

describe('the wait for an old credential', () => {
  test.for([
    ['without a grace is over at once, empty', memoryOf(0), 0, 0, { done: true, drained: true }],
    ['without a grace is over at once, in use', memoryOf(0), 3, 0, { done: true, drained: false }],
    ['goes on after one empty look', memoryOf(hour), 0, 1_000, { done: false }],
    ['is over after a minute of quiet', memoryOf(hour), 0, 60_000, { done: true, drained: true }],
    ['is over after half of a short grace', memoryOf(10_000), 0, 5_000, { done: true, drained: true }],
    ['starts the quiet anew at each use', memoryOf(hour, start + 100_000), 0, 130_000, { done: false }],
    ['is over a minute after the last use', memoryOf(hour, start + 100_000), 0, 160_000, { done: true, drained: true }],
    ['goes on while it is in use', memoryOf(hour), 1, hour - 1, { done: false }],
    ['is over when the grace ends, in use', memoryOf(hour), 1, hour, { done: true, drained: false }],
    [
      'is over when the grace ends, just quiet',
      memoryOf(hour, start + hour - 5),
      0,
      hour,
      { done: true, drained: true },
    ],
  ] as const)('%s', ([, memory, sessions, after, expected]) => {
    expect(drainPace(memory, sessions, start + after)).toMatchObject(expected);
  });

  test('looks again soon enough and never too often, and ends', () => {
    const history = fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 * hour }), history, (graceMs, seen) => {
        let [now, looks, lastUse] = [start, 0, undefined as number | undefined];
        for (;;) {
          const sessions = seen[looks] ?? 1;
          const memory = memoryOf(graceMs, lastUse);
          const verdict = drainPace(memory, sessions, now);
          if (verdict.done) {
            if (verdict.drained) expect(sessions).toBe(0);
            else expect(now).toBeGreaterThanOrEqual(start + graceMs);
            return;
          }
          expect(verdict.lookAgainMs).toBeGreaterThan(0);
          expect(now + verdict.lookAgainMs).toBeLessThanOrEqual(start + graceMs);
          lastUse = quietSince(memory, sessions, now);
          now += verdict.lookAgainMs;
          looks += 1;
          expect(looks).toBeLessThan(2_000);
        }
      }),
      { numRuns: 300 },
    );
  });
});
