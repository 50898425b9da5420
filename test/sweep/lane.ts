/** Workers of one Temporal namespace: inside this process, or as processes of their own that a fault can kill. */
import { fork, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { copyFile, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { destination, pino } from 'pino';
import { packageRoot } from '../../src/package-root.js';
import { workflowBundlePath } from '../../src/temporal/bundle.js';
import { createWorker, type TenureWorkerOptions } from '../../src/worker.js';
import type { Material } from '../../src/stores/store.js';
import { compiled } from '../stores/compiled.js';
import type { Ground } from './ground.js';
import { probeOf, watchedStore, watchedTarget, type Meeting, type Verdict, type Witness } from './witness.js';

/** What a worker's process asks. */
export interface Question {
  readonly id: number;
  readonly meeting?: Meeting;
  readonly minted?: readonly [string, string, Material];
  readonly installing?: readonly [string, string, Material];
}

export interface Answer {
  readonly id: number;
  readonly verdict: Verdict;
}

/** Who hears of one identity's steps. */
export interface Listener {
  meet(meeting: Meeting, kill: () => void): Promise<Verdict>;
  minted(operation: string, material: Material): void;
  installing(operation: string, material: Material): Promise<void>;
}

export interface InsideOptions {
  /** Plants a violation, below what the sweep watches. */
  readonly spoil?: NonNullable<TenureWorkerOptions['around']>;
  /** How long a gate stays open. */
  readonly gateMs?: number;
}

export class Lane {
  private readonly listeners = new Map<string, Listener>();
  private end: () => Promise<void> = () => Promise.resolve();

  private constructor(
    readonly ground: Ground,
    readonly namespace: string,
    readonly client: Client,
  ) {}

  /** A lane whose worker runs in this process. */
  static async inside(ground: Ground, namespace: string, { spoil, gateMs }: InsideOptions = {}): Promise<Lane> {
    const lane = await Lane.open(ground, namespace);
    if (spoil) lane.spoil = spoil;
    const witness = lane.witness(() => {
      throw new Error('a worker in this process cannot be killed');
    });
    const connection = await NativeConnection.connect({ address: ground.temporal.address });
    const { policy } = ground.config;
    const worker = await createWorker({
      config: { ...ground.config, policy: { ...policy, gateMs: gateMs ?? policy.gateMs } },
      connection,
      namespace,
      log: pino({ level: 'debug' }, destination({ dest: join(ground.logs, `${namespace}.log`), sync: false })),
      probe: probeOf(witness),
      around: {
        target: (target) => watchedTarget(lane.spoil.target(target), witness),
        store: (store) => watchedStore(lane.spoil.store(store), witness),
      },
    });
    const running = worker.run();
    lane.end = async () => {
      worker.shutdown();
      await running;
      await connection.close();
    };
    return lane;
  }

  /** A lane with `count` workers as processes of their own. One that is killed is followed by another. */
  static async outside(ground: Ground, namespace: string, program: string, count = 1): Promise<Lane> {
    const lane = await Lane.open(ground, namespace);
    const workers = Array.from(
      { length: count },
      (_, index) => new WorkerProcess(lane, program, `${namespace}-${index}`),
    );
    lane.end = async () => void (await Promise.all(workers.map((worker) => worker.stop())));
    lane.workers = workers;
    return lane;
  }

  /** What the violation is that this lane has planted, also for what the sweep itself tries through it. */
  spoil: NonNullable<InsideOptions['spoil']> = { target: (target) => target, store: (store) => store };
  /** Only in a lane of processes. */
  workers: readonly WorkerProcess[] = [];

  listen(identity: string, listener: Listener): void {
    this.listeners.set(identity, listener);
  }

  forget(identity: string): void {
    this.listeners.delete(identity);
  }

  stop(): Promise<void> {
    return this.end();
  }

  witness(kill: () => void): Witness {
    return {
      meet: async (meeting) => (await this.listeners.get(meeting.identity)?.meet(meeting, kill)) ?? 'go',
      minted: async (identity, operation, material) => this.listeners.get(identity)?.minted(operation, material),
      installing: async (identity, operation, material) =>
        this.listeners.get(identity)?.installing(operation, material),
    };
  }

  private static async open(ground: Ground, namespace: string): Promise<Lane> {
    if (namespace !== ground.temporal.namespace) await ground.addNamespace(namespace);
    return new Lane(ground, namespace, await ground.client(namespace));
  }
}

/** One worker's process, started again whenever it is killed. */
export class WorkerProcess {
  kills = 0;
  private child: ChildProcess;
  private isOver = false;

  constructor(
    private readonly lane: Lane,
    private readonly program: string,
    private readonly name: string,
  ) {
    this.child = this.start();
  }

  kill(): void {
    this.kills += 1;
    this.child.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.isOver = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }

  private start(): ChildProcess {
    const { ground, namespace } = this.lane;
    const log = join(ground.logs, `${this.name}.log`);
    const output = openSync(join(ground.logs, `${this.name}.out`), 'a');
    const child = fork(this.program, [ground.config.file, ground.temporal.address, namespace, log], {
      stdio: ['ignore', output, output, 'ipc'],
      execArgv: [],
    });
    closeSync(output);
    const witness = this.lane.witness(() => this.kill());
    child.on('message', (question: Question) => {
      void answerTo(question, witness).then((verdict) => {
        if (child.connected) child.send({ id: question.id, verdict } satisfies Answer, () => undefined);
      });
    });
    child.once('exit', () => {
      if (!this.isOver) this.child = this.start();
    });
    return child;
  }
}

async function answerTo({ meeting, minted, installing }: Question, witness: Witness): Promise<Verdict> {
  if (minted) await witness.minted(...minted);
  if (installing) await witness.installing(...installing);
  return meeting ? witness.meet(meeting) : 'go';
}

/** The worker's program as plain Node runs it, with the bundle as it is now. */
export async function workerProgram(folder: string): Promise<string> {
  const program = await compiled('test/sweep/worker-program.ts', folder);
  await mkdir(join(folder, 'dist'), { recursive: true });
  await copyFile(workflowBundlePath(), join(folder, 'dist', 'workflow-bundle.js'));
  await cp(join(packageRoot, 'bin'), join(folder, 'bin'), { recursive: true });
  // The schema of the policies belongs to the program.
  await cp(join(packageRoot, 'policies'), join(folder, 'policies'), { recursive: true });
  return program;
}
