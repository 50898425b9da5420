/** Whenever a credential is verified, the use of its rights is looked at too, while somebody is there who may ask. */
import { clipList } from '../../src/domain/clip.js';
import { TenureError } from '../../src/domain/errors.js';
import type { UseProof } from '../../src/domain/use.js';
import { type FactSources, grantedIn } from '../../src/trust/facts.js';
import type { UseWatch } from '../../src/trust/use-watch.js';
import type { CredentialActivities } from '../contract.js';

/** The same activities; the proof of `verify` tells of use. */
export function watchingUse(
  activities: CredentialActivities,
  watch: UseWatch,
  recordsOf: FactSources['recordsOf'],
): CredentialActivities {
  return {
    ...activities,
    async verify(change) {
      const proof = await activities.verify(change);
      const use = await look(change.identity);
      return use ? { ...proof, use } : proof;
    },
  };

  /** Of what is on record, whatever the workflow says. That a credential is accepted holds also where this cannot be looked at. */
  async function look(identity: string): Promise<UseProof | undefined> {
    try {
      const granted = grantedIn(await recordsOf(identity));
      const use = granted && (await watch.look(granted));
      return use?.known ? { ...use, unused: clipList(use.unused, inSum) } : use;
    } catch (error) {
      return {
        known: false,
        why: `it could not be read (${error instanceof TenureError ? error.code : 'OutcomeUnknown'})`,
      };
    }
  }

  function inSum(left: number): { right: string; since: string } {
    return { right: `and ${left} more`, since: new Date().toISOString() };
  }
}
