import type { CredentialRecord } from './credential.js';
import { isSame } from './difference.js';
import type { Consumer, IdentityKind, IdentitySpec, RotationPolicy, Strategy } from './identity.js';
import { makesCredential, type ProcessInput, type ProcessKind } from './process.js';
import type { ChangeRequest, Elevation } from './request.js';

/** What is declared of an identity and people approve: everything but its purpose and when exactly it is rotated. */
export interface Declaration {
  readonly environment: string;
  readonly dataClass: IdentitySpec['dataClass'];
  readonly owner: string;
  /** What it is, whose team's, how long a credential may live. */
  readonly declared?: {
    readonly kind: IdentityKind;
    readonly team?: string;
    readonly everyMs?: number;
    readonly tags: Readonly<Record<string, string>>;
  };
  /** What follows when something does not go as it should, and when nothing changes. */
  readonly handling?: Pick<RotationPolicy, 'whenInUse' | 'whenNoWindow' | 'whenNotTaken' | 'freeze'>;
  readonly strategy: Strategy;
  /** Who is told, and how: the worker runs that program, calls that address, writes that file. Names alone in plans of old. */
  readonly consumers: readonly (Consumer | string)[];
  readonly graceMs: number;
}

/** What was declared until now, and where its credential is. */
export type Until = Declaration & { readonly to?: Coming };

/** A place and what a credential may do there. */
interface Coming {
  readonly target: string;
  readonly scope: unknown;
  readonly deliver: readonly string[];
}

/** The exact change as data. Its digest is what people approve and what runs. */
export interface ProcessPlan extends Declaration {
  readonly v: 1;
  /** An amendment is decided on by policy too, and is no process. */
  readonly kind: ProcessKind | 'amend';
  readonly operation: string;
  readonly identity: string;
  readonly requester: string;
  readonly reason?: string;
  readonly emergency: boolean;
  /**
   * As declared until now. The rules of both hold, since a new label must not be the way around a gate, and who owns it until now is who
   * is asked.
   */
  readonly before?: Until;
  /** A validation that puts right what drifted: it changes the target. */
  readonly repair?: true;
  /** What more it may, for how long, and the incident that makes it necessary (elevate). */
  readonly elevation?: Elevation;
  /** The ticket or incident that it belongs to. */
  readonly ticket?: string;
  /** The credential that goes, by reference. */
  readonly from?: {
    readonly target: string;
    readonly principal: string;
    readonly version: string;
    readonly scope: unknown;
  };
  /** What comes: where, and with which rights. */
  readonly to?: Coming;
}

/** Derives the plan of a process from what it starts from. Pure; the same input gives the same plan. */
export function planOf(input: ProcessInput): ProcessPlan {
  const { kind, spec, specBefore, request, current } = input;
  return {
    v: 1,
    kind,
    operation: input.operation,
    identity: input.identity,
    requester: request.requester,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    emergency: request.emergency ?? false,
    ...declarationOf(spec),
    ...(specBefore && { before: untilNow(specBefore) }),
    ...(request.repair && { repair: true }),
    ...(request.elevation && { elevation: request.elevation }),
    ...(request.ticket !== undefined && { ticket: request.ticket }),
    ...(current && { from: goingCredential(current, specBefore ?? spec) }),
    ...(makesCredential(kind) && { to: comingIn(spec) }),
  };
}

/** The plan of an amendment: nothing comes and nothing goes. `operation` is its request, since it runs no process. */
export function amendmentPlanOf({
  identity,
  spec,
  before,
  request,
}: {
  readonly identity: string;
  readonly spec: IdentitySpec;
  readonly before: IdentitySpec;
  readonly request: Pick<ChangeRequest, 'id' | 'requester' | 'reason' | 'ticket'>;
}): ProcessPlan {
  const { id, requester, reason, ticket } = request;
  return {
    v: 1,
    kind: 'amend',
    operation: id,
    identity,
    requester,
    ...(reason !== undefined && { reason }),
    emergency: false,
    ...declarationOf(spec),
    before: untilNow(before),
    ...(ticket !== undefined && { ticket }),
  };
}

/** An identity as it was declared before a change of it. */
export function untilNow(spec: IdentitySpec): Until {
  return { ...declarationOf(spec), to: comingIn(spec) };
}

/** The plan as it is decided on: where the worker that decided knows of something else that was declared before, with that. */
export function asDecided(plan: ProcessPlan, decision: { readonly before?: Until } | undefined): ProcessPlan {
  return decision?.before ? { ...plan, before: decision.before } : plan;
}

function comingIn({ target, deliver }: IdentitySpec): Coming {
  return { target: target.name, scope: target.scope, deliver: deliver.map(({ store, path }) => `${store}:${path}`) };
}

function declarationOf(spec: IdentitySpec): Declaration {
  const { environment, dataClass, owner, rotation, consumers } = spec;
  const { strategy, graceMs, whenInUse, whenNoWindow, whenNotTaken, freeze } = rotation;
  return {
    environment,
    dataClass,
    owner: owner.person,
    declared: declaredIn(spec),
    handling: { whenInUse, whenNoWindow, whenNotTaken, freeze },
    strategy,
    // In what order they are written does not matter.
    consumers: consumers.toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    graceMs,
  };
}

/** Of a plan, or of what was before it: what has to be the same for nothing to have changed. */
export function approvedIn(plan: Until): Until {
  const { environment, dataClass, owner, declared, handling, strategy, consumers, graceMs, to } = plan;
  return {
    environment,
    dataClass,
    owner,
    ...(declared && { declared }),
    ...(handling && { handling }),
    strategy,
    consumers,
    graceMs,
    ...(to && { to }),
  };
}

/** What would be declared otherwise, by the names of manifests: sorted. Nothing where nothing was declared before. */
export function changesIn({ before, ...plan }: ProcessPlan): string[] {
  if (!before) return [];
  // A process that makes nothing leaves the place as it is.
  const after = fieldsOf(plan.to ? plan : { ...plan, to: before.to });
  const was = fieldsOf(before);
  return Object.keys(after)
    .filter((name) => !isSame(after[name], was[name]))
    .toSorted();
}

/** What a declaration says, by the names of manifests. */
export function fieldsOf(one: Declaration & { readonly to?: Coming | undefined }): Record<string, unknown> {
  const { declared, handling, to } = one;
  return {
    environment: one.environment,
    dataClass: one.dataClass,
    owner: one.owner,
    team: declared?.team,
    kind: declared?.kind,
    tags: declared?.tags,
    every: declared?.everyMs,
    strategy: one.strategy,
    grace: one.graceMs,
    consumers: one.consumers,
    freeze: handling?.freeze,
    whenInUse: handling?.whenInUse,
    whenNoWindow: handling?.whenNoWindow,
    whenNotTaken: handling?.whenNotTaken,
    target: to?.target,
    scope: to?.scope,
    deliver: to?.deliver,
  };
}

function goingCredential(current: CredentialRecord, spec: IdentitySpec): NonNullable<ProcessPlan['from']> {
  return { target: current.target, principal: current.principal, version: current.version, scope: spec.target.scope };
}

/** What is declared beside rights and places. */
export function declaredIn({ kind, owner, rotation, tags }: IdentitySpec): NonNullable<ProcessPlan['declared']> {
  return {
    kind,
    ...(owner.team !== undefined && { team: owner.team }),
    ...(rotation.everyMs !== undefined && { everyMs: rotation.everyMs }),
    tags,
  };
}
