/** Looks: what differs from the state, and which epochs were there before. */
import { clip, clipLines, clipList } from '../../src/domain/clip.js';
import type { Drift } from '../../src/domain/credential.js';
import type { Change, CredentialActivities } from '../contract.js';
import { type CredentialDependencies, holderOf, mustBeCurrent, subjectOf } from './change.js';

export function lookingAtCredentials(
  deps: CredentialDependencies,
): Pick<CredentialActivities, 'inspect' | 'repair' | 'lastEpoch'> {
  return {
    async inspect(change) {
      const expected = change.from ? [holderOf(change.from)] : [];
      const atTarget = await deps.target(change.spec.target.name).inspect(subjectOf(change), expected);
      // A table of thousands of wrong grants is one finding; the record of it has to stay small.
      return clipDrift([...(await storeDrift(deps, change)), ...atTarget]);
    },

    async repair(change) {
      if (change.from) await mustBeCurrent(deps, change, change.from);
      const expected = change.from ? [holderOf(change.from)] : [];
      return clipLines(await deps.target(change.spec.target.name).repair(subjectOf(change), expected));
    },

    async lastEpoch(spec) {
      const entries = await Promise.all(spec.deliver.map(({ store, path }) => deps.store(store).describe(path)));
      return Math.max(0, ...entries.map(({ epoch }) => epoch));
    },
  };
}

function clipDrift(drift: readonly Drift[]): Drift[] {
  const rest = (left: number): Drift => ({ what: 'object', problem: 'changed', detail: `and ${left} more` });
  return clipList(drift, rest).map((one) => ({ ...one, detail: clip(one.detail, 400) }));
}

/** What stores hold that the state does not name. */
async function storeDrift(deps: CredentialDependencies, { spec, from }: Change): Promise<Drift[]> {
  const drift: Drift[] = [];
  for (const { store, path } of spec.deliver) {
    const { current } = (await deps.store(store).describe(path)).slots;
    if (current?.version === from?.version) continue;
    const holds = current ? `version ${current.version}` : 'no credential';
    drift.push({
      what: 'object',
      problem: 'changed',
      detail: `${store}:${path} holds ${holds}, the state names ${from?.version ?? 'none'}`,
    });
  }
  return drift;
}
