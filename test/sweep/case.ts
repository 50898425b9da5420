/** One case of the sweep: an identity, a process, a fault at one step of it; recovery; and then the judgement. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { IdentitySpec, IdentityState } from '../../src/domain/identity.js';
import type { ProcessSummary } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { Fault, type Hands } from './faults.js';
import { judge, type Verdicts } from './invariants.js';
import type { Lane } from './lane.js';
import { borrowersOf, lentForMs, lentScope } from './lent.js';
import { isParkedBy, outcomesOf, titleOf, type Case } from './matrix.js';
import { kindOf } from './steps.js';
import { enduringTiming, hastyTiming, Subject } from './subject.js';

export interface CaseReport {
  readonly title: string;
  readonly process: string;
  readonly stage: string;
  readonly step: string;
  readonly fault: string;
  readonly identity: string;
  readonly operation: string;
  /** One line for each broken invariant, with its number; none is good. */
  readonly broken: readonly string[];
  readonly outcome: string;
  readonly logins: number;
  readonly ms: number;
}

/** How long a case may take that takes seconds on a machine of its own. */
const patienceMs = 180_000;

/** Runs a case to its end. Never throws: what goes wrong is in the report. */
export async function runCase(lane: Lane, swept: Case): Promise<CaseReport> {
  const startedAt = Date.now();
  const givesUp = swept.fault.startsWith('hung') && swept.way === 'careful';
  const timing = givesUp ? hastyTiming : enduringTiming;
  const subject = new Subject(lane, { timing });
  const run = new Run(subject, swept);
  const broken: string[] = [];
  try {
    await run.prepare();
    await run.strike();
    broken.push(...(await run.judge()));
  } catch (error) {
    broken.push(
      `stuck: ${(error as Error).message}`,
      ...subject.seen,
      ...subject.monitor.lockedOut.map((what) => `I3: ${what}`),
    );
  } finally {
    await subject.close();
  }
  return {
    title: titleOf(swept),
    process: swept.process,
    stage: swept.stage,
    step: swept.step,
    fault: swept.fault,
    identity: subject.name,
    operation: run.operation,
    broken,
    outcome: run.outcome,
    logins: subject.monitor.looks,
    ms: Date.now() - startedAt,
  };
}

class Run {
  operation = '';
  outcome = 'not ended';
  private requestId = '';
  private emergencyId: string | undefined;
  private readonly wasParked: string[] = [];

  constructor(
    private readonly subject: Subject,
    private readonly swept: Case,
  ) {}

  /** Brings the identity to where the process under test begins. */
  async prepare(): Promise<void> {
    if (this.swept.process === 'provision') return;
    const { answer } = await this.subject.ask({ kind: 'provision' });
    if (!answer.accepted || !answer.operation)
      throw new Error(`provisioning was not started: ${JSON.stringify(answer)}`);
    await this.subject.perhapsEnded(3_000);
    const state = await this.subject.stateWhen((state) => !state.running && state.nextRotationAt !== undefined);
    if (!state.current) throw new Error(`it was not provisioned: ${JSON.stringify(state.recent)}`);
  }

  async strike(): Promise<void> {
    const { subject, swept } = this;
    const fault = this.arm();
    const asked = await this.begin();
    await this.recover(fault);
    // What the identity does afterwards begins a moment after the record that ends the process.
    if (swept.stage === 'afterwards') await Promise.race([fault.hasStruck, sleep(10_000, undefined, { ref: false })]);
    fault.lift();
    await this.settled();
    if (fault.struck === 0) throw new Error('the fault never struck');
    const done = (await subject.state().catch(() => undefined))?.recent.find(({ requestId }) => requestId === asked);
    this.outcome = done?.outcome ?? (swept.process === 'offboard' ? 'succeeded' : 'unknown');
    this.operation = done?.operation ?? this.operation;
  }

  async judge(): Promise<Verdicts> {
    const { swept, outcome } = this;
    const expected: readonly string[] = outcomesOf(swept);
    const unexpected = expected.includes(outcome) ? [] : [`outcome: ${outcome}, expected ${expected.join(' or ')}`];
    const unparked = isParkedBy(swept) && this.wasParked.length === 0 ? ['I8: nobody was told that it is parked'] : [];
    return [...unexpected, ...unparked, ...(await judge(this.subject))];
  }

  private arm(): Fault {
    const { subject, swept } = this;
    const isAside = swept.way === 'aside';
    const hands: Hands = {
      cancel: async () => {
        await subject.lane.client.workflow.getHandle(await this.running()).cancel();
      },
      emergency: async () => {
        subject.monitor.revocationIsAsked();
        this.emergencyId = await subject.tell({ kind: 'revoke', emergency: true, reason: 'the sweep' });
      },
    };
    const spot = { within: isAside ? subject.name : `${subject.name}/`, step: swept.step, nth: swept.nth ?? 1 };
    const code = swept.way === 'last' ? ('StoreUnavailable' as const) : ('RejectedUnchanged' as const);
    const fault = new Fault(swept.fault, spot, hands, { hangs: hangsOf(swept), holds: !isAside, refusal: code });
    if (swept.way === 'undo') subject.lane.ground.stubborn.add(subject.name);
    return (subject.fault = fault);
  }

  private async begin(): Promise<string> {
    const { subject, swept } = this;
    if (['revoke', 'offboard', 'emergency'].includes(swept.process)) subject.monitor.revocationIsAsked();
    this.requestId = await subject.tell(requestFor(swept, subject.spec));
    return this.requestId;
  }

  /** Plays the people around it: approves, resumes what is parked, waits for the emergency, lets late attempts go on. */
  private async recover(fault: Fault): Promise<void> {
    const { subject, swept } = this;
    let isDone = false;
    const parked = subject.parked().then(async () => {
      if (isDone) return;
      this.wasParked.push(subject.alerts.at(-1) ?? '');
      fault.lift();
      subject.lane.ground.stubborn.delete(subject.name);
      await subject.resume(await this.running());
    });
    parked.catch(() => undefined);
    const others = [this.approveWhenAsked(() => isDone, fault), this.giveBackWhenHeld(() => isDone, fault)];
    await this.ended(fault);
    isDone = true;
    await Promise.all(others);
    await this.rotateWhatIsLeft(fault);
    // Attempts that nobody waits for any more: now, after everything, they go on.
    const late = fault.release();
    if (late > 0 || swept.fault.startsWith('emergency')) await sleep(400);
  }

  private async ended(fault: Fault): Promise<void> {
    const isDone = (state: IdentityState): boolean =>
      this.isRecorded(state, this.requestId) && (!this.emergencyId || this.isRecorded(state, this.emergencyId));
    const end = Date.now() + patienceMs;
    for (;;) {
      const state = await this.subject.state().catch(() => undefined);
      if (state && isDone(state)) return;
      // What hangs in the identity itself keeps everything waiting; its own time limit has to end that.
      if (Date.now() > end) {
        fault.lift();
        const stands = state?.running && (await this.subject.process(state.running.operation).catch(() => undefined));
        const where = stands?.stages.filter(({ startedAt }) => startedAt !== undefined).at(-1);
        throw new Error(
          `it did not end within ${patienceMs / 60_000} minutes: ${JSON.stringify([summaryOf(state), where, stands?.inert])}`,
        );
      }
      await this.subject.perhapsEnded(600);
    }
  }

  private isRecorded({ recent }: IdentityState, id: string): boolean {
    return recent.some(({ requestId }) => requestId === id);
  }

  /** Everything of this identity has come to rest. */
  private async settled(): Promise<void> {
    const { subject } = this;
    await subject.stateWhen(({ running, queue }) => !running && queue.length === 0);
    for (let seen = -1; seen !== subject.meetings.length; await sleep(150)) seen = subject.meetings.length;
  }

  private async approveWhenAsked(isDone: () => boolean, fault: Fault): Promise<void> {
    const { swept } = this;
    if (swept.process !== 'offboard' && swept.step !== 'gate') return;
    while (!isDone()) {
      const operation = await this.running().catch(() => undefined);
      const state = operation && (await this.subject.process(operation).catch(() => undefined));
      if (operation && state && state.gate?.outcome === 'open') {
        if (swept.step === 'gate' && fault.struck === 0) await this.strikeAtGate(fault, operation);
        // Where the gate itself is left to its deadline, nobody votes.
        else if (swept.step !== 'gate' || !swept.fault.startsWith('hung'))
          await this.subject.vote(operation, {}).catch(() => undefined);
      }
      await sleep(200);
    }
  }

  /** A gate is no activity, so the sweep itself comes to its edge. */
  private async strikeAtGate(fault: Fault, operation: string): Promise<void> {
    const { subject } = this;
    // An approval of another plan, and one that is repeated, count for nothing.
    await subject.vote(operation, { plan: `sha256:${'0'.repeat(64)}` });
    await sleep(100);
    if ((await subject.process(operation)).gate?.outcome !== 'open')
      subject.seen.push('I6: the approval of another plan opened the gate');
    const worker = subject.lane.workers[0];
    const meeting = { identity: subject.name, operation, step: 'gate', edge: 'before', attempt: 1 } as const;
    const met = fault.meet(meeting, () => worker?.kill());
    if (fault.name.startsWith('refused')) await subject.vote(operation, { decision: 'deny', reason: 'the sweep' });
    else void met;
  }

  /** What is lent is given back as soon as it is there, unless its time is to end it. Nor is holding an activity: the sweep comes to its edge. */
  private async giveBackWhenHeld(isDone: () => boolean, fault: Fault): Promise<void> {
    const { subject, swept } = this;
    if (swept.process !== 'elevate') return;
    const held = await this.whenHeld(isDone);
    if (!held) return;
    const { operation, until } = held;
    if ((await borrowersOf(subject)).length === 0 && Date.now() < Date.parse(until))
      subject.seen.push(`I5: ${operation} says that rights are lent, and nobody has them`);
    const meeting = { identity: subject.name, operation, step: 'hold', edge: 'before', attempt: 1 } as const;
    if (swept.step === 'hold') void fault.meet(meeting, () => subject.lane.workers[0]?.kill());
    else await subject.giveBack(operation);
  }

  private async whenHeld(isDone: () => boolean): Promise<{ operation: string; until: string } | undefined> {
    const { subject } = this;
    for (; !isDone(); await sleep(150)) {
      const proven = subject.meetings.find(({ step, edge, operation }) => isProofOfLending(step, edge, operation));
      const state = proven && (await subject.process(proven.operation).catch(() => undefined));
      if (state?.heldUntil !== undefined) return { operation: proven!.operation, until: state.heldUntil };
    }
    return undefined;
  }

  /** Where lent rights are back and the rotation that follows did not work out, a person is told, and does it. */
  private async rotateWhatIsLeft(fault: Fault): Promise<void> {
    const { subject } = this;
    const { recent, running } = await subject.state();
    const left = recent.find(({ requestId }) => requestId === this.requestId);
    if (left?.kind !== 'elevate' || left.outcome !== 'unfinished' || running || this.emergencyId) return;
    if (!subject.alerts.some((text) => text.includes('ended unfinished') && text.includes('tenure rotate')))
      subject.seen.push('I8: nobody was told that the credential was not rotated');
    fault.lift();
    subject.lane.ground.stubborn.delete(subject.name);
    const id = await subject.tell({ kind: 'rotate' });
    await subject.stateWhen((state) => !state.running && this.isRecorded(state, id));
  }

  private async running(): Promise<string> {
    const kind = kindOf(this.swept.process);
    const met = this.subject.meetings.findLast(({ operation }) => operation.includes(`/${kind}/`))?.operation;
    if (met) return (this.operation = met);
    const { running } = await this.subject.state();
    if (!running) throw new Error('nothing runs');
    return (this.operation = running.operation);
  }
}

function hangsOf({ process, step, way }: Case): number {
  // The way back of lending asks the target the same once more, and never gives up.
  if (process === 'elevate' && step === 'verify') return 2;
  if (way === 'careful') return Infinity;
  return ['last', 'aside', 'decide'].includes(way) ? 1 : 2;
}

function isProofOfLending(step: string, edge: string, operation: string): boolean {
  return step === 'verify' && edge === 'after' && operation.includes('/elevate/');
}

function requestFor(swept: Case, spec: IdentitySpec): Partial<ChangeRequest> & Pick<ChangeRequest, 'kind'> {
  const { process, step } = swept;
  // A gate stands before production; only an offboarding needs one everywhere.
  if (step === 'gate' && process === 'rotate') return { kind: process, spec: { ...spec, environment: 'production' } };
  if (process === 'emergency') return { kind: 'revoke', emergency: true, reason: 'the sweep' };
  if (process === 'elevate') {
    const elevation = { scope: lentScope, forMs: lentForMs(swept), incident: 'INC-1' };
    return { kind: process, reason: 'the sweep', elevation };
  }
  return { kind: kindOf(process), ...(process === 'repair' && { repair: true }) };
}

function summaryOf(state: IdentityState | undefined): unknown {
  if (!state) return 'the identity does not answer';
  const recent = state.recent.map(({ operation, kind, outcome, message }: ProcessSummary) => [
    operation ?? kind,
    outcome,
    message,
  ]);
  return {
    status: state.status,
    running: state.running?.operation,
    queue: state.queue.length,
    recent,
    problems: state.problems,
  };
}
