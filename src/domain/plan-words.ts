import { clip } from './clip.js';
import { isSame } from './difference.js';
import type { Consumer, Freeze, Notify } from './identity.js';
import { fieldsOf, type Declaration, type ProcessPlan } from './plan.js';
import { span } from './span.js';

/** What a plan would do, for the person who is asked to approve it. */
export function planInWords(plan: ProcessPlan): string[] {
  return [
    `${plan.kind}${plan.repair ? ' and repair' : ''} ${plan.identity} (${plan.environment}, ${plan.dataClass} data), ${ownedBy(plan)}`,
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
    `consumers: ${consumersInWords(plan.consumers)}`,
    ...changesInWords(plan, toldAlready),
  ];
}

/** The owner until now has to be seen: it is they who are asked. */
function ownedBy({ owner, declared, before }: ProcessPlan): string {
  const is = who(owner, declared?.team);
  const was = before && who(before.owner, before.declared?.team);
  return `owned by ${is}${was === undefined || was === is ? '' : ` (until now ${was})`}`;
}

function who(owner: string, team: string | undefined): string {
  return team === undefined ? owner : `${owner} of team ${team}`;
}

/** What is told above in other words. */
const toldAlready = ['environment', 'dataClass', 'owner', 'team', 'scope'];

/** Everything that would be declared otherwise, one line each: after, and until now. */
export function changesInWords({ before, ...plan }: ProcessPlan, without: readonly string[] = []): string[] {
  if (!before) return [];
  const is = fieldsOf(plan.to ? plan : { ...plan, to: before.to });
  const was = fieldsOf(before);
  return Object.keys(is)
    .filter((name) => !without.includes(name) && !isSame(is[name], was[name]))
    .map((name) => `${name} changes: ${inWords(name, is[name])} (until now ${inWords(name, was[name])})`);
}

function inWords(name: string, value: unknown): string {
  if (value === undefined) return 'nothing';
  if (name === 'consumers') return consumersInWords(value as Declaration['consumers']);
  if (name === 'grace' || name === 'every') return span(value as number);
  if (name === 'freeze') return freezesInWords(value as readonly Freeze[]);
  if (name === 'tags') return tagsInWords(value as Readonly<Record<string, string>>);
  if (name === 'scope') return rights(value);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function tagsInWords(tags: Readonly<Record<string, string>>): string {
  const all = Object.entries(tags).map(([name, value]) => `${name}=${value}`);
  return all.length === 0 ? 'none' : all.toSorted().join(', ');
}

function freezesInWords(freezes: readonly Freeze[]): string {
  if (freezes.length === 0) return 'none';
  return freezes.map(({ from, to, reason }) => `${from} to ${to} (${reason})`).join(', ');
}

/** Whom a process tells, and how: what the worker runs, calls or writes. */
export function consumersInWords(consumers: Declaration['consumers']): string {
  return consumers.length === 0 ? 'none' : consumers.map(consumerInWords).join(', ');
}

function consumerInWords(consumer: Consumer | string): string {
  if (typeof consumer === 'string') return consumer;
  const { name, notify, after = [], timeoutMs } = consumer;
  const order = after.length === 0 ? '' : `, after ${after.join(' and ')}`;
  return `${name} (${notifyInWords(notify)}${order}${timeoutMs === undefined ? '' : `, within ${span(timeoutMs)}`})`;
}

function notifyInWords(notify: Notify): string {
  if ('command' in notify) return `runs ${JSON.stringify(notify.command)}`;
  if ('file' in notify) return fileInWords(notify.file);
  return 'webhook' in notify ? `calls ${withoutQuery(notify.webhook)}` : 'acknowledged by hand';
}

function fileInWords({ path, format, template, mode = '0600' }: Extract<Notify, { file: unknown }>['file']): string {
  return `writes ${path} as ${format}${template === undefined ? '' : ` ${clip(JSON.stringify(template), 200)}`}, ${mode}`;
}

/** Some put a token there. */
function withoutQuery(address: string): string {
  const at = address.search(/[?#]/);
  return at < 0 ? address : `${address.slice(0, at)}?…`;
}

/** The name of a consumer of a plan. */
export function consumerName(consumer: Consumer | string): string {
  return typeof consumer === 'string' ? consumer : consumer.name;
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
