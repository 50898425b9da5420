import type { ProcessPlan } from './plan.js';
import { span } from './span.js';

/** What a plan would do, for the person who is asked to approve it. */
export function planInWords(plan: ProcessPlan): string[] {
  return [
    `${plan.kind}${plan.repair ? ' and repair' : ''} ${plan.identity} (${plan.environment}, ${plan.dataClass} data), owned by ${plan.owner}`,
    ...(isRelabelled(plan) ? [`until now: ${plan.before!.environment}, ${plan.before!.dataClass} data`] : []),
    `asked by ${plan.requester}${plan.reason === undefined ? '' : `: ${plan.reason}`}`,
    ...(plan.emergency ? ['this is an emergency'] : []),
    ...elevationInWords(plan),
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

function elevationInWords({ elevation, ticket }: ProcessPlan): string[] {
  const belongs = ticket === undefined ? [] : [`it belongs to ${ticket}`];
  if (!elevation) return belongs;
  return [
    ...belongs,
    `for ${span(elevation.forMs)} it may in addition: ${rights(elevation.scope)}, because of ${elevation.incident}`,
    'then these rights are taken back, the credential is rotated, and other people review what was done',
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
