/** Which exceptions hold now: what policy may lean on, and nothing else. */
import type { ExceptionRecord, LiveException } from '../domain/exception.js';
import { publishedIn } from './published.js';

/**
 * The exceptions of an identity that hold at `now`: approved, in their time, and with controls that held at their last check. One that
 * nobody has checked for three times its interval does not hold: its workflow may have been ended to keep it from being suspended.
 * Throws a retryable `StoreUnavailable` when that cannot be read.
 */
export async function liveExceptions(stateDirectory: string, identity: string, now: Date): Promise<LiveException[]> {
  const all = await publishedIn(stateDirectory).all();
  return all.filter((record) => record.terms.identity === identity && isLive(record, now)).map(liveOf);
}

/** Says whether a published exception holds at `now`. */
export function isLive({ status, terms, checkedAt, checkEveryMs }: ExceptionRecord, now: Date): boolean {
  const ms = now.getTime();
  return status === 'active' && ms < Date.parse(terms.until) && ms < Date.parse(checkedAt) + unchecked(checkEveryMs);
}

function unchecked(checkEveryMs: number): number {
  return Math.max(3 * checkEveryMs, leastMs);
}

/** A worker that is started anew has this long at least, milliseconds. */
const leastMs = 10 * 60_000;

function liveOf({ terms, gate }: ExceptionRecord): LiveException {
  const { id, identity, rules, until, by } = terms;
  const approvers = gate.votes.filter(({ decision }) => decision === 'approve').map(({ approver }) => approver);
  return { id, identity, rules, until, requester: by, approvers };
}
