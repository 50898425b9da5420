/**
 * The one place where an error becomes what crosses the wire: an `ApplicationFailure` whose `type` is our code. An error that nobody
 * foresaw is reported by its name alone, since its message may hold anything, a connection string for example.
 */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { CompleteAsyncError } from '@temporalio/activity';
import { clip } from '../src/domain/clip.js';
import { isRetryable, TenureError } from '../src/domain/errors.js';

/** Characters of JSON; larger facts are not worth their place in every history that they end up in. */
const longestFacts = 4_000;

/** Turns whatever an activity threw into what Temporal may keep. */
export function toFailure(error: unknown): unknown {
  if (error instanceof TenureError) {
    return ApplicationFailure.create({
      type: error.code,
      message: clip(error.message),
      nonRetryable: !isRetryable(error.code),
      details: JSON.stringify(error.facts).length <= longestFacts ? [error.facts] : [],
    });
  }
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure || error instanceof CompleteAsyncError)
    return error;
  const name = error instanceof Error ? error.name : typeof error;
  return ApplicationFailure.create({
    type: 'OutcomeUnknown',
    message: `an unforeseen ${name}; the worker's log has where it came from`,
    nonRetryable: false,
  });
}

/** The stack of an unforeseen error without its message. */
export function framesOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split('\n').filter((line) => line.trimStart().startsWith('at '));
}
