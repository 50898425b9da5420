/** A Temporal server with a worker whose targets are fakes and whose store is the real one, for tests of workflow logic. */
import './quiet.js';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WithStartWorkflowOperation, type Client, type WorkflowHandle } from '@temporalio/client';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { pino } from 'pino';
import type { AuthorizeInput, ConsumerActivities } from '../../activities/contract.js';
import { createCredentialActivities } from '../../activities/credentials.js';
import { createEvidenceActivities } from '../../activities/evidence.js';
import { createReviewActivities } from '../../activities/reviews.js';
import { createFleetActivities } from '../../activities/fleet.js';
import type { Doorway } from '../../activities/effects.js';
import { guardActivities } from '../../activities/interceptor.js';
import type { Decision, Clearance, Obligations } from '../../src/domain/decision.js';
import type { Attested, Directory } from '../../src/domain/directory.js';
import type { Facts } from '../../src/domain/facts.js';
import type { IdentitySpec, IdentityState } from '../../src/domain/identity.js';
import type { Acknowledgement, ProcessState, Timing } from '../../src/domain/process.js';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import {
  emergencyTaskQueue,
  identityId,
  identityMessages,
  identityWorkflow,
  parseProcessId,
  processMessages,
  taskQueue,
  type IdentityStart,
  type Resume,
} from '../../src/domain/wire.js';
import { TenureError } from '../../src/domain/errors.js';
import { openEvidenceWriter, type EvidenceConfig } from '../../src/evidence/open.js';
import { publishedIn } from '../../src/exceptions/published.js';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import type { Store } from '../../src/stores/store.js';
import type { Target } from '../../src/targets/target.js';
import { loansIn } from '../../src/trust/lent.js';
import type { Permits } from '../../src/trust/permits.js';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import {
  connectClient,
  connectWorker,
  type ConnectedClient,
  type ConnectedWorker,
} from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import type { identity } from '../../workflows/identity.js';
import { automation } from './signers.js';
import { attestedAs, decisionFake, weighFake } from './ballots.js';
import { FakeTarget } from './fake-target.js';
import { Faults } from './faults.js';
import { faultyStore } from './faulty-store.js';
import { specOf } from './spec.js';

/** As whom its worker asks. */
const worker = automation('automation/tenure', 'ada@example.com');

/** Impatient, so that a test of giving up takes seconds. */
export const impatient: Timing = {
  attemptMs: 3_000,
  heartbeatMs: 2_500,
  patienceMs: 5_000,
  retryMs: 50,
  longestRetryMs: 200,
};

/** For every test that is not about giving up: a loaded machine has time. */
export const patient: Timing = { ...impatient, attemptMs: 10_000, heartbeatMs: 8_000, patienceMs: 60_000 };

/** What a test sets of everything around a process. */
export interface Surroundings extends Knobs {
  /** The target `db`. */
  readonly target: FakeTarget;
  /** The target `db-2`, for identities that move. */
  readonly target2: FakeTarget;
  /** Which runs may have an effect, from the next worker on; without, all may. */
  permits?: Permits;
  /** Real ones, by name. */
  readonly targets: Map<string, Target>;
  /** The store `local`. */
  readonly store: Store;
  /** By `<method> <path>`. */
  readonly storeFaults: Faults;
  /** What holds for one identity alone, so that tests can run side by side. */
  readonly only: Map<string, Partial<Knobs>>;
  /** `<event> <consumer>` in the order told. */
  readonly told: string[];
  readonly notices: string[];
  /** Who reviews elevations: their signatures are verified for real. */
  directory: Directory;
}

/** What an identity finds around it. */
export interface Knobs {
  obligations: Obligations;
  deny?: string;
  /** What is known of who asks, besides their name. */
  asks?: Partial<Attested>;
  /** Why nobody is known to have asked. */
  unproven?: string;
  /** Why policy does not let an amendment pass. */
  notAmended?: string;
  /** The policies by their digest: another one opens the gate again. */
  policyDigest?: string;
  /** What is known of the identity: something else opens the gate again too. */
  facts?: Facts;
  /** Whether approvals that a gate counted still count when policy is asked again. */
  stillCount?: () => boolean;
  /** A freeze that the worker finds when it would permit. */
  frozen?: () => Decision['frozen'];
  clearance: () => Clearance | Promise<Clearance>;
  takes: (consumer: string, event: string) => Acknowledgement['status'];
  nextRotation: () => Promise<string | undefined>;
}

export { specOf } from './spec.js';

export class Engine {
  private workers: Worker[] = [];
  private running: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly server: DevServer,
    private readonly connected: ConnectedClient,
    private readonly connectedWorker: ConnectedWorker,
    readonly bundle: WorkflowBundleOption,
    readonly around: Surroundings,
    private readonly folder: string,
    private readonly instead: ((engine: Engine) => object) | undefined,
  ) {}

  /** `activities`: instead of some of the fakes. */
  static async start(
    options: { readonly ui?: boolean; readonly activities?: (engine: Engine) => object } = {},
  ): Promise<Engine> {
    const server = await startDevServer({ headless: !options.ui });
    const { address, namespace } = server;
    const [connected, connectedWorker] = await Promise.all([
      connectClient({ address, namespace }),
      connectWorker({ address, namespace }),
    ]);
    // Read once: the file may be built anew while a test runs, and a replay has to meet the code that ran.
    const bundle: WorkflowBundleOption = { code: await readFile(await buildWorkflowBundle(), 'utf8') };
    const folder = await mkdtemp(join(tmpdir(), 'tenure-engine-'));
    await createLocalStoreKey(join(folder, 'key'));
    const storeFaults = new Faults();
    const store = openLocalStore('local', { directory: join(folder, 'store'), key: { file: join(folder, 'key') } });
    const around: Surroundings = {
      target: new FakeTarget('db'),
      target2: new FakeTarget('db-2'),
      targets: new Map(),
      store: faultyStore(store, storeFaults),
      storeFaults,
      only: new Map(),
      obligations: { approvals: 0, gateMs: 60_000 },
      clearance: () => ({ clear: true }),
      takes: () => 'acknowledged',
      nextRotation: () => Promise.resolve('2030-01-01T00:00:00.000Z'),
      told: [],
      notices: [],
      directory: { parties: [], revoked: [] },
    };
    const engine = new Engine(server, connected, connectedWorker, bundle, around, folder, options.activities);
    await engine.startWorker();
    return engine;
  }

  get client(): Client {
    return this.connected.client;
  }

  /** Where the records are. */
  get evidence(): EvidenceConfig {
    return {
      stateDirectory: this.folder,
      evidence: { name: 'tenure', log: { directory: join(this.folder, 'evidence') } },
    };
  }

  async startWorker(): Promise<void> {
    const common = {
      connection: this.connectedWorker.connection,
      workflowBundle: this.bundle,
      activities: this.activities(),
      interceptors: { activity: [guardActivities(pino({ level: 'silent' }), this.door())] },
      stickyQueueScheduleToStartTimeout: 500,
    };
    this.workers = await Promise.all(
      [taskQueue, emergencyTaskQueue].map((queue) => Worker.create({ ...common, taskQueue: queue })),
    );
    this.running = Promise.all(this.workers.map((worker) => worker.run()));
  }

  private door(): Doorway | undefined {
    const { permits } = this.around;
    return permits && { permits, loans: loansIn(join(this.folder, 'lent')) };
  }

  async stopWorker(): Promise<void> {
    for (const { faults } of [this.around.target, this.around.target2]) faults.letGo();
    this.around.storeFaults.letGo();
    for (const worker of this.workers) worker.shutdown();
    await this.running;
  }

  async stop(): Promise<void> {
    await this.stopWorker();
    await this.connectedWorker.connection.close();
    await this.connected.connection.close();
    await this.server.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Asks an identity, starting it where it is not there yet. */
  async ask(
    request: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>,
    name: string,
    start: Partial<IdentityStart> = {},
  ): Promise<Answer> {
    const asked: ChangeRequest = { id: `r-${Math.random()}`, requester: 'ada@example.com', ...request };
    return this.client.workflow.executeUpdateWithStart<typeof identity, Answer, [ChangeRequest]>(
      identityMessages.request,
      {
        args: [asked],
        startWorkflowOperation: new WithStartWorkflowOperation<typeof identity>(identityWorkflow, {
          workflowId: identityId(name),
          taskQueue,
          args: [{ name, timing: impatient, ...start } satisfies IdentityStart],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      },
    );
  }

  /** Asks, and waits until the process that came of it has ended. */
  async do(
    request: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>,
    name: string,
    start: Partial<IdentityStart> = {},
  ): Promise<IdentityState> {
    const id = request.id ?? `r-${Math.random()}`;
    const answer = await this.ask({ ...request, id }, name, start);
    if (!answer.accepted) throw new Error(`refused: ${answer.reason}`);
    return this.stateWhen(name, ({ recent }) => recent.some(({ requestId }) => requestId === id));
  }

  async state(name: string): Promise<IdentityState> {
    return this.client.workflow.getHandle(identityId(name)).query<IdentityState>(identityMessages.state);
  }

  async stateWhen(name: string, isSo: (state: IdentityState) => boolean): Promise<IdentityState> {
    return eventually(() => this.state(name), isSo);
  }

  process(operation: string): WorkflowHandle {
    return this.client.workflow.getHandle(operation);
  }

  /** Answers a park, once there is one. */
  async answerPark(
    operation: string,
    word: { readonly how: Resume['how'] } | { readonly reason: string },
    by = 'ada@example.com',
  ): Promise<void> {
    const { parked } = await this.processWhen(operation, (state) => state.parked !== undefined);
    const signal = 'how' in word ? processMessages.resume : processMessages.abandon;
    await this.process(operation).signal(signal, { by, since: parked!.since, ...word });
  }

  async processWhen(operation: string, isSo: (state: ProcessState) => boolean): Promise<ProcessState> {
    return eventually(() => this.process(operation).query<ProcessState>(processMessages.process), isSo);
  }

  /** Replays the whole histories of an identity and its processes against the code that is bundled now. */
  async replays(name: string): Promise<number> {
    let count = 0;
    const histories = this.client.workflow.list({ query: `WorkflowId STARTS_WITH 'nhi/${name}'` }).intoHistories();
    for await (const result of Worker.runReplayHistories({ workflowBundle: this.bundle }, histories)) {
      if (result.error) throw result.error;
      count += 1;
    }
    return count;
  }

  private activities(): object {
    const { around } = this;
    const evidence = openEvidenceWriter(this.evidence);
    const seals = createEvidenceActivities({
      evidence,
      client: this.client,
      workflows: 'code' in this.bundle ? this.bundle.code : '',
      directory: () => Promise.resolve(around.directory),
      published: publishedIn(this.folder),
      log: pino({ level: 'silent' }),
    });
    const knobsOf = (name: string): Knobs => ({ ...around, ...around.only.get(name) });
    return {
      ...createCredentialActivities({
        target: (name) =>
          around.targets.get(name) ?? named('target', { db: around.target, 'db-2': around.target2 }, name),
        store: (name) => named('store', { local: around.store }, name),
      }),
      ...seals,
      ...createReviewActivities({
        client: this.client,
        loadDirectory: () => Promise.resolve(around.directory),
      }),
      authorize: (asked: AuthorizeInput) => Promise.resolve(decisionFake(asked, knobsOf(asked.input.identity))),
      attest: ({ asked, identity }: { asked: ChangeRequest; identity: string }) => {
        const { unproven } = knobsOf(identity);
        if (unproven === undefined) return Promise.resolve(attestedAs(asked.requester));
        return Promise.reject(new TenureError('ApprovalRefused', unproven));
      },
      attestWord: ({ subject, content }: { subject: string; content: unknown }) => {
        const { unproven } = knobsOf(parseProcessId(subject)?.name ?? '');
        if (unproven === undefined) return Promise.resolve(attestedAs((content as { by: string }).by));
        return Promise.reject(new TenureError('ApprovalRefused', unproven));
      },
      weigh: weighFake,
      clearance: ({ spec, emergency }: { spec: IdentitySpec; emergency: boolean }) =>
        Promise.resolve(emergency ? { clear: true } : knobsOf(spec.name).clearance()),
      nextRotation: ({ spec }: { spec: IdentitySpec }) => knobsOf(spec.name).nextRotation(),
      due: () => Promise.resolve({ due: true, reason: 'due', detail: 'it is due' }),
      amendment: ({ identity }: { identity: string }) => {
        const { notAmended } = knobsOf(identity);
        if (notAmended === undefined) return Promise.resolve({ allowed: true, policies: ['a-test'] });
        return Promise.resolve({ allowed: false, policies: ['a-test'], reason: notAmended });
      },
      notify: ({ text }: { text: string }) => Promise.resolve(void around.notices.push(text)),
      handOver: ({ identity, consumers, event }: Parameters<ConsumerActivities['handOver']>[0]) =>
        Promise.resolve(
          consumers.map(({ name }) => {
            around.told.push(`${event} ${name}`);
            return { consumer: name, status: knobsOf(identity).takes(name, event), detail: 'as the test says' };
          }),
        ),
      ...createFleetActivities({
        client: this.client,
        perTarget: 2,
        due: () => Promise.resolve({ due: true, reason: 'due', detail: 'it is due' }),
        runsOf: (operation) => evidence.reader.runsOf(operation),
        signer: () => Promise.resolve(worker),
        loadDirectory: () => Promise.resolve(around.directory),
        onRecord: (name) => Promise.resolve({ specs: [specOf(name)] }),
        delayOf: () => Promise.resolve(0),
      }),
      ...this.instead?.(this),
    };
  }
}

function named<T>(what: string, there: Readonly<Record<string, T>>, name: string): T {
  const found = there[name];
  if (!found) throw new TenureError('InvalidRequest', `${what} ${name} is not in tenure.yaml`);
  return found;
}

/** Looks again and again until it is so; the limit is far above what a loaded machine needs. */
export async function eventually<T>(look: () => Promise<T>, isSo: (seen: T) => boolean, limitMs = 50_000): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const seen = await look().catch((error: unknown) =>
      Date.now() > end ? Promise.reject(error as Error) : undefined,
    );
    if (seen !== undefined && isSo(seen)) return seen;
    if (Date.now() > end)
      throw new Error(`it did not come about: ${JSON.stringify(seen, undefined, 1)?.slice(0, 3_000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
