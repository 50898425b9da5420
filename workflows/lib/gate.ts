/**
 * Stage 3. Where policy obliges, waits until the people whom it names have signed exactly this plan, under exactly these policies and
 * facts. A denial or the deadline ends the process with nothing touched. What has changed under the approvals opens another round.
 */
import { ApplicationFailure, condition, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Decision } from '../../src/domain/decision.js';
import { personsBehind } from '../../src/domain/directory.js';
import type { Ballot, GateState, Vote } from '../../src/domain/process.js';
import { missingInWords, settled, tallied } from '../../src/domain/quorum.js';
import { after, now } from './clock.js';
import type { Process } from './process.js';
import { show } from './show.js';

/** Asks policy once more, with the gate as it stands. */
type AskAgain = (gate: GateState) => Promise<Decision>;

/** Waits at the gate, round after round, until policy permits the plan. */
export async function passGate(process: Process, first: Decision, askAgain: AskAgain): Promise<void> {
  await process.stage(
    'gate',
    async () => {
      for (let decision = first, reopened: string | undefined; ;) {
        const gate = openRound(process, decision, reopened);
        await decided(process, gate);
        const next = await askAgain(process.state.gate!);
        if (next.permitted) return;
        reopened = whatChanged(decision, next);
        decision = next;
      }
    },
    () => approvedBy(process.state.gate!),
  );
}

function openRound(process: Process, decision: Decision, reopened: string | undefined): GateState {
  const { state, input } = process;
  const { approvals, gateMs, groups = [], stepUp = false, gates = [] } = decision.obligations;
  if (state.gate) state.rounds = [...(state.rounds ?? []), state.gate].slice(-mostRounds);
  const gate: GateState = {
    planDigest: decision.planDigest,
    policyDigest: decision.policyDigest,
    evidenceDigest: decision.evidenceDigest ?? '',
    round: uuid4(),
    run: workflowInfo().runId,
    number: (state.gate?.number ?? 0) + 1,
    ...(reopened !== undefined && { reopened }),
    requester: decision.requester?.name ?? input.request.requester,
    ...behindOf(decision),
    needed: Math.max(1, approvals),
    groups,
    stepUp,
    rules: gates,
    openedAt: now(),
    // One deadline for all rounds: another round is no way to keep a gate open.
    deadline: state.gate?.deadline ?? after(gateMs),
    votes: [],
    refused: [],
    outcome: 'open',
  };
  state.decision = decision;
  state.gate = gate;
  return gate;
}

function behindOf({ requester }: Decision): Pick<GateState, 'behind'> {
  const behind = requester ? personsBehind(requester).filter((name) => name !== requester.name) : [];
  return behind.length === 0 ? {} : { behind: [...new Set(behind)] };
}

/** Until this round is decided. Throws where it was denied, or where its time is over. */
async function decided(process: Process, gate: GateState): Promise<void> {
  const { state, inbox, input } = process;
  showOpen(process);
  show(state, { status: 'waiting', stage: 'gate', gate: 'open' });
  await tell(
    process,
    `${input.operation} waits for approval: ${missingInWords(gate)}; tenure approve ${input.identity}`,
  );
  const words = new Map<string, string>();
  const escalation = escalationOf(process, gate);
  while (settled(state.gate!) === 'open') {
    const next = Math.min(Date.parse(gate.deadline), escalation.at());
    const left = next - Date.now();
    const hasArrived =
      left > 0 && (await condition(() => inbox.ballots.length > 0, left, { summary: summaryOf(gate) }));
    if (hasArrived) await weigh(process, inbox.ballots.shift()!, words);
    else if (Date.now() >= Date.parse(gate.deadline)) break;
    else await escalation.step();
    showOpen(process);
  }
  const outcome = settled(state.gate!);
  state.gate!.outcome = outcome === 'open' ? 'expired' : outcome;
  show(state, { status: 'running', gate: state.gate!.outcome });
  if (state.gate!.outcome !== 'approved') throw refusal(state.gate!);
}

/** Verifies one ballot, counts it or keeps it with the reason why not. `words`: the instant of the last word of each person. */
async function weigh(process: Process, ballot: Ballot, words: Map<string, string>): Promise<void> {
  const gate = process.state.gate!;
  const { state, input } = process;
  const weighed = await process.hereFirst('stubborn', 'Verify a decision', (activities) =>
    activities.weigh({ ballot, gate: { ...gate, votes: [], refused: [] }, plan: state.plan!, input }),
  );
  state.gate = tallied(gate, weighed, words, now());
}

/** Half way to the deadline people are reminded, and the group that policy names as the second is asked too. */
function escalationOf(process: Process, gate: GateState): { at(): number; step(): Promise<void> } {
  const { escalateTo } = process.state.decision!.obligations;
  const end = Date.parse(gate.deadline);
  const begin = Date.now();
  const moments = [begin + (end - begin) / 2, begin + ((end - begin) * 9) / 10];
  return {
    at: () => moments[0] ?? Infinity,
    async step() {
      moments.shift();
      const current = process.state.gate!;
      if (escalateTo !== undefined) process.state.gate = { ...current, escalatedTo: escalateTo };
      const whom = escalateTo === undefined ? '' : `, now also from ${escalateTo}`;
      await tell(
        process,
        `${process.input.operation} still waits for approval${whom}: ${missingInWords(current)}; it closes at ${gate.deadline}`,
      );
    },
  };
}

function showOpen(process: Process): void {
  const gate = process.state.gate!;
  process.waiting('gate', `${missingInWords(gate)} until ${gate.deadline}: tenure approve ${process.input.identity}`);
}

/** Best effort: whoever is told late finds it with `tenure approvals`. */
async function tell(process: Process, text: string): Promise<void> {
  const { identity, operation } = process.state;
  const notice = { identity, operation, level: 'info', text } as const;
  await process.hereFirst('careful', 'Tell who may decide', ({ notify }) => notify(notice)).catch(() => {});
}

function whatChanged(before: Decision, next: Decision): string {
  if (next.planDigest !== before.planDigest) return 'the plan is another one now';
  if (next.policyDigest !== before.policyDigest) return 'the policies have changed';
  if (next.evidenceDigest !== before.evidenceDigest) return 'what is known about the identity has changed';
  return 'an approval does not count any more';
}

function approvedBy({ votes, number }: GateState): string {
  const names = votes.filter(({ decision }) => decision === 'approve').map(inWords);
  return `approved by ${names.join(', ')}${number > 1 ? `, in round ${number}` : ''}`;
}

function inWords({ approver, onBehalfOf, stepUp }: Vote): string {
  return `${approver}${onBehalfOf === undefined ? '' : ` for ${onBehalfOf}`}${stepUp ? ' (security key)' : ''}`;
}

function summaryOf({ number, requester }: GateState): string {
  return `gate, round ${number}, asked by ${requester}`;
}

function refusal({ outcome, votes, deadline }: GateState): ApplicationFailure {
  const denial = votes.find(({ decision }) => decision === 'deny');
  const why = denial
    ? `denied by ${denial.approver}${denial.reason ? `: ${denial.reason}` : ''}`
    : `${outcome}: too few decided before ${deadline}`;
  return ApplicationFailure.nonRetryable(`the gate was ${why}; nothing was touched`, 'ApprovalRefused');
}

const mostRounds = 10;
