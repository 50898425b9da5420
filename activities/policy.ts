import { evaluateDue, mayChange, nextRotation } from '../src/schedule/due.js';
import type { Freeze } from '../src/domain/identity.js';
import type { Policy } from '../src/policy/policy.js';
import type { PolicyActivities } from './contract.js';

/** What deciding needs from outside. */
export interface PolicyDependencies {
  readonly policy: Policy;
  /** The operator's freezes as they are now: one that is added later holds for what was queued before. Throws retryably when they cannot be read. */
  loadFreezes(): Promise<readonly Freeze[]>;
  readonly now?: () => Date;
}

/** Policy on plans, and the calendar: freezes, windows, due dates. Changes nothing anywhere. */
export function createPolicyActivities({
  policy,
  loadFreezes,
  now = () => new Date(),
}: PolicyDependencies): PolicyActivities {
  return {
    authorize: async (plan) => policy.decide(plan, now()),

    async clearance({ spec, emergency }) {
      // An emergency does not wait for a file.
      const freezes = emergency ? [] : await loadFreezes();
      return mayChange({ freezes: [...freezes, ...spec.rotation.freeze], emergency, now: now() });
    },

    async nextRotation({ spec, lastRotatedAt }) {
      return nextRotation({ policy: spec.rotation, lastRotatedAt, freezes: await loadFreezes(), now: now() });
    },

    async due({ spec, lastRotatedAt }) {
      return evaluateDue({ policy: spec.rotation, lastRotatedAt, freezes: await loadFreezes(), now: now() });
    },
  };
}
