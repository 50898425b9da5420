/** The composition root: the only place that knows every part. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createConsumerActivities } from '../activities/consumers.js';
import type {
  ConsumerActivities,
  CredentialActivities,
  FleetActivities,
  PolicyActivities,
  RecordActivities,
  TrustActivities,
} from '../activities/contract.js';
import { createCredentialActivities } from '../activities/credentials.js';
import { createEvidenceActivities } from '../activities/evidence.js';
import { routineSeal } from '../activities/evidence/routine.js';
import { createExceptionActivities } from '../activities/exceptions.js';
import { othersOf } from '../activities/exceptions/others.js';
import { createFleetActivities } from '../activities/fleet.js';
import { guardActivities, type ActivityProbe } from '../activities/interceptor.js';
import { createReviewActivities } from '../activities/reviews.js';
import { createNoticeActivities } from '../activities/notices.js';
import { emergencyPolicy } from '../activities/emergency.js';
import { createPolicyActivities } from '../activities/policy.js';
import { createRoutineReviewActivities } from '../activities/routine-review.js';
import { createTrustActivities } from '../activities/trust.js';
import { watchingUse } from '../activities/credentials/watch.js';
import { loadFreezes } from './config/load.js';
import type { TenureConfig } from './config/types.js';
import type { Directory } from './domain/directory.js';
import type { ExceptionActivities } from './domain/exception.js';
import type { Freeze } from './domain/identity.js';
import type { RoutineReviewActivities } from './domain/routine-review.js';
import { emergencyTaskQueue, taskQueue } from './domain/wire.js';
import { remembering } from './evidence/attachments.js';
import { openEvidenceWriter } from './evidence/open.js';
import { liveExceptions } from './exceptions/live.js';
import { publishedIn } from './exceptions/published.js';
import { policySource } from './policy/policy.js';
import { startDelayMs } from './schedule/due.js';
import { openStores } from './stores/registry.js';
import type { Store } from './stores/store.js';
import { openTargets, type Targets } from './targets/registry.js';
import type { Target } from './targets/target.js';
import { askingAgain } from './temporal/ask-again.js';
import { workflowBundlePath } from './temporal/bundle.js';
import { dataConverterFor, workflowBundleFor } from './temporal/codec/converter.js';
import { declarationsIn } from './trust/declared.js';
import { decisionsIn } from './trust/decided.js';
import { directorySource } from './trust/directory-file.js';
import { collectFacts, lastApproved, type FactSources } from './trust/facts.js';
import { gatesIn } from './trust/gates.js';
import { onRecordOf } from './trust/on-record.js';
import { noneIfRefused } from './trust/refusal.js';
import { declaredNow } from './trust/specs.js';
import { loansIn } from './trust/lent.js';
import { lastEpochPermitted, numbersIn } from './trust/numbers.js';
import { lookingAtRuns } from './trust/our-run.js';
import { watchOverdue } from './trust/overdue.js';
import { permitsIn, type Permits } from './trust/permits.js';
import { automationSigner } from './trust/sign.js';
import { useWatch } from './trust/use-watch.js';

/** Everything that a workflow may call. */
export type Activities = CredentialActivities &
  PolicyActivities &
  ConsumerActivities &
  RecordActivities &
  TrustActivities &
  ExceptionActivities &
  RoutineReviewActivities &
  FleetActivities;

export interface TenureWorkerOptions {
  readonly config: TenureConfig;
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly log: Logger;
  /** Sees both edges of every activity; for tests that make faults. */
  readonly probe?: ActivityProbe;
  /** Stands around every target and store; for tests that watch and spoil single calls. */
  readonly around?: { target(target: Target): Target; store(store: Store): Store };
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
  const permits = permitsIn(join(config.stateDirectory, 'permits'));
  const loans = loansIn(join(config.stateDirectory, 'lent'));
  const dataConverter = await dataConverterFor(config);
  const workflowBundle = await workflowBundleFor(config, workflowBundlePath());
  // Read once: the file may be built anew while this worker runs, and records name the code that ran.
  const code = 'code' in workflowBundle ? workflowBundle.code : await readFile(workflowBundle.codePath, 'utf8');
  const activities = createActivities(options, targets, permits, dataConverter, code);
  const common: Omit<WorkerOptions, 'taskQueue'> = {
    connection,
    namespace,
    activities,
    dataConverter,
    workflowBundle: { code },
    interceptors: { activity: [guardActivities(log, { permits, loans }, probe)] },
    shutdownGraceTime: graceMs,
    // A dead worker's sticky queue is given up soon, so that another worker takes its workflows over.
    stickyQueueScheduleToStartTimeout: 3_000,
  };
  const workers = await Promise.all(
    [taskQueue, emergencyTaskQueue].map((queue) => Worker.create({ ...common, taskQueue: queue })),
  );
  return {
    async run() {
      const unwatch = watchOverdue({
        loans,
        restore: (back) => activities.restore(back),
        alert: (identity, operation, text) => activities.notify({ identity, operation, level: 'alert', text }),
      });
      try {
        await Promise.all(workers.map((worker) => worker.run()));
      } finally {
        await unwatch();
        await targets.close();
      }
    },
    shutdown() {
      for (const worker of workers) worker.shutdown();
    },
  };
}

function createActivities(
  options: TenureWorkerOptions,
  targets: Targets,
  permits: Permits,
  dataConverter: DataConverter,
  code: string,
): Activities {
  const { config, connection, namespace, log, around } = options;
  const opened = openStores(config);
  const target = (name: string): Target => around?.target(targets.get(name)) ?? targets.get(name);
  const store = (name: string): Store => around?.store(opened.get(name)) ?? opened.get(name);
  const freezes = (): Promise<readonly Freeze[]> => loadFreezes(config.file);
  const client = new Client({ connection, namespace, dataConverter, interceptors: { workflow: [askingAgain] } });
  const directory = directorySource(config);
  const evidence = openEvidenceWriter(config);
  const loadDirectory = remembering(evidence.shelf, (): Promise<Directory> => directory.current());
  const use = useWatch({ folder: join(config.stateDirectory, 'use'), target, afterMs: config.policy.unusedAfterMs });
  const recordsOf: FactSources['recordsOf'] = (identity) => evidence.reader.recordsOf(identity);
  const credentials = watchingUse(createCredentialActivities({ target, store }), use, recordsOf);
  const policies = policySource(config.policy);
  const declarations = declarationsIn(join(config.stateDirectory, 'declared'));
  const gates = gatesIn(join(config.stateDirectory, 'gates'));
  const decisions = decisionsIn(join(config.stateDirectory, 'decided'));
  const numbers = numbersIn(join(config.stateDirectory, 'numbers'));
  const known = async (identity: string) => {
    const last = lastApproved(await recordsOf(identity));
    return { last, onRecord: await onRecordOf({ permits, declarations }, identity, last?.operation) };
  };
  const facts: FactSources = {
    recordsOf,
    unusedRights: async (granted) => {
      const seen = await use.look(granted);
      return seen?.known ? seen.unused.map(({ right }) => right) : [];
    },
    inspect: ({ current, ...input }) => credentials.inspect({ ...input, ...(current && { from: current }) }),
    liftedRules: async (identity, now) =>
      (await liveExceptions(config.stateDirectory, identity, now)).flatMap(({ rules }) => rules),
  };
  const policy = createPolicyActivities({
    loadPolicy: () => policies.current(),
    loadDirectory,
    loadFreezes: freezes,
    factsOf: (input, plan, isGated) => collectFacts(facts, input, plan, isGated, new Date()),
    permits,
    lookAtRun: lookingAtRuns(client),
    declarations,
    gates,
    decisions,
    numbers,
    gateMs: config.policy.gateMs,
  });
  const { consumers, notices } = config;
  const seals = { evidence, client, workflows: code, directory: loadDirectory, log };
  return {
    ...credentials,
    // A store that does not answer keeps nobody waiting where it is known here what was permitted last: nothing has a fence beyond that.
    lastEpoch: async (spec) => {
      const permitted = await lastEpochPermitted(numbers, spec.name);
      const fenced = await credentials.lastEpoch(spec).catch((error: unknown) => {
        if (permitted === 0) throw error;
        return 0;
      });
      return Math.max(fenced, permitted);
    },
    ...policy,
    ...createTrustActivities({
      loadDirectory,
      declarations,
      gates,
      demandEmergency: emergencyPolicy({ loadPolicy: () => policies.current(), loadDirectory, declarations }),
    }),
    ...createConsumerActivities({ stores: { get: store }, log, ...consumers }),
    ...createEvidenceActivities({
      ...seals,
      permitOf: (operation, run) => permits.demand(operation, run).catch(noneIfRefused),
      decisions,
      gates,
      published: publishedIn(config.stateDirectory),
    }),
    ...createReviewActivities({ client, loadDirectory }),
    ...createRoutineReviewActivities({
      client,
      evidence: evidence.reader,
      published: publishedIn(config.stateDirectory),
      loadDirectory,
      settings: config.review,
      keep: routineSeal(seals),
    }),
    ...createExceptionActivities({
      settings: config.exceptions,
      published: publishedIn(config.stateDirectory),
      loadDirectory,
      loadPolicy: () => policies.current(),
      loadFreezes: freezes,
      others: othersOf(client),
      onRecord: async (identity) => (await known(identity)).onRecord,
      target,
      signer: () => automationSigner(config, directory),
    }),
    ...createNoticeActivities({ log, ...notices, ...consumers }),
    ...createFleetActivities({
      client,
      perTarget: config.fleet.perTarget,
      runsOf: (operation) => evidence.reader.runsOf(operation),
      loadDirectory: () => directory.current(),
      signer: () => automationSigner(config, directory),
      due: policy.due,
      onRecord: async (identity) => {
        const { last, onRecord } = await known(identity);
        return { specs: declaredNow(onRecord), ...(last && { lastRotatedAt: last.endedAt }) };
      },
      delayOf: async (spec, lastRotatedAt) =>
        startDelayMs(spec.name, { policy: spec.rotation, lastRotatedAt, freezes: await freezes(), now: new Date() }),
    }),
  };
}
