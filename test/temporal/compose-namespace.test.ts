/** The script that makes the namespace of the compose set, on a real server. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { temporalCli } from '../../src/temporal/binary.js';
import { connectClient } from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { freePorts } from '../../src/temporal/ports.js';
import { ensureSearchAttributes, searchAttributeFlags, untilUsable } from '../../src/temporal/registration.js';

const script = path.join(packageRoot, 'docker/temporal/namespace.sh');
let bin: string;
let server: DevServer;

beforeAll(async () => {
  bin = await mkdtemp(path.join(tmpdir(), 'tenure-namespace-'));
  await symlink(await temporalCli(), path.join(bin, 'temporal'));
  server = await startDevServer({ headless: true });
});
afterAll(async () => {
  await server.stop();
  await rm(bin, { recursive: true });
});

const run = (env: Readonly<Record<string, string>>) =>
  promisify(execFile)('sh', [script], {
    env: { PATH: `${bin}:${process.env['PATH']}`, HOME: bin, TEMPORAL_NAMESPACE: 'tenure', ...env },
  });

test('it creates the namespace and every search attribute, and changes nothing the second time', async () => {
  for (const _time of ['first', 'second'])
    expect((await run({ TEMPORAL_ADDRESS: server.address })).stdout).toMatch(/namespace tenure is ready\n$/);
  const { connection } = await connectClient({ address: server.address, namespace: 'tenure' });
  expect(await ensureSearchAttributes(connection, 'tenure')).toEqual([]);
  await untilUsable(connection, 'tenure');
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'tenure' });
  expect(Number(config!.workflowExecutionRetentionTtl!.seconds)).toBe(90 * 86_400);
  await connection.close();
});

test('it gives up with the last words of what failed', async () => {
  const { nobody } = await freePorts('nobody');
  const run1 = run({ TEMPORAL_ADDRESS: `127.0.0.1:${nobody}`, ATTEMPTS: '2' });
  await expect(run1).rejects.toThrow(/gave up after 2 attempts: temporal operator cluster health/);
});

test('it names the search attributes that the workflows set, no more and no less', () => {
  const named = readFileSync(script, 'utf8').match(/^Nhi\w+=\w+$/gm);
  expect(named).toEqual(searchAttributeFlags);
});
