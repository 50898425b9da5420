import type { ErrorCode } from './errors.js';
import type { IdentitySpec } from './identity.js';
import type { ProcessKind } from './process.js';
import type { Signed } from './statement.js';

/** Something asked of an identity. Its id makes it idempotent: the same id is answered the same way, and done once. */
export interface ChangeRequest {
  /** Chosen by the caller; 1 to 200 characters. */
  readonly id: string;
  readonly kind: ProcessKind | 'amend';
  /** Who asked, e.g. `ada@example.com`, and through what, e.g. `cli`, `schedule/monthly`. */
  readonly requester: string;
  readonly reason?: string;
  /** The declared identity: required for `provision` and `amend`; a changed one may come with `rotate`. */
  readonly spec?: IdentitySpec;
  /** With `revoke`: pre-empt whatever runs, pass gates and freezes, use the emergency queue. */
  readonly emergency?: boolean;
  /** With `validate`: put right what drifted. */
  readonly repair?: boolean;
  /** For a scheduled request: leave the start to be refused when the rotation is not due. */
  readonly onlyIfDue?: boolean;
  /** For whom an automation asks. */
  readonly onBehalfOf?: string;
  /** Ticket or incident that it belongs to. */
  readonly ticket?: string;
  /** With `elevate`: what more, for how long. */
  readonly elevation?: Elevation;
  /** Approvals given in advance for a task that this belongs to. */
  readonly advance?: readonly Signed[];
  /** A `tenure/request@v1` over the digest of everything else here. Without one, nothing is done. */
  readonly signed?: Signed;
}

/** Rights beyond the declared ones, for a time. */
export interface Elevation {
  /** In the words of the target, as in a manifest's `scope`. */
  readonly scope: Readonly<Record<string, unknown>>;
  readonly forMs: number;
  /** The incident that makes it necessary. */
  readonly incident: string;
}

/** The synchronous answer to a request. */
export type Answer =
  | { readonly accepted: true; readonly operation?: string; readonly queued: number; readonly note: string }
  | { readonly accepted: false; readonly code: ErrorCode; readonly reason: string };

/** A request that was answered, kept so that it is never done twice. */
export interface HandledRequest {
  readonly id: string;
  readonly answer: Answer;
  /** It was refused since nobody proved to have asked it. The same id asked by somebody who does is still taken. */
  readonly unproven?: true;
}
