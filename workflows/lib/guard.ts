import {
  ApplicationFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  elevationReviewWorkflow,
  fewestReviewers,
  longestReviewMs,
  reviewId,
  type ReviewStart,
  type ReviewState,
} from '../../src/domain/elevation-review.js';
import { personsBehind } from '../../src/domain/directory.js';
import { taskQueue } from '../../src/domain/wire.js';
import { heedCancel, unheard } from './cancelled.js';
import { after } from './clock.js';
import type { Process } from './process.js';
import { attributesOf } from './show.js';

/**
 * Starts what watches over an elevation and has it reviewed, before there is anything to watch over: whatever becomes of this process,
 * the rights are taken back and somebody looks at it. Where it cannot be started, nothing is lent.
 */
export async function standGuard(process: Process): Promise<void> {
  const start = startOf(process);
  try {
    await unheard(() => post(start));
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const taken = `${reviewId(start.operation)} is there already, and it was not started by this process: nothing was lent`;
    throw ApplicationFailure.nonRetryable(`${taken}; find out who started it, and ask again`, 'Conflict');
  }
  heedCancel();
}

async function post(start: ReviewStart): Promise<void> {
  await startChild<(start: ReviewStart) => Promise<ReviewState>>(elevationReviewWorkflow, {
    workflowId: reviewId(start.operation),
    args: [start],
    taskQueue,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    staticSummary: `guard and review of ${start.operation}, asked by ${start.requester}`.slice(0, 200),
    typedSearchAttributes: attributesOf(start.back.spec, 'standing-by'),
  });
}

function startOf(process: Process): ReviewStart {
  const { input, state } = process;
  const { request, operation, identity, timing } = input;
  const { requester, obligations } = state.decision!;
  const asked = requester?.name ?? request.requester;
  const { people = 0, withinMs = longestReviewMs } = obligations.review ?? {};
  return {
    operation,
    identity,
    run: workflowInfo().runId,
    back: process.undoing(),
    elevation: request.elevation!,
    reason: request.reason ?? '',
    requester: asked,
    // Who asked, for whom, and who answers for an automation that did.
    excluded: [
      asked,
      ...(requester ? personsBehind(requester) : []),
      ...(request.onBehalfOf === undefined ? [] : [request.onBehalfOf]),
    ],
    people: Math.max(fewestReviewers, people),
    withinMs: Math.min(longestReviewMs, withinMs),
    until: after(request.elevation!.forMs),
    ...(timing && { timing }),
  };
}
