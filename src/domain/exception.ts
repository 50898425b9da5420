/**
 * An exception: for a time, a rule need not be met, under controls that are checked by running them. What is asked for, what was
 * approved, and how it stands. Pure, plain JSON.
 */
import type { Decision } from './decision.js';
import type { Attested } from './directory.js';
import type { ProcessPlan } from './plan.js';
import type { GateState, Weighed } from './process.js';
import type { Word } from './wire.js';

/** A compensating control, as a check that runs. It holds or it does not; what nobody can find out does not hold. */
export type Control =
  /** A program that the operator's file names under `exceptions.commands`; it holds with exit code 0. */
  | { readonly kind: 'command'; readonly name: string }
  /** An address that answers a GET with this status. */
  | { readonly kind: 'http'; readonly url: string; readonly status: number }
  /** The identity's credential is accepted, with exactly its declared rights: a validation of it succeeds. */
  | { readonly kind: 'validate' }
  /** No more sessions than this use the identity's credential at its target. */
  | { readonly kind: 'sessions'; readonly atMost: number };

/** What can be overdue. These are no policies: who is excepted from one accepts for a time that it is. */
export const overdueRules = ['rotation-overdue', 'certificate-expired'] as const;

/** What is asked of the identity when the exception is over, so that the rule holds again. */
export const afterwards = ['rotate', 'validate', 'revoke'] as const;
export type Afterwards = (typeof afterwards)[number];

/** What is asked for. The requester signs the digest of all this with the verb `except`; its subject is `id`. */
export interface ExceptionTerms extends Word {
  readonly v: 1;
  /** Also the end of the workflow id; see {@link exceptionId}. */
  readonly id: string;
  readonly identity: string;
  /** The `@id` of each policy that need not be met. No wildcards. */
  readonly rules: readonly string[];
  readonly reason: string;
  readonly controls: readonly Control[];
  /** First instant at which it holds no more, ISO 8601. */
  readonly until: string;
  readonly afterwards: Afterwards;
  readonly ticket?: string;
}

/** What a check of one control found. */
export interface ControlResult {
  /** The control in words. */
  readonly control: string;
  readonly holds: boolean;
  readonly detail: string;
  readonly at: string;
}

/** What the identity is, as policy looks at it: read from the identity, never from the terms. Approvals are bound to it. */
export interface ExceptionFacts extends Pick<ProcessPlan, 'environment' | 'dataClass' | 'owner' | 'strategy'> {
  readonly declared: NonNullable<ProcessPlan['declared']>;
  readonly target: string;
  /** `sha256:<hex>` of the programs that its controls run, as the operator's file has them. */
  readonly programs: string;
}

/** What policy is asked about: terms for an identity, and how long they would hold. */
export interface ExceptionPlan extends ExceptionFacts {
  readonly kind: 'except';
  readonly identity: string;
  readonly terms: ExceptionTerms;
  readonly lastsMs: number;
}

/** What was proven before anybody is asked to approve. */
export interface Examined {
  readonly requester: Attested;
  /** As in `facts`. */
  readonly owner: string;
  readonly environment: string;
  /** Absent, like `decision`, in what was examined before policy decided on exceptions. */
  readonly facts?: ExceptionFacts;
  /** What policy decided before anybody had approved: what it asks for. */
  readonly decision?: Decision;
  /** `sha256:<hex>` each: of the terms, of the policies, of what the checks found and the identity is. */
  readonly planDigest: string;
  readonly policyDigest: string;
  readonly evidenceDigest: string;
  readonly approvals: number;
  readonly groups: readonly string[];
  readonly stepUp: boolean;
  readonly gateMs: number;
  readonly checks: readonly ControlResult[];
}

/** An exception that was approved, as it is published for policy. */
export interface ExceptionRecord {
  readonly v: 1;
  readonly terms: ExceptionTerms;
  /** The run of the workflow that its approvals are bound to. */
  readonly run: string;
  readonly examined: Examined;
  /** What policy decided with the approvals that counted when it was published: which policies let it pass. */
  readonly decision?: Decision;
  readonly gate: GateState;
  readonly approvedAt: string;
  /** `suspended`: a control does not hold, or has not been checked yet. It comes back when all hold. */
  readonly status: 'active' | 'suspended' | 'ended';
  readonly since: string;
  readonly why: string;
  readonly checks: readonly ControlResult[];
  readonly checkedAt: string;
  readonly checkEveryMs: number;
  /** Oldest first; the last {@link mostSuspensions} of them. */
  readonly suspensions?: readonly Suspension[];
}

/** A time in which an exception did not hold since a control did not. Without `to` it was so until the end. */
export interface Suspension {
  readonly from: string;
  readonly to?: string;
  readonly why: string;
}

const mostSuspensions = 50;

/** The suspensions of an exception after another look at its controls. */
export function suspensionsAfter(
  before: readonly Suspension[],
  { status, why }: Pick<ExceptionRecord, 'status' | 'why'>,
  at: string,
): readonly Suspension[] {
  const last = before.at(-1);
  const isOpen = last !== undefined && last.to === undefined;
  if (isOpen === (status === 'suspended')) return before;
  if (isOpen) return [...before.slice(0, -1), { ...last, to: at }];
  return [...before, { from: at, why: why.slice(0, 500) }].slice(-mostSuspensions);
}

/** An exception that holds now. */
export interface LiveException {
  readonly id: string;
  readonly identity: string;
  readonly rules: readonly string[];
  readonly until: string;
  readonly requester: string;
  readonly approvers: readonly string[];
}

/** Something overdue for which somebody could ask for an exception. Not signed, so it excepts from nothing. */
export interface Proposal {
  readonly id: string;
  readonly identity: string;
  readonly owner: string;
  readonly rules: readonly string[];
  /** What is overdue, in one sentence. */
  readonly why: string;
  /** Until when somebody may sign it, ISO 8601. */
  readonly closes: string;
}

export type ExceptionPhase = 'proposed' | 'asked' | 'gate' | 'active' | 'suspended' | 'ended';

/** The state of an exception's workflow, given by its `exception` query. */
export interface ExceptionState {
  readonly id: string;
  readonly identity: string;
  phase: ExceptionPhase;
  since: string;
  proposal?: Proposal;
  terms?: ExceptionTerms;
  examined?: Examined;
  gate?: GateState;
  checks: readonly ControlResult[];
  /** How it ended, in one sentence. */
  end?: string;
  /** What was sent to it and could not be verified, the last ones. It had no effect. */
  inert: { readonly at: string; readonly claimed: string; readonly reason: string }[];
}

export const exceptionWorkflow = 'exception';

/** Messages of the exception workflow. */
export const exceptionMessages = {
  /** Signal: (Ballot). */
  decide: 'decide',
  /** Signal: (ExceptionTerms): the owner signs what was proposed. */
  sign: 'sign',
  /** Signal: (Withdrawal): it ends before its time, or a proposal is rejected. */
  withdraw: 'withdraw',
  /** Query: () => ExceptionState. */
  exception: 'exception',
} as const;

/** Argument of `withdraw`: signed with the verb `withdraw-exception`; its subject is the id of the exception. */
export interface Withdrawal extends Word {
  readonly reason: string;
}

/** Start argument of the exception workflow. */
export interface ExceptionStart {
  readonly terms?: ExceptionTerms;
  readonly proposal?: Proposal;
  /** Set by continue-as-new only. */
  readonly state?: ExceptionState;
  /** Continue as new after about this many checks. */
  readonly longestRun?: number;
}

/** Workflow id of an exception, and the operation that its approvals are bound to. */
export function exceptionId(id: string): string {
  return `exception/${id}`;
}

/** The id in a workflow id; undefined when it is none of an exception. */
export function parseExceptionId(workflowId: string): string | undefined {
  return /^exception\/([^/]+)$/.exec(workflowId)?.[1];
}

/** The activities of exceptions. Whatever they are given by a workflow, they verify it anew. */
export interface ExceptionActivities {
  /** Who asks, whether such terms may be approved at all, and what the controls say now. `taken`: they were examined before. */
  examineException(asked: { readonly terms: ExceptionTerms; readonly taken?: boolean }): Promise<Examined>;
  /** Whether a ballot counts at this gate. */
  weighException(input: {
    readonly ballot: GateState['votes'][number]['ballot'];
    readonly gate: GateState;
    readonly terms: ExceptionTerms;
    readonly examined: Examined;
  }): Promise<Weighed>;
  /**
   * Publishes it once everything that was signed has been verified again. With `reopened` it is not published: what the approvals were
   * given for has changed.
   */
  publishException(input: {
    readonly terms: ExceptionTerms;
    readonly gate: GateState;
  }): Promise<{ readonly reopened?: string }>;
  /** Checks the controls of a published exception, and suspends it or lets it hold again. */
  tendException(id: string): Promise<Tended>;
  /** Ends a published exception: its time is over, or somebody who may has withdrawn it. */
  endException(input: {
    readonly id: string;
    readonly word?: Withdrawal;
  }): Promise<{ readonly why: string; readonly run: string }>;
  /** Asks the identity, as the automation, for what makes the rule hold again. Only of an exception that has ended. */
  enforceException(id: string): Promise<{ readonly asked: boolean; readonly detail: string }>;
  /** Opens a proposal where nothing like it is open, holds, or was turned down lately. Says what became of it. */
  proposeException(input: {
    readonly identity: string;
    readonly why: string;
  }): Promise<{ readonly opened: boolean; readonly detail: string }>;
}

/** How a published exception stands after a look. */
export interface Tended {
  readonly status: ExceptionRecord['status'];
  readonly changed: boolean;
  readonly why: string;
  readonly checks: readonly ControlResult[];
  readonly nextCheckMs: number;
}

/** A control in words. */
export function controlInWords(control: Control): string {
  switch (control.kind) {
    case 'command':
      return `the program ${control.name} says yes`;
    case 'http':
      return `${control.url} answers ${control.status}`;
    case 'validate':
      return 'a validation of the identity succeeds';
    case 'sessions':
      return `at most ${control.atMost} session${control.atMost === 1 ? '' : 's'} use it`;
  }
}
