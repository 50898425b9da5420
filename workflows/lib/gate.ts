import { ApplicationFailure } from '@temporalio/workflow';
import type { GateState, Vote } from '../../src/domain/process.js';
import { after, until } from './clock.js';
import type { Process } from './process.js';
import { show } from './show.js';

/**
 * Stage 3. Where policy obliges, waits for as many people as it asks for to approve the plan of exactly this digest. A denial
 * or the deadline ends the process with nothing touched. Tells whether there was anything to wait for.
 */
export async function awaitGate(process: Process): Promise<boolean> {
  const { state, input, inbox } = process;
  const { approvals, gateMs } = state.decision!.obligations;
  if (approvals === 0) {
    process.skip('gate', 'no approval is needed');
    return false;
  }
  const gate: GateState = {
    planDigest: state.decision!.planDigest,
    needed: approvals,
    deadline: after(gateMs),
    votes: [],
    outcome: 'open',
  };
  /** Looked at whenever something arrives, so this is also where the votes that are there already are shown. */
  const isSettled = (): boolean => {
    state.gate = { ...gate, votes: counted(gate, inbox.votes) };
    show(state);
    return settle(gate, inbox.votes) !== 'open';
  };
  await process.stage(
    'gate',
    async () => {
      state.gate = gate;
      process.waiting(
        'gate',
        `needs ${approvals} approval(s) until ${gate.deadline}: tenure approve ${input.identity}`,
      );
      show(state, { status: 'waiting', stage: 'gate', gate: 'open' });
      await until(() => isSettled(), gate.deadline, `gate of ${input.operation}`);
      state.gate = { ...gate, votes: counted(gate, inbox.votes), outcome: settle(gate, inbox.votes) };
      if (state.gate.outcome === 'open') state.gate.outcome = 'expired';
      show(state, { status: 'running', gate: state.gate.outcome });
      if (state.gate.outcome !== 'approved') throw refused(state.gate);
    },
    () => approvedBy(state.gate!),
  );
  return true;
}

/** One vote a person counts, the first, and only for this plan. */
function counted(gate: GateState, votes: readonly Vote[]): Vote[] {
  const forThisPlan = votes.filter(({ planDigest }) => planDigest === gate.planDigest);
  return forThisPlan.filter(
    (vote, index) => forThisPlan.findIndex(({ approver }) => approver === vote.approver) === index,
  );
}

function settle(gate: GateState, votes: readonly Vote[]): GateState['outcome'] {
  const valid = counted(gate, votes);
  if (valid.some(({ decision }) => decision === 'deny')) return 'denied';
  return valid.length >= gate.needed ? 'approved' : 'open';
}

function approvedBy({ votes }: GateState): string {
  return `approved by ${votes.map(({ approver }) => approver).join(', ')}`;
}

function refused({ outcome, votes, deadline }: GateState): ApplicationFailure {
  const denial = votes.find(({ decision }) => decision === 'deny');
  const why = denial
    ? `denied by ${denial.approver}${denial.reason ? `: ${denial.reason}` : ''}`
    : `${outcome}: nobody decided before ${deadline}`;
  return ApplicationFailure.nonRetryable(`the gate was ${why}; nothing was touched`, 'ApprovalRefused');
}
