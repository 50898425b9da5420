/** `tenure policy`, which needs no server for what lies in files. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { everything, folderOf, gate } from '../policy/folder.js';
import { pretend } from './support/terminal.js';

async function tenure(cwd: string, ...argv: string[]) {
  // Nothing listens there: what needs a server says so.
  const env = { TEMPORAL_ADDRESS: '127.0.0.1:1', TENURE_AS: 'ada@example.com' };
  const pretended = pretend({ cwd, env });
  const code = await run(argv, pretended.io);
  return { code, stdout: pretended.stdout(), stderr: pretended.stderr() };
}

const good = gate('g', 'approvals: 1', 'context.approvals.count >= 1', 'resource.production');
const row = (expected: string) =>
  `tests:\n  - { name: production waits, given: { ask: rotate, identity: { environment: production } }, expect: ${expected} }\n`;

describe('tenure policy check', () => {
  test('says that all is well', async () => {
    const folder = await folderOf({ 'a.cedar': everything + good });
    const { code, stdout, stderr } = await tenure(folder, 'policy', 'check', '.');
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `2 policies in 1 file of ${folder}: all is well\n`,
      stderr: '',
    });
  });

  test('fails with file and line of what is wrong', async () => {
    const folder = await folderOf({ 'a.cedar': everything + good.replace('>= 1', '>= 2') });
    const { code, stdout, stderr } = await tenure(folder, 'policy', 'check', folder);
    expect(code).toBe(1);
    expect(stdout).toContain('1 problem');
    expect(stderr).toContain(
      `${join(folder, 'a.cedar')}:3:1: g stays shut with what its @require asks for: 1 approval.`,
    );
  });

  test('remarks what is no reason to stop, and gives all of it as data', async () => {
    const folder = await folderOf({ 'a.cedar': everything + good.replace('resource.production', 'context.frozen') });
    const { code, stdout, stderr } = await tenure(folder, 'policy', 'check', '.', '--json');
    expect(code).toBe(0);
    expect(stderr).toContain('note: g was never seen shut');
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      policies: ['everything', 'g'],
      problems: [],
      remarks: [expect.any(String)],
    });
  });

  test('looks in the folder that tenure.yaml names, and without one at the policies that come with Tenure', async () => {
    const folder = await folderOf({ 'tenure.yaml': 'policy: { path: rules }\n', 'rules/a.cedar': everything });
    expect((await tenure(folder, 'policy', 'check')).stdout).toContain(join(folder, 'rules'));
    const none = await folderOf({ 'tenure.yaml': '' });
    expect((await tenure(none, 'policy', 'check')).stdout).toMatch(
      /\d\d policies in \d+ files of .*policies: all is well/,
    );
  }, 60_000);

  test('fails where there is no such folder', async () => {
    const { code, stderr } = await tenure(await folderOf({}), 'policy', 'check', 'nowhere');
    expect(code).toBe(1);
    expect(stderr).toContain('it cannot be read (ENOENT)');
  });
});

describe('tenure policy test', () => {
  test('passes where every row is decided as it says', async () => {
    const folder = await folderOf({ 'a.cedar': everything + good, 'tests/a.yaml': row('{ needs: [g] }') });
    expect(await tenure(folder, 'policy', 'test', '.')).toEqual({
      code: 0,
      stdout: '1 test, all as expected\n',
      stderr: '',
    });
  });

  test('fails with what was expected and what was found', async () => {
    const folder = await folderOf({ 'a.cedar': everything + good, 'tests/a.yaml': row('allow') });
    const { code, stdout } = await tenure(folder, 'policy', 'test', '.');
    expect(code).toBe(1);
    expect(stdout).toContain(
      `failed ${join(folder, 'tests', 'a.yaml')}:2 production waits\n  expected allow\n  found    needs g\n`,
    );
    expect(stdout).toContain('1 test, 1 failed');
    const asData = JSON.parse((await tenure(folder, 'policy', 'test', '.', '--json')).stdout) as unknown;
    expect(asData).toMatchObject({ ok: false, tests: 1, failed: [{ line: 2, expected: 'allow', found: 'needs g' }] });
  });

  test.each<[string, Record<string, string>, string]>([
    ['without tests', { 'a.cedar': everything }, 'there are no tests in'],
    ['with tests that are none', { 'a.cedar': everything, 'tests/a.yaml': 'tests: [{}]\n' }, 'the tests have problems'],
    ['with broken policies', { 'a.cedar': 'permit(' }, 'The policies are broken, so nothing is allowed'],
  ])('fails %s', async (_title, files, words) => {
    const folder = await folderOf(files);
    const { code, stderr } = await tenure(folder, 'policy', 'test', '.');
    expect(code).toBe(1);
    expect(stderr).toContain(words);
  });
});

describe('tenure policy explain', () => {
  const config = `stateDirectory: state
directory:
  people:
    - { name: ada@example.com, groups: [payments] }
    - { name: bob@example.com, groups: [platform] }
targets: { db: { type: postgresql, host: 127.0.0.1, database: d, user: u, password: { env: PW } } }
stores: { local: { type: local, directory: store, key: { env: KEY } } }
`;
  const manifest = (environment: string) => `identities:
  - name: ledger
    kind: database-role
    owner: { person: ada@example.com, team: payments }
    purpose: a test
    environment: ${environment}
    dataClass: internal
    target: { name: db, scope: { grants: [{ on: ledger, may: [select] }] } }
    deliver: [{ store: local, path: ledger }]
    rotation: { every: 30d, strategy: alternate }
`;
  const files = (environment: string) => ({ 'tenure.yaml': config, 'm.yaml': manifest(environment) });
  const explained = async (environment: string, ...more: string[]) =>
    tenure(await folderOf(files(environment)), 'policy', 'explain', 'm.yaml', ...more);

  // Each of them waits seconds for a server that is not there, so they wait together.
  test('says which policies decide, who could approve, and what is missing', { timeout: 60_000 }, async () => {
    const asBob = ['--as', 'bob@example.com'];
    const excepting = ['--action', 'except', '--rule'];
    const [provision, offboard, own, rotate, repair, emergency, vague, long, elevate, except, never] =
      await Promise.all([
        explained('production', '--action', 'provision'),
        explained('production', '--action', 'offboard', ...asBob, '--json'),
        explained('development', '--action', 'offboard', ...asBob),
        explained('development'),
        explained('development', '--action', 'repair'),
        explained('development', '--action', 'emergency-revoke'),
        explained('development', '--action', 'elevate'),
        explained('development', '--action', 'elevate', '--for', '5h', '--incident', 'I'),
        explained('production', '--action', 'elevate', '--incident', 'I', ...asBob),
        explained('development', ...excepting, 'no-superusers', '--for', '7d'),
        explained('production', ...excepting, 'production', '--for', '31d', '--control', 'kind=http url=http://a'),
      ]);
    expect(provision.code).toBe(0);
    expect(provision.stderr).toContain('explained as if nothing of it were there yet');
    for (const line of [
      'ledger  provision, asked by ada@example.com: needs people',
      'takes 1 person besides ada@example.com',
      'production: Production changes with the consent of somebody else',
      '1 approval; could come from bob@example.com',
      'one from team or platform: bob@example.com',
    ])
      expect(provision.stdout).toContain(line);
    const gates = [
      { id: 'irreversible', people: ['ada@example.com'], hopeless: false },
      { id: 'production', people: ['ada@example.com'] },
    ];
    const requester = 'bob@example.com';
    expect(JSON.parse(offboard.stdout)).toMatchObject({
      action: 'offboard',
      explanations: [{ requester, outcome: 'needs people', gates }],
    });
    expect(own.stdout).toContain('1 approval; could come from ada@example.com');
    expect(rotate.stdout).toContain('allowed\n  decided by: people-may-ask');
    expect(repair.stdout).toContain('ledger  repair, asked by ada@example.com: allowed');
    expect(emergency.stdout).toContain('allowed\n  decided by: emergency-revocation');
    expect(vague.stdout).toContain('decided by: elevation-has-incident');
    expect(long.stdout).toContain('An elevation lasts four hours at most');
    expect(elevate.stdout).toContain('elevation-second-person');
    expect(elevate.stdout).toContain('afterwards 2 other people look at it within 1d');
    for (const line of [
      'ledger  except, asked by ada@example.com: needs people',
      'takes 2 people besides ada@example.com',
      'one from platform or security: bob@example.com',
      'one from security: nobody',
    ])
      expect(except.stdout).toContain(line);
    expect(never.stdout).toContain(
      'decided by: exceptions-are-made-up-for, exceptions-in-production-end-sooner, exceptions-lift-something',
    );
  });

  test('says where nobody could', { timeout: 30_000 }, async () => {
    const { stdout } = await explained('production', '--action', 'provision', '--as', 'bob@example.com');
    expect(stdout).toContain('could come from ada@example.com');
    const lonely = { ...files('production'), 'tenure.yaml': config.replace(/ {4}- \{ name: bob.*\n/, '') };
    const alone = await tenure(await folderOf(lonely), 'policy', 'explain', 'm.yaml', '--action', 'provision');
    expect(alone.stdout).toContain('could come from nobody');
    expect(alone.stdout).toContain('nobody can give this now: add people to these groups in the directory');
  });

  test.each<[string, string[], string]>([
    ['an action that is none', ['--action', 'dance'], 'there is no action dance'],
    ['an exception from nothing', ['--action', 'except'], '--rule: name what need not be met'],
    ['a time that is none', ['--action', 'elevate', '--for', 'long'], '--for: expected a duration'],
  ])('refuses %s', async (_title, argv, words) => {
    const { code, stderr } = await explained('development', ...argv);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });

  test('of an identity by its name needs the server that knows it', async () => {
    const folder = await folderOf({ 'tenure.yaml': config });
    const { code, stderr } = await tenure(folder, 'policy', 'explain', 'ledger');
    expect(code).toBe(1);
    expect(stderr).toContain('127.0.0.1:1');
  });
});
