import type { CredentialRecord } from '../../src/domain/credential.js';
import type { Process } from './process.js';

/**
 * Makes the candidate durable under the operation id before the target hears of it. A retry, and a second run of this process after
 * a reset, gets the same candidate.
 */
export async function stageCandidate(process: Process): Promise<CredentialRecord> {
  return (process.candidate = await process.hereFirst('careful', 'Keep a new candidate in the store', ({ stage }) =>
    stage(process.change()),
  ));
}
