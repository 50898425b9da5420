/** Records of exceptions and reviews that show only what differs. */
import type { ExceptionEvidence, ReviewEvidence, RoutineEvidence } from '../../src/domain/evidence.js';
import { attested, decision, gate, record, vote } from './records.js';

const { code, history } = record();

export function exception(more: Partial<ExceptionEvidence> = {}): ExceptionEvidence {
  const id = more.id ?? 'payments-db-1';
  const checks = [
    {
      control: 'a validation of the identity succeeds',
      holds: true,
      detail: 'it succeeded',
      at: '2026-02-01T11:59:00.000Z',
    },
  ];
  const passed = gate({ votes: [vote('grace@example.com')], stepUp: false });
  const { planDigest, policyDigest, evidenceDigest } = passed;
  return {
    v: 1,
    what: 'approved',
    id,
    operation: `exception/${id}`,
    run: 'run-1',
    identity: 'payments-db',
    terms: {
      v: 1,
      id,
      identity: 'payments-db',
      rules: ['nothing-lives-for-ever'],
      reason: 'the vendor changes its driver in May',
      controls: [{ kind: 'validate' }],
      until: '2026-03-15T00:00:00.000Z',
      afterwards: 'rotate',
      by: 'ada@example.com',
    },
    examined: {
      requester: attested('ada@example.com'),
      owner: 'olga@example.com',
      environment: 'production',
      decision: decision({ reasons: ['exception-second-person'] }),
      ...{ planDigest, policyDigest, evidenceDigest },
      ...{ approvals: 1, groups: [], stepUp: false, gateMs: 1, checks },
    },
    decision: decision(),
    gate: passed,
    checks,
    approvedAt: '2026-02-01T12:00:00.000Z',
    code,
    ...(history && { history }),
    ...more,
  };
}

export function endedException(more: Partial<ExceptionEvidence> = {}): ExceptionEvidence {
  const end = { at: '2026-03-15T00:00:01.000Z', why: 'its time was over at 2026-03-15T00:00:00.000Z' };
  return exception({ what: 'ended', approval: `sha256:${'8'.repeat(64)}`, end, ...more });
}

export function refusedException(more: Partial<ExceptionEvidence> = {}): ExceptionEvidence {
  const { approvedAt: _never, ...rest } = exception({
    what: 'refused',
    gate: gate({ outcome: 'denied', votes: [vote('grace@example.com', { decision: 'deny' })] }),
    end: { at: '2026-02-01T12:00:00.000Z', why: 'denied by grace@example.com: too long' },
  });
  return { ...rest, ...more };
}

export function review(more: Partial<ReviewEvidence> = {}): ReviewEvidence {
  const at = '2026-03-02T10:00:00.000Z';
  const signed = { statement: '{}', signature: '' };
  const by = (reviewer: string) =>
    ({ reviewer, verdict: 'justified', notes: 'one row, as INC-1 says', at, key: 'k', signed }) as const;
  return {
    v: 1,
    run: 'run-1',
    operation: 'nhi/payments-db/elevate/4',
    identity: 'payments-db',
    requester: 'ada@example.com',
    reason: 'by hand',
    elevation: { scope: { grants: ['delete'] }, forMs: 1, incident: 'INC-1' },
    people: 2,
    status: 'closed',
    remarks: [],
    reviews: [by('grace@example.com'), by('joan@example.com')],
    refused: [],
    closedAt: at,
    code,
    ...more,
  };
}

export function routine(more: Partial<RoutineEvidence> = {}): RoutineEvidence {
  return {
    v: 1,
    operation: 'review/routine-2026-03-01T00:00:00Z',
    run: 'run-1',
    at: '2026-03-01T00:00:00.000Z',
    lookedAt: { records: 5, identities: 2, exceptions: 1 },
    findings: [],
    code,
    ...more,
  };
}
