/** `tenure explain`, `attest`, `evidence report` and `attribute` on a log that was really signed, with no server anywhere. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { loadConfig } from '../../src/config/load.js';
import { openEvidenceWriter } from '../../src/evidence/open.js';
import { statementOfAny } from '../../src/evidence/kinds.js';
import { statementOf } from '../../src/evidence/records.js';
import { parseStatement } from '../../src/evidence/statement.js';
import { exception } from '../evidence-read/beside-records.js';
import { decision, gate, record, vote } from '../evidence-read/records.js';
import { pretend } from './support/terminal.js';

let folder: string;
const now = Date.now();
const ago = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-reading-'));
  const target = {
    type: 'postgresql',
    host: '127.0.0.1',
    port: 5432,
    database: 'ledger',
    user: 'tenure_admin',
    password: { env: 'X' },
  };
  await writeFile(join(folder, 'tenure.yaml'), JSON.stringify({ targets: { 'ledger-db': target } }));
  const { append } = openEvidenceWriter(await loadConfig(undefined, { cwd: folder, env: {} }));
  const fresh = (more: Parameters<typeof record>[0]) => record({ startedAt: ago(61), endedAt: ago(60), ...more });
  await append(statementOf(fresh({ number: 2, gate: gate({ votes: [vote('grace@example.com')] }) })));
  await append(statementOf(fresh({ identity: 'old-db', startedAt: ago(90 * 1440 + 1), endedAt: ago(90 * 1440) })));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

async function tenure(...argv: string[]) {
  const seen = pretend({ cwd: folder });
  const code = await run(argv, seen.io);
  return { code, stdout: seen.stdout(), stderr: seen.stderr() };
}

test('explain tells the last process of an identity, and the same one by its id', async () => {
  const [byName, byId] = [await tenure('explain', 'payments-db'), await tenure('explain', 'nhi/payments-db/rotate/2')];
  expect(byName).toMatchObject({ code: 0, stderr: '' });
  expect(byName.stdout).toContain('grace@example.com approved');
  expect(byName.stdout).toContain('What this record cannot tell');
  expect(byId.stdout).toBe(byName.stdout);
  const { explanation, record: where } = JSON.parse((await tenure('explain', 'payments-db', '--json')).stdout);
  expect(explanation.operation).toBe('nhi/payments-db/rotate/2');
  expect(where).toMatchObject({ index: 0, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) });
});

test('explain of what has no record fails, and names where it looked', async () => {
  const { code, stderr } = await tenure('explain', 'nhi/payments-db/rotate/9');
  expect(code).toBe(1);
  expect(stderr).toContain(`${folder}/.tenure/evidence`);
  expect(stderr).toContain('tenure history nhi/payments-db/rotate/9');
});

test('a record that was changed is not explained', async () => {
  const entries = join(folder, '.tenure', 'evidence', 'entries');
  const file = join(entries, (await readdir(entries)).sort()[0]!);
  const text = await readFile(file, 'utf8');
  const at = text.indexOf('"payload":"') + 300;
  await writeFile(file, `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`);
  try {
    const { code, stderr, stdout } = await tenure('explain', 'payments-db');
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('not what was signed');
    expect((await tenure('attest', '--identity', 'payments-db', '--max-rotation-age', '1d')).code).toBe(1);
  } finally {
    await writeFile(file, text);
  }
});

test('attest passes what is within limits, fails what is not, and says what to do', async () => {
  const limits = ['--max-rotation-age', '30d', '--max-validation-age', '7d', '--require-approval'];
  expect(await tenure('attest', '--identity', 'payments-db', ...limits)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 identity within the limits'),
  });
  const all = await tenure('attest', '--environment', 'production', ...limits);
  expect(all.code).toBe(1);
  expect(all.stderr).toContain('1 of 2 identities not within the limits');
  for (const next of ['tenure rotate old-db', 'tenure validate old-db']) expect(all.stderr).toContain(`next: ${next}`);
  const none = await tenure('attest', '--environment', 'staging', ...limits);
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing was shown') });
  expect((await tenure('attest', '--identity', 'no-db', ...limits)).code).toBe(1);
});

test('attest writes an in-toto Statement in its canonical form, which --json shows too', async () => {
  const file = join(folder, 'attestation.json');
  const { code, stdout } = await tenure(
    'attest',
    '--identity',
    'payments-db',
    '--max-rotation-age',
    '1d',
    '--output',
    'attestation.json',
    '--json',
  );
  expect(code).toBe(0);
  const text = await readFile(file, 'utf8');
  expect(parseStatement(text)).toBeDefined();
  expect(JSON.parse(stdout).attestation).toEqual(JSON.parse(text));
  expect(JSON.parse(text).predicate).toMatchObject({ holds: true, limits: { maxRotationAgeMs: 86_400_000 } });
  const nowhere = await tenure(
    'attest',
    '--identity',
    'payments-db',
    '--max-rotation-age',
    '1d',
    '--output',
    'none/x.json',
  );
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('ENOENT') });
});

test.each([
  [['attest', '--max-rotation-age', '1d']],
  [['attest', '--identity', 'a']],
  [['attest', '--identity', 'a', '--owner', 'b', '--max-rotation-age', '1d']],
  [['attest', '--tag', 'team', '--max-rotation-age', '1d']],
  [['attest', '--identity', 'a', '--require-approval', '0']],
  [['evidence', 'report']],
  [['evidence', 'report', '--framework', 'pci']],
  [['evidence', 'report', '--framework', 'csf2', '--since', 'yesterday']],
  [['evidence', 'report', '--framework', 'csf2', '--since', '2026-01-02', '--until', '2026-01-01']],
  [['attribute', '--log', 'x']],
  [['attribute', '--identity', 'payments-db']],
  [['attribute', '--identity', 'payments-db', '--log', 'x', '--expect-address', 'somewhere']],
  [['attribute', '--identity', 'payments-db', '--log', 'x', '--expect-address', '10.0.0.0/33']],
  [['attribute', '--identity', 'payments-db', '--log', 'x', '--expect-address', '10.0.0.999']],
])('%j is a wrong use: exit code 2', async (argv) => {
  expect(await tenure(...argv)).toMatchObject({ code: 2, stdout: '' });
});

test.each([
  ['text', /^NIST Cybersecurity Framework 2\.0, .*: 2 records/],
  ['markdown', /^# Evidence for NIST Cybersecurity Framework 2\.0/],
  ['json', /"framework": "csf2"/],
  ['oscal', /"oscal-version": "1\.2\.1"/],
])('a report is written as %s, twice the same', async (format, pattern) => {
  const [once, twice] = [
    await tenure('evidence', 'report', '--framework', 'csf2', '--format', format),
    await tenure('evidence', 'report', '--framework', 'csf2', '--format', format),
  ];
  expect(once).toMatchObject({ code: 0, stdout: expect.stringMatching(pattern) });
  expect(twice.stdout).toBe(once.stdout);
});

test('a report takes a period, and --json gives it as data', async () => {
  const { stdout } = await tenure('evidence', 'report', '--framework', 'owasp-nhi', '--since', ago(120), '--json');
  expect(JSON.parse(stdout).report.records).toMatchObject([{ operation: 'nhi/payments-db/rotate/2' }]);
});

test('attribute finds what a hand did, fails for it, and passes where there is nothing', async () => {
  const line = (minutes: number, text: string): string =>
    `${ago(minutes).replace('T', ' ').replace('Z', ' UTC')} [7] LOG:  ${text}\n`;
  const login = (minutes: number, user: string): string =>
    line(minutes, `connection authorized: user=${user} database=ledger application_name=billing`);
  await writeFile(join(folder, 'good.log'), login(30, 'payments-db_a') + line(20, 'statement: SELECT 1'));
  await writeFile(
    join(folder, 'bad.log'),
    `${login(30, 'dba')}${line(29, 'statement: ALTER ROLE "payments-db_a" PASSWORD \'hunter2\'')}`,
  );
  await writeFile(join(folder, 'blind.log'), line(30, 'checkpoint starting: time'));
  const good = await tenure('attribute', '--identity', 'payments-db', '--log', 'good.log');
  expect(good).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Nothing that the log shows is left unexplained'),
  });
  const bad = await tenure('attribute', '--identity', 'payments-db', '--log', 'good.log', 'bad.log');
  expect(bad.code).toBe(1);
  expect(bad.stdout).toContain(
    'ALTER ROLE "payments-db_a" PASSWORD \'…\', dba as billing: dba is not an administrator of Tenure (bad.log:2)',
  );
  expect(bad.stdout).not.toContain('hunter2');
  expect(await tenure('attribute', '--identity', 'payments-db', '--log', 'blind.log')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('cannot tell'),
  });
  const elsewhere = await tenure(
    'attribute',
    '--identity',
    'payments-db',
    '--log',
    'good.log',
    '--expect-application',
    'other',
    '--json',
  );
  expect(JSON.parse(elsewhere.stdout).attribution.unexplained).toHaveLength(1);
});

test('attribute of an empty file and of one that is not there fail, and say why', async () => {
  await writeFile(join(folder, 'empty.log'), '');
  expect(await tenure('attribute', '--identity', 'payments-db', '--log', 'empty.log')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nothing could be read'),
  });
  expect(await tenure('attribute', '--identity', 'payments-db', '--log', 'none.log')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENOENT'),
  });
});

test('attribute asks with which login Tenure works where nothing says it', async () => {
  const given = ['attribute', '--identity', 'unknown-db', '--log', 'good.log'];
  // Of what there is no record, the name may be wrong.
  expect(await tenure(...given)).toMatchObject({ code: 1, stderr: expect.stringContaining('is the name right?') });
  expect((await tenure(...given, '--administrator', 'tenure_admin')).code).toBe(0);
  await writeFile(join(folder, 'without-targets.yaml'), '{}');
  const moved = ['attribute', '--config', 'without-targets.yaml', '--identity', 'payments-db', '--log', 'good.log'];
  expect(await tenure(...moved)).toMatchObject({ code: 2, stderr: expect.stringContaining('--administrator') });
});

test('an exception is told by its id, a process names the exception that it leaned on, and a report counts it', async () => {
  const { append } = openEvidenceWriter(await loadConfig(undefined, { cwd: folder, env: {} }));
  const rules = ['nothing-lives-for-ever'];
  const terms = { ...exception().terms, until: new Date(now + 3_600_000).toISOString(), rules };
  await append(statementOfAny({ kind: 'exception', record: exception({ terms, approvedAt: ago(30) }) }));
  const facts = { there: [], growth: [], unused: [], exceptions: [...rules, 'no-wildcards'] };
  const leaning = record({ number: 5, endedAt: ago(9), decision: decision({ facts, at: ago(10) }) });
  await append(statementOf(leaning));

  const [byId, byWorkflow] = [
    await tenure('explain', 'payments-db-1'),
    await tenure('explain', 'exception/payments-db-1'),
  ];
  expect(byId).toMatchObject({ code: 0, stderr: '' });
  expect(byId.stdout).toMatch(
    /from nothing-lives-for-ever was approved at .*No record of its end.*grace@example\.com approved/s,
  );
  expect(byWorkflow.stdout).toBe(byId.stdout);
  expect((await tenure('explain', 'exception/payments-db-2')).code).toBe(1);

  const { stdout } = await tenure('explain', 'nhi/payments-db/rotate/5');
  expect(stdout).toMatch(
    /the exception payments-db-1, asked for by ada@example\.com, approved by grace@example\.com.*Its record is entry 2/,
  );
  expect(stdout).toContain('no-wildcards did not have to be met, and the log holds no record of an exception');

  const report = await tenure('evidence', 'report', '--framework', '800-53', '--since', ago(45));
  expect(report.stdout).toMatch(/CA-5 .*exception payments-db-1 from nothing-lives-for-ever approved by grace/s);
});
