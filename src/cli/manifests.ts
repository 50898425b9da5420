/** What manifests declare beside what is: the ground of `plan` and `apply`. */
import { existsSync } from 'node:fs';
import { join, dirname, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import type { IdentitySpec, IdentityState } from '../domain/identity.js';
import { manifestContext } from '../manifest/context.js';
import {
  diffManifests,
  type FieldChange,
  type Foresee,
  type IdentityDiff,
  type ManifestDiff,
} from '../manifest/diff.js';
import { formatDuration } from '../manifest/duration.js';
import { loadManifests } from '../manifest/load.js';
import { formatProblem } from '../manifest/problem.js';
import type { Foresight } from '../policy/foresee.js';
import { schedulePolicies } from '../manifest/rotation.js';
import { diffSchedules, type ScheduleDiff } from '../temporal/schedules.js';
import { CliError } from './errors.js';
import type { Output } from './output.js';
import { personOf } from './person.js';
import type { Session } from './session.js';
import { standingsOf } from './standing.js';
import { listIdentities } from './visible.js';
import { count } from './words.js';

/** Everything that applying would do. */
export interface Plan {
  readonly client: Client;
  readonly declared: readonly IdentitySpec[];
  readonly actual: ReadonlyMap<string, IdentityState>;
  readonly diff: ManifestDiff;
  readonly schedules: ScheduleDiff;
}

/** What goes beyond adding and changing, and has to be asked for. */
export interface Extent {
  readonly prune?: boolean;
  readonly reinstate?: boolean;
  readonly rotate?: boolean;
}

/** Reads the manifests, asks Temporal for what is, and compares. Touches nothing. */
export async function makePlan(
  session: Session,
  paths: readonly string[],
  { prune, reinstate, rotate }: Extent,
): Promise<Plan> {
  const declared = await declaredIn(session, paths);
  const { services, out } = session;
  const [client, namespace] = await Promise.all([services.client(), services.namespace()]);
  const names = new Set([
    ...declared.map(({ name }) => name),
    ...(await listIdentities(client)).map(({ name }) => name),
  ]);
  const { states, live } = await standingsOf(client, namespace, [...names]);
  if (!live && names.size > 0)
    out.note('no worker is running: this compares with what the last processes left; start one with: tenure worker');
  const diff = diffManifests(declared, states, {
    foresee: await foreseeing(session),
    prune: prune === true,
    reinstate: reinstate === true,
    rotate: rotate === true,
  });
  const schedules = await diffSchedules(client, schedulePolicies(declared));
  if (paths.length > 0 && (diff.counts.vanished > 0 || schedules.vanished.length > 0))
    out.note(`only ${paths.join(', ')} was read: what is declared elsewhere is told as if it were in no manifest`);
  return { client, declared, actual: states, diff, schedules };
}

/** What policy would say, asked now by whoever is here. Nothing is decided by it. */
async function foreseeing(session: Session): Promise<Foresee> {
  const { foreseenIn, imagine } = await import('../policy/foresee.js');
  const foresight = await foresightOf(session);
  return (kind, spec, state) => foreseenIn(kind, foresight.policy.decide(imagine(foresight, { kind, spec, state })));
}

/** The policies and the directory as they are now. `as`: who would ask. */
export async function foresightOf({ services, io }: Session, as?: string): Promise<Foresight> {
  const config = await services.config();
  const [{ policySource }, { directorySource }] = await Promise.all([
    import('../policy/policy.js'),
    import('../trust/directory-file.js'),
  ]);
  const [policy, directory] = await Promise.all([
    policySource(config.policy).current(),
    directorySource(config).current(),
  ]);
  return { policy, directory, requester: personOf(io, as), gateMs: config.policy.gateMs, now: new Date() };
}

/** What manifests declare. Fails with everything that is wrong with them. */
export async function declaredIn(session: Session, paths: readonly string[]): Promise<readonly IdentitySpec[]> {
  const { services, io, out } = session;
  const [config, targets] = await Promise.all([services.config(), services.targets()]);
  const wanted = paths.length > 0 ? paths.map((path) => resolve(io.cwd, path)) : [ownFolder(config.file)];
  const { identities, problems } = await loadManifests(wanted, manifestContext(config, targets));
  if (problems.length === 0) return identities;
  for (const problem of problems) out.note(formatProblem(problem));
  out.answer({
    error: { code: 'InvalidRequest', message: 'the manifests have problems', next: ['tenure plan'] },
    problems,
  });
  throw new CliError('InvalidRequest', `the manifests have ${count(problems.length, 'problem')}; nothing was touched`, [
    'tenure plan',
  ]);
}

/** The manifests beside the operator's file. Whoever begins has none, which is no mistake in one. */
function ownFolder(configFile: string): string {
  const folder = join(dirname(configFile), 'manifests');
  if (existsSync(folder)) return folder;
  throw new CliError(
    'InvalidRequest',
    `there are no manifests yet: declare an identity in a file in ${folder}, as README.md and docs/manifest.md show, or name your manifests`,
    ['tenure plan --help'],
  );
}

/** Whether applying would do anything. */
export function isChange({ diff, schedules }: Plan, prune: boolean): boolean {
  const { provision, rotate, amend, vanished } = diff.counts;
  const inSchedules = schedules.create.length + schedules.update.length + (prune ? schedules.vanished.length : 0);
  return provision + rotate + amend + (prune ? vanished : 0) + inSchedules > 0;
}

export function planDocument({ diff, schedules }: Plan): Record<string, unknown> {
  return { identities: diff.identities, counts: diff.counts, schedules };
}

/** The plan in words. */
export function tellPlan(out: Output, { diff, schedules }: Plan, prune: boolean): void {
  for (const identity of diff.identities) tellIdentity(out, identity, prune);
  for (const line of scheduleLines(schedules, prune)) out.say(line);
  out.say(summary(diff));
}

function tellIdentity(out: Output, identity: IdentityDiff, prune: boolean): void {
  const { green, yellow, red, dim, bold } = out.paint;
  const marks = {
    provision: green('+'),
    rotate: yellow('~'),
    amend: yellow('~'),
    unchanged: dim('='),
    revoked: red('!'),
    vanished: prune ? red('-') : dim('?'),
  };
  out.say(`${marks[identity.action]} ${bold(identity.name)}  ${identity.action}: ${identity.sentence}`);
  if (identity.action === 'provision' && identity.spec)
    for (const line of newcomerLines(identity.spec)) out.say(`    ${line}`);
  for (const change of identity.changes) out.say(`    ${changeLine(change)}`);
  if (identity.approval) out.say(`    ${yellow(waitsFor(identity.approval))}: tenure approve ${identity.name}`);
  if (identity.refusal !== undefined) out.say(`    ${red('policy refuses it')}: ${identity.refusal}`);
  if (identity.blocked !== undefined) out.say(`    ${yellow('not yet')}: ${identity.blocked}`);
}

function waitsFor({ approvals, groups }: NonNullable<IdentityDiff['approval']>): string {
  const whom = groups.map((group) => `one from ${group.replaceAll('|', ' or ')}`);
  const from = whom.length === 0 ? '' : ` (${whom.join(', ')})`;
  return approvals === 1 ? `waits for an approval${from}` : `waits for ${approvals} approvals${from}`;
}

/** There is nothing to compare a new identity with: what it may do, and how it lives. */
function newcomerLines({ owner, environment, target, consumers, rotation }: IdentitySpec): string[] {
  const { strategy, everyMs, cron, window, graceMs } = rotation;
  const age = everyMs === undefined ? [] : [`every ${formatDuration(everyMs)}`];
  const times = [...age, ...(cron ? [`at ${cron.expression} ${cron.timezone}`] : [])];
  const when = times.length === 0 ? 'only when asked' : [...times, ...(window ? [`in ${window}`] : [])].join(', ');
  return [
    `owner: ${owner.person}, ${environment}`,
    `rights at ${target.name}: ${value(target.scope)}`,
    `rotation: ${strategy}, ${when}, grace ${formatDuration(graceMs)}`,
    `consumers: ${consumers.map(({ name }) => name).join(', ') || 'none'}`,
  ];
}

function changeLine({ path, from, to, consequence }: FieldChange): string {
  return `${path}: ${value(from)} -> ${value(to)}; ${consequence}`;
}

function value(plain: unknown): string {
  return plain === undefined ? 'nothing' : JSON.stringify(plain);
}

function scheduleLines({ create, update, vanished }: ScheduleDiff, prune: boolean): string[] {
  return [
    ...create.map((policy) => `+ schedule ${policy}: campaigns of this rotation policy are started from now on`),
    ...update.map((policy) => `~ schedule ${policy}: it starts campaigns at other times`),
    ...vanished.map((policy) =>
      prune
        ? `- schedule ${policy}: no identity has this policy any more; it is deleted`
        : `? schedule ${policy}: no identity has this policy any more; tenure apply --prune deletes it`,
    ),
  ];
}

function summary({ counts }: ManifestDiff): string {
  const { provision, rotate, amend, unchanged, revoked, vanished } = counts;
  return `${provision} to provision, ${rotate} to rotate, ${amend} to amend, ${unchanged} unchanged, ${revoked} revoked, ${vanished} in no manifest`;
}
