import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/package-root.js';
import { connectClient, connectWorker } from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { ensureSearchAttributes } from '../../src/temporal/registration.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';

const names = Object.values(searchAttributes)
  .map(({ name }) => name)
  .sort();

let server: DevServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tenure-dev-server-'));
  server = await startDevServer({ namespace: 'mine', log: path.join(folder, 'server.log') });
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const start = (to: DevServer, workflowId: string) =>
  withClient(to, (client) =>
    client.workflow.start('nothing', {
      workflowId,
      taskQueue: 'nobody',
      typedSearchAttributes: [
        { key: searchAttributes.status, value: 'active' },
        { key: searchAttributes.tags, value: ['team:payments'] },
        { key: searchAttributes.nextRotation, value: new Date(0) },
      ],
    }),
  );

async function withClient<T>(
  to: DevServer,
  use: (client: Awaited<ReturnType<typeof connectClient>>['client']) => Promise<T>,
): Promise<T> {
  const { client, connection } = await connectClient({ address: to.address, namespace: to.namespace });
  try {
    return await use(client);
  } finally {
    await connection.close();
  }
}

describe('the development server', () => {
  test('takes every one of our search attributes at once when it is ready', async () => {
    await start(server, 'first');
    const found = () =>
      withClient(server, (client) => client.workflow.count("NhiStatus = 'active' AND NhiTags = 'team:payments'"));
    await expect.poll(async () => (await found()).count).toBe(1);
  });

  test('shows its UI and counts billable actions on ports of the loopback', async () => {
    expect((await fetch(server.uiUrl)).status).toBe(200);
    expect(server.uiUrl).toMatch(/^http:\/\/127\.0\.0\.1:/);
    expect(await (await fetch(server.metricsUrl)).text()).toMatch(/^action\{.*namespace="mine"/m);
  });

  test('serves the worker’s connection too', async () => {
    const { connection, namespace } = await connectWorker({ address: server.address, namespace: 'mine' });
    expect(namespace).toBe('mine');
    await connection.close();
  });

  test('keeps what it knew in its file over a kill, on the same port', async () => {
    const dbFilename = path.join(folder, 'kept.sqlite');
    const before = await startDevServer({ dbFilename, headless: true, namespace: 'kept' });
    await start(before, 'survivor');
    await before.kill();
    const after = await startDevServer({
      dbFilename,
      headless: true,
      namespace: 'kept',
      port: Number(before.address.split(':')[1]),
    });
    const description = await withClient(after, (client) => client.workflow.getHandle('survivor').describe());
    expect(description.typedSearchAttributes.get(searchAttributes.status)).toBe('active');
    await after.stop();
    await after.stop();
    expect(() => process.kill(after.pid, 0)).toThrow('ESRCH');
  });

  test('that can’t start says why, within seconds', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const refusal = startDevServer({ port, headless: true });
    await expect(refusal).rejects.toMatchObject({ code: 'TargetUnavailable' });
    await expect(refusal).rejects.toThrow(/did not become ready .* it ended with 1\n.*port/s);
    taken.close();
  }, 20_000);

  test('is gone when the process that started it is killed', async (context) => {
    const compiled = path.join(packageRoot, 'dist/src/temporal/dev-server.js');
    if (!existsSync(compiled)) context.skip('the code is not compiled: `npm run build`');
    if (process.platform !== 'linux') context.skip('only Linux ends a child with its killed parent');
    const program = `import { startDevServer } from ${JSON.stringify(compiled)};
      // With a log file: a broken pipe would end it too, whenever it has something to say.
      const server = await startDevServer({ headless: true, log: ${JSON.stringify(path.join(folder, 'orphan.log'))} });
      console.log(server.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = Number(await new Promise<Buffer>((resolve) => parent.stdout.once('data', resolve)));
    process.kill(pid, 0);
    parent.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 20_000 }).toBe(false);
  });

  test('writes its own log to the file that is given', async () => {
    expect(await readFile(path.join(folder, 'server.log'), 'utf8')).toBeTypeOf('string');
  });
});

describe('search attributes on a server of one’s own', () => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await Connection.connect({ address: server.address });
  });
  afterAll(() => connection.close());

  const register = (namespace: string) =>
    connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: 86_400 } as never,
    });

  test('are created where they are missing, usable afterwards, and left alone the second time', async () => {
    await register('second');
    await expect
      .poll(() => ensureSearchAttributes(connection, 'second').then((created) => created.sort()))
      .toEqual(names);
    expect(await ensureSearchAttributes(connection, 'second')).toEqual([]);
    await connection.workflowService.countWorkflowExecutions({ namespace: 'second', query: "NhiGate = 'open'" });
  });

  test('that exist with another type are refused by name', async () => {
    await register('third');
    const add = () =>
      connection.operatorService
        .addSearchAttributes({ namespace: 'third', searchAttributes: { NhiKind: 3 } })
        .then(() => 'added');
    await expect.poll(() => add().catch(() => 'not yet')).toBe('added');
    await expect(ensureSearchAttributes(connection, 'third')).rejects.toThrow(
      'search attribute NhiKind of namespace third is not a Keyword',
    );
  });

  test('that this identity may not create come with the commands for whoever may', async () => {
    const operatorService = {
      listSearchAttributes: () =>
        Promise.reject(Object.assign(new Error('denied'), { code: 7, details: '', metadata: {} })),
    };
    const denied = ensureSearchAttributes({ operatorService } as never, 'cloud');
    await expect(denied).rejects.toMatchObject({ code: 'InvalidRequest' });
    for (const name of names)
      await expect(denied).rejects.toThrow(
        `temporal operator search-attribute create --namespace cloud --name ${name} --type`,
      );
  });
});
