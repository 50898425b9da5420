import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { csvRows } from '../../src/evidence/read/attribution/csv.js';
import { readTargetLogs } from '../../src/evidence/read/attribution/files.js';

let folder: string;
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'tenure-logs-'))));
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function read(text: string, prefix = '%m [%p] ', roles = new Set(['ledger_a'])) {
  const file = join(folder, 'server.log');
  await writeFile(file, text);
  return readTargetLogs({ logs: [file], samples: [], prefix }, roles);
}

async function* lines(...all: string[]): AsyncGenerator<string> {
  yield* all;
}

async function rows(...all: string[]): Promise<(readonly string[])[]> {
  const found = [];
  for await (const { fields } of csvRows(lines(...all))) found.push(fields);
  return found;
}

test('CSV is read with doubled quotes, commas, empty fields and line ends inside of quotes', async () => {
  expect(await rows('a,"b,""c""",,d', '"x', 'y",z')).toEqual([
    ['a', 'b,"c"', '', 'd'],
    ['x\ny', 'z'],
  ]);
});

const time = '2026-03-01 12:00:00.000 UTC';
const ours = `${time} [7] LOG:  connection authorized: user=ledger_a database=ledger application_name=billing\n`;

test('a login is read from a stderr log, with the address of the line before', async () => {
  const { events } = await read(`${time} [7] LOG:  connection received: host=10.0.0.7 port=4711\n${ours}`);
  expect(events).toEqual([
    {
      what: 'login', accepted: true, at: '2026-03-01T12:00:00.000Z', user: 'ledger_a', application: 'billing',
      address: '10.0.0.7', source: 'server.log:2',
    },
  ]); // prettier-ignore
});

test('a line that begins with a tab belongs to the one before, so a statement cannot pass for a login', async () => {
  const { events } = await read(`${time} [7] LOG:  statement: SELECT '\n\t${ours.trim()}\n\t'\n`);
  expect(events).toEqual([]);
});

test('the prefix of the server is followed, with who and from where, also where it ends for the server itself', async () => {
  const prefix = '%t [%p]: %quser=%u,db=%d,app=%a,client=%h ';
  const text = [
    '2026-03-01 12:00:00 UTC [1]: LOG:  database system is ready to accept connections',
    '2026-03-01 12:00:01 UTC [7]: user=admin,db=ledger,app=psql (16),client=10.0.0.9 LOG:  statement: ALTER ROLE ledger_a LOGIN',
  ].join('\n');
  const { events, coverage } = await read(text, prefix);
  expect(events).toMatchObject([
    {
      what: 'change',
      user: 'admin',
      application: 'psql (16)',
      address: '10.0.0.9',
      statement: 'ALTER ROLE ledger_a LOGIN',
    },
  ]);
  expect(coverage).toMatchObject({ lines: 2, unreadCount: 0 });
});

test('a prefix without a time or a process is refused, with what to do', async () => {
  await expect(read(ours, '%u ')).rejects.toThrow(/write csvlog or jsonlog/);
});

test('times in another zone than UTC are not guessed at: the line counts as unread', async () => {
  const { events, coverage } = await read(ours.replace('UTC', 'CEST'));
  expect(events).toEqual([]);
  expect(coverage).toMatchObject({ lines: 0, unreadCount: 1, unread: [expect.stringContaining('not in UTC')] });
});

test('lines that are not as the prefix says are counted, and the first are named', async () => {
  const { coverage } = await read(`${'rubbish\n'.repeat(9)}${ours}`);
  expect(coverage).toMatchObject({ lines: 1, unreadCount: 9 });
  expect(coverage!.unread).toHaveLength(5);
  expect(coverage!.unread[0]).toContain('server.log:1');
});

test('a jsonlog is read, and a line of it that is no JSON is counted', async () => {
  const line = {
    timestamp: time,
    pid: 7,
    user: 'ledger_a',
    remote_host: '10.0.0.7',
    error_severity: 'FATAL',
    state_code: '28P01',
    message: 'password authentication failed for user "ledger_a"',
  };
  const { events, coverage } = await read(`${JSON.stringify(line)}\n{broken\n`);
  expect(events).toMatchObject([
    {
      what: 'login',
      accepted: false,
      address: '10.0.0.7',
      answer: 'password authentication failed for user "ledger_a"',
    },
  ]);
  expect(coverage).toMatchObject({ lines: 1, unreadCount: 1 });
});

test.each([
  ['password authentication failed for user "ledger_a"', true],
  ['role "ledger_a" is not permitted to log in', true],
  ['no pg_hba.conf entry for host "10.0.0.7", user "ledger_a", database "ledger", no encryption', true],
  ['password authentication failed for user "other"', false],
  ['terminating connection due to administrator command', false],
])('FATAL %s: a refused login of the identity is %j', async (message, isOne) => {
  const { events } = await read(`${time} [7] FATAL:  ${message}\n`);
  expect(events.length === 1).toBe(isOne);
});

test('a login that the server lets in and the database does not is a refused login; one at a start of the server is none', async () => {
  const begin = `${time} [7] ledger_a LOG:  connection received: host=10.0.0.7 port=1\n`;
  const refused = (code: string) =>
    read(begin.replace('LOG', `${code} LOG`) + `${time} [7] ledger_a ${code} FATAL:  x\n`, '%m [%p] %u %e ');
  expect((await refused('42501')).events).toMatchObject([{ accepted: false }]);
  expect((await refused('57P03')).events).toEqual([]);
});

test('a change is marked as refused where an error names that very statement, and not where a later one failed', async () => {
  const { events } = await read(
    [
      `${time} [7] LOG:  statement: ALTER ROLE ledger_a SUPERUSER`,
      `${time} [7] ERROR:  permission denied to alter role`,
      `${time} [7] STATEMENT:  ALTER ROLE ledger_a SUPERUSER`,
      `${time} [7] LOG:  execute <unnamed>: ALTER ROLE ledger_a NOLOGIN`,
      `${time} [8] ERROR:  of another session`,
      `${time} [8] STATEMENT:  ALTER ROLE ledger_a NOLOGIN`,
      `${time} [7] ERROR:  of a statement that is not logged by itself`,
      `${time} [7] STATEMENT:  SELECT 1/0`,
      `${time} [7] LOG:  duration: 1.234 ms  statement: DROP ROLE ledger_a`,
      `${time} [7] LOG:  statement: DROP ROLE ledger_a, x`,
      `${time} [7] ERROR:  too late for the one before`,
      `${time} [7] STATEMENT:  DROP ROLE ledger_a`,
    ].join('\n'),
  );
  expect(events.map((event) => event.what === 'change' && event.failed)).toEqual([true, false, false, false]);
});

test('a statement over several lines is read as one', async () => {
  const { events } = await read(`${time} [7] LOG:  statement: ALTER ROLE\n\tledger_a\n\tNOLOGIN\n`);
  expect(events).toMatchObject([{ statement: 'ALTER ROLE ledger_a NOLOGIN' }]);
});

test('a role that is renamed is followed under its new name', async () => {
  const { events } = await read(
    `${time} [7] LOG:  statement: ALTER ROLE ledger_a RENAME TO ghost\n${time} [8] LOG:  connection authorized: user=ghost database=x\n`,
  );
  expect(events).toMatchObject([{ what: 'change' }, { what: 'login', user: 'ghost' }]);
});

test('who a statement is from is taken from the login of its session; where that is not there, it is counted', async () => {
  const statement = (pid: number): string => `${time} [${pid}] LOG:  statement: ALTER ROLE ledger_a NOLOGIN\n`;
  const { events, coverage } = await read(
    `${time} [7] LOG:  connection authorized: user=admin database=x application_name=psql\n${statement(7)}${statement(8)}`,
  );
  expect(events).toMatchObject([{ user: 'admin', application: 'psql' }, {}]);
  expect(events[1]).not.toHaveProperty('user');
  expect(coverage!.anonymous).toBe(1);
});

test('files are read in the order of their times, and a session goes on in the next', async () => {
  const [early, late] = [join(folder, 'z.log'), join(folder, 'a.log')];
  await writeFile(early, `${time} [7] LOG:  connection authorized: user=admin database=x\n`);
  await writeFile(late, '2026-03-01 13:00:00.000 UTC [7] LOG:  statement: ALTER ROLE ledger_a NOLOGIN\n');
  const { events } = await readTargetLogs(
    { logs: [late, early], samples: [], prefix: '%m [%p] ' },
    new Set(['ledger_a']),
  );
  expect(events).toMatchObject([{ user: 'admin', source: 'a.log:1' }]);
});

test('a file that is not there is said to be, by name', async () => {
  await expect(
    readTargetLogs({ logs: [join(folder, 'none.log')], samples: [], prefix: '%m [%p] ' }, new Set()),
  ).rejects.toThrow(/none\.log.*ENOENT/);
});

test('samples are read, each session once, and one that is none is refused by its line', async () => {
  const file = join(folder, 'samples');
  const sample = {
    at: '2026-03-01T12:00:00+00:00',
    pid: 7,
    usename: 'ledger_a',
    application_name: 'billing',
    client_addr: null,
    backend_start: '2026-03-01T11:00:00+00:00',
  };
  const later = { ...sample, at: '2026-03-01T12:05:00+00:00' };
  await writeFile(file, [sample, later, { ...sample, usename: 'other' }].map((one) => JSON.stringify(one)).join('\n'));
  const given = { logs: [], samples: [file], prefix: '' };
  const { events, samples, coverage } = await readTargetLogs(given, new Set(['ledger_a']));
  expect(events).toMatchObject([
    { what: 'session', at: '2026-03-01T12:05:00.000Z', since: '2026-03-01T11:00:00.000Z' },
  ]);
  expect([samples.length, coverage]).toEqual([3, undefined]);
  await writeFile(file, '{}');
  await expect(readTargetLogs(given, new Set())).rejects.toThrow(/samples:1/);
});
