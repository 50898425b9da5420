import type { CredentialRecord } from './credential.js';
import type { IdentityKind, IdentitySpec, Strategy } from './identity.js';
import { makesCredential, type ProcessInput, type ProcessKind } from './process.js';
import type { Elevation } from './request.js';

/** The exact change as data. Its digest is what people approve and what runs. */
export interface ProcessPlan {
  readonly v: 1;
  readonly kind: ProcessKind;
  readonly operation: string;
  readonly identity: string;
  readonly requester: string;
  readonly reason?: string;
  readonly emergency: boolean;
  readonly environment: string;
  readonly dataClass: IdentitySpec['dataClass'];
  /** As declared until now. The rules of both hold, since a new label must not be the way around a gate. */
  readonly before?: { readonly environment: string; readonly dataClass: IdentitySpec['dataClass'] };
  /** A validation that puts right what drifted: it changes the target. */
  readonly repair?: true;
  /** What more it may, for how long, and the incident that makes it necessary (elevate). */
  readonly elevation?: Elevation;
  /** The ticket or incident that it belongs to. */
  readonly ticket?: string;
  readonly owner: string;
  /** What else is declared and policy looks at: what it is, whose team's, how long a credential may live. */
  readonly declared?: {
    readonly kind: IdentityKind;
    readonly team?: string;
    readonly everyMs?: number;
    readonly tags: Readonly<Record<string, string>>;
  };
  readonly strategy: Strategy;
  /** The credential that goes, by reference. */
  readonly from?: {
    readonly target: string;
    readonly principal: string;
    readonly version: string;
    readonly scope: unknown;
  };
  /** What comes: where, and with which rights. */
  readonly to?: { readonly target: string; readonly scope: unknown; readonly deliver: readonly string[] };
  readonly consumers: readonly string[];
  readonly graceMs: number;
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
    environment: spec.environment,
    dataClass: spec.dataClass,
    ...(specBefore && { before: { environment: specBefore.environment, dataClass: specBefore.dataClass } }),
    ...(request.repair && { repair: true }),
    ...(request.elevation && { elevation: request.elevation }),
    ...(request.ticket !== undefined && { ticket: request.ticket }),
    owner: spec.owner.person,
    declared: declaredIn(spec),
    strategy: spec.rotation.strategy,
    ...(current && { from: goingCredential(current, specBefore ?? spec) }),
    ...(makesCredential(kind) && {
      to: {
        target: spec.target.name,
        scope: spec.target.scope,
        deliver: spec.deliver.map((delivery) => `${delivery.store}:${delivery.path}`),
      },
    }),
    consumers: spec.consumers.map((consumer) => consumer.name),
    graceMs: spec.rotation.graceMs,
  };
}

function goingCredential(current: CredentialRecord, spec: IdentitySpec): NonNullable<ProcessPlan['from']> {
  return { target: current.target, principal: current.principal, version: current.version, scope: spec.target.scope };
}

/** What is declared beside rights and places, and policy looks at. */
export function declaredIn({ kind, owner, rotation, tags }: IdentitySpec): NonNullable<ProcessPlan['declared']> {
  return {
    kind,
    ...(owner.team !== undefined && { team: owner.team }),
    ...(rotation.everyMs !== undefined && { everyMs: rotation.everyMs }),
    tags,
  };
}
