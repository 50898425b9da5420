/** `secret read` and `exec` as processes of their own, on a real local store: what a consumer's machine runs. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import { compiled } from '../stores/compiled.js';

const material = { username: 'payments-db_a', password: `it's "$HOME" \`id\` \\ x`, 'ca cert': 'line 1\nline 2' };
let folder: string;
let program: string;
let keyVariable: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-cli-'));
  program = await compiled('src/cli/main.ts', join(folder, 'compiled'));
  await createLocalStoreKey(join(folder, 'key'));
  keyVariable = await readFile(join(folder, 'key'), 'utf8');
  const store = openLocalStore('local', { directory: join(folder, 'store'), key: { file: join(folder, 'key') } });
  const fence = { operation: 'nhi/payments-db/provision/1', epoch: 2 };
  await store.stage('payments/db', fence, () => Promise.resolve(material));
  await store.publish('payments/db', fence);
  await writeFile(
    join(folder, 'tenure.yaml'),
    'stores:\n  local: { type: local, directory: store, key: { env: STORE_KEY } }\n',
  );
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(...argv: string[]): ChildProcess {
  return spawn(process.execPath, [program, ...argv], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, STORE_KEY: keyVariable },
  });
}

async function tenure(...argv: string[]): Promise<Ended> {
  const child = start(...argv);
  const [stdout, stderr] = [collect(child.stdout!), collect(child.stderr!)];
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Until the command has written its first line; what goes wrong before is told. */
async function ready(child: ChildProcess): Promise<void> {
  const stderr = collect(child.stderr!);
  await Promise.race([
    once(child.stdout!, 'data'),
    once(child, 'close').then(() => Promise.reject(new Error(stderr()))),
  ]);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

const from = ['--from', 'local:payments/db'];
const show = (script: string): string[] => ['--', process.execPath, '-e', script];

test('secret read gives the whole credential as JSON, and one field as it is', async () => {
  expect(JSON.parse((await tenure('secret', 'read', 'payments-db', ...from)).stdout)).toEqual(material);
  expect((await tenure('secret', 'read', 'payments-db', ...from, '--field', 'password')).stdout).toBe(
    material.password,
  );
});

test('a slot that is empty and a field that is not there are told by name, and nothing of the credential', async () => {
  const empty = await tenure('secret', 'read', 'payments-db', ...from, '--slot', 'next');
  expect(empty.code).toBe(1);
  expect(empty.stderr).toContain('next: tenure show payments-db');
  const absent = await tenure('secret', 'read', 'payments-db', ...from, '--field', 'pasword');
  expect(absent.code).toBe(2);
  expect(absent.stderr).toContain('there are: username, password, ca cert');
  for (const { stdout, stderr } of [empty, absent]) expect(stdout + stderr).not.toContain(material.password);
});

test('exec puts every field into the environment, and the arguments hold none of it', async () => {
  const script =
    'process.stdout.write(JSON.stringify([process.env, process.argv, require("fs").readFileSync(`/proc/${process.ppid}/cmdline`, "utf8")]))';
  const { code, stdout } = await tenure('exec', ...from, 'payments-db', ...show(script));
  expect(code).toBe(0);
  const [env, argv, parent] = JSON.parse(stdout) as [Record<string, string>, string[], string];
  expect(env).toMatchObject({
    TENURE_USERNAME: material.username,
    TENURE_PASSWORD: material.password,
    TENURE_CA_CERT: material['ca cert'],
  });
  expect(JSON.stringify([argv, parent])).not.toContain(material.username);
});

test('exec sets just the variables that were named', async () => {
  const { stdout } = await tenure(
    'exec',
    ...from,
    '--env',
    'PGUSER=username',
    'payments-db',
    ...show('process.stdout.write(JSON.stringify(process.env))'),
  );
  const env = JSON.parse(stdout) as Record<string, string>;
  expect(env['PGUSER']).toBe(material.username);
  expect(Object.keys(env).filter((name) => name.startsWith('TENURE_'))).toEqual([]);
});

test("the key of Tenure's store does not reach the command", async () => {
  const { stdout } = await tenure(
    'exec',
    ...from,
    'payments-db',
    ...show('process.stdout.write(JSON.stringify(process.env))'),
  );
  expect(stdout).not.toContain('STORE_KEY');
  expect(stdout).not.toContain(keyVariable.trim());
});

test('exec puts the credential into a file of mode 0600 that is gone afterwards', async () => {
  const script =
    'const f = process.env.TENURE_FILE; process.stdout.write(JSON.stringify([f, require("fs").statSync(f).mode & 0o777, require("fs").readFileSync(f, "utf8"), process.env.TENURE_PASSWORD ?? null]))';
  const { stdout } = await tenure('exec', ...from, '--file', 'json', 'payments-db', ...show(script));
  const [file, mode, content, variable] = JSON.parse(stdout) as [string, number, string, null];
  expect(mode).toBe(0o600);
  expect(JSON.parse(content)).toEqual(material);
  expect(variable).toBeNull();
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('the exit code of the command is the exit code of exec', async () => {
  expect((await tenure('exec', ...from, 'payments-db', ...show('process.exit(42)'))).code).toBe(42);
});

test('a command that is not there ends with 127, as in a shell, and says so', async () => {
  const { code, stderr } = await tenure('exec', ...from, 'payments-db', '--', 'no-such-command-anywhere');
  expect(code).toBe(127);
  expect(stderr).toContain('no-such-command-anywhere was not found');
});

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s is passed on to the command, whose answer counts',
  async (signal) => {
    const child = start(
      'exec',
      ...from,
      'payments-db',
      ...show(`process.on('${signal}', () => process.exit(7)); console.log('ready'); setInterval(() => {}, 1000)`),
    );
    await ready(child);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([7, null]);
  },
);

test('a command that takes its time to end is not left alone at the second Ctrl-C', async () => {
  const script = `let count = 0; process.on('SIGINT', () => { console.log('again'); if (++count === 2) process.exit(9); }); console.log('ready'); setInterval(() => {}, 1000)`;
  const child = start('exec', ...from, 'payments-db', ...show(script));
  await ready(child);
  child.kill('SIGINT');
  await once(child.stdout!, 'data');
  child.kill('SIGINT');
  expect(await once(child, 'close')).toEqual([9, null]);
});

test('a command that a signal ends gives 128 and its number', async () => {
  const child = start('exec', ...from, 'payments-db', ...show(`console.log('ready'); setInterval(() => {}, 1000)`));
  await ready(child);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([143, null]);
});

test('the dotenv form is read by a shell as it was written, and refused where readers differ', async () => {
  const { stdout } = await tenure(
    'secret',
    'read',
    'payments-db',
    ...from,
    '--field',
    'username',
    '--output',
    'dotenv',
  );
  expect(execFileSync('sh', ['-c', `${stdout}printf %s "$TENURE_USERNAME"`], { encoding: 'utf8' })).toBe(
    material.username,
  );
  const refused = await tenure('secret', 'read', 'payments-db', ...from, '--output', 'dotenv');
  expect(refused.code).toBe(1);
  expect(refused.stderr).not.toContain(material.password);
});

test('a reader that closes early is no failure', async () => {
  const child = start('--help');
  child.stdout!.destroy();
  expect(await once(child, 'close')).toEqual([0, null]);
});
