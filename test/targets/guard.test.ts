import { describe, expect, it } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { guardTarget } from '../../src/targets/guard.js';
import type { Subject, Target } from '../../src/targets/target.js';

const subject: Subject = { identity: 'payments-db', operation: 'o', epoch: 1, strategy: 'alternate', scope: {} };
const holder = { principal: 'payments-db_a', version: 'o' };
const material = {
  username: 'payments-db_a',
  password: 'p@ss/word-of-some-length',
  url: 'postgresql://payments-db_a:p%40ss%2Fword-of-some-length@db/x',
};

/** A target of which each call does the same. */
function guarded(behaviour: () => Promise<never>, callTimeoutMs = 1_000): Target {
  const names = [
    'probe',
    'mint',
    'install',
    'uninstall',
    'verify',
    'usage',
    'retire',
    'refuse',
    'purge',
    'remove',
    'inspect',
    'repair',
  ];
  const calls = Object.fromEntries(names.map((name) => [name, behaviour]));
  return guardTarget({ name: 'ledger-db', ...calls } as unknown as Target, { callTimeoutMs });
}

const failureOf = (call: Promise<unknown>): Promise<Error & { facts?: unknown }> =>
  call.then(
    () => new Error('it did not fail'),
    (error: unknown) => error as Error,
  );

describe('the guard around a target', () => {
  it('ends a call that never returns: unknown where something may have changed, unavailable where it only read', async () => {
    const target = guarded(() => new Promise<never>(() => undefined), 20);
    expect(await failureOf(target.install(subject, holder, material))).toMatchObject({ code: 'OutcomeUnknown' });
    expect(await failureOf(target.retire(subject, [holder], 'everything'))).toMatchObject({ code: 'OutcomeUnknown' });
    expect(await failureOf(target.verify(subject, material))).toMatchObject({ code: 'TargetUnavailable' });
    expect(await failureOf(target.inspect(subject, [holder]))).toMatchObject({ code: 'TargetUnavailable' });
  });

  it.each([
    ['the password', material.password],
    ['the password in a url', material.url],
    ['the password as urls write it', 'p%40ss%2Fword-of-some-length'],
    ['the password in base64, as a message on the wire has it', Buffer.from(material.password).toString('base64')],
    ['a url that it was not given', 'redis://app:another-secret@cache:6379/0'],
    ['a verifier', "ALTER ROLE x PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$another-secret:c2Vydg=='"],
  ])('takes %s out of an error, its facts included', async (_, text) => {
    const target = guarded(() => Promise.reject(new TenureError('RejectedUnchanged', `no: ${text}`, { text })));
    const error = await failureOf(target.uninstall(subject, holder, { holder, material, scope: {} }));
    const shown = JSON.stringify([error.message, error.facts, error.stack]);
    expect(error).toMatchObject({ code: 'RejectedUnchanged' });
    expect(shown).not.toMatch(/p@ss|p%40ss|another-secret|cEBzcy93/);
    expect(shown).toContain('no: ');
  });

  it('keeps what is no secret', async () => {
    const target = guarded(() => Promise.reject(new TenureError('Fenced', 'payments-db_a at epoch 1 of payments-db')));
    expect((await failureOf(target.verify(subject, material))).message).toBe('payments-db_a at epoch 1 of payments-db');
  });

  it('keeps the words of a scope, which a message about a right cannot do without', async () => {
    const scope = { grants: [{ on: 'ledger', may: ['select', 'insert'] }] };
    const target = guarded(() => Promise.reject(new TenureError('RejectedUnchanged', 'may not select from ledger')));
    expect((await failureOf(target.install({ ...subject, scope }, holder, material))).message).toBe(
      'may not select from ledger',
    );
  });

  it('keeps a bug loud, without code, cause or secret', async () => {
    const target = guarded(() => Promise.reject(new TypeError(`cannot read ${material.password}`)));
    const error = await failureOf(target.verify(subject, material));
    expect(error).not.toBeInstanceOf(TenureError);
    expect(error.message).toBe(
      'InvariantBroken: target ledger-db: verify threw what has no code: cannot read [redacted]',
    );
    expect(error.stack).not.toContain(material.password);
    expect(error.cause).toBeUndefined();
  });
});
