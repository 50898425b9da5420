/** When the wait for an old credential to fall out of use is over. Pure; times are milliseconds since the epoch unless said. */

/** What is remembered between two looks. */
export interface DrainMemory {
  /** ISO 8601. */
  readonly startedAt: string;
  /** ISO 8601: the grace ends here. */
  readonly deadline: string;
  /** When a session was last seen. */
  readonly lastUse?: number;
}

export type DrainVerdict =
  { readonly done: true; readonly drained: boolean } | { readonly done: false; readonly lookAgainMs: number };

/** A look sees only who is there at that moment, so one empty look proves little: this much of the grace has to stay quiet. */
const quietShare = 0.5;
const longestQuietMs = 60_000;

/** Decides after a look that saw `sessions` of the old credential. */
export function drainPace(memory: DrainMemory, sessions: number, now: number): DrainVerdict {
  const deadline = Date.parse(memory.deadline);
  const graceMs = deadline - Date.parse(memory.startedAt);
  const quietMs = Math.min(graceMs * quietShare, longestQuietMs);
  if (sessions === 0 && now - quietSince(memory, sessions, now) >= quietMs) return { done: true, drained: true };
  if (now >= deadline) return { done: true, drained: sessions === 0 };
  return { done: false, lookAgainMs: Math.min(Math.max(quietMs / 8, 100), 15_000, Math.max(deadline - now, 1)) };
}

/** Since when nobody has been seen using it. */
export function quietSince(memory: DrainMemory, sessions: number, now: number): number {
  return sessions > 0 ? now : (memory.lastUse ?? Date.parse(memory.startedAt));
}
