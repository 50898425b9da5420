/** Records that show only what differs. */
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { CredentialRecord } from '../../src/domain/credential.js';
import type { Decision } from '../../src/domain/decision.js';
import type { Attested } from '../../src/domain/directory.js';
import type { GateState, ProcessKind, Vote } from '../../src/domain/process.js';
import type { Signed } from '../../src/domain/statement.js';
import { stagesOf } from '../../src/domain/process.js';
import { digestOf } from '../../src/policy/digest.js';
import type { Sealed } from '../../src/evidence/read/attest.js';
import { specOf } from '../support/spec.js';

export const planDigest = `sha256:${'1'.repeat(64)}`;
export const policyDigest = `sha256:${'2'.repeat(64)}`;

export function attested(name: string, more: Partial<Attested> = {}): Attested {
  const at = '2026-03-01T11:59:59.000Z';
  const statement = `sha256:${'3'.repeat(64)}`;
  return { name, kind: 'person', groups: ['payments'], key: 'SHA256:abc', presence: 'none', at, statement, ...more };
}

export function credential(version: string, principal = 'payments-db_a'): CredentialRecord {
  const createdAt = '2026-03-01T12:00:01.000Z';
  return { version, target: 'ledger-db', principal, fingerprint: '00112233aabbccdd', deliveries: [], createdAt };
}

export function decision(more: Partial<Decision> = {}): Decision {
  return {
    effect: 'allow',
    reasons: ['base.rotate'],
    planDigest,
    policyDigest,
    obligations: { approvals: 0, gateMs: 3_600_000 },
    at: '2026-03-01T12:00:00.500Z',
    ...more,
  };
}

export function vote(approver: string, more: Partial<Vote> = {}): Vote {
  const ballot = { signed: { statement: '{}', signature: '' } };
  const at = '2026-03-01T12:00:13.000Z';
  return {
    approver,
    decision: 'approve',
    planDigest,
    at,
    groups: ['security'],
    stepUp: true,
    key: 'SHA256:grace',
    ballot,
    ...more,
  };
}

export function gate(more: Partial<GateState> = {}): GateState {
  return {
    planDigest,
    policyDigest,
    evidenceDigest: `sha256:${'4'.repeat(64)}`,
    round: 'nonce-1',
    run: 'run-1',
    number: 1,
    requester: 'ada@example.com',
    needed: 1,
    groups: ['security'],
    stepUp: true,
    rules: [],
    openedAt: '2026-03-01T12:00:01.000Z',
    deadline: '2026-03-01T13:00:01.000Z',
    votes: [],
    refused: [],
    outcome: 'approved',
    ...more,
  };
}

export function signed(statement: unknown): Signed {
  return { statement: JSON.stringify(statement), signature: '' };
}

/** A rotation that succeeded, with every proof. */
export function record(more: Partial<ProcessRecord> & { readonly number?: number } = {}): ProcessRecord {
  const { number = 3, ...differs } = more;
  const kind: ProcessKind = differs.kind ?? 'rotate';
  const identity = differs.identity ?? 'payments-db';
  const operation = differs.operation ?? `nhi/${identity}/${kind}/${number}`;
  const spec = specOf(identity, { environment: 'production', tags: { team: 'payments' } });
  const at = differs.endedAt ?? '2026-03-01T12:01:00.000Z';
  return {
    v: 1,
    identity,
    kind,
    operation,
    run: 'run-1',
    outcome: 'succeeded',
    startedAt: '2026-03-01T12:00:00.000Z',
    endedAt: at,
    request: { id: 'r-1', kind, requester: 'ada@example.com', reason: 'monthly' },
    requester: attested('ada@example.com'),
    plan: {
      v: 1,
      kind,
      operation,
      identity,
      requester: 'ada@example.com',
      emergency: false,
      environment: 'production',
      dataClass: 'internal',
      owner: 'ada@example.com',
      strategy: 'alternate',
      from: { target: 'ledger-db', principal: 'payments-db_b', version: 'nhi/payments-db/rotate/2', scope: { a: 1 } },
      to: { target: 'ledger-db', scope: { a: 1 }, deliver: ['local:payments'] },
      consumers: [],
      graceMs: 0,
    } as unknown as NonNullable<ProcessRecord['plan']>,
    decision: decision(),
    stages: stagesOf[kind]
      .filter((name) => name !== 'seal')
      .map((name) => ({ name, status: 'done' as const, startedAt: '2026-03-01T12:00:01.000Z' })),
    after: { spec, current: credential(operation) },
    proofs: {
      accepted: { principal: 'payments-db_a', at, answer: 'logged in as payments-db_a', excess: [], missing: [] },
      refused: [
        {
          principal: 'payments-db_b',
          at,
          code: '28P01',
          answer: 'password authentication failed',
          control: 'payments-db_a',
        },
      ],
    },
    leftovers: [],
    code: { version: '0.1.0', workflows: `sha256:${'5'.repeat(64)}`, node: 'v20.20.2' },
    history: { digest: `sha256:${'6'.repeat(64)}`, run: 'run-1', events: 63 },
    permit: `sha256:${'7'.repeat(64)}`,
    ...differs,
  };
}

/** As the log knows it. */
export function sealed(one: ProcessRecord): Sealed {
  return { record: one, digest: digestOf(one) };
}
