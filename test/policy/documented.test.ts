/** The policies that docs/policies.md gives to copy do what it says of them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { checkPack } from '../../src/policy/check.js';
import { parsePack, readPackTexts } from '../../src/policy/pack.js';
import { readTables, runTables } from '../../src/policy/table.js';
import { everything, folderOf } from './folder.js';

const page = readFileSync(join(packageRoot, 'docs', 'policies.md'), 'utf8');
const documented = [...page.matchAll(/```cedar\n(.*?)```/gs)].map(([, text]) => text!);

test.each<[string, string, string]>([
  [
    'a life that is short enough',
    'at: 2030-01-01T10:00:00Z, ticket: CHG-1, identity: { environment: production, every: 7d }',
    'allow',
  ],
  [
    'a life that is too long',
    'at: 2030-01-01T10:00:00Z, ticket: CHG-1, identity: { environment: production, every: 8d }',
    '{ deny: [production-lives-a-week] }',
  ],
  [
    'too early',
    'at: 2030-01-01T07:59:00Z, ticket: CHG-1, identity: { environment: production, every: 7d }',
    '{ deny: [production-in-working-hours] }',
  ],
  [
    'too late',
    'at: 2030-01-01T16:00:00Z, ticket: CHG-1, identity: { environment: production, every: 7d }',
    '{ deny: [production-in-working-hours] }',
  ],
  [
    'no ticket',
    'at: 2030-01-01T10:00:00Z, identity: { environment: production, every: 7d }',
    '{ deny: [production-has-a-ticket] }',
  ],
  [
    'a ticket of another kind',
    'at: 2030-01-01T10:00:00Z, ticket: x, identity: { environment: production, every: 7d }',
    '{ deny: [production-has-a-ticket] }',
  ],
  [
    'a schedule, at any hour and without a ticket',
    'by: automation/tenure, at: 2030-01-01T03:00:00Z, identity: { environment: production, every: 7d }',
    'allow',
  ],
  [
    'regulated data',
    'identity: { dataClass: regulated }',
    '{ needs: [regulated-data], approvals: 1, groups: [security] }',
  ],
])('of what is written: %s', async (name, given, expected) => {
  const row = `tests:\n  - { name: '${name}', given: { ask: rotate, ${given} }, expect: ${expected} }\n`;
  const folder = await folderOf({ 'all.cedar': [everything, ...documented].join('\n'), 'tests/all.yaml': row });
  expect((await checkPack(folder)).problems).toEqual([]);
  const { cases } = await readTables(folder);
  const results = runTables(parsePack(await readPackTexts(folder)), cases);
  expect(results.filter(({ passed }) => !passed)).toEqual([]);
});
