/**
 * What this worker has itself verified of gates: until when people could decide, who denied, who took an approval back. A workflow hands in
 * the gate as it likes to show it, and a denial that it leaves out is known here all the same. Files beside the permits, which stay as they are.
 */
import { join } from 'node:path';
import type { Vote, Weighed } from '../domain/process.js';
import { fileNameOf, namesIn, noted, noteOnce } from '../files/state.js';

/** The gates of one run, in whatever round. */
export interface GateOf {
  readonly operation: string;
  readonly run: string;
}

/** A verified decision that opens nothing. */
export interface Stopping {
  readonly round: string;
  readonly approver: string;
  readonly decision: 'deny' | 'withdraw';
  /** When it was signed, ISO 8601. */
  readonly at: string;
}

/** What is known of the gates of one run. */
export interface KnownGate {
  /** ISO 8601; undefined where no people were asked for so far. */
  readonly deadline?: string;
  readonly stopping: readonly Stopping[];
}

export interface Gates {
  /** Notes until when people can decide; the first that is noted of a run stays, since another round is no way to keep a gate open. */
  open(gate: GateOf, deadline: string): Promise<void>;
  /** Notes a denial or a withdrawal. */
  stop(gate: GateOf, stopping: Stopping): Promise<void>;
  of(gate: GateOf): Promise<KnownGate>;
}

/** Opens the notes in a folder, which is made when it is not there. */
export function gatesIn(folder: string): Gates {
  const folderOf = ({ operation, run }: GateOf): string => join(folder, fileNameOf(operation, run));
  return {
    async open(gate, deadline) {
      await noteOnce(join(folderOf(gate), deadlineName), { deadline });
    },

    async stop(gate, stopping) {
      const { round, approver, decision, at } = stopping;
      await noteOnce(join(folderOf(gate), `${fileNameOf(round, approver, decision, at)}${stoppingEnding}`), stopping);
    },

    async of(gate) {
      const own = folderOf(gate);
      const names = await namesIn(own);
      const first = names.includes(deadlineName)
        ? await noted<{ deadline: string }>(join(own, deadlineName))
        : undefined;
      const stops = names.filter((name) => name.endsWith(stoppingEnding));
      // Of what is noted nothing is ever removed.
      const stopping = await Promise.all(stops.map(async (name) => (await noted<Stopping>(join(own, name)))!));
      return { ...first, stopping };
    },
  };
}

const deadlineName = 'deadline.json';
const stoppingEnding = '.stop.json';

/** What a weighed ballot stops, if anything. */
export function stoppingIn(weighed: Weighed, round: string): Stopping | undefined {
  if (!weighed.counts) return undefined;
  const { approver, decision, at } = weighed.vote;
  if (weighed.withdraws) return { round, approver, decision: 'withdraw', at };
  return decision === 'deny' ? { round, approver, decision, at } : undefined;
}

/** The approvals that nobody has taken back, and that were signed in time. The last word of a person holds. */
export function standing(votes: readonly Vote[], { deadline, stopping }: KnownGate, round: string): Vote[] {
  const last = deadline === undefined ? Infinity : Date.parse(deadline) + clocksDifferMs;
  const isTakenBack = ({ approver, at }: Vote): boolean =>
    stopping.some((one) => one.round === round && one.approver === approver && one.at >= at);
  return votes.filter((vote) => Date.parse(vote.at) <= last && !isTakenBack(vote));
}

/** Who has denied, in whatever round, and has not said otherwise since. */
export function deniedBy(votes: readonly Vote[], { stopping }: KnownGate): string | undefined {
  const isOverruled = ({ approver, at }: Stopping): boolean =>
    [...votes, ...stopping.filter(({ decision }) => decision === 'withdraw')].some(
      (later) => later.approver === approver && later.at > at,
    );
  return stopping.find((one) => one.decision === 'deny' && !isOverruled(one))?.approver;
}

/** The clock of whoever signs is not that of the worker. Milliseconds. */
const clocksDifferMs = 60_000;
