/** What a campaign and an identity need of other workflows. */
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, WorkflowNotFoundError } from '@temporalio/common';
import type { IdentitySpec, IdentityState } from '../src/domain/identity.js';
import type { ProcessResult, ProcessSummary } from '../src/domain/process.js';
import type { Answer, ChangeRequest } from '../src/domain/request.js';
import { identityId, identityMessages, identityWorkflow } from '../src/domain/wire.js';
import type { FleetActivities, PolicyActivities } from './contract.js';

export interface FleetDependencies {
  readonly client: Client;
  readonly perTarget: number;
  readonly due: PolicyActivities['due'];
  /** How long one identity waits before it starts, out of the jitter of its policy; never past the end of its window. */
  delayOf(spec: IdentitySpec, lastRotatedAt: string | undefined): Promise<number>;
}

/** How often a campaign looks whether a rotation has ended. */
const lookAgainMs = 500;

export function createFleetActivities({ client, perTarget, due, delayOf }: FleetDependencies): FleetActivities {
  return {
    async selectDue({ policy, limit }) {
      const query = `WorkflowType = '${identityWorkflow}' AND ExecutionStatus = 'Running' AND NhiStatus = 'active' AND NhiTags = '${quoted(`policy:${policy}`)}' AND NhiNextRotation <= '${new Date().toISOString()}'`;
      const identities: { name: string; target: string; jitterMs: number }[] = [];
      for await (const { workflowId } of client.workflow.list({ query })) {
        Context.current().heartbeat();
        const { name, spec, lastRotatedAt } = await stateOf(client, workflowId);
        if (!spec) continue;
        const verdict = await due({ spec, ...(lastRotatedAt !== undefined && { lastRotatedAt }) });
        if (verdict.due)
          identities.push({ name, target: spec.target.name, jitterMs: await delayOf(spec, lastRotatedAt) });
        if (identities.length >= limit) break;
      }
      return { perTarget, identities };
    },

    async rotateOne({ name, requestId, requester }) {
      const request: ChangeRequest = { id: requestId, kind: 'rotate', requester, reason: 'it is due', onlyIfDue: true };
      const answer = await client.workflow
        .getHandle(identityId(name))
        .executeUpdate<Answer, [ChangeRequest]>(identityMessages.request, { args: [request] });
      if (!answer.accepted) return { outcome: 'refused', detail: answer.reason };
      for (;;) {
        const done = (await stateOf(client, identityId(name))).recent.find(
          (process) => process.requestId === requestId,
        );
        if (done) return inShort(done);
        await Context.current().sleep(lookAgainMs);
      }
    },

    async awaitProcess(operation) {
      try {
        return (await client.workflow.getHandle(operation).result()) as ProcessResult;
      } catch (error) {
        throw asSeenByParent(error, operation);
      }
    },
  };
}

async function stateOf(client: Client, workflowId: string): Promise<IdentityState> {
  return client.workflow.getHandle(workflowId).query<IdentityState>(identityMessages.state);
}

function inShort({ outcome, operation, message }: ProcessSummary): { outcome: string; detail: string } {
  return { outcome, detail: [operation, message].filter((part) => part !== undefined).join(': ') };
}

/** The process failed for good: its failure, with the result in the details, is the answer. A lost connection is tried again. */
function asSeenByParent(error: unknown, operation: string): unknown {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof ApplicationFailure)
    return ApplicationFailure.nonRetryable(cause.message, cause.type, ...(cause.details ?? []));
  if (cause instanceof CancelledFailure) return ApplicationFailure.nonRetryable('cancelled', 'Cancelled');
  if (error instanceof WorkflowNotFoundError)
    return ApplicationFailure.nonRetryable(`${operation} is not there any more`, 'OutcomeUnknown');
  if (cause) return ApplicationFailure.nonRetryable(`${operation} ended without a result`, 'OutcomeUnknown');
  return error;
}

/** A value inside a visibility query. */
function quoted(value: string): string {
  return value.replaceAll("'", "''");
}
