/** One identity under the sweep: what is asked of it, what is seen of it, what it is made of. */
import { randomBytes, randomUUID } from 'node:crypto';
import { WithStartWorkflowOperation } from '@temporalio/client';
import type { IdentitySpec, IdentityState } from '../../src/domain/identity.js';
import type { Ballot, ProcessState, Timing } from '../../src/domain/process.js';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import {
  identityId,
  identityMessages,
  identityWorkflow,
  processMessages,
  taskQueue,
  type Abandon,
  type IdentityStart,
  type Resume,
} from '../../src/domain/wire.js';
import type { DecisionStatement } from '../../src/domain/statement.js';
import { decisionSigned, requestSigned, wordSigned } from '../../src/trust/statements.js';
import type { Material } from '../../src/stores/store.js';
import type { identity } from '../../workflows/identity.js';
import { eventually } from '../support/engine.js';
import type { Spoiler } from './faults.js';
import type { Lane, Listener } from './lane.js';
import { borrowersOf } from './lent.js';
import { Monitor } from './monitor.js';
import { ada, grace } from './people.js';
import type { Meeting, Verdict } from './witness.js';

/** Never gives up while a case lasts: whatever is slow on a busy machine is not taken for a fault. */
export const enduringTiming: Timing = {
  attemptMs: 5_000,
  heartbeatMs: 1_500,
  patienceMs: 90_000,
  retryMs: 50,
  longestRetryMs: 300,
};
/** For steps that hang until the process gives up. */
export const hastyTiming: Timing = { ...enduringTiming, patienceMs: 9_000 };

export interface SubjectOptions {
  readonly timing: Timing;
  /** How often the monitor logs in, milliseconds. */
  readonly monitorMs?: number;
  /** Where it is to be told from others. */
  readonly spec?: Partial<IdentitySpec>;
}

let count = 0;

export class Subject implements Listener {
  readonly name = `app-${(count += 1)}-${randomBytes(2).toString('hex')}`;
  readonly spec: IdentitySpec;
  readonly monitor: Monitor;
  /** Operation → every material that was made for it. */
  readonly made = new Map<string, Material[]>();
  /** Operation → every password that the target was to accept. */
  readonly installed = new Map<string, Set<string>>();
  /** By operation: what would break I2 if the target took it. */
  private readonly doubts = new Map<string, readonly string[]>();
  readonly meetings: Meeting[] = [];
  readonly alerts: string[] = [];
  /** What was seen to be wrong while it happened. */
  readonly seen: string[] = [];
  fault: Spoiler | undefined;
  private onEnd: () => void = () => undefined;
  private onAlert: (text: string) => void = () => undefined;

  constructor(
    readonly lane: Lane,
    private readonly options: SubjectOptions,
  ) {
    this.spec = { ...specOf(this.name, lane.ground.consumerUrl), ...options.spec };
    this.monitor = new Monitor(lane.ground.store, this.paths, options.monitorMs ?? 1_000);
    lane.listen(this.name, this);
  }

  get paths(): readonly string[] {
    return this.spec.deliver.map(({ path }) => path);
  }

  /** Every material that was ever made, with its operation. */
  materials(): { readonly version: string; readonly material: Material }[] {
    return [...this.made].flatMap(([version, materials]) => materials.map((material) => ({ version, material })));
  }

  async meet(meeting: Meeting, kill: () => void): Promise<Verdict> {
    this.meetings.push(meeting);
    if (meeting.step === 'notify' && meeting.edge === 'before') {
      this.alerts.push(meeting.text ?? '');
      this.onAlert(meeting.text ?? '');
    }
    if (meeting.edge === 'after' && /^(target\.|store\.(publish|withdraw))/.test(meeting.step)) this.monitor.poke();
    if (meeting.edge === 'after' && meeting.step === 'target.install')
      this.seen.push(...(this.doubts.get(meeting.operation) ?? []));
    // I8, at the moment that counts: what says that rights are back speaks of the target as it is now.
    if (meeting.edge === 'after' && meeting.step === 'restore')
      for (const role of await borrowersOf(this))
        this.seen.push(`I8: ${meeting.operation} took lent rights back, and ${role} has them still`);
    if (meeting.edge === 'after' && ['seal', 'nextRotation'].includes(meeting.step)) this.onEnd();
    return (await this.fault?.meet(meeting, kill)) ?? 'go';
  }

  minted(operation: string, material: Material): void {
    this.made.set(operation, [...(this.made.get(operation) ?? []), material]);
  }

  /**
   * I2, at the moment that counts: the candidate is durable before the target hears of it, and it is the only one. It is broken when
   * the target has taken it: one that it refuses, since an emergency has fenced it off, has done no harm.
   */
  async installing(operation: string, material: Material): Promise<void> {
    const doubts: string[] = [];
    const passwords = this.installed.get(operation) ?? new Set<string>();
    passwords.add(material['password'] ?? '');
    this.installed.set(operation, passwords);
    if (passwords.size > 1) this.seen.push(`I2: ${operation} gave the target ${passwords.size} different passwords`);
    for (const path of this.paths) {
      const kept = await this.lane.ground.store.read(path, { version: operation }).catch(() => undefined);
      if (kept?.material['password'] === material['password']) continue;
      // A late attempt may come after its candidate was discarded; then the target has to refuse it, which I4 looks at.
      if (!kept && this.isOver(operation)) continue;
      doubts.push(
        `I2: ${operation} went to the target, and ${path} ${kept ? 'holds another one' : 'does not hold it'}`,
      );
    }
    this.doubts.set(operation, doubts);
  }

  /** Resolves when something may have come to its end, and at the latest after `ms`: asking a workflow costs it a task. */
  perhapsEnded(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.onEnd = () => {
        clearTimeout(timer);
        setTimeout(resolve, 60);
      };
    });
  }

  /** Resolves when an operator is told that something is parked. */
  parked(): Promise<'parked'> {
    return new Promise((resolve) => {
      this.onAlert = (text) => text.includes('is parked at') && resolve('parked');
    });
  }

  async ask(request: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>): Promise<{ id: string; answer: Answer }> {
    const asked = await this.request(request);
    const answer = await this.lane.client.workflow.executeUpdateWithStart<typeof identity, Answer, [ChangeRequest]>(
      identityMessages.request,
      {
        args: [asked],
        startWorkflowOperation: new WithStartWorkflowOperation<typeof identity>(identityWorkflow, {
          workflowId: identityId(this.name),
          taskQueue,
          args: [{ name: this.name, timing: this.options.timing } satisfies IdentityStart],
          workflowIdConflictPolicy: 'USE_EXISTING',
        }),
      },
    );
    return { id: asked.id, answer };
  }

  /** The same without waiting for the answer, which may take long: the signal is taken even while no worker runs. */
  async tell(request: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>): Promise<string> {
    const asked = await this.request(request);
    await this.lane.client.workflow.signalWithStart(identityWorkflow, {
      workflowId: identityId(this.name),
      taskQueue,
      args: [{ name: this.name, timing: this.options.timing } satisfies IdentityStart],
      signal: identityMessages.requestSignal,
      signalArgs: [asked],
    });
    return asked.id;
  }

  state(): Promise<IdentityState> {
    return this.lane.client.workflow.getHandle(identityId(this.name)).query<IdentityState>(identityMessages.state);
  }

  stateWhen(isSo: (state: IdentityState) => boolean, limitMs = 120_000): Promise<IdentityState> {
    return eventually(() => this.state(), isSo, limitMs);
  }

  process(operation: string): Promise<ProcessState> {
    return this.lane.client.workflow.getHandle(operation).query<ProcessState>(processMessages.process);
  }

  async signal(operation: string, signal: string, argument: unknown): Promise<void> {
    await this.lane.client.workflow.getHandle(operation).signal(signal, argument);
  }

  /** A decision of somebody who did not ask, as the gate shows itself now; `differs` is signed too. */
  async vote(
    operation: string,
    differs: Partial<Pick<DecisionStatement, 'decision' | 'plan' | 'reason'>> = {},
  ): Promise<void> {
    const { gate } = await this.process(operation);
    const { run, round, planDigest: plan, policyDigest: policy, evidenceDigest: evidence, requester } = gate!;
    const own = { operation, run, round, plan, policy, evidence, requester, decision: 'approve', reason: '' } as const;
    const ballot: Ballot = { signed: await decisionSigned({ ...own, ...differs }, grace) };
    await this.signal(operation, processMessages.decide, ballot);
  }

  /** Answers a park as an operator does. */
  async resume(operation: string): Promise<void> {
    const word: Resume = { by: ada.name, since: await this.parkedSince(operation), how: 'again' };
    const about = { verb: 'resume', subject: operation, id: randomUUID() } as const;
    await this.signal(operation, processMessages.resume, await wordSigned(word, about, ada));
  }

  async abandon(operation: string): Promise<void> {
    const word: Abandon = { by: ada.name, since: await this.parkedSince(operation), reason: 'a test' };
    const about = { verb: 'abandon', subject: operation, id: randomUUID() } as const;
    await this.signal(operation, processMessages.abandon, await wordSigned(word, about, ada));
  }

  /** Gives lent rights back, as who asked for them does. */
  async giveBack(operation: string): Promise<void> {
    const about = { verb: 'give-back', subject: operation, id: randomUUID() } as const;
    await this.signal(operation, processMessages.giveBack, await wordSigned({ by: ada.name }, about, ada));
  }

  private async parkedSince(operation: string): Promise<string> {
    const parked = await eventually(
      () => this.process(operation),
      (state) => state.parked !== undefined,
    );
    return parked.parked!.since;
  }

  async close(): Promise<void> {
    await this.monitor.stop();
    this.fault?.lift();
    this.lane.forget(this.name);
  }

  private isOver(operation: string): boolean {
    return this.meetings.some(
      (met) => met.operation === operation && ['discard', 'seal', 'store.discard'].includes(met.step),
    );
  }

  private request(request: Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'>): Promise<ChangeRequest> {
    const needsSpec = request.kind === 'provision' ? { spec: this.spec } : {};
    const whole = { id: `r-${randomBytes(6).toString('hex')}`, requester: ada.name, ...needsSpec, ...request };
    return requestSigned(whole, this.name, ada);
  }
}

/** Two deliveries, so that there is a moment between them; a consumer, so that a rotation can be refused late. */
function specOf(name: string, consumerUrl: string): IdentitySpec {
  return {
    name,
    kind: 'database-role',
    owner: { person: 'ada@example.com', team: 'payments' },
    purpose: 'is swept',
    environment: 'test',
    dataClass: 'internal',
    target: { name: 'ledger', scope: { grants: [{ on: 'ledger', may: ['select', 'insert'] }] } },
    deliver: [
      { store: 'local', path: `${name}/first` },
      { store: 'local', path: `${name}/second` },
    ],
    consumers: [{ name: 'api', notify: { webhook: `${consumerUrl}/${name}` }, timeoutMs: 15_000 }],
    rotation: {
      name: 'monthly',
      strategy: 'alternate',
      everyMs: 2_592_000_000,
      graceMs: 200,
      whenInUse: 'go-on',
      jitterMs: 0,
      freeze: [],
      whenNoWindow: 'skip',
      whenNotTaken: 'unwind',
    },
    tags: {},
  };
}
