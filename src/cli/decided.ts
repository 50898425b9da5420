/** What came of a decision that was sent. It travels as a signal, which answers nothing, so the gate is looked at until it has been weighed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ballot, GateState, RefusedVote } from '../domain/process.js';
import { CliError } from './errors.js';

/** Of a process or an exception, where a decision can be seen to have come. */
export interface Deciding {
  readonly gate?: GateState | undefined;
  /** What came when no decision counted any more. */
  readonly inert?: readonly RefusedVote[] | undefined;
}

/** A decision on its way. */
export interface Sent {
  readonly ballot: Ballot;
  readonly by: string;
  readonly isWithdrawal: boolean;
  readonly before: Deciding;
}

/** Resolves once it counts. Throws `ApprovalRefused` with the reason why it does not, and `NoWorker` when nobody weighs it. */
export async function demandCounted(sent: Sent, look: () => Promise<Deciding | undefined>): Promise<void> {
  for (const end = Date.now() + patienceMs; ; await sleep(lookEveryMs)) {
    const now = await look();
    if (now && isCounted(sent, now)) return;
    const reason = now && refusalIn(sent, now);
    if (reason !== undefined)
      throw new CliError('ApprovalRefused', `it does not count: ${reason}`, ['tenure approvals']);
    if (Date.now() > end)
      throw new CliError('NoWorker', 'it was sent, and nobody has weighed it yet', [
        'tenure approvals',
        'tenure worker',
      ]);
  }
}

/** Verifying takes milliseconds where a worker runs. */
const patienceMs = 30_000;
const lookEveryMs = 150;

/** Another round means that the one it was for is over, with or without it. */
function isCounted({ ballot, by, isWithdrawal, before }: Sent, { gate }: Deciding): boolean {
  if (!gate || gate.number !== before.gate?.number) return true;
  if (isWithdrawal) return !gate.votes.some(({ approver }) => approver === by);
  return gate.votes.some((vote) => vote.ballot.signed.signature === ballot.signed.signature);
}

function refusalIn({ by, before }: Sent, now: Deciding): string | undefined {
  const known = new Set(refusedIn(before).map((one) => JSON.stringify(one)));
  return refusedIn(now).find((one) => one.claimed === by && !known.has(JSON.stringify(one)))?.reason;
}

function refusedIn({ gate, inert }: Deciding): readonly RefusedVote[] {
  return [...(gate?.refused ?? []), ...(inert ?? [])];
}
