import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochOf, processNumberAfter, undoEpoch } from '../../src/domain/epoch.js';
import { errorCodes, isErrorCode, isRetryable, TenureError, type ErrorCode } from '../../src/domain/errors.js';
import { processKinds } from '../../src/domain/process.js';
import {
  identityId,
  identityMessages,
  parseProcessId,
  processId,
  processMessages,
  taskQueue,
  emergencyTaskQueue,
} from '../../src/domain/wire.js';

describe('epochs', () => {
  test('I7: nothing of a process comes after its undo, and nothing of it after the next process has begun', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (number) => {
        expect(undoEpoch(epochOf(number))).toBeGreaterThan(epochOf(number));
        expect(epochOf(number + 1)).toBeGreaterThan(undoEpoch(epochOf(number)));
      }),
    );
  });

  test('I7: the first process of a next life is newer than whatever has written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (lastEpoch) => {
        const first = processNumberAfter(lastEpoch);
        expect(epochOf(first)).toBeGreaterThan(lastEpoch);
        expect(epochOf(first - 1)).toBeLessThanOrEqual(lastEpoch);
      }),
    );
  });
});

describe('ids', () => {
  test('a process id is taken apart into what it was made of', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[^/\n]{1,80}$/),
        fc.constantFrom(...processKinds),
        fc.nat(),
        (name, kind, number) => {
          const id = processId(name, kind, number);
          expect(id.startsWith(`${identityId(name)}/`)).toBe(true);
          expect(parseProcessId(id)).toEqual({ name, kind, number });
        },
      ),
    );
  });

  test.for(['nhi/app', 'nhi/app/rotate', 'nhi/app/rotate/x', 'nhi/a/b/rotate/1', 'campaign/rotate/1', ''])(
    '%j is none',
    (id) => {
      expect(parseProcessId(id)).toBeUndefined();
    },
  );
});

test('wire names are what running workflows know; another name needs a decision record and a patch marker', () => {
  expect({ identityMessages, processMessages, taskQueue, emergencyTaskQueue, processKinds }).toEqual({
    identityMessages: { request: 'request', requestSignal: 'requestLater', state: 'state' },
    processMessages: {
      decide: 'decide',
      acknowledge: 'acknowledge',
      resume: 'resume',
      abandon: 'abandon',
      preempt: 'preempt',
      giveBack: 'giveBack',
      process: 'process',
    },
    taskQueue: 'tenure',
    emergencyTaskQueue: 'tenure-emergency',
    processKinds: ['provision', 'rotate', 'validate', 'revoke', 'offboard', 'elevate'],
  });
});

describe('error codes', () => {
  test('say whether trying again can help', () => {
    const retried = (Object.keys(errorCodes) as ErrorCode[]).filter(isRetryable);
    expect(retried).toEqual(['TargetUnavailable', 'StoreUnavailable', 'OutcomeUnknown', 'StillInUse', 'StillRunning']);
  });

  test('are ours alone', () => {
    expect(isErrorCode('Fenced')).toBe(true);
    for (const other of ['toString', 'constructor', '__proto__', 'fenced', '', null, 7])
      expect(isErrorCode(other)).toBe(false);
  });

  test('an error says its code, its message and its facts', () => {
    expect(new TenureError('Conflict', 'app moved', { version: 'x' })).toMatchObject({
      code: 'Conflict',
      message: 'app moved',
      facts: { version: 'x' },
    });
  });
});
