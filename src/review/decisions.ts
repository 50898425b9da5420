/** The decisions in evidence records, flat. Pure. */
import type { ProcessRecord } from '../domain/evidence.js';
import type { GateState, Vote } from '../domain/process.js';

/** One person's decision at one round of one gate. */
export interface Decided {
  readonly operation: string;
  readonly identity: string;
  readonly requester: string;
  readonly approver: string;
  readonly decision: Vote['decision'];
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly openedAt: number;
}

/** Every decision in these records, oldest first. */
export function decisionsIn(records: readonly ProcessRecord[]): Decided[] {
  return records
    .flatMap((record) => gatesOf(record).flatMap((gate) => gate.votes.map((vote) => decided(record, gate, vote))))
    .toSorted((a, b) => a.at - b.at);
}

/** The same, from the last `periodMs` before `now`. */
export function recentDecisions(records: readonly ProcessRecord[], now: Date, periodMs: number): Decided[] {
  const from = now.getTime() - periodMs;
  return decisionsIn(records).filter(({ at }) => at >= from);
}

export function isApproval({ decision }: Decided): boolean {
  return decision === 'approve';
}

/** The operations of these, each once. */
export function operationsOf(all: readonly { readonly operation: string }[]): string[] {
  return [...new Set(all.map(({ operation }) => operation))];
}

/** Members by a key, in the order of their first member. */
export function groupedBy<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group) group.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

/** The largest number of members within a time. `times` in order, milliseconds. */
export function mostWithin(times: readonly number[], withinMs: number): number {
  let most = 0;
  for (let first = 0, last = 0; last < times.length; last += 1) {
    while (times[last]! - times[first]! > withinMs) first += 1;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

function gatesOf({ gate, rounds = [] }: ProcessRecord): readonly GateState[] {
  return [...rounds, ...(gate ? [gate] : [])];
}

function decided({ operation, identity }: ProcessRecord, gate: GateState, vote: Vote): Decided {
  const { approver, decision, reason, at } = vote;
  return {
    operation,
    identity,
    requester: gate.requester,
    approver,
    decision,
    ...(reason !== undefined && { reason }),
    at: Date.parse(at),
    openedAt: Date.parse(gate.openedAt),
  };
}
