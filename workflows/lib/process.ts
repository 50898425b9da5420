/**
 * What every process has in common: its stages as an operator sees them, the gate, the way back, being parked, and the
 * two ways to be stopped. A cancel by an operator unwinds, until the point of no return. An emergency stops it at once and
 * undoes nothing: the revocation has fenced it off and takes everything down itself.
 */
import { ApplicationFailure, CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { Change } from '../../activities/contract.js';
import { undoEpoch } from '../../src/domain/epoch.js';
import type { CredentialRecord } from '../../src/domain/credential.js';
import {
  isBeforeChange,
  type ProcessInput,
  type ProcessOutcome,
  type ProcessResult,
  type ProcessState,
  type Proofs,
  type StageName,
  type StageState,
} from '../../src/domain/process.js';
import { callerFor, hereFirst, type Activities, type Manner } from './activities.js';
import { cancelledInWords } from './cancelled.js';
import { now } from './clock.js';
import { failureOf, type Failure } from './failure.js';
import { Inbox } from './inbox.js';
import { doorkeeperOf } from './doorkeeper.js';
import { freshStages } from './render.js';
import { waitUntilClear } from './permit.js';
import { show } from './show.js';
import { Unwind } from './unwind.js';

export class Process {
  readonly state: ProcessState;
  readonly unwind = new Unwind();
  readonly call: ReturnType<typeof callerFor>;
  readonly proofs: Proofs = {};
  readonly inbox: Inbox;
  /** The credential that this process makes, once it is staged. */
  candidate?: CredentialRecord;
  private after: ProcessResult['after'];
  private readonly startedAt = now();
  /** Fencing token of what it does now; an elevation ends with a rotation behind a fence of its own. */
  epoch: number;
  /** Somebody cancelled it in Temporal. Whether that stops anything depends on where it is. */
  isCancelAsked = false;
  /** Passes the gate once more, where there was one: for a decision that came while nothing had changed yet. */
  passAgain?: () => Promise<void>;
  /** What a cancel stops. Shielded from the workflow's own scope, since whether a cancel counts depends on where the process is. */
  private readonly scope = new CancellationScope({
    cancellable: true,
    parent: new CancellationScope({ cancellable: false }),
  });

  constructor(readonly input: ProcessInput) {
    const { operation, kind, identity, request } = input;
    this.state = {
      operation,
      kind,
      identity,
      requester: request.requester,
      emergency: request.emergency ?? false,
      stages: freshStages(kind, request.repair),
      forwardOnly: false,
      leftovers: [],
    };
    this.after = this.before();
    this.epoch = input.epoch;
    this.call = callerFor(this.state.emergency, input.timing);
    this.inbox = new Inbox(
      () => this.state,
      () => this.scope.cancel(),
      doorkeeperOf(this),
      () => show(this.state),
    );
    show(this.state);
  }

  /** Runs the stages, and on a failure the way back. Ends as failed, with the result in the failure's details, unless it succeeded. */
  async run(stages: () => Promise<void>): Promise<ProcessResult> {
    const root = CancellationScope.current();
    return CancellationScope.nonCancellable(async () => {
      root.cancelRequested.catch(() => this.cancelAsked());
      try {
        await this.scope.run(stages);
        return await this.finish('succeeded');
      } catch (error) {
        if (this.inbox.preemptedBy !== undefined) return await this.endPreempted(this.inbox.preemptedBy);
        return await this.endFailed(failureOf(error), root.consideredCancelled);
      }
    });
  }

  /** One stage: what an operator sees while it runs, and what was proven when it is done. */
  async stage<T>(name: StageName, step: () => Promise<T>, note?: (result: T) => string): Promise<T> {
    const stage = this.begin(name);
    try {
      const result = await step();
      this.end(stage, 'done', note?.(result));
      return result;
    } catch (error) {
      this.end(
        stage,
        'failed',
        this.inbox.preemptedBy === undefined ? failureOf(error).message : 'pre-empted by an emergency',
      );
      throw error;
    }
  }

  /** A stage past the point of no return: what cannot be retried by itself parks, and is tried again when told. */
  async forward<T>(name: StageName, step: () => Promise<T>, note?: (result: T) => string): Promise<T> {
    for (;;) {
      try {
        return await this.stage(name, step, note);
      } catch (error) {
        if (this.inbox.preemptedBy !== undefined) throw error;
        const failure = failureOf(error);
        const told = await this.park(name, failure.message);
        if (told === 'abandon') throw error;
      }
    }
  }

  skip(name: StageName, why: string): void {
    this.end(this.begin(name), 'skipped', why);
  }

  /** From here on only forward: the old credential is about to be revoked, and no cancel takes that back. */
  async pointOfNoReturn(next: StageName): Promise<void> {
    const isHeard = (): boolean => this.passAgain !== undefined && this.inbox.ballots.length > 0;
    while (!(await waitUntilClear(this, next, isHeard))) await this.passAgain!();
    this.onlyForward();
  }

  /** The same where no freeze may hold it up: what follows takes access away. */
  onlyForward(): void {
    this.state.forwardOnly = true;
    this.unwind.forget();
    show(this.state);
  }

  /** Short work that touches no target: in-process, or remotely where that does not work out at once. */
  hereFirst<T>(manner: Manner, summary: string, work: (activities: Activities) => Promise<T>): Promise<T> {
    return hereFirst(summary, work, (told) => this.call(manner, told));
  }

  /** The change as activities take it. */
  change(): Change {
    const { identity, operation, spec, specBefore, current, previous } = this.input;
    return {
      identity,
      operation,
      epoch: this.epoch,
      spec,
      ...(specBefore && { specBefore }),
      ...(current && { from: current }),
      ...(previous && { previous }),
      ...(this.candidate && { to: this.candidate }),
    };
  }

  /** The credentials that this process ends: what is current now, and what abandoned processes have left. */
  going(): CredentialRecord[] {
    const { current, previous = [] } = this.input;
    return [...(current ? [current] : []), ...previous];
  }

  /** The same change, fenced so that no late attempt of the step itself can follow its undo. */
  undoing(): Change {
    return { ...this.change(), epoch: undoEpoch(this.epoch) };
  }

  /** Records how the credentials stand from now on. */
  stands(after: ProcessResult['after']): void {
    this.after = after;
  }

  /** Parks until an operator says how to go on; with `forMs` it goes on by itself after so long. */
  async park(stage: StageName, why: string, forMs?: number): Promise<'again' | 'go-on' | 'abandon'> {
    const { identity } = this.state;
    this.state.parked = {
      since: now(),
      stage,
      why,
      commands: [`tenure resume ${identity}`, `tenure abandon ${identity} --reason …`],
    };
    show(this.state, { status: 'needs-operator', stage });
    await this.alert(`${this.state.kind} of ${identity} is parked at ${stage}: ${why}`);
    try {
      return await this.inbox.operatorsWord(forMs);
    } finally {
      delete this.state.parked;
      show(this.state, { status: 'running' });
    }
  }

  /** Marks a stage as waiting for something outside; what is given back shows it as it was before. */
  waiting(name: StageName, note: string): () => void {
    const stage = this.find(name);
    const before = { ...stage };
    stage.status = 'waiting';
    stage.note = note;
    show(this.state);
    return () => {
      Object.assign(stage, { note: '' }, before);
      show(this.state);
    };
  }

  /** Tells the operators. Best effort: what comes of it changes nothing. */
  async alert(text: string): Promise<void> {
    const { identity, operation } = this.state;
    await CancellationScope.nonCancellable(() =>
      this.call('careful', 'Tell the operators').notify({ identity, operation, level: 'alert', text }),
    ).catch(() => {});
  }

  private async endFailed(failure: Failure, cancelled: boolean): Promise<ProcessResult> {
    this.state.failure = failure;
    const outcome = this.state.forwardOnly ? await this.leaveOpen(failure) : await this.takeBack();
    if (outcome === 'pre-empted') return this.endPreempted(this.inbox.preemptedBy!);
    const result = await this.finish(outcome);
    if (cancelled && outcome === 'undone') throw new CancelledFailure(cancelledInWords(this.state.emergency));
    throw ApplicationFailure.create({
      type: failure.code,
      message: failure.message,
      nonRetryable: true,
      details: [result],
    });
  }

  /** What follows a point of no return may have a way back of its own: it is taken, and what was to be done is still left. */
  private async leaveOpen(failure: Failure): Promise<ProcessOutcome> {
    const hasWayBack = this.unwind.hasSteps();
    const outcome = hasWayBack ? await this.takeBack() : 'undone';
    if (outcome !== 'undone') return outcome;
    // It may have failed before the first step that has a way back.
    const isUnrotated = hasWayBack || (this.proofs.elevated?.restored && this.find('stage').startedAt === undefined);
    this.state.leftovers.push(
      isUnrotated
        ? `the credential was not rotated: ${failure.message}; rotate it with: tenure rotate ${this.state.identity}`
        : `abandoned past the point of no return: ${failure.message}`,
    );
    return 'unfinished';
  }

  private cancelAsked(): void {
    this.isCancelAsked = true;
    if (!this.state.forwardOnly) this.scope.cancel();
  }

  /** The whole way back; parked while an undo fails. An emergency has fenced the undoing off too, and takes everything down itself. */
  private async takeBack(): Promise<ProcessOutcome> {
    for (;;) {
      const leftovers = await this.unwind.run((name, left) => this.showUndone(this.find(name), left?.message));
      this.state.leftovers.splice(0, Infinity, ...leftovers.map(({ stage, message }) => `${stage}: ${message}`));
      if (leftovers.length === 0) {
        this.after = this.before();
        return 'undone';
      }
      if (this.inbox.preemptedBy !== undefined) return 'pre-empted';
      if ((await this.park(leftovers[0]!.stage, `could not undo: ${leftovers[0]!.message}`)) === 'abandon')
        return 'unfinished';
    }
  }

  /** A stage that never ran has nothing to undo, also where its undo was registered. */
  private showUndone(stage: StageState, failure: string | undefined): void {
    if (failure !== undefined) this.end(stage, 'undo failed', failure);
    else if (stage.startedAt !== undefined) this.end(stage, 'undone');
  }

  private async endPreempted(by: string): Promise<ProcessResult> {
    const message = `pre-empted by ${by}`;
    this.state.failure = { code: 'Fenced', message };
    const result = await this.finish('pre-empted');
    throw ApplicationFailure.create({ type: 'Fenced', message, nonRetryable: true, details: [result] });
  }

  private async finish(outcome: ProcessOutcome): Promise<ProcessResult> {
    const result = this.result(outcome);
    const reached = outcome === 'succeeded' ? 'seal' : lastStage(this.state);
    const sealing = this.begin('seal');
    const sealed = await this.seal(result);
    this.end(sealing, 'done', sealed.evidence.slice(0, 19));
    show(this.state, { status: outcome, stage: reached, gate: this.state.gate?.outcome });
    if (outcome === 'unfinished')
      await this.alert(
        `${this.state.kind} of ${this.state.identity} ended unfinished: ${this.state.leftovers.join('; ')}`,
      );
    return { ...result, ...sealed };
  }

  private result(outcome: ProcessOutcome): ProcessResult {
    const { kind, operation, failure, leftovers } = this.state;
    return {
      kind,
      operation,
      outcome,
      startedAt: this.startedAt,
      endedAt: now(),
      after: this.after,
      proofs: this.proofs,
      ...(failure && { failure }),
      leftovers,
    };
  }

  /** Always remote: it reads this run's own history, which is not written down while a workflow task runs. */
  private seal(result: ProcessResult): Promise<{ readonly evidence: string }> {
    const { request } = this.input;
    const requester = this.state.decision?.requester;
    const record = { state: this.state, result, request, ...(requester && { requester }) };
    return this.call('stubborn', 'Seal the evidence record').seal(record);
  }

  private before(): ProcessResult['after'] {
    const { current, previous, specBefore } = this.input;
    return { ...(specBefore && { spec: specBefore }), ...(current && { current }), ...(previous && { previous }) };
  }

  private begin(name: StageName): StageState {
    if (!isBeforeChange(name)) this.inbox.shutGate();
    const stage = this.find(name);
    stage.status = 'running';
    stage.startedAt ??= now();
    delete stage.endedAt;
    show(this.state);
    return stage;
  }

  private end(stage: StageState, status: StageState['status'], note?: string): void {
    stage.status = status;
    stage.endedAt = now();
    if (note !== undefined) stage.note = note;
    show(this.state);
  }

  private find(name: StageName): StageState {
    return this.state.stages.find((stage) => stage.name === name)!;
  }
}

/** The stage that the process reached. */
function lastStage({ stages }: ProcessState): StageName {
  return stages.findLast(({ status }) => status !== 'to do')?.name ?? 'plan';
}
