import { describe, expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPack } from '../../src/policy/check.js';
import { cedarProblem, parsePack, readPackTexts, shippedPolicies } from '../../src/policy/pack.js';
import { everything, folderOf, gate } from './folder.js';

const approved = 'context.approvals.count >= 1';

async function check(files: Readonly<Record<string, string>>) {
  const folder = await folderOf(files);
  const { problems, remarks } = await checkPack(folder);
  return { found: problems.map(({ line, problem }) => `${line}: ${problem}`), remarks };
}

describe('a check', () => {
  test('finds nothing in the policies that come with Tenure', { timeout: 60_000 }, async () => {
    const { problems, remarks } = await checkPack(shippedPolicies);
    expect({ problems, remarks }).toEqual({ problems: [], remarks: [] });
  });

  test('finds what keeps a worker from reading them, and looks no further', async () => {
    expect(await check({ 'a.cedar': 'permit(principal, action, resource);' })).toEqual({
      found: ['1: it has no @id'],
      remarks: [],
    });
  });

  test.each<[string, string, string[]]>([
    [
      'asks for too few people',
      gate('g', 'approvals: 1', 'context.approvals.count >= 2'),
      ['2: g stays shut with what its @require asks for: 1 approval'],
    ],
    [
      'forgets a group',
      gate('g', 'approvals: 2', 'context.approvals.count >= 2 && context.approvals.groups.contains("security")'),
      ['2: g stays shut with what its @require asks for: 2 approvals'],
    ],
    [
      'forgets the security key',
      gate('g', 'approvals: 1', 'context.approvals.stepUp >= 1'),
      ['2: g stays shut with what its @require asks for: 1 approval'],
    ],
    [
      'takes one of two groups that it names as a choice',
      gate('g', 'groups: [a|b]', 'context.approvals.groups.contains("a")'),
      ['2: g stays shut with what its @require asks for: 1 approval with somebody of b'],
    ],
    [
      'does not take the second group',
      gate('g', 'groups: [a, b], escalateTo: c, stepUp: true', 'context.approvals.groups.containsAll(["a", "b"])'),
      ['2: g stays shut with what its @require asks for: 1 approval with somebody of c, by security key'],
    ],
    [
      'counts approvals in advance alone',
      gate('g', 'approvals: 1', 'context.advance.count >= 1'),
      ['2: g stays shut with what its @require asks for: 1 approval'],
    ],
  ])('finds a gate that %s', async (_title, text, found) => {
    const line = (await check({ 'a.cedar': `${everything.replace('\n', ' ')}${text}` })).found;
    expect(line).toEqual(found);
  });

  test.each<[string, string]>([
    [
      'says the same twice',
      gate(
        'g',
        'approvals: 2, groups: [security]',
        'context.approvals.count >= 2 && context.approvals.groups.contains("security")',
      ),
    ],
    ['takes either of two groups', gate('g', 'groups: [a|b]', 'context.approvals.groups.containsAny(["a", "b"])')],
    ['asks for a security key', gate('g', 'stepUp: true', 'context.approvals.stepUp >= 1')],
    ['asks for more than it needs', gate('g', 'approvals: 2', approved)],
  ])('finds nothing where a gate %s', async (_title, text) => {
    expect(await check({ 'a.cedar': everything + text })).toEqual({ found: [], remarks: [] });
  });

  test('remarks a gate that nothing it can think of shuts, until a row of a table does', async () => {
    const shy = gate('shy', 'approvals: 1', approved, 'resource.hasTag("crown-jewel")');
    const files = { 'a.cedar': everything + shy };
    expect((await check(files)).remarks).toEqual([
      'shy was never seen shut: write a row in tests/ in which it needs people',
    ]);
    const row =
      '{ name: n, given: { ask: rotate, identity: { tags: { crown-jewel: yes } } }, expect: { needs: [shy] } }';
    const tables = { 'tests/a.yaml': `tests:\n  - ${row}\n` };
    expect(await check({ ...files, ...tables })).toEqual({ found: [], remarks: [] });
    const lying = { 'a.cedar': everything + shy.replace('>= 1', '>= 2') };
    expect((await check({ ...lying, ...tables })).found).toEqual([
      '3: shy stays shut with what its @require asks for: 1 approval',
    ]);
  });

  test('finds a policy that waits for people and asks nobody', async () => {
    const mute = (condition: string) =>
      `@id("mute")\n@message("m")\nforbid(principal, action, resource) unless { ${condition} };`;
    const found = ['3: mute waits for approvals and asks nobody'];
    expect((await check({ 'a.cedar': everything + mute(approved) })).found).toEqual(found);
    expect((await check({ 'a.cedar': everything + mute('context.advance.count >= 1') })).found).toEqual(found);
    const permit = `@id("p")\npermit(principal, action, resource) when { ${approved} };`;
    expect((await check({ 'a.cedar': permit })).found).toEqual([]);
  });

  test('finds a policy that an exception from another one lifts', async () => {
    const lifted = (condition: string) =>
      `@id("a")\n@message("m")\nforbid(principal, action, resource) unless { ${condition} };`;
    const by = async (condition: string) => (await check({ 'a.cedar': everything + lifted(condition) })).found;
    expect(await by('context.exceptions.contains("a")')).toEqual([]);
    expect(await by('context.exceptions.contains("b")')).toEqual(['3: a can be lifted by an exception from b']);
    expect(await by('context.exceptions.containsAny(["a", "c"])')).toEqual([
      '3: a can be lifted by an exception from c',
    ]);
    expect(await by('["d"].containsAny(context.exceptions)')).toEqual(['3: a can be lifted by an exception from d']);
    expect(await by('context.exceptions.isEmpty()')).toEqual([]);
  });

  test('finds a copy of the schema that is of another version', async () => {
    const schema = await readFile(join(shippedPolicies, 'tenure.cedarschema'), 'utf8');
    expect((await check({ 'a.cedar': everything, 'x.cedarschema': schema })).found).toEqual([]);
    expect((await check({ 'a.cedar': everything, 'x.cedarschema': `${schema}//` })).found).toEqual([
      '1: it is not the schema of this version',
    ]);
  });

  test('finds what is wrong with the tables', async () => {
    expect((await check({ 'a.cedar': everything, 'tests/a.yaml': 'tests: []\n' })).found).toEqual([
      '1: expected at least 1 entries',
    ]);
  });
});

test('what Cedar complains about without a place is at the beginning', () => {
  const error = { message: 'no', help: null, code: null, url: null, severity: null };
  const anywhere = { file: 'f', line: 3, column: 1, path: '', problem: 'no', fix: 'Change it to fit the schema.' };
  expect(cedarProblem('f', 'text', 2, error)).toEqual(anywhere);
  const labelled = { ...error, help: 'do', sourceLocations: [{ start: 1, end: 2, label: 'here' }] };
  expect(cedarProblem('f', 'text', 0, labelled)).toMatchObject({ line: 1, column: 2, problem: 'no: here', fix: 'Do.' });
});

test('a schema that is broken is a problem of its own file', async () => {
  const texts = await readPackTexts(await folderOf({ 'a.cedar': everything }));
  const { problems } = parsePack({ ...texts, schema: 'namespace Tenure {\n  entity ;' });
  expect(problems).toMatchObject([{ file: join(shippedPolicies, 'tenure.cedarschema'), line: 2 }]);
});
