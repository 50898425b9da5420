import type { Attested } from './directory.js';
import type { ErrorCode } from './errors.js';
import type { Facts } from './facts.js';
import type { Until } from './plan.js';

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
  /** SHA-256 of everything besides the policies that the decision depended on: plan, requester, context, approvals. */
  readonly inputDigest?: string;
  /** SHA-256 of what a gate shows besides the plan: {@link facts}. Approvals are bound to it. */
  readonly evidenceDigest?: string;
  readonly facts?: Facts;
  /** Who asked, as their signature proves. */
  readonly requester?: Attested;
  /** Nothing is owed any more: the plan may run, in this run of the workflow. */
  readonly permitted?: boolean;
  /** What was declared before by the worker's own record, where the plan leaves it out: the rules for that held too. */
  readonly before?: Until;
  /** Where approvals given in advance held. */
  readonly inAdvance?: InAdvance;
  /** Until when people can decide, ISO 8601, where they are asked: as the worker has noted it when it was asked first. */
  readonly deadline?: string;
  /** Nothing is owed, and a freeze holds: it may be asked again once that is over. */
  readonly frozen?: Extract<Clearance, { clear: false }>;
}

/** What an allowed plan still owes before it may run, out of all gates together. */
export interface Obligations {
  /** Number of people who have to approve; 0 is no gate. */
  readonly approvals: number;
  /** How long the gate stays open, milliseconds. */
  readonly gateMs: number;
  /** Groups that have to be among them, each by one person at least; `a|b` is one of either. */
  readonly groups?: readonly string[];
  /** Every one of them with a security key, touched and unlocked. */
  readonly stepUp?: boolean;
  /** Somebody of this group may decide too once so much of the deadline has passed. */
  readonly escalateTo?: string;
  /** One for each policy that asks for people. */
  readonly gates?: readonly GateRule[];
  /** Somebody else has to look at it afterwards: this many people, within this time. */
  readonly review?: { readonly people: number; readonly withinMs: number };
}

/** One policy that asks for people before it lets a plan pass. */
export interface GateRule {
  /** The policy's `@id`. */
  readonly id: string;
  readonly why: string;
  /** Control identifiers, e.g. `800-53:AC-3(2)`. */
  readonly controls: readonly string[];
  readonly approvals: number;
  readonly groups: readonly string[];
  readonly stepUp: boolean;
}

/** An approval given in advance that held for a plan, as it was verified. */
export interface AdvanceApproval {
  /** Of its statement. */
  readonly id: string;
  readonly approver: string;
  readonly groups: readonly string[];
  readonly key: string;
  /** Given with a security key that was touched and unlocked. */
  readonly stepUp: boolean;
}

/** The approvals in advance that policy was shown, which a permit uses up, and what a stranger needs to count them again. */
export interface InAdvance {
  readonly approvals: readonly AdvanceApproval[];
  /** The policies that would have asked for people, had nobody approved in advance. */
  readonly spared: readonly GateRule[];
  /** `sha256:<hex>` of the directory that they were judged by, with everything that it calls revoked. */
  readonly directory: string;
}

/** May anything change now? Asked before the first effect and again at the point of no return. */
export type Clearance =
  { readonly clear: true } | { readonly clear: false; readonly until: string; readonly reason: string };
