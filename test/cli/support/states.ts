/** Builders that show only what differs. */
import { newIdentity, type IdentitySpec, type IdentityState } from '../../../src/domain/identity.js';
import {
  stagesOf,
  type ProcessKind,
  type ProcessState,
  type StageName,
  type StageStatus,
} from '../../../src/domain/process.js';

export function processState(
  kind: ProcessKind,
  reached: Partial<Record<StageName, StageStatus>> = {},
  more: Partial<ProcessState> = {},
): ProcessState {
  return {
    operation: `nhi/payments-db/${kind}/3`,
    kind,
    identity: 'payments-db',
    requester: 'ada@example.com',
    emergency: false,
    stages: stagesOf[kind].map((name) => ({ name, status: reached[name] ?? 'to do' })),
    forwardOnly: false,
    leftovers: [],
    ...more,
  };
}

export function identityState(more: Partial<IdentityState> = {}): IdentityState {
  return { ...newIdentity('payments-db'), ...more };
}

export function identitySpec(more: Partial<IdentitySpec> = {}): IdentitySpec {
  return {
    name: 'payments-db',
    kind: 'database-role',
    owner: { person: 'ada@example.com' },
    purpose: 'the payments API writes the ledger',
    environment: 'staging',
    dataClass: 'internal',
    target: { name: 'ledger-db', scope: { grants: [] } },
    deliver: [{ store: 'local', path: 'payments/db' }],
    consumers: [],
    rotation: {
      name: 'monthly',
      strategy: 'alternate',
      everyMs: 30 * 86_400_000,
      graceMs: 3_600_000,
      whenInUse: 'extend',
      jitterMs: 0,
      freeze: [],
      whenNoWindow: 'skip',
      whenNotTaken: 'unwind',
    },
    tags: {},
    ...more,
  };
}
