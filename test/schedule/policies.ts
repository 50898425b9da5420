import type { RotationPolicy } from '../../src/domain/identity.js';

export const hour = 3_600_000;
export const day = 24 * hour;

/** A rotation policy that differs only in what the test is about. */
export function policy(differs: Partial<RotationPolicy> = {}): RotationPolicy {
  return {
    name: 'test',
    strategy: 'alternate',
    graceMs: 0,
    whenInUse: 'ask',
    jitterMs: 0,
    freeze: [],
    whenNoWindow: 'skip',
    whenNotTaken: 'unwind',
    ...differs,
  };
}

export function freeze(from: string, to: string, reason = 'year end') {
  return { from, to, reason };
}
