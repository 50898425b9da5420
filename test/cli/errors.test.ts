import { ServiceError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { CliError, complaintOf, nextCommands, noWorker, redact, usage } from '../../src/cli/errors.js';
import { errorCodes, TenureError, type ErrorCode } from '../../src/domain/errors.js';

test.each(Object.keys(errorCodes) as ErrorCode[])('%s names a next command', (code) => {
  const { next, exitCode } = complaintOf(new TenureError(code, 'it went wrong', { identity: 'payments-db' }));
  expect(next.length).toBeGreaterThan(0);
  expect(next.join()).not.toContain('NAME');
  expect(exitCode).toBe(1);
});

test('whatever is thrown becomes one line without a stack, and a next command', () => {
  for (const thrown of [
    new Error('first\n    at somewhere (file.js:1:1)'),
    'a text',
    undefined,
    new TypeError('x is not a function'),
  ]) {
    const { message, next } = complaintOf(thrown);
    expect(message).not.toMatch(/\n|at somewhere/);
    expect(next.length).toBeGreaterThan(0);
  }
});

test('a wrong use exits with 2, everything else with 1', () => {
  expect(complaintOf(usage('no such field')).exitCode).toBe(2);
  expect(complaintOf(noWorker('it was not asked for')).exitCode).toBe(1);
});

test('our code is found inside what Temporal wraps around it', () => {
  const failure = ApplicationFailure.nonRetryable('the gate was denied', 'ApprovalRefused');
  expect(complaintOf(new WorkflowFailedError('failed', failure, 'NON_RETRYABLE_FAILURE' as never)).code).toBe(
    'ApprovalRefused',
  );
});

test('a workflow that is not there is told by the name of the identity', () => {
  const { code, message } = complaintOf(new WorkflowNotFoundError('not found', 'nhi/payments-db', undefined));
  expect(code).toBe('NotFound');
  expect(message).toBe('nothing is known of payments-db');
});

test('a server that does not answer points to dev and doctor', () => {
  const cause = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'connection refused', metadata: {} });
  const complaint = complaintOf(new ServiceError('failed', { cause }));
  expect(complaint.code).toBe('NoTemporal');
  expect(complaint.next).toContain('tenure dev');
});

test('user names and passwords are taken out of addresses', () => {
  expect(redact('at https://u:p@ss/w@host now')).toBe('at https://…@host now');
  expect(redact('cannot reach postgres://admin:hunter2@127.0.0.1:5432/ledger')).toBe(
    'cannot reach postgres://…@127.0.0.1:5432/ledger',
  );
  expect(complaintOf(new CliError('NoTemporal', 'https://u:p@host', ['tenure doctor'])).message).not.toContain('u:p');
});

test('the name of the identity stands in the commands where it is known', () => {
  expect(nextCommands('StillAccepted', 'payments-db')[0]).toBe('tenure revoke payments-db --now');
});

test('whoever throws may say what leads on; what is wrong without an identity is for the doctor', () => {
  const next = ['tenure dev'];
  expect(complaintOf(new TenureError('InvalidRequest', 'there is no file', { next })).next).toEqual(next);
  expect(complaintOf(new TenureError('InvalidRequest', 'the file is wrong')).next).toEqual(['tenure doctor']);
  expect(complaintOf(new TenureError('InvalidRequest', 'it is revoked', { identity: 'a-db' })).next).toEqual([
    'tenure plan',
    'tenure show a-db',
  ]);
});
