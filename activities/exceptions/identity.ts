/** What the controls of an exception ask of its identity. */
import { setTimeout as sleep } from 'node:timers/promises';
import { TenureError } from '../../src/domain/errors.js';
import type { IdentityState } from '../../src/domain/identity.js';
import { requestSigned } from '../../src/trust/statements.js';
import type { ExceptionDependencies } from './dependencies.js';

/** A validation that takes longer than this is not waited for, milliseconds. */
const patienceMs = 45_000;
const lookAgainMs = 500;
const provesAccess = ['validate', 'rotate', 'provision'];

/**
 * Has the identity validated; undefined where that succeeded, else why not. One that is busy is not asked: its last proof counts, since an
 * exception must not fall because a rotation waits for its approval.
 */
export async function validated(
  { others, signer }: Pick<ExceptionDependencies, 'others' | 'signer'>,
  identity: string,
  id: string,
): Promise<string | undefined> {
  const state = await others.state(identity);
  if (state.running || state.queue.length > 0) return lastProof(state);
  const signs = await signer();
  const request = { id, kind: 'validate', requester: signs.name, reason: 'a control of an exception' } as const;
  const answer = await others.ask(identity, await requestSigned(request, identity, signs));
  if (!answer.accepted) return `it was not taken: ${answer.reason}`;
  for (const end = Date.now() + patienceMs; Date.now() < end; await sleep(lookAgainMs)) {
    const { recent } = await others.state(identity);
    const done = recent.find(({ requestId }) => requestId === id);
    if (done)
      return done.outcome === 'succeeded' ? undefined : `${done.outcome}: ${done.message ?? 'no reason was given'}`;
  }
  return `it has not ended after ${patienceMs / 1_000} s`;
}

function lastProof({ recent, running }: IdentityState): string | undefined {
  const last = recent.findLast(({ kind }) => provesAccess.includes(kind));
  if (last?.outcome === 'succeeded') return undefined;
  return `${running?.operation ?? 'another request'} is under way, and the last proof is ${last ? last.outcome : 'none'}`;
}

/** How many sessions use the identity's credential now. */
export async function sessionsOf(
  { others, target }: Pick<ExceptionDependencies, 'others' | 'target'>,
  identity: string,
): Promise<number> {
  const { spec, current } = await others.state(identity);
  if (!spec || !current) return 0;
  const there = target(current.target);
  if (!there.capabilities.observesUse)
    throw new TenureError('InvalidRequest', `${current.target} does not see who uses a credential`);
  const { strategy } = spec.rotation;
  const subject = { identity, operation: current.version, epoch: 0, strategy, scope: spec.target.scope };
  return (await there.usage(subject, current)).sessions;
}
