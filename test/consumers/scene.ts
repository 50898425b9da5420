/** What the tests of consumers share: a real local store with a credential in it, and a hand-over that tells of it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsumerActivities, type ConsumerDependencies } from '../../activities/consumers.js';
import type { ConsumerActivities } from '../../activities/contract.js';
import type { Consumer, IdentitySpec } from '../../src/domain/identity.js';
import type { Acknowledgement } from '../../src/domain/process.js';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import type { Material, Store } from '../../src/stores/store.js';

export const version = 'nhi/payments-db/rotate/3';
export const epoch = 6;
export const secret = 'pa\'ss $w`o"r\\d #42';
/** `whsec_` and 32 bytes that are nobody's key. */
export const signingKey = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

type HandOver = Parameters<ConsumerActivities['handOver']>[0];

export interface Scene {
  readonly folder: string;
  readonly store: Store;
  readonly activities: ConsumerActivities;
  readonly logged: string[];
  tell(consumers: readonly Consumer[], change?: Partial<HandOver>): Promise<readonly Acknowledgement[]>;
  close(): Promise<void>;
}

export async function newScene(material: Material = { username: 'payments-db_b', password: secret }): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-consumers-'));
  const options = { directory: join(folder, 'store'), key: { file: join(folder, 'store.key') } };
  await createLocalStoreKey(options.key.file);
  const store = openLocalStore('local', options);
  await store.stage('payments/db', { operation: version, epoch }, () => Promise.resolve(material));
  await store.publish('payments/db', { operation: version, epoch });
  const logged: string[] = [];
  const note = (...line: unknown[]): void => void logged.push(JSON.stringify(line));
  process.env['TENURE_TEST_SIGNING_KEY'] = signingKey;
  const activities = createConsumerActivities({
    stores: { get: () => store },
    signingKey: { env: 'TENURE_TEST_SIGNING_KEY' },
    programs: [process.execPath, '/bin/sh', '/bin/sleep', '/bin/false', '/nowhere/to/be/found', folder],
    folders: [folder, '/nowhere'],
    hosts: [],
    log: { info: note, warn: note } as ConsumerDependencies['log'],
  });
  return {
    folder,
    store,
    activities,
    logged,
    tell: (consumers, change) => activities.handOver(handOver(consumers, change)),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The input of a hand-over, showing only what differs. */
export function handOver(consumers: readonly Consumer[], change: Partial<HandOver> = {}): HandOver {
  const spec = { name: 'payments-db', deliver: [{ store: 'local', path: 'payments/db' }], consumers };
  return {
    identity: 'payments-db',
    operation: version,
    epoch,
    spec: spec as unknown as IdentitySpec,
    version,
    event: 'credential.published',
    consumers,
    ...change,
  };
}
