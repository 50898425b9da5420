import { describe, expect, it } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { toCommitError, toTenureError } from '../../src/targets/postgresql/errors.js';
import { refusalCode } from '../../src/targets/postgresql/login.js';

const raised = (code: string, message = 'what the server says', more = {}) =>
  Object.assign(new Error(message), { code, detail: 'Failing row contains (secret)', ...more });

describe('what PostgreSQL throws becomes a code', () => {
  it.each([
    ['57P03', 'TargetUnavailable'],
    ['53300', 'TargetUnavailable'],
    ['3D000', 'TargetUnavailable'],
    ['28P01', 'TargetUnavailable'],
    ['40P01', 'TargetUnavailable'],
    ['55P03', 'TargetUnavailable'],
    ['57014', 'TargetUnavailable'],
    ['XX000', 'TargetUnavailable'],
    ['25006', 'TargetUnavailable'],
    ['42501', 'RejectedUnchanged'],
    ['2BP01', 'RejectedUnchanged'],
    ['42P01', 'RejectedUnchanged'],
    ['ECONNREFUSED', 'TargetUnavailable'],
    ['ENOTFOUND', 'TargetUnavailable'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'TargetUnavailable'],
  ])('%s is %s', (code, expected) => {
    const error = toTenureError(raised(code), 'payments-db: a try') as TenureError;
    expect(error).toMatchObject({ code: expected });
    expect(error.message).toContain('payments-db: a try');
    expect(error.message).not.toContain('secret');
  });

  it.each(['timeout expired', 'Connection terminated unexpectedly', 'Query read timeout'])(
    '%s is not reached',
    (text) => {
      expect(toTenureError(new Error(text), 'a try')).toMatchObject({ code: 'TargetUnavailable' });
    },
  );

  it('leaves a bug and an error with a code as they are', () => {
    const bug = new TypeError('x is not a function');
    const argument = Object.assign(new TypeError('bad argument'), { code: 'ERR_INVALID_ARG_TYPE' });
    const known = new TenureError('Fenced', 'late');
    expect([bug, argument, known].map((error) => toTenureError(error, 'a try'))).toEqual([bug, argument, known]);
    expect(toTenureError(bug, 'a try')).toBe(bug);
  });

  it('does not know the outcome when the answer to COMMIT is lost, and knows it when the server says no', () => {
    expect(toCommitError(new Error('Connection terminated unexpectedly'), 'x')).toMatchObject({
      code: 'OutcomeUnknown',
    });
    expect(toCommitError(raised('57P01'), 'x')).toMatchObject({ code: 'OutcomeUnknown' });
    expect(toCommitError(raised('40001'), 'x')).toMatchObject({ code: 'TargetUnavailable' });
  });
});

describe('a refusal for the right reason', () => {
  it.each([
    ['28P01', raised('28P01'), '28P01'],
    [
      '28000 of a role',
      raised('28000', 'la connexion du rôle est refusée', { routine: 'InitializeSessionUserId' }),
      '28000',
    ],
    ['28000 by its text', raised('28000', 'role "a" is not permitted to log in'), '28000'],
    ['28000 of pg_hba.conf', raised('28000', 'no pg_hba.conf entry', { routine: 'ClientAuthentication' }), undefined],
    ['too many connections', raised('53300'), undefined],
    ['starting up', raised('57P03'), undefined],
    ['no database', raised('3D000'), undefined],
    ['nobody there', raised('ECONNREFUSED'), undefined],
  ])('%s', (_, error, expected) => {
    expect(refusalCode(error)).toBe(expected);
  });
});
