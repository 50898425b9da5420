/** Signing beforehand, and handing that in: `tenure pre-approve`, `delegate`, `--advance`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requestOf } from '../../src/cli/change.js';
import { Output } from '../../src/cli/output.js';
import { run } from '../../src/cli/program.js';
import { openServices } from '../../src/cli/services.js';
import type { Session } from '../../src/cli/session.js';
import type { Signed } from '../../src/domain/statement.js';
import { verifyRequest } from '../../src/trust/requests.js';
import { directoryOf, directoryYaml, person } from '../support/signers.js';
import { pretend, type Pretended } from './support/terminal.js';

const [ada, grace] = [person('ada@example.com', { groups: ['security'] }), person('grace@example.com')];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-advance-'));
  await writeFile(join(folder, 'tenure.yaml'), directoryYaml(directoryOf(ada, grace)));
  await mkdir(join(folder, '.tenure', 'keys'), { recursive: true });
  await writeFile(join(folder, '.tenure', 'keys', `${ada.name}.pem`), ada.pem!, { mode: 0o600 });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function tenure(...argv: string[]): Promise<Pretended & { readonly code: number }> {
  const pretended = pretend({ cwd: folder, env: { TENURE_AS: ada.name } });
  return { ...pretended, code: await run(argv, pretended.io) };
}

const preApprove = (...more: string[]) =>
  tenure('pre-approve', '--kind', 'rotate', '--identity', 'nobody-yet', '--for', '1d', '--reason', 'a move', ...more);

function sessionIn(): Session {
  const { io } = pretend({ cwd: folder, env: { TENURE_AS: ada.name } });
  return { io, out: new Output(io, false), services: openServices(io, undefined) };
}

test('an approval in advance says that nobody was asked whether there are such identities', async () => {
  const { code, stderr, stdout } = await preApprove();
  expect(code).toBe(0);
  expect(stderr()).toContain('nobody-yet as written: nobody was asked whether there are such identities');
  expect(JSON.parse(stdout())).toMatchObject({ signature: expect.any(String) });
});

test('what was approved in advance is handed in with the request, and signed with it', async () => {
  expect((await preApprove('--out', 'task.json')).code).toBe(0);
  const written = JSON.parse(await readFile(join(folder, 'task.json'), 'utf8')) as Signed;
  const request = await requestOf(sessionIn(), { wait: false, advance: ['task.json'] }, 'nobody-yet', 'rotate');
  expect(request.advance).toEqual([written]);
  const known = { directory: directoryOf(ada, grace), now: new Date() };
  await expect(verifyRequest(request, 'nobody-yet', known)).resolves.toMatchObject({ name: ada.name });
  await expect(verifyRequest({ ...request, advance: [] }, 'nobody-yet', known)).rejects.toThrow();
});

test('a file without an approval in advance is a wrong use, and says who makes one', async () => {
  await writeFile(join(folder, 'other.json'), '{}');
  for (const file of ['other.json', 'no-such.json'])
    await expect(requestOf(sessionIn(), { wait: false, advance: [file] }, 'a-db', 'rotate')).rejects.toMatchObject({
      message: `--advance: ${file} holds no approval in advance; one is made with: tenure pre-approve`,
      exitCode: 2,
    });
});

test('a file is never written over', async () => {
  await writeFile(join(folder, 'task.json'), 'mine');
  expect((await preApprove('--out', 'task.json')).code).toBe(2);
  expect(await readFile(join(folder, 'task.json'), 'utf8')).toBe('mine');
});

test('a delegation that would end too late is a wrong use', async () => {
  const from = new Date(Date.now() + 20 * 86_400_000).toISOString();
  const lend = ['--to', grace.name, '--group', 'security', '--reason', 'leave', '--from', from];
  const { code, stderr } = await tenure('delegate', ...lend, '--for', '12d');
  expect(code).toBe(2);
  expect(stderr()).toContain('a delegation ends 31d from now at the latest');
  expect((await tenure('delegate', ...lend, '--for', '10d')).code).toBe(0);
});
