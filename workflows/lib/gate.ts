/**
 * Stage 3. Where policy obliges, waits until the people whom it names have signed exactly this plan, under exactly these policies and
 * facts. A denial or the deadline ends the process with nothing touched. What has changed under the approvals opens another round.
 */
import { ApplicationFailure, condition, uuid4, workflowInfo } from '@temporalio/workflow';
import type { Decision } from '../../src/domain/decision.js';
import { personsBehind } from '../../src/domain/directory.js';
import type { Ballot, GateState, Vote } from '../../src/domain/process.js';
import { asDecided } from '../../src/domain/plan.js';
import { missingInWords, settled, tallied } from '../../src/domain/quorum.js';
import { after, now } from './clock.js';
import type { Process } from './process.js';
import { show } from './show.js';

/** What a gate does not decide itself. */
interface Beyond {
  /** Waits until no freeze holds; false where `isInterrupted` became true before. */
  clear(isInterrupted: () => boolean): Promise<boolean>;
  /** Asks policy once more, with the gate as it stands. */
  ask(gate: GateState): Promise<Decision>;
}

/** One round of a gate: what policy asks for, the instant of the last word of each person, and when people are reminded. */
interface Round {
  readonly decision: Decision;
  readonly words: Map<string, string>;
  readonly escalation: Escalation;
}

/**
 * Waits at the gate, round after round, until policy permits the plan. An approval may be taken back until something changes, however long
 * the process is held up: what is passed is passed again then.
 */
export async function passGate(process: Process, first: Decision, beyond: Beyond): Promise<void> {
  const escalation = new Escalation(process);
  let round = openRound(process, first, escalation);
  const pass = (): Promise<void> =>
    process.stage(
      'gate',
      async () => {
        for (;;) {
          const next = await answered(process, round, beyond);
          if (next.permitted) return;
          round = openRound(process, next, escalation, whatChanged(round.decision, next));
        }
      },
      () => approvedBy(process.state.gate!),
    );
  process.passAgain = pass;
  await pass();
}

/** What policy says once enough have approved, and nobody has taken theirs back since. */
async function answered(process: Process, round: Round, beyond: Beyond): Promise<Decision> {
  for (;;) {
    await decided(process, round);
    if (!(await beyond.clear(() => process.inbox.ballots.length > 0))) continue;
    const next = await beyond.ask(process.state.gate!);
    await weighAll(process, round);
    // A freeze began just now; who has looked for one before may take another moment to see it.
    if (next.frozen) {
      await condition(() => process.inbox.ballots.length > 0, frozenAgainMs);
      continue;
    }
    const outcome = settled(process.state.gate!);
    if (outcome === 'approved' || (outcome === 'open' && !next.permitted)) return next;
  }
}

function openRound(process: Process, decision: Decision, escalation: Escalation, reopened?: string): Round {
  const { state, input } = process;
  const { approvals, gateMs, groups = [], stepUp = false, gates = [], escalateTo } = decision.obligations;
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
    deadline: state.gate?.deadline ?? decision.deadline ?? after(gateMs),
    // Who was asked once half of the time was over is not sent away by another round.
    ...(escalation.hasBegun && escalateTo !== undefined && { escalatedTo: escalateTo }),
    votes: [],
    refused: [],
    outcome: 'open',
  };
  state.decision = decision;
  state.gate = gate;
  escalation.begin(gate);
  return { decision, words: new Map(), escalation };
}

function behindOf({ requester }: Decision): Pick<GateState, 'behind'> {
  const behind = requester ? personsBehind(requester).filter((name) => name !== requester.name) : [];
  return behind.length === 0 ? {} : { behind: [...new Set(behind)] };
}

/** Until this round is decided. Throws where it was denied, or where its time is over. */
async function decided(process: Process, round: Round): Promise<void> {
  const { state } = process;
  // What policy said to approvals that were taken back since does not hold.
  state.decision = round.decision;
  await weighAll(process, round);
  if (settled(state.gate!) === 'open') await waitForDecisions(process, round);
  const outcome = settled(state.gate!);
  state.gate!.outcome = outcome === 'open' ? 'expired' : outcome;
  show(state, { status: 'running', gate: state.gate!.outcome });
  if (state.gate!.outcome !== 'approved') throw refusal(state.gate!);
}

async function waitForDecisions(process: Process, round: Round): Promise<void> {
  const { state, inbox, input } = process;
  const { escalation } = round;
  const gate = state.gate!;
  showOpen(process);
  show(state, { status: 'waiting', stage: 'gate', gate: 'open' });
  await tell(
    process,
    `${input.operation} waits for approval: ${missingInWords(gate)}; tenure approve ${input.identity}`,
  );
  while (settled(state.gate!) === 'open') {
    const next = Math.min(Date.parse(gate.deadline), escalation.at());
    const left = next - Date.now();
    const hasArrived =
      left > 0 && (await condition(() => inbox.ballots.length > 0, left, { summary: summaryOf(gate) }));
    if (hasArrived) await weighAll(process, round);
    else if (Date.now() >= Date.parse(gate.deadline)) break;
    else await escalation.step();
    showOpen(process);
  }
}

/** Weighs what has come. Not without end, where somebody sends more and more of what does not count. */
async function weighAll(process: Process, { words }: Round): Promise<void> {
  const { ballots } = process.inbox;
  for (let left = mostAtOnce; left > 0 && ballots.length > 0; left -= 1) await weigh(process, ballots.shift()!, words);
  const gate = process.state.gate!;
  if (settled(gate) === 'open') gate.outcome = 'open';
}

/** Verifies one ballot, counts it or keeps it with the reason why not. */
async function weigh(process: Process, ballot: Ballot, words: Map<string, string>): Promise<void> {
  const gate = process.state.gate!;
  const { state, input } = process;
  const plan = asDecided(state.plan!, state.decision);
  const weighed = await process.hereFirst('stubborn', 'Verify a decision', (activities) =>
    activities.weigh({ ballot, gate: { ...gate, votes: [], refused: [] }, plan, input }),
  );
  state.gate = tallied(gate, weighed, words, now());
}

/** Half way to the deadline people are reminded, and the group that policy names as the second is asked too; once for all rounds. */
class Escalation {
  private moments: number[] | undefined;
  hasBegun = false;

  constructor(private readonly process: Process) {}

  /** The first round sets the moments. */
  begin({ deadline }: GateState): void {
    const [start, end] = [Date.now(), Date.parse(deadline)];
    this.moments ??= [start + (end - start) / 2, start + ((end - start) * 9) / 10];
  }

  at(): number {
    return this.moments?.[0] ?? Infinity;
  }

  async step(): Promise<void> {
    this.moments?.shift();
    this.hasBegun = true;
    const { state, input } = this.process;
    const { escalateTo } = state.decision!.obligations;
    const current = state.gate!;
    if (escalateTo !== undefined) state.gate = { ...current, escalatedTo: escalateTo };
    const whom = escalateTo === undefined ? '' : `, now also from ${escalateTo}`;
    await tell(
      this.process,
      `${input.operation} still waits for approval${whom}: ${missingInWords(current)}; it closes at ${current.deadline}`,
    );
  }
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
const frozenAgainMs = 2_000;
/** So many decisions are weighed before it is looked whether there are enough. */
const mostAtOnce = 200;
