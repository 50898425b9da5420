import { ApplicationFailure } from '@temporalio/workflow';
import type { DrainProof } from '../../src/domain/credential.js';
import { after, now } from './clock.js';
import * as say from './notes.js';
import type { Process } from './process.js';

/**
 * Stage 9. Waits until the old credential is out of use, by evidence from the target, or until its grace ends; then the rotation
 * policy says what follows: wait on, ask a person, or go on and end the sessions.
 */
export async function drain(process: Process): Promise<void> {
  const { graceMs, whenInUse } = process.input.spec.rotation;
  process.proofs.drained = await process.stage(
    'drain',
    async () => {
      for (let watched = 0; ; watched += 1) {
        const proof = await watch(process, watched === 0 ? graceMs : extendedMs(graceMs, watched));
        if (proof.drained || whenInUse === 'go-on') return proof;
        if (whenInUse === 'extend') continue;
        const told = await process.park('drain', `${proof.principal} is still in use: ${proof.who.join(', ')}`);
        if (told === 'go-on') return proof;
        if (told === 'abandon') throw stillInUse(proof);
      }
    },
    say.drained,
  );
}

/** Each further watch lasts longer: it ends when nobody uses the credential any more, and each one is events in the history. */
function extendedMs(graceMs: number, times: number): number {
  return Math.max(graceMs, Math.min(1_000 * 2 ** times, longestExtensionMs));
}

const longestExtensionMs = 60 * 60_000;

async function watch(process: Process, graceMs: number): Promise<DrainProof> {
  const startedAt = now();
  const deadline = after(graceMs);
  if (graceMs > 0)
    process.waiting(
      'drain',
      `watches ${process.input.current!.principal} until it is out of use, at the longest until ${deadline}`,
    );
  return process
    .call('stubborn', 'Watch the old credential fall out of use')
    .drain({ ...process.change(), startedAt, deadline });
}

function stillInUse({ principal, sessions }: DrainProof): ApplicationFailure {
  return ApplicationFailure.nonRetryable(
    `${principal} still has ${sessions} session(s), and an operator gave the rotation up`,
    'StillInUse',
  );
}
