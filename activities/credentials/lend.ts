/** Lends rights for a time, and takes them back. The credential stays as it is. */
import { clipLines } from '../../src/domain/clip.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Holder, Target } from '../../src/targets/target.js';
import type { Change, CredentialActivities } from '../contract.js';
import { type CredentialDependencies, holderOf, mustBeCurrent, subjectOf } from './change.js';

export function lendingRights(deps: CredentialDependencies): Pick<CredentialActivities, 'elevate' | 'restore'> {
  return {
    async elevate(change) {
      // Rights are lent to what consumers read, and to nothing else.
      if (change.from) await mustBeCurrent(deps, change, change.from);
      const { changed } = await deps
        .target(change.spec.target.name)
        .bringRights(subjectOf(change), holdersOf(change), 'keep');
      return { changed: clipLines(changed) };
    },

    async restore(change) {
      const target = deps.target(change.spec.target.name);
      try {
        const { changed, sessionsEnded } = await target.bringRights(subjectOf(change), holdersOf(change), 'end');
        return { changed: clipLines(changed), sessionsEnded };
      } catch (error) {
        if (error instanceof TenureError && error.code === 'Fenced') await demandGone(target, change);
        throw error;
      }
    },
  };
}

/** That something later has begun says nothing of the rights: they are looked at, unless nobody can log in any more. */
async function demandGone(target: Target, change: Change): Promise<void> {
  const excess = (await target.inspect(subjectOf(change), [])).filter(({ problem }) => problem === 'excess');
  const more = excess.filter(({ what }) => what === 'right' || what === 'membership');
  if (more.length === 0 || !excess.some(({ what }) => what === 'login')) return;
  const details = clipLines(
    more.map(({ detail }) => detail),
    5,
  ).join('; ');
  throw new TenureError(
    'StillAccepted',
    `${change.operation} cannot take back what it has lent, since a later process has begun, and ${change.identity} still has more than was declared: ${details}. End it with: tenure revoke ${change.identity} --now`,
  );
}

/** Whoever has the identity's rights at its target. */
function holdersOf({ from, previous = [], spec }: Change): Holder[] {
  return [...(from ? [from] : []), ...previous].filter(({ target }) => target === spec.target.name).map(holderOf);
}
