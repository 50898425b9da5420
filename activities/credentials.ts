/**
 * Makes, moves and ends credentials. Material lives here, in memory, and in stores; only references leave. Every method
 * brings about a state, so that trying again is always safe.
 */
import type { CredentialActivities } from './contract.js';
import type { CredentialDependencies } from './credentials/change.js';
import { endingCredentials } from './credentials/end.js';
import { lendingRights } from './credentials/lend.js';
import { lookingAtCredentials } from './credentials/look.js';
import { makingCredentials } from './credentials/make.js';

export type { CredentialDependencies } from './credentials/change.js';

export function createCredentialActivities(deps: CredentialDependencies): CredentialActivities {
  return {
    ...makingCredentials(deps),
    ...endingCredentials(deps),
    ...lookingAtCredentials(deps),
    ...lendingRights(deps),
  };
}
