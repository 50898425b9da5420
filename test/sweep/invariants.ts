/** What has to hold once everything has come to rest: the numbered invariants of `ARCHITECTURE.md`, against the real systems. */
import { join } from 'node:path';
import proto from '@temporalio/proto';
import { createCredentialActivities } from '../../activities/credentials.js';
import type { Change } from '../../activities/contract.js';
import { digestOf } from '../../src/policy/digest.js';
import { reviewId } from '../../src/domain/elevation-review.js';
import { epochOf } from '../../src/domain/epoch.js';
import type { IdentityState } from '../../src/domain/identity.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { Material } from '../../src/stores/store.js';
import { identityId, parseProcessId } from '../../src/domain/wire.js';
import { readRecord } from '../../src/evidence/open.js';
import { eventually } from '../support/engine.js';
import { nothingChangesLate, patiently } from './late.js';
import { judgeLending } from './lent.js';
import { logInSurely } from './login.js';
import type { Subject } from './subject.js';

const { WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/** One line for each broken invariant, beginning with its number. */
export type Verdicts = readonly string[];

/** Judges an identity that has come to rest. Nothing of it runs any more, unless that itself is what is wrong. */
export async function judge(subject: Subject): Promise<Verdicts> {
  const state = await finalState(subject);
  const operations = operationsOf(subject, state);
  return [
    ...subject.seen,
    ...subject.monitor.lockedOut.map((what) => `I3: ${what}`),
    ...(await oneAtATime(subject, state, operations)),
    ...(await nothingChangesLate(subject)),
    ...(await exactlyTheNamed(subject, state)),
    ...(await storeHoldsTheNamed(subject, state)),
    ...(await provenAndPermitted(subject, operations)),
    ...(await judgeLending(subject, state, operations)),
    ...(await nothingElseChanged(subject)),
    ...(await isUsable(subject, state)),
    ...nothingForgotten(state),
  ];
}

async function finalState(subject: Subject): Promise<IdentityState> {
  return eventually(
    () => subject.state(),
    ({ running, queue }) => !running && queue.length === 0,
    120_000,
  );
}

/** Every process that was ever started for it, whether or not the identity remembers it. */
function operationsOf(subject: Subject, state: IdentityState): string[] {
  const met = subject.meetings.map(({ operation }) => operation).filter((id) => parseProcessId(id));
  const known = state.recent.flatMap(({ operation }) => operation ?? []);
  return [...new Set([...known, ...met])];
}

/** I7: none is left running, and two never ran at the same time, unless an emergency pre-empted the first. */
async function oneAtATime(subject: Subject, state: IdentityState, operations: readonly string[]): Promise<string[]> {
  const { workflow } = subject.lane.client;
  const broken: string[] = [];
  const spans = [];
  for (const operation of operations) {
    const look = () => workflow.getHandle(operation).describe();
    const seen = await eventually(look, ({ closeTime }) => closeTime !== undefined, 20_000).catch(look);
    if (!seen.closeTime) broken.push(`I7: ${operation} still runs, and the identity knows of nothing that does`);
    spans.push({ operation, from: seen.startTime.getTime(), to: seen.closeTime?.getTime() ?? Infinity });
  }
  const isPreempted = (operation: string): boolean =>
    state.recent.some((done) => done.operation === operation && done.outcome === 'pre-empted');
  for (const [index, earlier] of spans.entries()) {
    for (const later of spans.slice(index + 1)) {
      const overlaps = earlier.from < later.to && later.from < earlier.to;
      if (overlaps && !isPreempted(earlier.operation) && !isPreempted(later.operation))
        broken.push(`I7: ${earlier.operation} and ${later.operation} ran at the same time`);
    }
  }
  return broken;
}

/** I4 at the target: who has a password and may log in, and then every secret that was ever made is tried. */
async function exactlyTheNamed(subject: Subject, state: IdentityState): Promise<string[]> {
  const named = [state.current, state.previous].flatMap((credential) => credential ?? []);
  const broken: string[] = [];
  const rows = await subject.lane.ground.postgres.sql(
    `SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NOT NULL
     AND (rolname = '${subject.name}' OR starts_with(rolname, '${subject.name}_')) ORDER BY rolname`,
  );
  const open = rows.map(({ rolname }) => String(rolname)).join(', ');
  const wanted = named
    .map(({ principal }) => principal)
    .sort()
    .join(', ');
  if (open !== wanted) broken.push(`I4: ${open || 'nobody'} may log in, and the state names ${wanted || 'nobody'}`);
  for (const { version, material } of subject.materials()) {
    const isNamed =
      named.some((credential) => credential.version === version) && isInstalled(subject, version, material);
    const outcome = await logInSurely(material);
    if (outcome === (isNamed ? 'accepted' : 'refused')) continue;
    broken.push(
      `I4: the credential of ${version} is ${outcome}, and the state ${isNamed ? 'names' : 'does not name'} it`,
    );
  }
  return broken;
}

function isInstalled(subject: Subject, version: string, { password = '' }: Material): boolean {
  return subject.installed.get(version)?.has(password) ?? false;
}

/** I4 in the stores: exactly what the state names, in every delivery. */
async function storeHoldsTheNamed(subject: Subject, { current, previous }: IdentityState): Promise<string[]> {
  const broken: string[] = [];
  const wanted = JSON.stringify({
    ...(current && { current: current.version }),
    ...(previous?.[0] && { previous: previous[0].version }),
  });
  for (const path of subject.paths) {
    const { slots } = await subject.lane.ground.store.describe(path);
    const versions = Object.fromEntries(Object.entries(slots).map(([slot, { version }]) => [slot, version]));
    const held = JSON.stringify(versions);
    if (held !== wanted) broken.push(`I4: ${path} holds ${held}, and the state names ${wanted}`);
  }
  return broken;
}

/** I5, I6, I1: the record and the history of every process. */
async function provenAndPermitted(subject: Subject, operations: readonly string[]): Promise<string[]> {
  const broken: string[] = [];
  for (const operation of operations) {
    const record = await evidenceOf(subject, operation);
    const history = await subject.lane.client.workflow.getHandle(operation).fetchHistory();
    subject.lane.ground.scan.text('the history of a process', asJson(history));
    broken.push(...taskFailures(history));
    if (!record) broken.push(`I5: ${operation} left no evidence`);
    else broken.push(...provenBy(operation, record), ...permittedBy(operation, record, history.events ?? []));
  }
  broken.push(...(await leaksNothing(subject, identityId(subject.name), 'the history of an identity')));
  for (const operation of operations.filter((id) => parseProcessId(id)?.kind === 'elevate'))
    broken.push(...(await leaksNothing(subject, reviewId(operation), 'the history of a review').catch(() => [])));
  return broken;
}

/** I1 and I11, of what is no process. */
async function leaksNothing({ lane }: Subject, workflowId: string, place: string): Promise<string[]> {
  const history = await lane.client.workflow.getHandle(workflowId).fetchHistory();
  lane.ground.scan.text(place, asJson(history));
  return taskFailures(history);
}

/**
 * I11: a workflow that cannot be replayed by the worker that takes it over fails its task, again and again.
 * An unhandled command is no such failure: the server asks for the task anew, because something arrived while it ran.
 */
export function taskFailures({ events }: proto.temporal.api.history.v1.IHistory): string[] {
  const unhandled = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND;
  return (events ?? []).flatMap(({ eventId, workflowTaskFailedEventAttributes: failed }) =>
    failed && failed.cause !== unhandled
      ? [`I11: workflow task failed at event ${eventId}: ${failed.failure?.message ?? failed.cause}`]
      : [],
  );
}

/** A history as it is exported: payloads in base64. */
function asJson(history: proto.temporal.api.history.v1.IHistory): string {
  const { History } = proto.temporal.api.history.v1;
  return JSON.stringify(History.toObject(History.fromObject(history), { bytes: String, longs: String, enums: String }));
}

async function evidenceOf(subject: Subject, operation: string): Promise<ProcessRecord | undefined> {
  return readRecord(join(subject.lane.ground.config.stateDirectory, 'evidence'), operation);
}

/** I5: success means proof. */
function provenBy(operation: string, { kind, outcome, proofs }: ProcessRecord): string[] {
  if (outcome !== 'succeeded') return [];
  const { accepted, refused = [], retired, gone = [], drift } = proofs;
  const isAccepted = accepted?.excess.length === 0 && accepted.missing.length === 0;
  const isRefused = refused.every(({ code, control }) => /^28(P01|000)$/.test(code) && control !== '');
  const holds = {
    provision: isAccepted,
    rotate: isAccepted && refused.length > 0 && isRefused && retired !== undefined,
    validate: drift?.length === 0,
    revoke: retired !== undefined && isRefused,
    offboard: retired !== undefined && isRefused && gone.length > 0,
    elevate: isAccepted && isRefused && retired !== undefined && proofs.elevated?.restored?.excess.length === 0,
  }[kind];
  return holds ? [] : [`I5: ${operation} reports success without its proof: ${JSON.stringify(proofs).slice(0, 300)}`];
}

const effects = new Set(['repair', 'elevate', 'install', 'publish', 'retire', 'purge', 'remove', 'handOver']);

/** I6: what ran is what was decided on, and nothing was touched before. */
function permittedBy(
  operation: string,
  record: ProcessRecord,
  events: readonly proto.temporal.api.history.v1.IHistoryEvent[],
): string[] {
  const { plan, decision, gate } = record;
  const broken: string[] = [];
  const firstEffect = events.find((event) =>
    effects.has(event.activityTaskScheduledEventAttributes?.activityType?.name ?? ''),
  );
  if (decision && digestOf(plan) !== decision.planDigest)
    broken.push(`I6: ${operation} ran another plan than was decided on`);
  if (firstEffect && decision?.effect !== 'allow')
    broken.push(`I6: ${operation} touched something that was not allowed`);
  if (!gate) return broken;
  if (gate.planDigest !== decision?.planDigest) broken.push(`I6: the gate of ${operation} was for another plan`);
  const vote = events.find((event) => event.workflowExecutionSignaledEventAttributes?.signalName === 'decide');
  const isTooEarly = firstEffect && (!vote || Number(firstEffect.eventId) < Number(vote.eventId));
  if (firstEffect && (gate.outcome !== 'approved' || isTooEarly))
    broken.push(`I6: ${operation} touched something before it was approved`);
  return broken;
}

/** The product's own eyes agree: what a validation would find. */
async function isUsable(subject: Subject, { spec, status, current, processNumber }: IdentityState): Promise<string[]> {
  if (!spec || status === 'offboarded') return [];
  const { ground, name } = { ground: subject.lane.ground, name: subject.name };
  const target = ground.targets.get('ledger');
  const activities = createCredentialActivities({ target: () => target, store: () => ground.store });
  const change: Change = {
    identity: name,
    operation: `nhi/${name}/validate/${processNumber + 1}`,
    epoch: epochOf(processNumber + 1),
    spec,
    ...(current && { from: current }),
  };
  if (current) await patiently(() => activities.verify(change));
  return (await patiently(() => activities.inspect(change))).map(({ detail }) => `I4: a validation finds: ${detail}`);
}

/** I4: what belongs to none of the swept identities is as it was when the sweep began. */
async function nothingElseChanged({ lane: { ground } }: Subject): Promise<string[]> {
  const now = await ground.elsewhere();
  return now === ground.elsewhereBefore ? [] : [`I4: elsewhere was ${ground.elsewhereBefore}, and is ${now}`];
}

/** I8: nothing is left for a person without saying so. */
function nothingForgotten({ status, recent }: IdentityState): string[] {
  if (status !== 'needs-operator') return [];
  return [`I8: it needs an operator: ${recent.at(-1)?.message}`];
}
