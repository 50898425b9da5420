import { expect, test } from 'vitest';
import { span } from '../../src/domain/span.js';

test.each([
  [-5, '0 ms'],
  [850, '850 ms'],
  [4_200, '4.2 s'],
  [60_000, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [2_592_000_000, '30 d'],
])('%d milliseconds are %s', (ms, words) => {
  expect(span(ms)).toBe(words);
});
