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

/** A verified decision: a denial or a withdrawal, and whatever the same person has said since. */
export interface Said {
  readonly round: string;
  readonly approver: string;
  readonly decision: 'approve' | 'deny' | 'withdraw';
  /** When it was signed, ISO 8601. */
  readonly at: string;
}

/** What is known of the gates of one run. */
export interface KnownGate {
  /** ISO 8601; undefined where no people were asked for so far. */
  readonly deadline?: string;
  readonly said: readonly Said[];
}

export interface Gates {
  /** Notes until when people can decide, and gives what is noted; the first that is noted of a run stays, since another round is no way to keep a gate open. */
  open(gate: GateOf, deadline: string): Promise<string>;
  /** Notes a decision. */
  say(gate: GateOf, said: Said): Promise<void>;
  of(gate: GateOf): Promise<KnownGate>;
}

/** Opens the notes in a folder, which is made when it is not there. */
export function gatesIn(folder: string): Gates {
  const folderOf = ({ operation, run }: GateOf): string => join(folder, fileNameOf(operation, run));
  return {
    async open(gate, deadline) {
      const file = join(folderOf(gate), deadlineName);
      await noteOnce(file, { deadline });
      // Of what is noted nothing is ever removed.
      return (await noted<{ deadline: string }>(file))!.deadline;
    },

    async say(gate, said) {
      const { round, approver, decision, at } = said;
      await noteOnce(join(folderOf(gate), `${fileNameOf(round, approver, decision, at)}${saidEnding}`), said);
    },

    async of(gate) {
      const own = folderOf(gate);
      const names = await namesIn(own);
      const first = names.includes(deadlineName)
        ? await noted<{ deadline: string }>(join(own, deadlineName))
        : undefined;
      const files = names.filter((name) => name.endsWith(saidEnding));
      const said = await Promise.all(files.map(async (name) => (await noted<Said>(join(own, name)))!));
      return { ...first, said };
    },
  };
}

const deadlineName = 'deadline.json';
const saidEnding = '.said.json';

/** Keeps what a weighed ballot denies or takes back, and of who has done so what they say afterwards: that overrules it. */
export async function noteSaid(
  gates: Pick<Gates, 'say' | 'of'>,
  gate: GateOf,
  weighed: Weighed,
  round: string,
): Promise<void> {
  if (!weighed.counts) return;
  const { approver, decision: voted, at } = weighed.vote;
  const decision = weighed.withdraws ? 'withdraw' : voted;
  const isFirst = async (): Promise<boolean> =>
    !(await gates.of(gate)).said.some((earlier) => earlier.approver === approver);
  if (decision === 'approve' && (await isFirst())) return;
  await gates.say(gate, { round, approver, decision, at });
}

/** The approvals that nobody has taken back, and that were signed in time. The last word of a person holds. */
export function standing(votes: readonly Vote[], { deadline, said }: KnownGate, round: string): Vote[] {
  const last = deadline === undefined ? Infinity : Date.parse(deadline) + clocksDifferMs;
  const isTakenBack = ({ approver, at }: Vote): boolean =>
    said.some((one) => one.decision !== 'approve' && one.round === round && one.approver === approver && one.at >= at);
  return votes.filter((vote) => Date.parse(vote.at) <= last && !isTakenBack(vote));
}

/** Who has denied, in whatever round, and has not said otherwise since. */
export function deniedBy(votes: readonly Vote[], { said }: KnownGate): string | undefined {
  const overruling = [...votes, ...said.filter(({ decision }) => decision !== 'deny')];
  const isOverruled = ({ approver, at }: Said): boolean =>
    overruling.some((later) => later.approver === approver && later.at > at);
  return said.find((one) => one.decision === 'deny' && !isOverruled(one))?.approver;
}

/** The clock of whoever signs is not that of the worker. Milliseconds. */
const clocksDifferMs = 60_000;
