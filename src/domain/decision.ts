import type { ErrorCode } from './errors.js';

/** What policy decided on one plan. */
export interface Decision {
  readonly effect: 'allow' | 'deny';
  /** The reason codes of the rules that decided, sorted. */
  readonly reasons: readonly string[];
  /** With `deny`: why, in one sentence that says what to change. */
  readonly message?: string;
  readonly code?: ErrorCode;
  /** SHA-256 of the plan's canonical JSON (RFC 8785), `sha256:<hex>`. */
  readonly planDigest: string;
  /** SHA-256 of the policy that decided. */
  readonly policyDigest: string;
  readonly obligations: Obligations;
  readonly at: string;
}

/** What an allowed plan still owes before it may run. */
export interface Obligations {
  /** Number of people who have to approve; 0 is no gate. */
  readonly approvals: number;
  /** How long the gate stays open, milliseconds. */
  readonly gateMs: number;
}

/** May anything change now? Asked before the first effect and again at the point of no return. */
export type Clearance =
  { readonly clear: true } | { readonly clear: false; readonly until: string; readonly reason: string };
