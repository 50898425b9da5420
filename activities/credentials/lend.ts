/** Lends rights for a time, and takes them back. The credential stays as it is. */
import { clipLines } from '../../src/domain/clip.js';
import type { Holder } from '../../src/targets/target.js';
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
      const { changed, sessionsEnded } = await target.bringRights(subjectOf(change), holdersOf(change), 'end');
      return { changed: clipLines(changed), sessionsEnded };
    },
  };
}

/** Whoever has the identity's rights at its target. */
function holdersOf({ from, previous = [], spec }: Change): Holder[] {
  return [...(from ? [from] : []), ...previous].filter(({ target }) => target === spec.target.name).map(holderOf);
}
