import { describe, expect, test } from 'vitest';
import { parsePack, readPackTexts, shippedPolicies, type Pack } from '../../src/policy/pack.js';
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

describe('a row fails', () => {
  const failing = (differs: Partial<Pack>) => runTables({ ...pack, ...differs }, cases).filter(({ passed }) => !passed);

  test.each(pack.rules.map(({ id }) => id))('without %s', { timeout: 30_000 }, (id) => {
    const rules = pack.rules.filter((rule) => rule.id !== id);
    expect(failing({ rules, digest: `without ${id}` })).not.toEqual([]);
  });

  const clauses = pack.rules.flatMap(({ id, text }) =>
    [...text.matchAll(/\n(when|unless)\b/g)].map((found, index) => ({ id, index, clause: found[1]!, at: found.index })),
  );
  test.each(clauses)('without the $clause no. $index of $id', { timeout: 30_000 }, ({ id, at }) => {
    const rules = pack.rules.map((rule) => (rule.id === id ? { ...rule, text: withoutClause(rule.text, at) } : rule));
    expect(failing({ rules, digest: `without ${id} ${at}` })).not.toEqual([]);
  });
});

/** The clause that begins here ends where another one or the policy does. */
function withoutClause(text: string, at: number): string {
  const rest = text.slice(at + 1);
  const next = rest.search(/\n(when|unless)\b/);
  return text.slice(0, at) + (next === -1 ? ';' : rest.slice(next));
}

test('every policy names the controls that it is for', () => {
  const known =
    /^(?:800-53:[A-Z]{2}-\d{1,2}(?:\(\d{1,2}\))?|CSF:[A-Z]{2}\.[A-Z]{2}-\d{2}|OWASP:(?:NHI\d{1,2}:2025|ASI\d{2}))$/;
  for (const { controls } of pack.rules) {
    expect(controls.length).toBeGreaterThan(0);
    for (const control of controls) expect(control).toMatch(known);
  }
});
