import { expect, test } from 'vitest';
import { parsePack, readPackTexts, shippedPolicies } from '../../src/policy/pack.js';
import { readTables, runTables } from '../../src/policy/table.js';

const pack = parsePack(await readPackTexts(shippedPolicies));
const { cases, problems } = await readTables(shippedPolicies);

test('the tables beside the policies that come with Tenure can be read', () => {
  expect(problems).toEqual([]);
  expect(pack.problems).toEqual([]);
});

test.each(runTables(pack, cases))('$name', ({ expected, found }) => {
  expect(found).toBe(expected);
});
