import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/domain/clip.js';
import { keyword, keywordList } from '../../src/domain/tags.js';

describe('what is sent to be searched', () => {
  test('fits whatever is declared, keeps its order, and is whole where it is short', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 600 }))), (texts) => {
        const kept = keywordList(texts);
        expect(bytesOf(JSON.stringify(kept))).toBeLessThanOrEqual(2_048);
        for (const text of kept) expect(text.length).toBeLessThanOrEqual(255);
        const clipped = texts.map(keyword);
        expect(clipped.filter((text) => kept.includes(text)).slice(0, kept.length)).toEqual(kept);
      }),
      { numRuns: 300 },
    );
    expect(keywordList(['team:payments', 'policy:monthly'])).toEqual(['team:payments', 'policy:monthly']);
    // What does not fit any more is left out, and what is short enough after it is kept.
    const long = Array.from({ length: 8 }, (_, n) => `${n}${'x'.repeat(254)}`);
    expect(keywordList([...long, 'short'])).toEqual([...long.slice(0, 7), 'short']);
    expect(keyword('x'.repeat(300))).toBe(`${'x'.repeat(254)}…`);
  });
});
