/** Facts in plain words. Pure. */
import type { IdentityState } from '../domain/identity.js';
import type { ProcessPlan } from '../domain/plan.js';

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `30 d`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const units = [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1_000],
  ] as const;
  const first = units.findIndex(([, size]) => ms >= size);
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of units.slice(first, first + 2)) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.join(' ');
}

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

/** What a plan would do, for the person who is asked to approve it. */
export function planInWords(plan: ProcessPlan): string[] {
  return [
    `${plan.kind}${plan.repair ? ' and repair' : ''} ${plan.identity} (${plan.environment}, ${plan.dataClass} data), owned by ${plan.owner}`,
    ...(isRelabelled(plan) ? [`until now: ${plan.before!.environment}, ${plan.before!.dataClass} data`] : []),
    `asked by ${plan.requester}${plan.reason === undefined ? '' : `: ${plan.reason}`}`,
    ...(plan.emergency ? ['this is an emergency'] : []),
    ...(plan.from
      ? [`the credential that goes: ${plan.from.principal} at ${plan.from.target}, version ${plan.from.version}`]
      : []),
    ...(plan.from && !plan.to ? [`  its rights: ${rights(plan.from.scope)}`] : []),
    ...(plan.to ? [`the credential that comes: at ${plan.to.target}, delivered to ${plan.to.deliver.join(', ')}`] : []),
    ...(plan.to ? scopeChange(plan.from?.scope, plan.to.scope) : []),
    `strategy: ${plan.strategy}, grace ${span(plan.graceMs)}`,
    `consumers: ${plan.consumers.length > 0 ? plan.consumers.join(', ') : 'none'}`,
  ];
}

function isRelabelled({ before, environment, dataClass }: ProcessPlan): boolean {
  return before !== undefined && (before.environment !== environment || before.dataClass !== dataClass);
}

function scopeChange(before: unknown, after: unknown): string[] {
  if (before === undefined) return [`  its rights: ${rights(after)}`];
  if (rights(before) === rights(after)) return [`  its rights stay: ${rights(after)}`];
  return [`  rights before: ${rights(before)}`, `  rights after:  ${rights(after)}`];
}

function rights(scope: unknown): string {
  return JSON.stringify(scope);
}

/** Where an identity stands, in one line. */
export function standing(state: IdentityState): string {
  const running = state.running ? `, ${state.running.kind} is running (${state.running.operation})` : '';
  const queued = state.queue.length > 0 ? `, ${count(state.queue.length, 'request')} queued` : '';
  return `${state.status}${running}${queued}`;
}
