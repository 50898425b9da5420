/** Gates and votes for tests that are not about signatures. A test says only what differs. */
import type { GateState, Vote } from '../../src/domain/process.js';

export function gateOf(differs: Partial<GateState> = {}): GateState {
  return {
    planDigest: 'sha256:plan',
    policyDigest: 'sha256:policy',
    evidenceDigest: 'sha256:evidence',
    round: 'round-1',
    run: 'run-1',
    number: 1,
    requester: 'ada',
    needed: 1,
    groups: [],
    stepUp: false,
    rules: [],
    openedAt: '2026-01-01T00:00:00.000Z',
    deadline: '2026-01-02T00:00:00.000Z',
    votes: [],
    refused: [],
    outcome: 'open',
    ...differs,
  };
}

export function voteOf(approver: string, differs: Partial<Vote> = {}): Vote {
  return {
    approver,
    decision: 'approve',
    planDigest: 'sha256:plan',
    at: '2026-01-01T00:01:00.000Z',
    groups: [],
    stepUp: false,
    key: `key of ${approver}`,
    ballot: { signed: { statement: '{}', signature: 's' } },
    ...differs,
  };
}
