/** `tenure evidence` without a server: a log in a folder, an export, and its verification. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEvidenceWriter } from '../../src/evidence/open.js';
import { statementText } from '../../src/evidence/statement.js';
import { run } from '../../src/cli/program.js';
import { pretend } from './support/terminal.js';

let folder: string;
let logKey: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-cli-evidence-'));
  await writeFile(join(folder, 'tenure.yaml'), 'stateDirectory: state\n');
  const stateDirectory = join(folder, 'state');
  const evidence = openEvidenceWriter({
    stateDirectory,
    evidence: { name: 'tenure', log: { directory: join(stateDirectory, 'evidence') } },
  });
  for (const number of [1, 2, 3]) {
    const subject = [{ name: `something/${number}`, digest: `sha256:${'0'.repeat(64)}` }];
    await evidence.append(statementText(subject, 'urn:test', { number }));
  }
  logKey = join(stateDirectory, 'evidence', 'log.vkey');
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

async function tenure(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const pretended = pretend({ env: {}, cwd: folder });
  const code = await run(argv, pretended.io);
  return { code, stdout: pretended.stdout(), stderr: pretended.stderr() };
}

describe('evidence export', () => {
  test('writes a bundle and says how to verify it', async () => {
    const { code, stdout } = await tenure('evidence', 'export', '--all', '--out', 'whole');
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /^3 records of .*state\/evidence in whole\nverify it anywhere with: tenure evidence verify whole\n$/,
      ),
    ]);
  });

  test('asks which records', async () => {
    const { code, stderr } = await tenure('evidence', 'export', '--out', 'some');
    expect([code, stderr]).toEqual([2, expect.stringContaining('say which records')]);
  });

  test.each([
    ['an identity', '--identity', 'nobody'],
    ['a process', '--operation', 'nhi/nobody/rotate/1'],
  ])('of %s that no record names writes nothing, and asks whether the name is right', async (_, option, name) => {
    const { code, stderr } = await tenure('evidence', 'export', option, name, '--out', 'nobody.json.gz');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/holds no record of .*nobody.*is the name right\?/)]);
    expect(stderr).toContain('tenure list');
    await expect(readFile(join(folder, 'nobody.json.gz'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('of a time in which nothing was sealed holds nothing, and says so', async () => {
    const { code, stderr } = await tenure('evidence', 'export', '--since', '2099-01-01', '--out', 'later.json.gz');
    expect([code, stderr]).toEqual([0, expect.stringContaining('nothing was selected')]);
  });
});

describe('evidence verify', () => {
  test('prints one line for each check and ends with 0 where all hold', async () => {
    await tenure('evidence', 'export', '--all', '--out', 'held');
    const { code, stdout } = await tenure('evidence', 'verify', 'held', '--log-key', logKey);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^held {5}log: files: \d+ files/);
    expect(stdout).toContain('held     something/2 (entry 1): inclusion: entry 1 of 3\n');
    expect(stdout).toMatch(/it holds: \d+ checks held, 0 not to be known from it\n$/);
  });

  test('says that it is tied to no log where no key is given, and with --strict does not pass', async () => {
    await tenure('evidence', 'export', '--all', '--out', 'untied');
    const plain = await tenure('evidence', 'verify', 'untied');
    expect([plain.code, plain.stderr]).toEqual([0, expect.stringContaining('not tied to a log that you know')]);
    const strict = await tenure('evidence', 'verify', 'untied', '--strict');
    expect([strict.code, strict.stdout]).toEqual([1, expect.stringMatching(/not shown: \d+ checks held, 1 not/)]);
    expect((await tenure('evidence', 'verify', 'untied', '--strict', '--log-key', logKey)).code).toBe(0);
  });

  test('names what is broken and ends with 1', async () => {
    await tenure('evidence', 'export', '--all', '--out', 'changed');
    const entry = join(folder, 'changed/entries/000000000001.json');
    await writeFile(entry, (await readFile(entry, 'utf8')).replace('A', 'B'));
    const { code, stdout } = await tenure('evidence', 'verify', 'changed', '--log-key', logKey);
    expect(code).toBe(1);
    expect(stdout).toContain('broken   log: files: entries/000000000001.json was changed\n');
  });

  test('answers as one document with --json, and takes an earlier checkpoint and the key itself', async () => {
    await tenure('evidence', 'export', '--all', '--out', 'json.json');
    const key = (await readFile(logKey, 'utf8')).trim();
    const checkpoint = join(folder, 'state/evidence/checkpoints/000000000002');
    const { code, stdout } = await tenure(
      'evidence',
      'verify',
      'json.json',
      '--json',
      '--log-key',
      key,
      '--checkpoint',
      checkpoint,
    );
    const answer = JSON.parse(stdout) as { ok: boolean; broken: number; checks: { check: string; verdict: string }[] };
    expect([code, answer.ok, answer.broken]).toEqual([0, true, 0]);
    expect(answer.checks).toContainEqual(expect.objectContaining({ check: 'consistency', verdict: 'held' }));
  });

  test('says what it cannot read', async () => {
    expect(await tenure('evidence', 'verify', 'nowhere')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is not there'),
    });
    await tenure('evidence', 'export', '--all', '--out', 'readable');
    const { code, stderr } = await tenure('evidence', 'verify', 'readable', '--checkpoint', 'nowhere');
    expect([code, stderr]).toEqual([1, expect.stringContaining('nowhere cannot be read (ENOENT)')]);
  });

  test('takes a directory to hold the signatures against', async () => {
    await tenure('evidence', 'export', '--all', '--out', 'directed');
    await writeFile(join(folder, 'people.yaml'), 'directory: {}\n');
    expect((await tenure('evidence', 'verify', 'directed', '--directory', 'people.yaml')).code).toBe(0);
  });
});
