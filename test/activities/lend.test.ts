/** I8: that something later has begun does not prove that lent rights are gone. */
import { expect, test } from 'vitest';
import { lendingRights } from '../../activities/credentials/lend.js';
import type { Drift } from '../../src/domain/credential.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Target } from '../../src/targets/target.js';
import { specOf } from '../support/spec.js';

const back = { identity: 'app', operation: 'nhi/app/elevate/2', epoch: 5, spec: specOf('app') };
const right: Drift = { what: 'right', problem: 'excess', detail: 'app may delete from ledger' };
const login: Drift = { what: 'login', problem: 'excess', detail: 'app_a may log in' };

/** Takes back where the target has seen something later, and differs in this from what was declared. */
function restored(drift: readonly Drift[]): Promise<unknown> {
  const target = {
    bringRights: () => Promise.reject(new TenureError('Fenced', 'a later process has begun')),
    inspect: () => Promise.resolve(drift),
  } as unknown as Target;
  const store = (): never => {
    throw new Error('nobody asked for a store');
  };
  return lendingRights({ target: () => target, store }).restore(back);
}

test('fenced off, lent rights that somebody can still log in with are told of', async () => {
  await expect(restored([right, login])).rejects.toMatchObject({
    code: 'StillAccepted',
    message: expect.stringContaining(right.detail),
  });
});

test.each([
  ['the rights are the declared ones', [login]],
  ['nobody can log in with them', [right, { ...login, problem: 'missing' }]],
  ['nothing differs', []],
] as const)('fenced off, there is nothing to take back where %s', async (_, drift) => {
  await expect(restored(drift)).rejects.toMatchObject({ code: 'Fenced' });
});
