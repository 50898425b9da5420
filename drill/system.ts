/** A whole system for drills: a real PostgreSQL, Temporal's development server, a worker, and an operator who may change every file. */
import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { loadConfig } from '../src/config/load.js';
import type { TenureConfig } from '../src/config/types.js';
import type { ExceptionRecord } from '../src/domain/exception.js';
import type { IdentitySpec } from '../src/domain/identity.js';
import {
  decide,
  processOf,
  send,
  signedRequest,
  stateWhen,
  until,
  type OperatorsHand,
  type Range,
} from '../src/drills/range.js';
import { publishedIn } from '../src/exceptions/published.js';
import { identityId, identityWorkflow, taskQueue } from '../src/domain/wire.js';
import { shippedPolicies } from '../src/policy/pack.js';
import { createLocalStoreKey } from '../src/stores/local.js';
import { openStores } from '../src/stores/registry.js';
import { connectClient, connectWorker } from '../src/temporal/connection.js';
import { startDevServer } from '../src/temporal/dev-server.js';
import { ensureSearchAttributes } from '../src/temporal/registration.js';
import { ballotFor } from '../src/trust/ballot.js';
import { writtenDirectory } from '../src/trust/directory-schema.js';
import { createWorker } from '../src/worker.js';
import { automation, directoryOf, person } from '../test/support/signers.js';
import { makeLedger } from '../test/systems/ledger.js';
import { startPostgres } from '../test/systems/postgresql.js';

const asker = person('ada@example.com', { groups: ['platform'] });
const approver = person('grace@example.com', { groups: ['platform', 'security'] });
// In a group that may decide: what it lacks is being a person.
const machine = automation('automation/tenure', 'rosa@example.com', { groups: ['platform'] });
const owner = person('rosa@example.com', { groups: ['payments'] });

const spec: IdentitySpec = {
  name: 'drill-db',
  kind: 'database-role',
  owner: { person: owner.name, team: 'payments' },
  purpose: 'is there to be attacked',
  environment: 'production',
  dataClass: 'internal',
  target: { name: 'ledger-db', scope: { grants: [{ on: 'ledger', may: ['select', 'insert'] }] } },
  deliver: [{ store: 'local', path: 'drill/db' }],
  consumers: [],
  rotation: {
    name: 'drills',
    strategy: 'alternate',
    everyMs: 30 * 86_400_000,
    graceMs: 0,
    whenInUse: 'go-on',
    jitterMs: 0,
    freeze: [],
    whenNoWindow: 'skip',
    whenNotTaken: 'unwind',
  },
  tags: {},
};

export interface DrillSystem {
  readonly range: Range;
  stop(): Promise<void>;
}

/** Starts everything and provisions the identity of the drills. Throws with what is missing. */
export async function startSystem(): Promise<DrillSystem> {
  const closers: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.toReversed()) await close().catch(() => undefined);
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'tenure-drill-'));
    closers.push(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startPostgres({ version: 18 });
    if ('unavailable' in postgres) throw new Error(postgres.unavailable);
    closers.push(() => postgres.stop());
    const config = await makeFolder(folder, await makeLedger(postgres));
    const server = await startDevServer({ dbFilename: join(folder, 'temporal.db'), headless: true });
    closers.push(() => server.stop());
    const options = { address: server.address, namespace: server.namespace, alone: true };
    const { client, connection } = await connectClient(options);
    closers.push(() => connection.close());
    await ensureSearchAttributes(connection, server.namespace);
    const forWorker = await connectWorker(options);
    closers.push(() => forWorker.connection.close());
    const log = pino({ level: 'silent' });
    const worker = await createWorker({ config, ...forWorker, log });
    const ended = worker.run();
    closers.push(async () => {
      worker.shutdown();
      await ended;
    });
    const range = {
      client,
      spec,
      asker,
      approver,
      machine,
      forger: (name: string) => person(name),
      hand: handOn(config),
    };
    await provision(range);
    return { range, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function makeFolder(
  folder: string,
  { host, port, database, user, adminPassword }: Awaited<ReturnType<typeof makeLedger>>,
): Promise<TenureConfig> {
  await writeFile(join(folder, 'admin.password'), adminPassword, { mode: 0o600 });
  await createLocalStoreKey(join(folder, 'store.key'));
  await cp(shippedPolicies, join(folder, 'policies'), { recursive: true });
  const file = join(folder, 'tenure.yaml');
  const written = {
    stateDirectory: 'state',
    targets: { 'ledger-db': { type: 'postgresql', host, port, database, user, password: { file: 'admin.password' } } },
    stores: { local: { type: 'local', directory: 'store', key: { file: 'store.key' } } },
    policy: { path: 'policies', gate: '1h' },
    directory: writtenDirectory(directoryOf(asker, approver, machine, owner)),
  };
  await writeFile(file, JSON.stringify(written));
  return loadConfig(file);
}

/** Asks for the first credential and approves it. */
async function provision(range: Range): Promise<void> {
  const { client } = range;
  await client.workflow.start(identityWorkflow, {
    workflowId: identityId(spec.name),
    taskQueue,
    args: [{ name: spec.name }],
  });
  const answer = await send(range, await signedRequest(range, { kind: 'provision', spec }));
  if (!answer.accepted || answer.operation === undefined)
    throw new Error(`the identity of the drills was not provisioned: ${answer.accepted ? answer.note : answer.reason}`);
  const { operation } = answer;
  const { gate } = await until(
    'the provision waits for approval',
    () => processOf(range, operation),
    (state) => state.gate?.outcome === 'open',
  );
  await decide(range, operation, await ballotFor(range.approver, 'approve', operation, gate!, 'for the drills'));
  const { status, recent } = await stateWhen(range, 'it is provisioned', ({ running }) => running === undefined);
  if (status !== 'active') throw new Error(`the identity of the drills is ${status}: ${recent.at(-1)?.message}`);
}

function handOn(config: TenureConfig): OperatorsHand {
  const { file, stateDirectory } = config;
  const policyFile = join(config.policy.path ?? '', 'gates.cedar');
  return {
    removeKey: (signer) =>
      changed(file, (text) => {
        const written = JSON.parse(text) as Record<string, unknown>;
        const others = [asker, approver, machine, owner].filter(({ name }) => name !== signer.name);
        return JSON.stringify({ ...written, directory: writtenDirectory(directoryOf(...others)) });
      }),
    freeze: (lastsMs) =>
      changed(file, (text) => {
        const [from, to] = [-3_600_000, lastsMs].map((ms) => new Date(Date.now() + ms).toISOString());
        return JSON.stringify({ ...(JSON.parse(text) as object), freezes: [{ from, to, reason: 'a drill' }] });
      }),
    loosenPolicies: () => changed(policyFile, () => '// Nobody is asked any more.\n'),
    async leaveExpiredException(identity, rule) {
      const id = `drill-${randomUUID()}`;
      const past = new Date(Date.now() - 1_000).toISOString();
      const terms = {
        v: 1,
        id,
        identity,
        rules: [rule],
        reason: 'a drill',
        controls: [],
        until: past,
        afterwards: 'validate',
        by: asker.name,
      };
      const record = {
        v: 1,
        terms,
        run: '',
        gate: { votes: [] },
        approvedAt: past,
        status: 'active',
        since: past,
        why: '',
        checks: [],
        checkedAt: new Date().toISOString(),
        checkEveryMs: 60_000,
      };
      const published = publishedIn(stateDirectory);
      await published.create(record as unknown as ExceptionRecord);
      return () => published.end(id, { since: past, why: 'the drill is over' });
    },
    mayDelete: (identity) => mayDelete(config, identity),
  };
}

/** A login with what consumers read, and an attempt that touches no row. */
async function mayDelete(config: TenureConfig, identity: string): Promise<boolean> {
  const { material } = (await openStores(config).get('local').read(spec.deliver[0]!.path, { slot: 'current' })) ?? {};
  if (!material) throw new Error(`the store has no credential of ${identity}`);
  const target = config.targets['ledger-db'] as unknown as { host: string; port: number; database: string };
  const { host, port, database } = target;
  const { username: user, password } = material as unknown as { username: string; password: string };
  const client = new pg.Client({ host, port, database, user, password });
  // Sessions are ended with the rights: then the next look tells.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query('DELETE FROM ledger WHERE false');
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === '42501') return false;
    throw error;
  } finally {
    await client.end();
  }
}

/** Changes a file; what is given back puts it as it was. */
async function changed(file: string, change: (text: string) => string): Promise<() => Promise<void>> {
  const before = await readFile(file, 'utf8');
  await writeFile(file, change(before));
  return () => writeFile(file, before);
}
