import type { CredentialRecord } from './credential.js';
import type { ProcessKind, ProcessSummary } from './process.js';
import type { ChangeRequest, HandledRequest } from './request.js';

/** What kinds of non-human identity a manifest may declare. */
export const identityKinds = [
  'database-role',
  'service-account',
  'api-key',
  'cloud-key',
  'broker-user',
  'certificate',
  'workload',
  'agent',
] as const;
export type IdentityKind = (typeof identityKinds)[number];

/** How one credential follows another. `docs/targets/` says which target can do which. */
export const strategies = ['overlap', 'alternate', 'in-place'] as const;
export type Strategy = (typeof strategies)[number];

/** Where a credential is kept for its consumers. The first delivery of an identity is the authoritative one. */
export interface Delivery {
  /** Name of a store in the operator's `tenure.yaml`. */
  readonly store: string;
  /** Path inside the store, for example `payments/db`. */
  readonly path: string;
}

/** How a consumer hears of a new credential, and what counts as its acknowledgement. */
export type Notify =
  | { readonly webhook: string }
  | { readonly command: readonly string[] }
  | {
      readonly file: {
        readonly path: string;
        readonly format: 'json' | 'dotenv' | 'template';
        readonly template?: string;
        /** Permission bits, `0600` (the default), `0640`, `0660`, `0400` or `0440`. */
        readonly mode?: string;
      };
    }
  | { readonly ack: 'manual' };

/** Something that uses the credential and must take a new one before the old is retired. */
export interface Consumer {
  readonly name: string;
  readonly notify: Notify;
  /** Consumers that have to acknowledge before this one is told. */
  readonly after?: readonly string[];
  /** How long to wait for the acknowledgement, in milliseconds. */
  readonly timeoutMs?: number;
}

/** A period in which nothing changes. Instants are ISO 8601. */
export interface Freeze {
  readonly from: string;
  readonly to: string;
  readonly reason: string;
}

/** When an identity is rotated, and how carefully. Durations are milliseconds. */
export interface RotationPolicy {
  /** Schedule name; policies with the same name share one Temporal Schedule. */
  readonly name: string;
  readonly strategy: Strategy;
  /** Longest age of a credential. */
  readonly everyMs?: number;
  /** Instead of, or beside, an age: cron expression and its IANA time zone. */
  readonly cron?: { readonly expression: string; readonly timezone: string };
  /** The only times at which a scheduled rotation may start, e.g. `Sun 02:00-05:00 Europe/Berlin`. */
  readonly window?: string;
  /** How long the old credential may go on being used after the new one is published. */
  readonly graceMs: number;
  /** What follows when the grace ends and the old credential is still in use. */
  readonly whenInUse: 'extend' | 'ask' | 'go-on';
  /** Spread of the start of scheduled rotations. */
  readonly jitterMs: number;
  readonly freeze: readonly Freeze[];
  /** What to do when no window is left before the credential is too old. */
  readonly whenNoWindow: 'skip' | 'ask' | 'break';
  /** What follows when a consumer does not take the new credential. */
  readonly whenNotTaken: 'unwind' | 'park';
}

/** One non-human identity as declared: the manifest entry with every default filled in. Plain JSON. */
export interface IdentitySpec {
  readonly name: string;
  readonly kind: IdentityKind;
  readonly owner: { readonly person: string; readonly team?: string };
  readonly purpose: string;
  readonly environment: string;
  readonly dataClass: 'public' | 'internal' | 'confidential' | 'regulated';
  readonly target: { readonly name: string; readonly scope: Readonly<Record<string, unknown>> };
  readonly deliver: readonly Delivery[];
  readonly consumers: readonly Consumer[];
  readonly rotation: RotationPolicy;
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * Where an identity stands.
 * `absent`: declared, no credential yet. `active`: its current credential works. `revoked`: every credential is
 * refused. `offboarded`: gone from target, stores and schedules. `needs-operator`: a process is parked or left something.
 */
export type IdentityStatus = 'absent' | 'active' | 'revoked' | 'offboarded' | 'needs-operator';

/** The process that runs now. */
export interface RunningProcess {
  readonly kind: ProcessKind;
  /** Its workflow id, which is also its operation id. */
  readonly operation: string;
  readonly requestId: string;
  readonly startedAt: string;
  readonly emergency: boolean;
}

/** The whole state of an identity: plain JSON, carried through continue-as-new. */
export interface IdentityState {
  readonly v: 1;
  name: string;
  spec?: IdentitySpec;
  status: IdentityStatus;
  /** Number of the last process, 0 before the first. Its fencing token follows from it, see `epoch.ts`. */
  processNumber: number;
  current?: CredentialRecord;
  /** Published before `current` and not yet proven dead, newest first: more than one when several processes were abandoned. */
  previous?: readonly CredentialRecord[];
  running?: RunningProcess;
  /**
   * What the last process was making whose result is not known: it was pre-empted, terminated, or left something. A revocation
   * has to reach what it may have made, also where that is not what `spec` says.
   */
  begun?: IdentitySpec;
  /** Requests accepted and not yet started, in order; emergencies stand in front. At most {@link queueLimit}. */
  queue: ChangeRequest[];
  /** Ids of requests already answered, newest last, so that a repeated one gets the same answer. */
  handled: HandledRequest[];
  /** The last processes, newest last. */
  recent: ProcessSummary[];
  lastRotatedAt?: string;
  nextRotationAt?: string;
  /** What went wrong outside any process, newest last: one plain sentence each. */
  problems: { readonly at: string; readonly what: string }[];
}

export const queueLimit = 16;
export const handledLimit = 200;
export const refusedLimit = 50;
export const recentLimit = 20;
export const problemLimit = 20;

/** An identity that nobody has asked anything of yet. */
export function newIdentity(name: string): IdentityState {
  return { v: 1, name, status: 'absent', processNumber: 0, queue: [], handled: [], recent: [], problems: [] };
}
