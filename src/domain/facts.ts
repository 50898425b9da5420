/**
 * What is known about an identity when policy decides on a plan for it, besides the plan: found out by an activity, shown at the gate,
 * and bound by its digest into every approval. Lines are plain sentences, sorted, without times that change from look to look.
 */
export interface Facts {
  /** How the target differs from what is recorded, or that this could not be read. */
  readonly there: readonly string[];
  /** Rights in the plan that the last approved plan did not have. */
  readonly growth: readonly string[];
  /** Rights that are granted and that no recorded use explains. */
  readonly unused: readonly string[];
  /** The last plan that was approved and run; absent for a first one. */
  readonly lastApproved?: {
    readonly operation: string;
    readonly at: string;
    readonly scopeDigest: string;
    /** SHA-256 of the plan's `to`: target, scope and deliveries. */
    readonly toDigest?: string;
    /** SHA-256 of everything in the plan that is declared: labels, owner, consumers, handling, and `to`. */
    readonly declaredDigest?: string;
  };
  /** Exceptions that hold now and that the decision may lean on, by id. */
  readonly exceptions: readonly string[];
}

/** Nothing is known. */
export const noFacts: Facts = { there: [], growth: [], unused: [], exceptions: [] };
