import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../../src/cli/program.js';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import { pretend } from './support/terminal.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-exec-'));
  const key = { file: join(folder, 'key') };
  await createLocalStoreKey(key.file);
  const yaml = `stores:\n  local:\n    type: local\n    directory: ./store\n    key: { file: ./key }\ntargets:\n  db:\n    type: postgresql\n    host: 127.0.0.1\n    database: x\n    user: y\n    password: { env: LEDGER_ADMIN }\n`;
  await writeFile(join(folder, 'tenure.yaml'), yaml);
  const store = openLocalStore('local', { directory: join(folder, 'store'), key });
  const fence = { operation: 'nhi/app/provision/1', epoch: 2 };
  await store.stage('app', fence, () => Promise.resolve({ username: 'app_a', password: 'made-1' }));
  await store.publish('app', fence);
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

test('a command gets its credential, and nothing that opens Temporal or what Tenure itself uses', async () => {
  const kept = { PATH: process.env['PATH']!, TEMPORAL_ADDRESS: '127.0.0.1:1', TENURE_AS: 'ada', HOME: folder };
  const taken = {
    TEMPORAL_API_KEY: 'x',
    TEMPORAL_TLS_CLIENT_KEY_DATA: 'x',
    TEMPORAL_TLS_CLIENT_KEY_PATH: 'x',
    TEMPORAL_CODEC_AUTH: 'x',
    TEMPORAL_GRPC_META_AUTHORIZATION: 'x',
    TENURE_STORE_KEY: 'x',
    TENURE_LEDGER_PASSWORD: 'x',
    LEDGER_ADMIN: 'x',
  };
  const { io, stderr } = pretend({ cwd: folder, env: { ...kept, ...taken } });
  const code = await run(['exec', '--from', 'local:app', 'app', '--', 'sh', '-c', 'env > seen'], io);
  expect(stderr()).toBe('');
  expect(code).toBe(0);
  const seen = new Map(
    (await readFile(join(folder, 'seen'), 'utf8')).split('\n').map((line) => line.split('=') as [string, string]),
  );
  for (const [name, value] of Object.entries(kept)) expect(seen.get(name), name).toBe(value);
  for (const name of Object.keys(taken)) expect([...seen.keys()], name).not.toContain(name);
  expect(seen.get('TENURE_USERNAME')).toBe('app_a');
  expect(seen.get('TENURE_PASSWORD')).toBe('made-1');
});
