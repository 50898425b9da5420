/**
 * The gate of an exception: waits until enough people have signed exactly these terms, under exactly these rules. What has changed under the
 * approvals opens another round. Gives why it was not approved; undefined where it was and is published.
 */
import { condition, uuid4, workflowInfo } from '@temporalio/workflow';
import { personsBehind } from '../../src/domain/directory.js';
import type { Examined, ExceptionTerms } from '../../src/domain/exception.js';
import type { GateState } from '../../src/domain/process.js';
import { missingInWords, settled, tallied } from '../../src/domain/quorum.js';
import { after, now } from './clock.js';
import type { Exception } from './exception.js';

export async function passExceptionGate(exception: Exception, terms: ExceptionTerms): Promise<string | undefined> {
  for (let reopened: string | undefined; ;) {
    const examined = await exception.examine(terms, exception.state.examined === undefined);
    openRound(exception, terms, examined, reopened);
    const outcome = await decided(exception, terms, examined);
    if (outcome !== undefined) return outcome;
    ({ reopened } = await exception
      .call('Publish the exception')
      .publishException({ terms, gate: exception.state.gate! }));
    if (reopened === undefined) return undefined;
  }
}

function openRound(
  { state }: Exception,
  { by }: ExceptionTerms,
  examined: Examined,
  reopened: string | undefined,
): void {
  const { planDigest, policyDigest, evidenceDigest, decision, approvals, groups, stepUp, gateMs } = examined;
  state.gate = {
    planDigest,
    policyDigest,
    evidenceDigest,
    round: uuid4(),
    run: workflowInfo().runId,
    number: (state.gate?.number ?? 0) + 1,
    ...(reopened !== undefined && { reopened }),
    requester: by,
    ...behindOf(examined),
    needed: approvals,
    groups,
    stepUp,
    rules: decision?.obligations.gates ?? [],
    openedAt: now(),
    // One deadline for all rounds: another round is no way to keep a gate open.
    deadline: state.gate?.deadline ?? after(gateMs),
    votes: [],
    refused: [],
    outcome: 'open',
  };
}

/** Who may not approve it either: whoever is behind the request, and who owns what is to be excepted. */
function behindOf({ requester, owner }: Examined): Pick<GateState, 'behind'> {
  const behind = [...personsBehind(requester), owner].filter((name) => name !== requester.name);
  return behind.length === 0 ? {} : { behind: [...new Set(behind)] };
}

/** Until this round is decided: why it was not approved, or undefined. */
async function decided(exception: Exception, terms: ExceptionTerms, examined: Examined): Promise<string | undefined> {
  const { state, desk } = exception;
  const words = new Map<string, string>();
  exception.enter('gate');
  if (settled(state.gate!) === 'open')
    await exception.tell(
      'info',
      `waits for approval: ${missingInWords(state.gate!)}; tenure except approve ${terms.id}`,
    );
  while (settled(state.gate!) === 'open') {
    const left = Date.parse(state.gate!.deadline) - Date.now();
    const hasArrived = (): boolean => desk.ballots.length + desk.withdrawals.length > 0;
    if (left <= 0 || !(await condition(hasArrived, left, { summary: 'the gate of the exception' }))) break;
    const withdrawn = await exception.saidToEnd(({ name }) => name === terms.by);
    if (withdrawn !== undefined) return close(state.gate!, 'expired', withdrawn);
    const ballot = desk.ballots.shift();
    if (!ballot) continue;
    const gate: GateState = { ...state.gate!, votes: [], refused: [] };
    const weighed = await exception.call('Verify a decision').weighException({ ballot, gate, terms, examined });
    state.gate = tallied(state.gate!, weighed, words, now());
    exception.show();
  }
  const outcome = settled(state.gate!);
  if (outcome === 'approved') return close(state.gate!, 'approved', undefined);
  const denial = state.gate!.votes.find(({ decision }) => decision === 'deny');
  if (denial)
    return close(state.gate!, 'denied', `denied by ${denial.approver}: ${denial.reason ?? 'no reason given'}`);
  return close(state.gate!, 'expired', `too few decided before ${state.gate!.deadline}`);
}

function close(gate: GateState, outcome: GateState['outcome'], why: string | undefined): string | undefined {
  gate.outcome = outcome;
  return why;
}
