import { describe, expect, test } from 'vitest';
import { bytesOf, clip, clipLines, inOneLine } from '../../src/domain/clip.js';

describe('what is recorded', () => {
  test('is whole where it is short, and says that it goes on where it is not', () => {
    expect(clip('short')).toBe('short');
    expect(clip('x'.repeat(5_000))).toBe(`${'x'.repeat(1_999)}…`);
  });

  test('never ends with half a character', () => {
    const text = clip(`${'x'.repeat(8)}😀😀😀`, 10);
    expect(text).toBe(`${'x'.repeat(8)}…`);
    expect(JSON.stringify(text)).not.toContain('\\u');
  });

  test('of a list are the first entries and how many more there are', () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `grant ${n}`);
    expect(clipLines(lines)).toEqual([...lines.slice(0, 50), 'and 4950 more']);
    expect(clipLines(lines.slice(0, 50))).toEqual(lines.slice(0, 50));
    expect(bytesOf(JSON.stringify(clipLines(lines.map(() => 'é'.repeat(9_999)))))).toBeLessThan(60_000);
  });

  test.each([
    ['plain text, é, 😀', 'plain text, é, 😀'],
    ['two\r\n\tlines', 'two lines'],
    ['a\u001B[31mb\u0007\u009B1A', 'a [31mb 1A'],
    ['turned\u202Edne\u2066\u200B', 'turned dne '],
    ['a\u2028b\u2029c\uD800', 'a b c '],
  ])('of others is one line of what can be seen: %j', (text, line) => {
    expect(inOneLine(text)).toBe(line);
  });

  test('is measured in bytes as it is sent', () => {
    expect([bytesOf('a'), bytesOf('é'), bytesOf('😀')]).toEqual([1, 2, 4]);
  });
});
