import type { Delivery } from './identity.js';
import type { UseProof } from './use.js';

/** The closed vocabulary of places in a store entry. */
export const slots = ['next', 'current', 'previous'] as const;
export type Slot = (typeof slots)[number];

/** A credential by reference: all that the workflow ever holds of it. No field is secret. */
export interface CredentialRecord {
  /** Operation id of the process that made it; unique for all time. */
  readonly version: string;
  /** Name of the target that accepts it. */
  readonly target: string;
  /** The name it logs in with. */
  readonly principal: string;
  /** Keyed fingerprint (HMAC-SHA-256, 16 hex characters): equal material gives an equal value, a weak secret cannot be guessed. */
  readonly fingerprint: string;
  readonly deliveries: readonly Delivery[];
  /** When it was made, ISO 8601. */
  readonly createdAt: string;
}

/** Proof of who may write: an operation, and the epoch that it runs in. */
export interface Fence {
  readonly operation: string;
  readonly epoch: number;
}

/** Evidence that a credential was accepted and may do what was approved, no more and no less. */
export interface AcceptanceProof {
  readonly principal: string;
  readonly at: string;
  /** What the target answered, in its own words, e.g. `logged in as payments-db_a`. */
  readonly answer: string;
  /** Rights read back that the scope does not name. Empty in a proof that holds. */
  readonly excess: readonly string[];
  /** Rights of the scope that were not found. Empty in a proof that holds. */
  readonly missing: readonly string[];
  /** Which of its rights nobody was seen to use, where the target keeps a record of that. */
  readonly use?: UseProof;
}

/** Evidence that a credential is refused, for the right reason, while a good one is accepted beside it. */
export interface RefusalProof {
  readonly principal: string;
  readonly at: string;
  /** The target's own code, e.g. SQLSTATE `28P01`. */
  readonly code: string;
  readonly answer: string;
  /** Who was let in at the same moment, so that "unreachable" is never taken for "refused". */
  readonly control: string;
}

/** What the target knows of a credential's use right now. */
export interface Usage {
  readonly principal: string;
  readonly sessions: number;
  readonly at: string;
  /** One line for each user of it, at most 20: client, application, since when. */
  readonly who: readonly string[];
}

/** How the wait for the old credential to fall out of use ended. */
export interface DrainProof extends Usage {
  readonly drained: boolean;
  readonly waitedMs: number;
}

/** Evidence that login was disabled and no session was left. */
export interface RetirementProof {
  readonly principals: readonly string[];
  readonly at: string;
  readonly sessionsEnded: number;
}

/** Evidence of rights that were lent for a time: from when to when, and that they are gone. Instants are ISO 8601. */
export interface ElevationProof {
  readonly incident: string;
  /** Nothing was lent before. */
  readonly from: string;
  /** When it ends by itself. */
  readonly until: string;
  /** A login that had the lent rights. */
  readonly granted?: AcceptanceProof;
  readonly endedAt?: string;
  /** What ended it, e.g. `its time was over`, `given back by ada@example.com`. */
  readonly endedBy?: string;
  /** A login that has the declared rights alone. */
  readonly restored?: AcceptanceProof;
}

/** One difference between what the state names and what the target has. */
export interface Drift {
  readonly what: 'right' | 'login' | 'attribute' | 'membership' | 'object';
  readonly problem: 'excess' | 'missing' | 'changed';
  /** Plain words, e.g. `payments-db may delete from public.ledger, which the scope does not name`. */
  readonly detail: string;
}
