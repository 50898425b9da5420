import { expect, test } from 'vitest';
import { digestOf, evidenceDigestOf } from '../../src/policy/digest.js';

test('what a gate shows is its facts, and what was declared before where the plan leaves that out', () => {
  const [facts, before] = [{ growth: [] }, { environment: 'production' }];
  expect(evidenceDigestOf({ facts })).toBe(digestOf(facts));
  expect(evidenceDigestOf({})).toBe(digestOf(null));
  expect(evidenceDigestOf({ facts, before })).toBe(digestOf({ facts, before }));
});
