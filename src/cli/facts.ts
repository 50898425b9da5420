/**
 * Temporal's history of an identity and its processes, as facts. Only known fields of known payloads are taken; a payload
 * as such goes no further than this file.
 */
import type { Client } from '@temporalio/client';
import type { LoadedDataConverter, Payload } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { temporal } from '@temporalio/proto';
import type { ProcessKind, ProcessOutcome, ProcessResult, Vote } from '../domain/process.js';
import type { Answer, ChangeRequest } from '../domain/request.js';
import type { Abandon, ConsumerAcknowledgement, Preempt, Resume } from '../domain/wire.js';
import { identityMessages, parseProcessId, processMessages } from '../domain/wire.js';
import type { Fact } from './timeline.js';

type Event = temporal.api.history.v1.IHistoryEvent;
type Decode = <T>(payloads: { payloads?: readonly Payload[] | null } | null | undefined) => Promise<T | undefined>;

/** The facts of one workflow's history. `workflowId` tells whether it is an identity or a process. */
export async function factsOf(client: Client, workflowId: string, events: readonly Event[]): Promise<Fact[]> {
  const process = parseProcessId(workflowId);
  const decode = decoderOf(client.options.loadedDataConverter);
  const reader = process ? new ProcessReader(workflowId, decode) : new IdentityReader(workflowId, decode);
  const facts: Fact[] = [];
  for (const event of events) {
    const fact = await reader.read(event);
    if (fact) facts.push(fact);
  }
  return facts;
}

function decoderOf(converter: LoadedDataConverter): Decode {
  return async <T>(payloads: { payloads?: readonly Payload[] | null } | null | undefined) => {
    try {
      return (await decodeArrayFromPayloads(converter, [...(payloads?.payloads ?? [])]))[0] as T | undefined;
    } catch {
      return undefined;
    }
  };
}

/** ISO 8601 of an event. */
function timeOf(event: Event): string {
  const { seconds, nanos } = event.eventTime ?? {};
  return new Date(Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1_000_000)).toISOString();
}

class IdentityReader {
  private readonly requests = new Map<string, ChangeRequest>();

  constructor(
    private readonly workflowId: string,
    private readonly decode: Decode,
  ) {}

  async read(event: Event): Promise<Fact | undefined> {
    const base = { at: timeOf(event), workflow: this.workflowId };
    const started = event.workflowExecutionStartedEventAttributes;
    if (started) return started.continuedExecutionRunId ? undefined : { ...base, what: 'identity begun' };
    const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
    if (accepted?.acceptedRequest?.input?.name === identityMessages.request) {
      const request = await this.decode<ChangeRequest>(accepted.acceptedRequest.input.args);
      if (!request) return undefined;
      this.requests.set(String(accepted.protocolInstanceId), request);
      return asked(base, request);
    }
    const completed = event.workflowExecutionUpdateCompletedEventAttributes;
    if (completed) return this.answered(base, completed);
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (signal?.signalName === identityMessages.requestSignal) {
      const request = await this.decode<ChangeRequest>(signal.input);
      return request && asked(base, request);
    }
    if (event.workflowExecutionTerminatedEventAttributes) return { ...base, what: 'terminated' };
    return undefined;
  }

  private async answered(
    base: { at: string; workflow: string },
    completed: temporal.api.history.v1.IWorkflowExecutionUpdateCompletedEventAttributes,
  ): Promise<Fact | undefined> {
    const answer = await this.decode<Answer>(completed.outcome?.success);
    const kind = this.requests.get(String(completed.meta?.updateId))?.kind;
    if (!answer || answer.accepted) return undefined;
    return { ...base, what: 'refused', ...(kind && { kind }), code: answer.code, reason: answer.reason };
  }
}

function asked(base: { at: string; workflow: string }, request: ChangeRequest): Fact {
  const { kind, requester, reason, emergency } = request;
  return {
    ...base,
    what: 'asked',
    kind,
    requester,
    emergency: emergency === true,
    ...(reason !== undefined && { reason }),
  };
}

/** An activity as it was scheduled. */
interface Step {
  readonly activity: string;
  readonly summary?: string;
  readonly startedAt: string;
}

class ProcessReader {
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
    const base = { at: timeOf(event), workflow: this.workflowId };
    return (
      (await this.readBeginning(event, base)) ??
      (await this.readStep(event, base)) ??
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
      const lastFailure = started.lastFailure?.message;
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

  private stepFailed(base: Base, id: string, failure: temporal.api.failure.v1.IFailure | null | undefined): Fact {
    const step = this.steps.get(id)!;
    const root = rootOf(failure);
    return {
      ...base,
      what: 'step failed',
      activity: step.activity,
      ...(step.summary && { summary: step.summary }),
      attempt: this.attempts.get(id)?.attempt ?? 1,
      code: root?.applicationFailureInfo?.type || (root?.timeoutFailureInfo ? 'OutcomeUnknown' : 'Unexpected'),
      message: root?.message ?? 'it failed',
    };
  }

  private async readSignal(event: Event, base: Base): Promise<Fact | undefined> {
    const signal = event.workflowExecutionSignaledEventAttributes;
    if (!signal) return undefined;
    switch (signal.signalName) {
      case processMessages.decide: {
        const vote = await this.decode<Vote>(signal.input);
        if (!vote) return undefined;
        return {
          ...base,
          what: 'voted',
          by: vote.approver,
          decision: vote.decision,
          ...(vote.reason !== undefined && { reason: vote.reason }),
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
    if (event.workflowExecutionCancelRequestedEventAttributes) return { ...base, what: 'cancel asked' };
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

  private async failed(base: Base, failure: temporal.api.failure.v1.IFailure | null | undefined): Promise<Fact> {
    const info = failure?.applicationFailureInfo;
    const result = await this.decode<ProcessResult>(info?.details);
    const outcome: ProcessOutcome = result?.outcome ?? 'unfinished';
    return {
      ...base,
      what: 'ended',
      kind: this.kind,
      outcome,
      code: info?.type ?? 'Unexpected',
      message: failure?.message ?? 'it failed',
      ...(result?.leftovers?.length ? { leftovers: result.leftovers } : {}),
    };
  }

  private async summaryOf(event: Event): Promise<string | undefined> {
    const summary = event.userMetadata?.summary;
    const text = summary ? await this.decode<unknown>({ payloads: [summary as Payload] }) : undefined;
    return typeof text === 'string' ? text : undefined;
  }
}

interface Base {
  readonly at: string;
  readonly workflow: string;
}

/** The innermost failure is the one that says what happened. */
function rootOf(
  failure: temporal.api.failure.v1.IFailure | null | undefined,
): temporal.api.failure.v1.IFailure | undefined {
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
  return typeof sessionsEnded === 'number' ? `${sessionsEnded} live sessions ended` : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}
