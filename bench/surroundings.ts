/** The servers of a bench: a real PostgreSQL, Temporal's development server on SQLite, and a worker of its own process. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { packageRoot } from '../src/package-root.js';
import { createLocalStoreKey } from '../src/stores/local.js';
import { connectClient, type ConnectedClient } from '../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../src/temporal/dev-server.js';
import { makeLedger } from '../test/systems/ledger.js';
import { startPostgres } from '../test/systems/postgresql.js';
import { writtenDirectory } from '../src/trust/directory-schema.js';
import { directory } from './people.js';

/** Where the workflows with activities that do nothing run. */
export const bareQueue = 'bench-bare';

export interface Surroundings {
  readonly temporal: DevServer;
  readonly connected: ConnectedClient;
  readonly configFile: string;
  readonly postgresVersion: number;
  /** Resident memory of the worker, bytes. */
  workerMemory(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts everything, or throws with what is missing. */
export async function startSurroundings(): Promise<Surroundings> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-bench-'));
  const postgres = await startPostgres({ version: 18, settings: { max_connections: '200', log_statement: 'none' } });
  if ('unavailable' in postgres) throw new Error(postgres.unavailable);
  const ledger = await makeLedger(postgres);
  const temporal = await startDevServer({ dbFilename: join(folder, 'temporal.db'), headless: true });
  const configFile = await writeConfig(folder, ledger);
  const worker = fork(new URL('worker-process.js', import.meta.url), [configFile, temporal.address]);
  await once(worker, 'message');
  const connected = await connectClient({ address: temporal.address });
  return {
    temporal,
    connected,
    configFile,
    postgresVersion: postgres.version,
    async workerMemory() {
      worker.send('memory');
      const [{ rss }] = (await once(worker, 'message')) as [{ rss: number }];
      return rss;
    },
    async stop() {
      await connected.connection.close();
      await ended(worker);
      await temporal.stop();
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function writeConfig(
  folder: string,
  ledger: { host: string; port: number; database: string; user: string; adminPassword: string },
): Promise<string> {
  const file = join(folder, 'tenure.yaml');
  await createLocalStoreKey(join(folder, 'store.key'));
  await writeFile(join(folder, 'admin.password'), ledger.adminPassword, { mode: 0o600 });
  const { host, port, database, user } = ledger;
  const config = {
    stateDirectory: 'state',
    targets: { 'ledger-db': { type: 'postgresql', host, port, database, user, password: { file: 'admin.password' } } },
    stores: { local: { type: 'local', directory: 'store', key: { file: 'store.key' } } },
    directory: writtenDirectory(directory),
    // Only in one environment somebody is asked: what a gate adds is measured by itself.
    policy: { path: join(packageRoot, 'bench', 'policies') },
  };
  await writeFile(file, stringify(config));
  return file;
}

async function ended(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null) return;
  worker.kill('SIGTERM');
  await once(worker, 'exit');
}
