import type { IdentitySpec } from '../../src/domain/identity.js';

/** An identity of the fake target. A test says only what differs. */
export function specOf(
  name: string,
  differs: Partial<Omit<IdentitySpec, 'rotation'>> & { rotation?: Partial<IdentitySpec['rotation']> } = {},
): IdentitySpec {
  const { rotation, ...others } = differs;
  return {
    name,
    kind: 'database-role',
    owner: { person: 'ada@example.com', team: 'payments' },
    purpose: 'a test',
    environment: 'test',
    dataClass: 'internal',
    target: { name: 'db', scope: {} },
    deliver: [{ store: 'local', path: name }],
    consumers: [],
    rotation: {
      name: 'monthly',
      strategy: 'alternate',
      everyMs: 2_592_000_000,
      graceMs: 0,
      whenInUse: 'go-on',
      jitterMs: 0,
      freeze: [],
      whenNoWindow: 'skip',
      whenNotTaken: 'unwind',
      ...rotation,
    },
    tags: {},
    ...others,
  };
}
