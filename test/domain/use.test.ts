/** Unused is what was watched without a gap, long enough, and never seen; all else is not known, and counts as used. */
import { expect, test } from 'vitest';
import { afterLook, unusedIn, type UseRecord, type UseSeen } from '../../src/domain/use.js';

const dayMs = 86_400_000;
const day = (n: number): string => new Date(n * dayMs).toISOString();
const of = { identity: 'app', target: 'db' };
const seen = (calls: Record<string, number>, differs: Partial<UseSeen> = {}): UseSeen => ({
  history: 'h',
  total: Object.values(calls).reduce((sum, one) => sum + one, 0),
  rights: Object.fromEntries(Object.entries(calls).map(([right, count]) => [right, { calls: count, isInUse: false }])),
  ...differs,
});

/** What is unused on day 40, after looks on the days that are given, for thirty days at least. */
function unused(...looks: [number, UseSeen, string?][]): string[] {
  const record = looks.reduce<UseRecord | undefined>(
    (before, [at, look, target = 'db']) => afterLook(before, { ...of, target }, look, day(at)),
    undefined,
  )!;
  return unusedIn(record, 30 * dayMs, new Date(40 * dayMs)).map(({ right, since }) => `${right} since ${since}`);
}

test.each<[string, [number, UseSeen, string?][], string[]]>([
  [
    'what was used long ago and never again',
    [
      [0, seen({ a: 7 })],
      [40, seen({ a: 7 })],
    ],
    [`a since ${day(0)}`],
  ],
  [
    'what was watched a moment too short',
    [
      [10.001, seen({ a: 0 })],
      [40, seen({ a: 0 })],
    ],
    [],
  ],
  [
    'what was used between two looks',
    [
      [0, seen({ a: 0 })],
      [20, seen({ a: 1 })],
      [40, seen({ a: 1 })],
    ],
    [],
  ],
  [
    'what was used long before',
    [
      [0, seen({ a: 0 })],
      [5, seen({ a: 1 })],
      [40, seen({ a: 1 })],
    ],
    [`a since ${day(5)}`],
  ],
  [
    'what was used by one of two',
    [
      [0, seen({ a: 0, b: 0 })],
      [40, seen({ a: 0, b: 3 })],
    ],
    [`a since ${day(0)}`],
  ],
  [
    'what is used now',
    [
      [0, seen({ a: 0 })],
      [40, seen({ a: 0 }, { rights: { a: { calls: 0, isInUse: true } } })],
    ],
    [],
  ],
  [
    'what was granted yesterday',
    [
      [0, seen({ a: 0 })],
      [39, seen({ a: 0, b: 0 })],
    ],
    [`a since ${day(0)}`],
  ],
  [
    'what was taken away and granted again',
    [
      [0, seen({ a: 0 })],
      [20, seen({})],
      [39, seen({ a: 0 })],
    ],
    [],
  ],
  [
    'what may have been lost',
    [
      [0, seen({ a: 0 })],
      [20, seen({ a: 0 }, { history: 'other' })],
      [40, seen({ a: 0 }, { history: 'other' })],
    ],
    [],
  ],
  [
    'what was lost',
    [
      [0, seen({ a: 0, b: 9 })],
      [40, seen({ a: 0, b: 8 })],
    ],
    [],
  ],
  [
    'what is at another target',
    [
      [0, seen({ a: 0 })],
      [40, seen({ a: 0 }), 'other'],
    ],
    [],
  ],
  [
    'what is called like a property of every object',
    [
      [0, seen({})],
      [40, seen({ constructor: 0 })],
    ],
    [],
  ],
])('%s', (_what, looks, expected) => {
  expect(unused(...looks)).toEqual(expected);
});

test('what is unused is told in one order, however the target tells it', () => {
  const both = { a: 0, b: 0 };
  const told = ['a since', 'b since'].map((line) => `${line} ${day(0)}`);
  expect(unused([0, seen({ b: 0, a: 0 })], [40, seen({ b: 0, a: 0 })])).toEqual(told);
  expect(unused([0, seen(both)], [40, seen(both)])).toEqual(told);
});
