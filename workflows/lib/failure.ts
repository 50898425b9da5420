import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import { clip } from '../../src/domain/clip.js';
import { isErrorCode, type ErrorCode } from '../../src/domain/errors.js';

/** What went wrong, as it is recorded and shown. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * Finds our code in whatever the SDK wrapped around it. Anything that has no code is a bug of ours: it is thrown again, so
 * that the workflow task fails loudly and can be repaired, instead of being taken for an answer of the target.
 */
export function failureOf(error: unknown): Failure {
  if (isCancellation(error)) return { code: 'Conflict', message: 'cancelled by an operator' };
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type))
      return { code: cause.type, message: clip(cause.message) };
    if (cause instanceof TimeoutFailure)
      return (
        lastAnswer(cause) ?? { code: 'OutcomeUnknown', message: 'no answer in time: it may or may not have happened' }
      );
  }
  if (error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) {
    return { code: 'OutcomeUnknown', message: clip(rootMessage(error)) };
  }
  throw error;
}

/** What the last attempt said before patience ended. The SDK leaves it out of `cause`; the failure as received has it. */
function lastAnswer({ failure }: TimeoutFailure): Failure | undefined {
  const { message, applicationFailureInfo } = failure?.cause ?? {};
  const code = applicationFailureInfo?.type;
  return isErrorCode(code) ? { code, message: `${message}; given up after several attempts` } : undefined;
}

function rootMessage(error: Error): string {
  return error.cause instanceof Error ? rootMessage(error.cause) : error.message;
}
