/**
 * What the worker itself decided when it permitted a run: policy's answer, and the votes that counted then. A workflow tells of it as it likes
 * when it asks for the seal. Files beside the permits, which stay as they are.
 */
import { join } from 'node:path';
import type { Decision } from '../domain/decision.js';
import type { ProcessOutcome, ProcessState, Vote } from '../domain/process.js';
import { digestOf } from '../policy/digest.js';
import { fileNameOf, namesIn, noted, noteOnce } from '../files/state.js';
import { standing, type GateOf, type KnownGate } from './gates.js';

/** One decision that permitted a run. A gate that was passed may be passed again, so there may be several. */
export interface Decided {
  readonly decision: Decision;
  readonly votes: readonly Vote[];
  /** Of the gate that the votes were given at. */
  readonly round?: string;
}

export interface Decisions {
  note(run: GateOf, decided: Decided): Promise<void>;
  /** Every decision that permitted this run; none of one that was permitted before this was noted. */
  of(run: GateOf): Promise<readonly Decided[]>;
}

/** Opens the notes in a folder, which is made when it is not there. */
export function decisionsIn(folder: string): Decisions {
  const folderOf = ({ operation, run }: GateOf): string => join(folder, fileNameOf(operation, run));
  return {
    async note(run, decided) {
      const plain = asPlain(decided);
      await noteOnce(join(folderOf(run), `${fileNameOf(digestOf(plain))}.json`), plain);
    },

    async of(run) {
      const own = folderOf(run);
      const names = (await namesIn(own)).filter((name) => name.endsWith('.json'));
      // Of what is noted nothing is ever removed.
      return Promise.all(names.map(async (name) => (await noted<Decided>(join(own, name)))!));
    },
  };
}

/** What a workflow tells of how it was permitted, and of what came of it. */
interface ToldDecision extends Pick<ProcessState, 'decision' | 'gate'> {
  readonly outcome: ProcessOutcome;
}

/**
 * Whether a workflow tells of what was decided as it was: the decision is one of these, and whoever's vote counted then is named, but for who
 * took it back since. Votes may have come later; they are verified with the record. Only what came to nothing may say that it was not permitted.
 */
export function isAsDecided(
  { decision, gate, outcome }: ToldDecision,
  known: readonly Decided[],
  told: KnownGate,
): boolean {
  if (known.length === 0) return true;
  if (decision?.permitted !== true) return outcome !== 'succeeded';
  const named = digestOf(asPlain(decision));
  const approving = (gate?.votes ?? []).filter((vote) => vote.decision === 'approve').map(({ approver }) => approver);
  return known.some(
    (one) =>
      digestOf(one.decision) === named &&
      standing(one.votes, told, one.round ?? '').every(({ approver }) => approving.includes(approver)),
  );
}

/** As it comes out of Temporal: what is undefined is not there. */
function asPlain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
