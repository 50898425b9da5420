import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { framesOf, toFailure } from '../../activities/failures.js';
import { errorCodes, TenureError, type ErrorCode } from '../../src/domain/errors.js';

const secret = 'postgres://app:hunter2@db/ledger';

describe('what crosses the wire', () => {
  test.for(Object.keys(errorCodes) as ErrorCode[])(
    '%s keeps its code, and says whether trying again can help',
    (code) => {
      const failure = toFailure(new TenureError(code, 'app: it did not work', { at: 'db' })) as ApplicationFailure;
      expect(failure).toBeInstanceOf(ApplicationFailure);
      expect(failure).toMatchObject({
        type: code,
        message: 'app: it did not work',
        nonRetryable: !errorCodes[code].retry,
        details: [{ at: 'db' }],
      });
    },
  );

  test('I1: an unforeseen error leaves by its name alone', () => {
    class DriverError extends Error {
      override readonly name = 'DriverError';
    }
    const failure = toFailure(new DriverError(`cannot connect to ${secret}`)) as ApplicationFailure;
    expect(failure).toMatchObject({ type: 'OutcomeUnknown', nonRetryable: false });
    expect(failure.message).toContain('DriverError');
    expect(JSON.stringify([failure.message, failure.details, failure.cause])).not.toContain('hunter2');
    expect(framesOf(new DriverError(secret)).join('\n')).not.toContain('hunter2');
  });

  test.for([null, undefined, 'a text with hunter2', 42, { password: 'hunter2' }])(
    'I1: so does %j, which is no error at all',
    (thrown) => {
      const failure = toFailure(thrown) as ApplicationFailure;
      expect(failure.type).toBe('OutcomeUnknown');
      expect(failure.message).not.toContain('hunter2');
    },
  );

  test('a cancellation and a failure that is fit already pass as they are', () => {
    for (const error of [new CancelledFailure('stop'), ApplicationFailure.create({ type: 'StillInUse' })])
      expect(toFailure(error)).toBe(error);
  });

  test('a message and facts of any size leave as little', () => {
    const facts = { rights: Array.from({ length: 5_000 }, (_, n) => `grant ${n}`) };
    const failure = toFailure(new TenureError('VerificationFailed', 'x'.repeat(400_000), facts)) as ApplicationFailure;
    expect(failure.message).toHaveLength(2_000);
    expect(JSON.stringify(failure.details).length).toBeLessThan(5_000);
  });
});
