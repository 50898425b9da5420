import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Control } from '../../src/domain/exception.js';
import { checkControls, type Checking } from '../../src/exceptions/controls.js';
import { runProgram } from '../../src/exceptions/program.js';
import { termsOf } from '../support/exceptions.js';

let server: Server;
let address: string;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-controls-'));
  server = createServer((request, response) => {
    if (request.url === '/moved') response.setHeader('location', '/fine');
    response.statusCode = request.url === '/moved' ? 302 : request.url === '/fine' ? 200 : 503;
    response.end('whatever');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const checking = (differs: Partial<Checking> & { commands?: Record<string, string[]> } = {}): Checking => ({
  settings: { commands: differs.commands ?? {} },
  validate: async () => undefined,
  sessions: async () => 2,
  now: () => new Date('2026-06-01T00:00:00.000Z'),
  ...differs,
});

async function checked(control: Control, differs: Parameters<typeof checking>[0] = {}): Promise<[boolean, string]> {
  const [result] = await checkControls(termsOf({ controls: [control] }), checking(differs));
  return [result!.holds, result!.detail];
}

describe('a program', () => {
  const command = { kind: 'command', name: 'check' } as const;

  test('holds with exit code 0 alone', async () => {
    expect(await checked(command, { commands: { check: ['/bin/true'] } })).toEqual([true, 'exit code 0']);
    expect(await checked(command, { commands: { check: ['/bin/sh', '-c', 'exit 3'] } })).toEqual([
      false,
      'exit code 3',
    ]);
  });

  test('that is not there, or is named no more, does not hold', async () => {
    expect(await checked(command, { commands: { check: ['/no/such/program'] } })).toEqual([
      false,
      expect.stringContaining('ENOENT'),
    ]);
    expect(await checked(command)).toEqual([false, expect.stringContaining('no such program any more')]);
  });

  test('is told what it is about, sees nothing else of the worker, and meets no shell', async () => {
    const file = join(folder, 'env');
    process.env['WORKER_SECRET_FOR_TEST'] = 'canary';
    try {
      await checked(command, { commands: { check: ['/bin/sh', '-c', `env > ${file}`] } });
    } finally {
      delete process.env['WORKER_SECRET_FOR_TEST'];
    }
    const env = await readFile(file, 'utf8');
    expect(env).toContain('TENURE_IDENTITY=payments-db');
    expect(env).not.toContain('canary');
    expect(await checked(command, { commands: { check: ['/bin/true', '; exit 1', '$(false)'] } })).toEqual([
      true,
      'exit code 0',
    ]);
  });

  test('that does not end is ended with everything that it started, and does not hold', async () => {
    const file = join(folder, 'child');
    const end = await runProgram(['/bin/sh', '-c', `sleep 30 & echo $! > ${file}; wait`], {}, 300);
    expect(end).toContain('did not end within');
    const child = Number(await readFile(file, 'utf8'));
    await expect.poll(() => isRunning(child), { timeout: 5_000 }).toBe(false);
  });
});

describe('an address', () => {
  const http = (path: string, status = 200): Control => ({ kind: 'http', url: `${address}${path}`, status });

  test('holds with the status that was approved', async () => {
    expect(await checked(http('/fine'))).toEqual([true, 'answered 200']);
    expect(await checked(http('/broken'))).toEqual([false, 'answered 503']);
    expect(await checked(http('/broken', 503))).toEqual([true, 'answered 503']);
  });

  test('is not followed anywhere else', async () => {
    expect(await checked(http('/moved'))).toEqual([false, 'answered 302']);
  });

  test('that cannot be reached does not hold', async () => {
    expect(await checked({ kind: 'http', url: 'http://127.0.0.1:1/', status: 200 })).toEqual([
      false,
      'cannot be reached',
    ]);
  });
});

describe('the identity', () => {
  test('holds when its validation succeeds', async () => {
    expect((await checked({ kind: 'validate' }))[0]).toBe(true);
    expect(await checked({ kind: 'validate' }, { validate: async () => 'undone: no' })).toEqual([false, 'undone: no']);
  });

  test('may have as many sessions as were approved', async () => {
    expect((await checked({ kind: 'sessions', atMost: 2 }))[0]).toBe(true);
    expect(await checked({ kind: 'sessions', atMost: 1 })).toEqual([false, '2 now']);
  });

  test('that cannot be asked does not hold, and the error is not repeated', async () => {
    const broken = { sessions: () => Promise.reject(new Error('postgres://u:p@h/db')) };
    const [holds, detail] = await checked({ kind: 'sessions', atMost: 9 }, broken);
    expect([holds, detail]).toEqual([false, 'could not be checked: Error']);
  });
});

test('each control is checked, whatever the one before it says', async () => {
  const controls: Control[] = [{ kind: 'sessions', atMost: 0 }, { kind: 'validate' }];
  const results = await checkControls(termsOf({ controls }), checking());
  expect(results.map(({ holds }) => holds)).toEqual([false, true]);
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
