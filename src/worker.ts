/** The composition root: the only place that knows every part. */
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createConsumerActivities } from '../activities/consumers.js';
import type {
  ConsumerActivities,
  CredentialActivities,
  FleetActivities,
  PolicyActivities,
  RecordActivities,
} from '../activities/contract.js';
import { createCredentialActivities } from '../activities/credentials.js';
import { createEvidenceActivities } from '../activities/evidence.js';
import { createFleetActivities } from '../activities/fleet.js';
import { guardActivities, type ActivityProbe } from '../activities/interceptor.js';
import { createNoticeActivities } from '../activities/notices.js';
import { createPolicyActivities } from '../activities/policy.js';
import { loadFreezes } from './config/load.js';
import type { TenureConfig } from './config/types.js';
import type { Freeze } from './domain/identity.js';
import { emergencyTaskQueue, taskQueue } from './domain/wire.js';
import { plainPolicy } from './policy/policy.js';
import { startDelayMs } from './schedule/due.js';
import { openStores } from './stores/registry.js';
import { openTargets, type Targets } from './targets/registry.js';
import { workflowBundlePath } from './temporal/bundle.js';

/** Everything that a workflow may call. */
export type Activities = CredentialActivities &
  PolicyActivities &
  ConsumerActivities &
  RecordActivities &
  FleetActivities;

export interface TenureWorkerOptions {
  readonly config: TenureConfig;
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly log: Logger;
  /** Sees both edges of every activity; for tests that make faults. */
  readonly probe?: ActivityProbe;
}

/** A worker of both task queues. */
export interface TenureWorker {
  /** Resolves when the worker has been shut down and has finished what it was doing. */
  run(): Promise<void>;
  shutdown(): void;
}

/** How long running activities may go on after a shutdown was asked for, milliseconds. */
const graceMs = 10_000;

/** Makes a worker. It holds the keys of targets and stores, so it runs where only operators can log in. */
export async function createWorker(options: TenureWorkerOptions): Promise<TenureWorker> {
  const { config, connection, namespace, log, probe } = options;
  const targets = openTargets(config);
  const activities = createActivities(options, targets);
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    activities,
    workflowBundle: { codePath: workflowBundlePath() },
    interceptors: { activity: [guardActivities(log, probe)] },
    shutdownGraceTime: graceMs,
    // A dead worker's sticky queue is given up soon, so that another worker takes its workflows over.
    stickyQueueScheduleToStartTimeout: 3_000,
  };
  const workers = await Promise.all(
    [taskQueue, emergencyTaskQueue].map((queue) => Worker.create({ ...common, taskQueue: queue })),
  );
  return {
    async run() {
      try {
        await Promise.all(workers.map((worker) => worker.run()));
      } finally {
        await targets.close();
      }
    },
    shutdown() {
      for (const worker of workers) worker.shutdown();
    },
  };
}

function createActivities({ config, connection, namespace, log }: TenureWorkerOptions, targets: Targets): Activities {
  const stores = openStores(config);
  const freezes = (): Promise<readonly Freeze[]> => loadFreezes(config.file);
  const policy = createPolicyActivities({ policy: plainPolicy(config.policy), loadFreezes: freezes });
  const { consumers, notices } = config;
  return {
    ...createCredentialActivities({ target: (name) => targets.get(name), store: (name) => stores.get(name) }),
    ...policy,
    ...createConsumerActivities({ stores, log, ...consumers }),
    ...createEvidenceActivities(join(config.stateDirectory, 'evidence')),
    ...createNoticeActivities({ log, ...notices, ...consumers }),
    ...createFleetActivities({
      client: new Client({ connection, namespace }),
      perTarget: config.fleet.perTarget,
      due: policy.due,
      delayOf: async (spec, lastRotatedAt) =>
        startDelayMs(spec.name, { policy: spec.rotation, lastRotatedAt, freezes: await freezes(), now: new Date() }),
    }),
  };
}
