import { CancellationScope } from '@temporalio/workflow';
import type { CredentialRecord } from '../../src/domain/credential.js';
import { stageHere } from './activities.js';
import type { Process } from './process.js';

/**
 * Makes the candidate durable under the operation id before the target hears of it. A retry, and a second run of this process after
 * a reset, gets the same candidate. In-process first, which costs one event instead of six; where the store does not
 * answer soon, as a remote activity, which an operator sees waiting.
 */
export async function stageCandidate(process: Process): Promise<CredentialRecord> {
  process.candidate = await stageHere(process.change()).catch((error: unknown) => {
    if (CancellationScope.current().consideredCancelled) throw error;
    return process.call('careful', 'Keep a new candidate in the store').stage(process.change());
  });
  return process.candidate;
}
