import type { Payload } from '@temporalio/common';
import type { CredentialRecord } from '../domain/credential.js';
import type { Clearance, Decision } from '../domain/decision.js';
import type { Ballot, ProcessKind, ProcessOutcome, ProcessResult } from '../domain/process.js';
import type { DecisionStatement } from '../domain/statement.js';
import {
  parseProcessId,
  processMessages,
  type Abandon,
  type ConsumerAcknowledgement,
  type GiveBack,
  type Preempt,
  type Resume,
} from '../domain/wire.js';
import { baseOf, type Base, type Decode, type Event, type Failure } from './facts-events.js';
import type { Fact } from './timeline.js';
import { count } from './words.js';

/** An activity as it was scheduled. */
interface Step {
  readonly activity: string;
  readonly summary?: string;
  readonly startedAt: string;
}

/** Reads the history of a process: its steps, what people told it, and its end. */
export class ProcessReader {
  private readonly kind: ProcessKind;
  private readonly steps = new Map<string, Step>();
  private readonly attempts = new Map<string, { attempt: number; lastFailure?: string }>();
  private readonly timers = new Map<string, string>();

  constructor(
    private readonly workflowId: string,
    private readonly decode: Decode,
  ) {
    this.kind = parseProcessId(workflowId)!.kind as ProcessKind;
  }

  async read(event: Event): Promise<Fact | undefined> {
    const base = baseOf(event, this.workflowId);
    return (
      (await this.readBeginning(event, base)) ??
      (await this.readStep(event, base)) ??
      (await this.readLocal(event, base)) ??
      (await this.readSignal(event, base)) ??
      (await this.readEnd(event, base))
    );
  }

  private async readBeginning(event: Event, base: Base): Promise<Fact | undefined> {
    if (event.workflowExecutionStartedEventAttributes) return { ...base, what: 'process begun', kind: this.kind };
    const timer = event.timerStartedEventAttributes;
    if (timer) this.timers.set(String(timer.timerId), (await this.summaryOf(event)) ?? 'a wait');
    const fired = event.timerFiredEventAttributes;
    return fired ? { ...base, what: 'waited', summary: this.timers.get(String(fired.timerId)) ?? 'a wait' } : undefined;
  }

  private async readStep(event: Event, base: Base): Promise<Fact | undefined> {
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled) {
      const summary = await this.summaryOf(event);
      this.steps.set(String(event.eventId), {
        activity: scheduled.activityType?.name ?? 'a step',
        startedAt: base.at,
        ...(summary && { summary }),
      });
    }
    const started = event.activityTaskStartedEventAttributes;
    if (started) {
      const lastFailure = await this.messageOf(started.lastFailure);
      this.attempts.set(String(started.scheduledEventId), {
        attempt: started.attempt ?? 1,
        ...(lastFailure && { lastFailure }),
      });
    }
    const done = event.activityTaskCompletedEventAttributes;
    if (done) return this.stepDone(base, String(done.scheduledEventId), await this.decode<unknown>(done.result));
    const failed = event.activityTaskFailedEventAttributes;
    if (failed) return this.stepFailed(base, String(failed.scheduledEventId), failed.failure);
    const timedOut = event.activityTaskTimedOutEventAttributes;
    if (timedOut) return this.stepFailed(base, String(timedOut.scheduledEventId), timedOut.failure);
    const canceled = event.activityTaskCanceledEventAttributes;
    return canceled ? this.stepFailed(base, String(canceled.scheduledEventId), { message: 'cancelled' }) : undefined;
  }

  private stepDone(base: Base, id: string, result: unknown): Fact {
    const step = this.steps.get(id)!;
    const { attempt = 1, lastFailure } = this.attempts.get(id) ?? {};
    const proof = proofIn(result);
    return {
      ...base,
      what: 'step done',
      activity: step.activity,
      ...(step.summary && { summary: step.summary }),
      ms: Date.parse(base.at) - Date.parse(step.startedAt),
      attempt,
      ...(attempt > 1 && lastFailure && { lastFailure }),
      ...(proof && { proof }),
    };
  }

  private async stepFailed(base: Base, id: string, failure: Failure | null | undefined): Promise<Fact> {
    const step = this.steps.get(id)!;
    const root = rootOf(failure);
    return {
      ...base,
      what: 'step failed',
      activity: step.activity,
      ...(step.summary && { summary: step.summary }),
      attempt: this.attempts.get(id)?.attempt ?? 1,
      code: root?.applicationFailureInfo?.type || (root?.timeoutFailureInfo ? 'OutcomeUnknown' : 'Unexpected'),
      message: (await this.messageOf(root)) ?? 'it failed',
    };
  }

  /** What ran inside the worker's workflow task leaves a marker instead of three events. */
  private async readLocal(event: Event, base: Base): Promise<Fact | undefined> {
    const { markerName, details } = event.markerRecordedEventAttributes ?? {};
    if (markerName !== 'core_local_activity') return undefined;
    const activity = (await this.decode<{ activity_type?: string }>(details?.['data']))?.activity_type;
    const result = details?.['result'];
    if (activity === 'authorize') return decided(base, await this.decode<Decision>(result));
    if (activity === 'clearance') return held(base, await this.decode<Clearance>(result));
    if (activity === 'stage') return staged(base, await this.decode<CredentialRecord>(result));
    return undefined;
  }

  private async readSignal(event: Event, base: Base): Promise<Fact | undefined> {
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (!signal) return undefined;
    switch (signal.signalName) {
      case processMessages.decide: {
        const vote = claimedIn(await this.decode<Ballot>(signal.input));
        if (!vote) return undefined;
        return {
          ...base,
          what: 'voted',
          by: vote.approver,
          decision: vote.decision,
          ...(vote.reason !== '' && { reason: vote.reason }),
        };
      }
      case processMessages.acknowledge: {
        const said = await this.decode<ConsumerAcknowledgement>(signal.input);
        return said && { ...base, what: 'acknowledged', consumer: said.consumer, by: said.by };
      }
      case processMessages.resume: {
        const said = await this.decode<Resume>(signal.input);
        return said && { ...base, what: 'resumed', by: said.by, how: said.how };
      }
      case processMessages.abandon: {
        const said = await this.decode<Abandon>(signal.input);
        return said && { ...base, what: 'abandoned', by: said.by, reason: said.reason };
      }
      case processMessages.giveBack: {
        const said = await this.decode<GiveBack>(signal.input);
        return (
          said && { ...base, what: 'given back', by: said.by, ...(said.note !== undefined && { note: said.note }) }
        );
      }
      case processMessages.preempt: {
        const said = await this.decode<Preempt>(signal.input);
        return said && { ...base, what: 'pre-empted', by: said.by };
      }
      default:
        return undefined;
    }
  }

  private async readEnd(event: Event, base: Base): Promise<Fact | undefined> {
    const { kind } = this;
    const cancel = event.workflowExecutionCancelRequestedEventAttributes;
    if (cancel) return { ...base, what: 'cancel asked', ...(cancel.cause && { reason: cancel.cause }) };
    if (event.workflowExecutionTerminatedEventAttributes) return { ...base, what: 'terminated' };
    if (event.workflowExecutionCanceledEventAttributes) return { ...base, what: 'ended', kind, outcome: 'cancelled' };
    const completed = event.workflowExecutionCompletedEventAttributes;
    if (completed) {
      const result = await this.decode<ProcessResult>(completed.result);
      return {
        ...base,
        what: 'ended',
        kind,
        outcome: result?.outcome ?? 'succeeded',
        ...(result?.evidence && { evidence: result.evidence }),
      };
    }
    const failed = event.workflowExecutionFailedEventAttributes;
    return failed ? this.failed(base, failed.failure) : undefined;
  }

  private async failed(base: Base, failure: Failure | null | undefined): Promise<Fact> {
    const info = failure?.applicationFailureInfo;
    const result = await this.decode<ProcessResult>(info?.details);
    const outcome: ProcessOutcome = result?.outcome ?? 'unfinished';
    return {
      ...base,
      what: 'ended',
      kind: this.kind,
      outcome,
      code: info?.type ?? 'Unexpected',
      message: (await this.messageOf(failure)) ?? 'it failed',
      ...(result?.leftovers?.length ? { leftovers: result.leftovers } : {}),
    };
  }

  /** Where payloads are encrypted, the message is one too. */
  private async messageOf(failure: Failure | null | undefined): Promise<string | undefined> {
    const encoded = failure?.encodedAttributes as Payload | null | undefined;
    const said = encoded ? await this.decode<{ message?: unknown }>({ payloads: [encoded] }) : undefined;
    return typeof said?.message === 'string' ? said.message : (failure?.message ?? undefined);
  }

  private async summaryOf(event: Event): Promise<string | undefined> {
    const summary = event.userMetadata?.summary;
    const text = summary ? await this.decode<unknown>({ payloads: [summary as Payload] }) : undefined;
    return typeof text === 'string' ? text : undefined;
  }
}

/** The innermost failure is the one that says what happened. */
function rootOf(failure: Failure | null | undefined): Failure | undefined {
  return failure?.cause ? rootOf(failure.cause) : (failure ?? undefined);
}

/** The sentence in a result that proves something: fields of our own contract only. */
function proofIn(result: unknown): string | undefined {
  if (Array.isArray(result)) {
    const proofs = result.map(proofIn).filter((proof) => proof !== undefined);
    return proofs.length > 0 ? proofs.join('; ') : undefined;
  }
  if (typeof result !== 'object' || result === null) return undefined;
  const { answer, code, principal, control, sessionsEnded } = result as Record<string, unknown>;
  if (typeof answer === 'string' && typeof control === 'string')
    return `${text(principal)} was refused with ${text(code)}: ${answer}`;
  if (typeof answer === 'string') return answer;
  return typeof sessionsEnded === 'number' ? `${count(sessionsEnded, 'live session')} ended` : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}

function decided(base: Base, decision: Decision | undefined): Fact | undefined {
  if (!decision) return undefined;
  const { effect, reasons, obligations } = decision;
  return { ...base, what: 'decided', effect, reasons, approvals: obligations.approvals };
}

function held(base: Base, clearance: Clearance | undefined): Fact | undefined {
  return clearance?.clear === false
    ? { ...base, what: 'held', until: clearance.until, reason: clearance.reason }
    : undefined;
}

function staged(base: Base, candidate: CredentialRecord | undefined): Fact | undefined {
  return candidate && { ...base, what: 'staged', principal: candidate.principal, fingerprint: candidate.fingerprint };
}

/** What a decision claims that was sent; whether it counted is what the gate says. Anybody may have sent anything. */
function claimedIn(
  ballot: Ballot | undefined,
): Pick<DecisionStatement, 'approver' | 'decision' | 'reason'> | undefined {
  try {
    const { approver, decision, reason } = JSON.parse(ballot?.signed.statement ?? '') as DecisionStatement;
    const isWhole = [approver, decision].every((part) => typeof part === 'string');
    return isWhole ? { approver, decision, reason: typeof reason === 'string' ? reason : '' } : undefined;
  } catch {
    return undefined;
  }
}
