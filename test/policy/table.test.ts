import { describe, expect, test } from 'vitest';
import { parsePack, readPackTexts } from '../../src/policy/pack.js';
import { readTables, runTables, type TableResult } from '../../src/policy/table.js';
import { everything, folderOf, gate } from './folder.js';

const rules =
  everything +
  gate(
    'two',
    'approvals: 2, groups: [security], stepUp: true',
    'context.approvals.stepUp >= 2',
    'resource.production',
  ) +
  '@id("never")\n@message("m")\nforbid(principal, action, resource) when { resource.environment == "nowhere" };';

async function results(rows: string, policies = rules): Promise<TableResult[]> {
  const folder = await folderOf({ 'a.cedar': policies, 'tests/a.yaml': `tests:\n${rows}` });
  const { cases, problems } = await readTables(folder);
  expect(problems).toEqual([]);
  return runTables(parsePack(await readPackTexts(folder)), cases);
}

const row = (given: string, expected: string) =>
  `  - { name: n, given: { ask: rotate, ${given} }, expect: ${expected} }\n`;
const produced = 'identity: { environment: production }';

describe('a row', () => {
  test.each<[string, string, string, boolean]>([
    ['that is allowed', '', 'allow', true],
    ['that is allowed by name', '', '{ allow: [everything] }', true],
    ['that is allowed by another one', '', '{ allow: [something] }', false],
    ['that is allowed with a review that is not there', '', '{ allow: [everything], review: 1 }', false],
    ['that is allowed and should not be', '', '{ deny: [never] }', false],
    ['that is allowed and should need people', '', '{ needs: [two] }', false],
    ['that is denied', 'identity: { environment: nowhere }', '{ deny: [never] }', true],
    ['that is denied by another one', 'identity: { environment: nowhere }', '{ deny: [ever] }', false],
    ['that is denied and should not be', 'identity: { environment: nowhere }', 'allow', false],
    ['with a ticket', 'ticket: CHG-1', 'allow', true],
    ['with another strategy before', 'before: { strategy: in-place }', 'allow', true],
    ['that needs people', produced, '{ needs: [two] }', true],
    ['that needs people and should not', produced, 'allow', false],
    [
      'that needs exactly this',
      produced,
      '{ needs: [two], approvals: 2, groups: [security], stepUp: true, review: 0 }',
      true,
    ],
    ['that needs more', produced, '{ needs: [two], approvals: 1 }', false],
    ['that needs other groups', produced, '{ needs: [two], groups: [platform] }', false],
    ['that needs a security key', produced, '{ needs: [two], stepUp: false }', false],
    [
      'that has what it needs',
      `${produced}, approvals: [{ by: bob@example.com, stepUp: true }, { by: cyd@example.com, stepUp: true }]`,
      'allow',
      true,
    ],
    [
      'that lacks the security keys',
      `${produced}, approvals: [bob@example.com, cyd@example.com]`,
      '{ needs: [two] }',
      true,
    ],
  ])('%s', async (_title, given, expected, passed) => {
    expect((await results(row(given, expected)))[0]).toMatchObject({ passed, line: 2, name: 'n' });
  });

  test('says what was expected and what was found', async () => {
    const [needs, deny] = await results(row(produced, 'allow') + row('', '{ deny: [x, a] }'));
    expect(needs).toMatchObject({ expected: 'allow', found: 'needs two' });
    expect(deny).toMatchObject({ expected: 'deny by a, x', found: 'allow by everything', line: 3 });
  });

  test('that cannot be decided says why', async () => {
    const overflow =
      '@id("a")\npermit(principal, action, resource) when { context.growthCount + 9223372036854775807 > 0 };';
    const [broken] = await results(row('facts: { growth: [one] }', 'allow'), overflow);
    expect(broken).toMatchObject({ passed: false, found: expect.stringMatching(/^deny by policy-error: .*overflow/) });
  });

  test('can leave out what need not be declared, and say what is said beside a request', async () => {
    const none =
      '@id("none")\npermit(principal, action, resource) unless { resource has ownerTeam || resource has maxAge };';
    const said = '@id("said")\npermit(principal, action, resource) when { context has ticket && context has reason };';
    const rows =
      row('identity: { team: null, every: null }', '{ allow: [none] }') +
      row('ticket: T, reason: r', '{ allow: [said] }');
    expect((await results(rows, none + said)).map(({ passed }) => passed)).toEqual([true, true]);
  });

  test('can say what production is', async () => {
    const folder = await folderOf({
      'a.cedar': rules,
      'tests/a.yml': `productionEnvironments: [live]\ntests:\n${row('identity: { environment: live }', '{ needs: [two] }')}${row(produced, 'allow')}`,
      'tests/notes.md': 'no table',
    });
    const { cases } = await readTables(folder);
    expect(runTables(parsePack(await readPackTexts(folder)), cases).map(({ passed }) => passed)).toEqual([true, true]);
  });

  test('is about somebody whom the table knows', async () => {
    const given = 'by: x@example.com, approvals: [y@example.com, { by: z@example.com }], advance: [w@example.com]';
    const folder = await folderOf({ 'a.cedar': everything, 'tests/a.yaml': `tests:\n${row(given, 'allow')}` });
    const { problems } = await readTables(folder);
    expect(problems.map(({ path, problem }) => `${path}: ${problem}`)).toEqual([
      'tests[0].given.by: nobody here is called x@example.com',
      'tests[0].given.approvals[0]: nobody here is called y@example.com',
      'tests[0].given.approvals[1]: nobody here is called z@example.com',
      'tests[0].given.advance[0]: nobody here is called w@example.com',
    ]);
  });

  test.each<[string, string]>([
    ['asks for nothing', '  - { name: n, given: {}, expect: allow }\n'],
    ['asks for something unknown', '  - { name: n, given: { ask: dance }, expect: allow }\n'],
    ['has a typing mistake', '  - { name: n, given: { ask: rotate, identty: {} }, expect: allow }\n'],
    ['expects nothing', '  - { name: n, given: { ask: rotate } }\n'],
  ])('that %s is a problem with its line', async (_title, text) => {
    const folder = await folderOf({ 'a.cedar': everything, 'tests/a.yaml': `tests:\n${text}` });
    const { cases, problems } = await readTables(folder);
    expect(cases).toEqual([]);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems.every(({ line }) => line === 2)).toBe(true);
  });
});

test('a folder without tables has none', async () => {
  expect(await readTables(await folderOf({ 'a.cedar': everything }))).toEqual({ cases: [], problems: [] });
});

test('a folder of tables that cannot be read is said to be one', async () => {
  await expect(readTables(await folderOf({ 'a.cedar': everything, tests: 'a file' }))).rejects.toThrow('ENOTDIR');
});

test('a table that is no YAML is a problem', async () => {
  const { problems } = await readTables(await folderOf({ 'a.cedar': everything, 'tests/a.yaml': 'tests: [' }));
  expect(problems.length).toBeGreaterThan(0);
});
