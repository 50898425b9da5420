import { elevatedSpec } from '../domain/elevation.js';
import type { IdentitySpec } from '../domain/identity.js';
import type { ProcessInput } from '../domain/process.js';

/** The declared identities that a process works with: what shall be, and for a time what is lent. */
export function specsOf({ spec, request: { elevation } }: ProcessInput): readonly IdentitySpec[] {
  return elevation ? [spec, elevatedSpec(spec, elevation)] : [spec];
}
