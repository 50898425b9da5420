/** Facts in plain words. Pure. */
import type { IdentityState } from '../domain/identity.js';
import { span } from '../domain/span.js';

/** `in 3 d 2 h`, `5 min 3 s ago`, `now`. */
export function relative(iso: string, now: number): string {
  const difference = Date.parse(iso) - now;
  if (Math.abs(difference) < 1_000) return 'now';
  return difference > 0 ? `in ${span(difference)}` : `${span(-difference)} ago`;
}

/** `2026-03-01 12:00:05Z`: the instant, to the second, in UTC. */
export function instant(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/** `1 approval`, `2 approvals`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Where an identity stands, in one line. */
export function standing(state: IdentityState): string {
  const running = state.running ? `, ${state.running.kind} is running (${state.running.operation})` : '';
  const queued = state.queue.length > 0 ? `, ${count(state.queue.length, 'request')} queued` : '';
  return `${state.status}${running}${queued}`;
}
