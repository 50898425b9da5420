import type { temporal } from '@temporalio/proto';
import type { Answer, ChangeRequest } from '../domain/request.js';
import { identityMessages } from '../domain/wire.js';
import { baseOf, type Base, type Decode, type Event } from './facts-events.js';
import type { Fact } from './timeline.js';

/** Reads the history of an identity: what was asked, and what was refused. */
export class IdentityReader {
  private readonly requests = new Map<string, ChangeRequest>();

  constructor(
    private readonly workflowId: string,
    private readonly decode: Decode,
  ) {}

  async read(event: Event): Promise<Fact | undefined> {
    const base = baseOf(event, this.workflowId);
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
    base: Base,
    completed: temporal.api.history.v1.IWorkflowExecutionUpdateCompletedEventAttributes,
  ): Promise<Fact | undefined> {
    const answer = await this.decode<Answer>(completed.outcome?.success);
    const kind = this.requests.get(String(completed.meta?.updateId))?.kind;
    if (!answer || answer.accepted) return undefined;
    return { ...base, what: 'refused', ...(kind && { kind }), code: answer.code, reason: answer.reason };
  }
}

function asked(base: Base, request: ChangeRequest): Fact {
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
