/** A Temporal server with a worker for exceptions: real signatures, controls and files; what identities answer is up to the test. */
import './quiet.js';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { pino } from 'pino';
import { createEvidenceActivities } from '../../activities/evidence.js';
import { createExceptionActivities, type ExceptionDependencies } from '../../activities/exceptions.js';
import { guardActivities } from '../../activities/interceptor.js';
import { createTrustActivities } from '../../activities/trust.js';
import type { Directory } from '../../src/domain/directory.js';
import {
  exceptionId,
  exceptionMessages,
  exceptionWorkflow,
  type ExceptionRecord,
  type ExceptionStart,
  type ExceptionState,
  type ExceptionTerms,
  type Withdrawal,
} from '../../src/domain/exception.js';
import { newIdentity, type Freeze, type IdentityState } from '../../src/domain/identity.js';
import type { Ballot, GateState } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { taskQueue } from '../../src/domain/wire.js';
import { openEvidenceWriter, type EvidenceWriter } from '../../src/evidence/open.js';
import { exceptionsSchema, type ExceptionSettings } from '../../src/exceptions/options.js';
import { publishedIn } from '../../src/exceptions/published.js';
import { policySource, type Policy } from '../../src/policy/policy.js';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import { connectClient, connectWorker } from '../../src/temporal/connection.js';
import { startDevServer } from '../../src/temporal/dev-server.js';
import type { OnRecord } from '../../src/trust/specs.js';
import { decisionSigned, wordSigned } from '../../src/trust/statements.js';
import { eventually } from './engine.js';
import { automation, directoryOf, person, type TestSigner } from './signers.js';
import { specOf } from './spec.js';

export const ada = person('ada@example.com');
export const grace = person('grace@example.com', { groups: ['security'] });
export const alan = person('alan@example.com', { groups: ['security'] });
export const robot = automation('automation/tenure', 'alan@example.com');
/** Owns every identity here. */
export const olga = person('olga@example.com');

/** Of no group, and of no part in any exception. */
export const nils = person('nils@example.com');

/** What a test sets and sees. */
export interface Around {
  directory: Directory;
  readonly settings: ExceptionSettings;
  /** Those that come with Tenure, unless a test has others. */
  policy: Policy;
  freezes: readonly Freeze[];
  /** What the worker has on record about any identity; what it says it is, unless a test says so. */
  onRecord?: OnRecord;
  readonly asked: ChangeRequest[];
  readonly notices: { readonly level: string; readonly text: string }[];
  state: (identity: string) => IdentityState;
}

const shipped = await policySource({ productionEnvironments: ['production'] }).current();
let count = 0;

/** Terms that can be approved; a test names what differs. */
export function termsOf(differs: Partial<ExceptionTerms> = {}): ExceptionTerms {
  count += 1;
  return {
    v: 1,
    id: `exc-${process.pid}-${count}`,
    identity: 'payments-db',
    rules: ['rotation-overdue'],
    reason: 'the vendor changes its driver next week',
    controls: [{ kind: 'command', name: 'yes' }],
    until: new Date(Date.now() + 3_600_000).toISOString(),
    afterwards: 'rotate',
    by: ada.name,
    ...differs,
  };
}

export function asked(terms: ExceptionTerms, signer: TestSigner = ada): Promise<ExceptionTerms> {
  return wordSigned(terms, { verb: 'except', subject: terms.id, id: `ask-${terms.id}` }, signer);
}

export async function ballotOf(
  signer: TestSigner,
  operation: string,
  gate: GateState,
  decision: 'approve' | 'deny' = 'approve',
): Promise<Ballot> {
  const { run, round, planDigest: plan, policyDigest: policy, evidenceDigest: evidence, requester } = gate;
  const own = { operation, run, round, plan, policy, evidence, requester, decision, reason: 'looked at it' };
  return { signed: await decisionSigned(own, signer) };
}

export function withdrawalOf(id: string, signer: TestSigner): Promise<Withdrawal> {
  const word = { by: signer.name, reason: 'it is not needed any more' };
  return wordSigned(word, { verb: 'withdraw-exception', subject: id, id: `withdraw-${id}` }, signer);
}

export class ExceptionEngine {
  private constructor(
    readonly client: Client,
    readonly address: string,
    readonly bundle: WorkflowBundleOption,
    readonly around: Around,
    readonly folder: string,
    readonly evidence: EvidenceWriter,
    private readonly close: () => Promise<void>,
  ) {}

  static async start(): Promise<ExceptionEngine> {
    const server = await startDevServer({ headless: true });
    const { address, namespace } = server;
    const [connected, own] = [await connectClient({ address, namespace }), await connectWorker({ address, namespace })];
    const bundle = { code: await readFile(await buildWorkflowBundle(), 'utf8') };
    const folder = await mkdtemp(join(tmpdir(), 'tenure-exceptions-'));
    const around = aroundOf(folder);
    const deps = dependenciesOf(around, folder);
    const evidence = openEvidenceWriter({
      stateDirectory: folder,
      evidence: { name: 'tenure', log: { directory: join(folder, 'evidence') } },
    });
    const worker = await Worker.create({
      connection: own.connection,
      taskQueue,
      workflowBundle: bundle,
      activities: {
        ...createExceptionActivities(deps),
        ...createTrustActivities({ loadDirectory: deps.loadDirectory }),
        ...createEvidenceActivities({
          evidence,
          client: connected.client,
          workflows: bundle.code,
          directory: deps.loadDirectory,
          published: deps.published,
          log: pino({ level: 'silent' }),
        }),
        notify: async (notice: Around['notices'][number]) => void around.notices.push(notice),
      },
      interceptors: { activity: [guardActivities(pino({ level: 'silent' }))] },
    });
    const running = worker.run();
    return new ExceptionEngine(connected.client, address, bundle, around, folder, evidence, async () => {
      worker.shutdown();
      await running;
      await own.connection.close();
      await connected.connection.close();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    });
  }

  stop(): Promise<void> {
    return this.close();
  }

  begin(id: string, start: ExceptionStart): Promise<WorkflowHandle> {
    return this.client.workflow.start(exceptionWorkflow, { workflowId: exceptionId(id), taskQueue, args: [start] });
  }

  when(id: string, isSo: (state: ExceptionState) => boolean): Promise<ExceptionState> {
    const handle = this.client.workflow.getHandle(exceptionId(id));
    return eventually(() => handle.query<ExceptionState>(exceptionMessages.exception), isSo);
  }

  /** Asked for, approved by grace, and holding. */
  async holding(differs: Partial<ExceptionTerms> = {}, start: Partial<ExceptionStart> = {}): Promise<ExceptionTerms> {
    const terms = await asked(termsOf(differs));
    const handle = await this.begin(terms.id, { terms, ...start });
    const { gate } = await this.when(terms.id, ({ phase }) => phase === 'gate');
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    await this.when(terms.id, ({ phase }) => phase === 'active');
    return terms;
  }

  /** Makes a control `flag-…` hold, or hold no more. */
  async flag(name: 'flag-a' | 'flag-b', holds: boolean): Promise<void> {
    const file = join(this.folder, name);
    await (holds ? writeFile(file, '') : rm(file, { force: true }));
  }

  published(id: string): Promise<ExceptionRecord | undefined> {
    return publishedIn(this.folder).read(id);
  }

  async replays(id: string): Promise<void> {
    const history = await this.client.workflow.getHandle(exceptionId(id)).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: this.bundle }, history, exceptionId(id));
  }
}

/** The control `flag-…` holds for as long as there is a file of that name. */
export function aroundOf(folder: string): Around {
  const flag = (name: string): string[] => ['/usr/bin/test', '-e', join(folder, name)];
  const spec = { ...specOf('payments-db'), owner: { person: olga.name } };
  return {
    directory: directoryOf(ada, grace, alan, olga, nils, robot),
    settings: {
      ...exceptionsSchema.parse({
        commands: { yes: ['/bin/true'], no: ['/bin/false'], 'flag-a': flag('flag-a'), 'flag-b': flag('flag-b') },
      }),
      checkEvery: 300,
    },
    policy: shipped,
    freezes: [],
    asked: [],
    notices: [],
    state: (name) => ({ ...newIdentity(name), status: 'active', spec: { ...spec, name } }),
  };
}

function permittedAs({ name: identity, spec }: IdentityState): OnRecord {
  const by = { request: 'p-0', by: olga.name, how: 'permitted', at: new Date(0).toISOString() } as const;
  return { noted: spec ? [{ v: 1, identity, ...by, spec }] : [] };
}

export function dependenciesOf(around: Around, folder: string): ExceptionDependencies {
  return {
    settings: around.settings,
    published: publishedIn(folder),
    loadDirectory: async () => around.directory,
    loadPolicy: async () => around.policy,
    loadFreezes: async () => around.freezes,
    onRecord: async (name) => around.onRecord ?? permittedAs(around.state(name)),
    others: {
      state: async (name) => around.state(name),
      ask: async (_name, request) => {
        around.asked.push(request);
        return { accepted: true, queued: 0, note: 'starts now' };
      },
      open: async () => true,
      proposedSince: async () => undefined,
    },
    target: () => {
      throw new Error('no test here looks at a target');
    },
    signer: async () => robot,
  };
}
