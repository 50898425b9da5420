import type { ProcessKind } from './process.js';

/**
 * Fencing tokens. Process number n of an identity acts with epoch 2n and undoes with 2n + 1, so that a late attempt of a
 * step cannot land after its own undo, and nothing of process n can land after process n + 1 has begun.
 */
export function epochOf(processNumber: number): number {
  return processNumber * 2;
}

/**
 * How many numbers a process takes. Taking lent rights back is the undo of lending them, so that no late attempt can lend them again; the
 * rotation that follows needs a fence above that, and a way back of its own.
 */
export function numbersTaken(kind: ProcessKind): 1 | 2 {
  return kind === 'elevate' ? 2 : 1;
}

/** The epoch of the rotation that follows an elevation which acts in `epoch`. */
export function epochAfterwards(epoch: number): number {
  return epoch + 2;
}

/** The epoch in which a process that acts in `epoch` takes its steps back. */
export function undoEpoch(epoch: number): number {
  return epoch + 1;
}

/** The number of the first process that is newer than everything which has written `lastEpoch`. */
export function processNumberAfter(lastEpoch: number): number {
  return Math.floor(lastEpoch / 2) + 1;
}
