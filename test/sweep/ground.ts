/** What a sweep stands on: a real PostgreSQL, a real Temporal server on a file, the local store, and a consumer that listens. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { loadConfig } from '../../src/config/load.js';
import type { TenureConfig } from '../../src/config/types.js';
import { packageRoot } from '../../src/package-root.js';
import { writtenDirectory } from '../../src/trust/directory-schema.js';
import { createLocalStoreKey } from '../../src/stores/local.js';
import { openStores } from '../../src/stores/registry.js';
import type { Store } from '../../src/stores/store.js';
import { scramVerifier } from '../../src/targets/postgresql/scram.js';
import { openTargets, type Targets } from '../../src/targets/registry.js';
import { connectClient, type ConnectedClient } from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { ensureSearchAttributes } from '../../src/temporal/registration.js';
import { CanaryScan, canarySecret, marker, type Canary } from '../support/canary.js';
import { makeLedger } from '../systems/ledger.js';
import { startPostgres, type PostgresServer } from '../systems/postgresql.js';
import { directory } from './people.js';
import { traversableTemporaryFolder } from '../systems/server-user.js';

export interface GroundOptions {
  /** Tried in this order. */
  readonly postgres?: readonly (15 | 18)[];
}

/** Where everything is. Made by {@link prepareGround}. */
export class Ground {
  private readonly connected = new Map<string, ConnectedClient>();
  readonly targets: Targets;
  readonly store: Store;
  /** I1, over everything that the sweep leaves behind. */
  readonly scan: CanaryScan;
  /** Identities whose consumer does not take a new credential. */
  readonly stubborn = new Set<string>();
  /** What {@link elsewhere} gave before anything was swept. */
  elsewhereBefore = '';

  constructor(
    readonly folder: string,
    readonly postgres: PostgresServer,
    public temporal: DevServer,
    readonly config: TenureConfig,
    private readonly consumer: Server,
    readonly canaries: readonly Canary[],
  ) {
    this.scan = new CanaryScan([...canaries, { name: 'a verifier', secret: 'SCRAM-SHA-256$' }]);
    this.targets = openTargets(config);
    this.store = openStores(config).get('local');
  }

  /** I1: searches everything that was left behind. A verifier may stand in PostgreSQL's own log, and nowhere else. */
  async search(): Promise<CanaryScan> {
    const { scan } = this;
    const { stateDirectory } = this.config;
    const files = [this.database, `${this.database}-wal`, ...below(this.logs)];
    for (const file of files) await traced(scan, file, () => scan.file(file));
    for (const folder of [join(this.folder, 'vault'), ...below(stateDirectory)])
      await traced(scan, folder, () => scan.folder(folder));
    const ofServer = new CanaryScan(this.canaries);
    await traced(ofServer, this.postgres.logFile, () => ofServer.file(this.postgres.logFile));
    scan.findings.push(...ofServer.findings);
    scan.scanned += ofServer.scanned;
    return scan;
  }

  /** Who may do what with the ledger, which roles there are, and what they are members of: of all that is no swept identity's. */
  async elsewhere(): Promise<string> {
    const rows = await this.postgres.sql(
      `SELECT 'right' AS what, coalesce(r.rolname, 'PUBLIC') AS who, privilege_type AS which, is_grantable::text AS how
         FROM pg_class c CROSS JOIN aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
         WHERE c.oid = 'public.ledger'::regclass
       UNION ALL SELECT 'role', rolname, concat(rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls), ''
         FROM pg_roles
       UNION ALL SELECT 'member', m.rolname, g.rolname, admin_option::text
         FROM pg_auth_members JOIN pg_roles g ON g.oid = roleid JOIN pg_roles m ON m.oid = member WHERE g.rolname NOT LIKE 'app-%'
       ORDER BY 1, 2, 3, 4`,
      'ledger',
    );
    return JSON.stringify(rows.filter(({ who }) => !String(who).startsWith('app-')));
  }

  get consumerUrl(): string {
    return `http://127.0.0.1:${(this.consumer.address() as { port: number }).port}`;
  }

  get logs(): string {
    return join(this.folder, 'logs');
  }

  get database(): string {
    return join(this.folder, 'temporal.db');
  }

  async client(namespace: string): Promise<Client> {
    const known = this.connected.get(namespace);
    if (known) return known.client;
    const connected = await connectClient({ address: this.temporal.address, namespace });
    this.connected.set(namespace, connected);
    return connected.client;
  }

  /** Namespaces keep the workers of different lanes apart: the names of task queues are part of the product. */
  async addNamespace(namespace: string): Promise<void> {
    if (this.connected.has(namespace)) return;
    const { connection } = await connectClient({ address: this.temporal.address, namespace: this.temporal.namespace });
    try {
      const workflowExecutionRetentionPeriod = { seconds: 86_400 as unknown as Long };
      await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
      await ensureSearchAttributes(connection, namespace);
    } finally {
      await connection.close();
    }
  }

  /** Puts a file in the place of the store's folder, in one step; nothing can be read or written there any more. */
  async takeStoreAway(): Promise<void> {
    await writeFile(join(this.folder, 'in-the-way'), '');
    await rename(join(this.folder, 'in-the-way'), join(this.folder, 'store'));
  }

  async bringStoreBack(): Promise<void> {
    await symlink('vault', join(this.folder, 'back'));
    await rename(join(this.folder, 'back'), join(this.folder, 'store'));
  }

  /** Ends Temporal's server as a power cut does, and starts it again on its file and port. */
  async cutTemporal(downMs: number): Promise<void> {
    const port = Number(this.temporal.address.split(':')[1]);
    await this.temporal.kill();
    await new Promise((resolve) => setTimeout(resolve, downMs));
    this.temporal = await startTemporal(this.folder, port);
  }

  async stop(): Promise<void> {
    await Promise.allSettled([...this.connected.values()].map(({ connection }) => connection.close()));
    await Promise.allSettled([
      this.targets.close(),
      this.temporal.stop(),
      new Promise((resolve) => this.consumer.close(resolve)),
    ]);
    await this.postgres.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

type Long = NonNullable<
  NonNullable<
    Parameters<
      ConnectedClient['connection']['workflowService']['registerNamespace']
    >[0]['workflowExecutionRetentionPeriod']
  >['seconds']
>;

function below(folder: string): string[] {
  return readdirSync(folder).map((name) => join(folder, name));
}

/** How much of a search goes where, for whoever asks. */
async function traced(scan: CanaryScan, place: string, search: () => Promise<void>): Promise<void> {
  const [before, began] = [scan.scanned, Date.now()];
  await search();
  if (process.env['TENURE_SWEEP_TRACE'])
    process.stdout.write(`searched ${place}: ${scan.scanned - before} bytes in ${Date.now() - began} ms\n`);
}

/** Starts everything, or says why that can't be. */
export async function prepareGround(options: GroundOptions = {}): Promise<Ground | { readonly unavailable: string }> {
  const postgres = await firstPostgres(options.postgres ?? [18, 15]);
  if ('unavailable' in postgres) return postgres;
  const folder = traversableTemporaryFolder('tenure-sweep-');
  try {
    await mkdir(join(folder, 'logs'));
    const ledger = await makeLedger(postgres);
    const adminPassword = canarySecret();
    // As a verifier, so that the server's log, which is searched later, has only what Tenure puts there.
    await postgres.sql(`ALTER ROLE tenure_admin PASSWORD '${await scramVerifier(adminPassword, 4096)}'`);
    await createLocalStoreKey(join(folder, 'store.key'));
    await mkdir(join(folder, 'vault'), { mode: 0o700 });
    await symlink('vault', join(folder, 'store'));
    const signingKey = `whsec_${Buffer.from(canarySecret()).toString('base64')}`;
    await secretFile(folder, 'admin.password', adminPassword);
    await secretFile(folder, 'signing.key', signingKey);
    const { host, port, database, user } = ledger;
    const target = { type: 'postgresql', host, port, database, user, password: { file: 'admin.password' } };
    const written = {
      stateDirectory: 'state',
      targets: {
        ledger: { ...target, connectTimeoutMs: 5_000, statementTimeoutMs: 5_000, endSessionsTimeoutMs: 5_000 },
      },
      stores: { local: { type: 'local', directory: 'store', key: { file: 'store.key' } } },
      consumers: { signingKey: { file: 'signing.key' } },
      policy: { path: join(packageRoot, 'test', 'sweep', 'policies'), gate: '1h' },
      directory: writtenDirectory(directory),
    };
    await writeFile(join(folder, 'tenure.yaml'), JSON.stringify(written, undefined, 2));
    const config = await loadConfig(join(folder, 'tenure.yaml'));
    const key = readFileSync(join(folder, 'store.key'), 'utf8').trim();
    const canaries = [
      { name: 'a credential, the administrator or the signing key', secret: marker },
      { name: 'the key of the store', secret: key.slice(key.indexOf('AGE-SECRET-KEY')) },
      { name: 'the signing key as it is written', secret: signingKey },
    ];
    const consumer = createServer();
    await new Promise<void>((resolve) => consumer.listen(0, '127.0.0.1', resolve));
    const ground = new Ground(folder, postgres, await startTemporal(folder), config, consumer, canaries);
    consumer.on('request', (request, response) => {
      const name = request.url?.slice(1) ?? '';
      request.resume();
      response.writeHead(ground.stubborn.has(name) ? 409 : 204).end();
    });
    ground.elsewhereBefore = await ground.elsewhere();
    return ground;
  } catch (error) {
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function startTemporal(folder: string, port?: number): Promise<DevServer> {
  const log = join(folder, 'logs', 'temporal.log');
  return startDevServer({
    headless: true,
    dbFilename: join(folder, 'temporal.db'),
    log,
    ...(port !== undefined && { port }),
  });
}

async function firstPostgres(versions: readonly (15 | 18)[]): Promise<PostgresServer | { unavailable: string }> {
  const reasons: string[] = [];
  for (const version of versions) {
    const server = await startPostgres({ version, settings: { max_connections: '200' } });
    if (!('unavailable' in server)) return server;
    reasons.push(server.unavailable);
  }
  return { unavailable: reasons.join('; ') };
}

async function secretFile(folder: string, name: string, secret: string): Promise<void> {
  await writeFile(join(folder, name), secret, { mode: 0o600 });
}
