import type { IdentitySpec } from '../domain/identity.js';
import type { ProcessInput } from '../domain/process.js';

/** The declared identities that a process works with: what shall be, and for a time what is lent. */
export function specsOf({ spec }: ProcessInput): readonly IdentitySpec[] {
  return [spec];
}
