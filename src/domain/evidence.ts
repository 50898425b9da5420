/** What is sealed, and what everything that reads it later relies on: processes, exceptions, reviews. Plain JSON. */
import type { Decision } from './decision.js';
import type { Attested, Party } from './directory.js';
import type { ReviewRecord } from './elevation-review.js';
import type { ControlResult, Examined, ExceptionTerms, Suspension, Withdrawal } from './exception.js';
import type { ProcessPlan } from './plan.js';
import type { GateState, ProcessResult, StageState } from './process.js';
import type { ChangeRequest } from './request.js';

/** The `predicateType` of the in-toto Statement that carries the record. */
export const processPredicate = 'urn:tenure:evidence:process:v1';

/** What the worker puts into what it seals, besides what it is told. */
export interface SealedBy {
  /** What ran: the version of Tenure, `sha256:<hex>` of the workflow bundle, and of Node. */
  readonly code: { readonly version: string; readonly workflows: string; readonly node: string };
  /** The history up to the sealing, exported as JSON: its digest, the run, the number of its events. Absent where it could not be read. */
  readonly history?: { readonly digest: string; readonly run: string; readonly events: number };
  /** Whose signatures are in it, as the directory had them when each was received. */
  readonly signers?: readonly Party[];
  /** `sha256:<hex>` of the directory at the time of sealing. */
  readonly directory?: string;
}

/** The predicate. Its subject is the plan, by digest, named by the operation. */
export interface ProcessRecord extends ProcessResult, SealedBy {
  readonly v: 1;
  readonly identity: string;
  /** The run of the workflow. A run that was reset is another one, with a record of its own. */
  readonly run?: string;
  /** Who asked, as claimed and signed, and as verified. */
  readonly request: ChangeRequest;
  readonly requester?: Attested;
  readonly plan?: ProcessPlan;
  /** What policy said at first, and what it said when everything that it asks for was there. */
  readonly decision?: Decision;
  /** The gate with every vote and its signature, and the rounds before it. */
  readonly gate?: GateState;
  readonly rounds?: readonly GateState[];
  readonly stages: readonly StageState[];
  /** `sha256:<hex>` of the permit that the worker found for this run when it sealed the record. */
  readonly permit?: string;
}

/** The `predicateType` of the in-toto Statement that carries the record of an exception. */
export const exceptionPredicate = 'urn:tenure:evidence:exception:v1';

/**
 * `approved`: it holds from now on, while its controls do. `ended`: one that was approved is over. `refused`: its gate did not let it pass,
 * so it never held.
 */
export type ExceptionEvent = 'approved' | 'ended' | 'refused';

/** What the workflow of an exception says of itself when it asks for the seal. */
export interface ExceptionTold {
  readonly what: ExceptionEvent;
  readonly id: string;
  readonly terms: ExceptionTerms;
  /** What the approvers were shown, at the last round of the gate. */
  readonly examined: Examined;
  readonly gate: GateState;
  /** Earlier rounds of this run, oldest first. */
  readonly rounds?: readonly GateState[];
  /** How it ended, in one sentence, and whose word it was where somebody withdrew it. */
  readonly end?: string;
  readonly word?: Withdrawal;
}

/** The predicate. Its subject is the terms, by digest; what has ended names the record of its approval too. */
export interface ExceptionEvidence extends SealedBy {
  readonly v: 1;
  readonly what: ExceptionEvent;
  readonly id: string;
  /** The workflow id, which approvals are bound to, and the run that asked for the seal. */
  readonly operation: string;
  readonly run: string;
  readonly identity: string;
  readonly terms: ExceptionTerms;
  readonly examined: Examined;
  /** What policy decided with the approvals that counted. */
  readonly decision?: Decision;
  /** As the worker published it: with the votes that counted then. */
  readonly gate: GateState;
  readonly rounds?: readonly GateState[];
  /** What the controls said when they were last checked. */
  readonly checks: readonly ControlResult[];
  readonly approvedAt?: string;
  /** Of what has ended: when it did not hold since a control did not, by the worker's own checks. */
  readonly suspensions?: readonly Suspension[];
  /** Of what has ended: `sha256:<hex>` of the record of its approval; absent where there is none. */
  readonly approval?: string;
  readonly end?: { readonly at: string; readonly why: string; readonly word?: Withdrawal };
}

/** The review of an elevation as it is sealed; its `predicateType` is {@link reviewPredicate}. */
export interface ReviewEvidence extends ReviewRecord, SealedBy {
  readonly v: 1;
  readonly run: string;
}

/** The `predicateType` of the in-toto Statement that carries what a routine review found. */
export const routinePredicate = 'urn:tenure:evidence:routine-review:v1';

/** What a routine review found, as the worker found it: the workflow has no part in it. */
export interface RoutineEvidence extends SealedBy {
  readonly v: 1;
  readonly operation: string;
  readonly run: string;
  readonly at: string;
  /** What it looked at: so many of each. */
  readonly lookedAt: { readonly records: number; readonly identities: number; readonly exceptions: number };
  readonly findings: readonly {
    readonly rule: string;
    readonly severity: 'low' | 'medium' | 'high';
    readonly subject: string;
    readonly what: string;
    readonly evidence: readonly string[];
    readonly controls: readonly string[];
    readonly next: string;
  }[];
}
