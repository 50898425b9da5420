import type {
  AcceptanceProof,
  CredentialRecord,
  DrainProof,
  Drift,
  ElevationProof,
  RefusalProof,
  RetirementProof,
} from './credential.js';
import type { Decision, GateRule } from './decision.js';
import type { ErrorCode } from './errors.js';
import type { IdentitySpec } from './identity.js';
import type { ProcessPlan } from './plan.js';
import type { ChangeRequest } from './request.js';
import type { Signed } from './statement.js';

export const processKinds = ['provision', 'rotate', 'validate', 'revoke', 'offboard', 'elevate'] as const;
export type ProcessKind = (typeof processKinds)[number];

/** The stage names that an operator sees. */
export const stageNames = [
  'plan',
  'authorize',
  'gate',
  'repair',
  'elevate',
  'hold',
  'restore',
  'stage',
  'install',
  'verify',
  'publish',
  'hand over',
  'drain',
  'retire',
  'refuse',
  'purge',
  'remove',
  'seal',
] as const;
export type StageName = (typeof stageNames)[number];

/** From a new credential to the end of the old one. */
const exchange = [
  'stage',
  'install',
  'verify',
  'publish',
  'hand over',
  'drain',
  'retire',
  'refuse',
  'purge',
  'seal',
] as const satisfies readonly StageName[];

/** The stages of each process, in order. Revoke and offboard decide first, then kill, then clean. */
export const stagesOf: Readonly<Record<ProcessKind, readonly StageName[]>> = {
  provision: ['plan', 'authorize', 'gate', 'stage', 'install', 'verify', 'publish', 'hand over', 'seal'],
  rotate: ['plan', 'authorize', 'gate', ...exchange],
  validate: ['plan', 'authorize', 'gate', 'repair', 'verify', 'refuse', 'seal'],
  revoke: ['plan', 'authorize', 'gate', 'retire', 'refuse', 'purge', 'hand over', 'seal'],
  offboard: ['plan', 'authorize', 'gate', 'retire', 'refuse', 'purge', 'remove', 'hand over', 'seal'],
  // Rights are lent, held for a time and taken back; then the credential that had them is rotated.
  elevate: ['plan', 'authorize', 'gate', 'elevate', 'hold', 'restore', ...exchange],
};

/** Nothing has changed yet in these, so that an approval may still be taken back. */
export function isBeforeChange(name: StageName): boolean {
  return name === 'plan' || name === 'authorize' || name === 'gate';
}

/** The stages of one process: a validation that only looks asks nobody and repairs nothing. */
export function stagesFor(kind: ProcessKind, repair = false): readonly StageName[] {
  if (kind !== 'validate' || repair) return stagesOf[kind];
  return stagesOf.validate.filter((name) => name !== 'authorize' && name !== 'gate' && name !== 'repair');
}

/** An elevation ends with a rotation. */
export function makesCredential(kind: ProcessKind): boolean {
  return kind === 'provision' || kind === 'rotate' || kind === 'elevate';
}

/** What a process starts from: the identity as it is and as it shall be, frozen when it starts. Plain JSON. */
export interface ProcessInput {
  readonly kind: ProcessKind;
  /** The workflow id, and the key under which every effect is idempotent: `nhi/<name>/<kind>/<number>`. */
  readonly operation: string;
  /** Fencing token, see `epoch.ts`. */
  readonly epoch: number;
  readonly identity: string;
  readonly request: ChangeRequest;
  /** What shall be. */
  readonly spec: IdentitySpec;
  /** What was declared when the current credential was made. */
  readonly specBefore?: IdentitySpec;
  readonly current?: CredentialRecord;
  readonly previous?: readonly CredentialRecord[];
  readonly timing?: Timing;
}

/** How patient a process is. Milliseconds; set by tests and by operators with slow targets. */
export interface Timing {
  /** Longest time of one attempt of a step. */
  readonly attemptMs: number;
  /** A worker that dies is noticed after this time. */
  readonly heartbeatMs: number;
  /** How long a step before the point of no return is retried before everything is undone. */
  readonly patienceMs: number;
  /** First and longest wait between two attempts. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
}

export const defaultTiming: Timing = {
  attemptMs: 30_000,
  heartbeatMs: 5_000,
  patienceMs: 10 * 60_000,
  retryMs: 250,
  longestRetryMs: 15_000,
};

/** `waiting` is for something outside: an approval, a consumer, the end of a session, the end of a freeze. */
export type StageStatus = 'to do' | 'running' | 'waiting' | 'done' | 'skipped' | 'failed' | 'undone' | 'undo failed';

/** One line of what an operator sees. */
export interface StageState {
  readonly name: StageName;
  status: StageStatus;
  startedAt?: string;
  endedAt?: string;
  /** One short sentence: what was proven, or what is waited for. */
  note?: string;
}

/** Why a process is parked and what it needs. */
export interface Parked {
  readonly since: string;
  readonly stage: StageName;
  readonly why: string;
  /** Commands that go on or give up, ready to paste. */
  readonly commands: readonly string[];
}

/** A consumer's answer at the hand-over. */
export interface Acknowledgement {
  readonly consumer: string;
  readonly status: 'acknowledged' | 'pending' | 'refused';
  readonly detail: string;
}

/** The whole state of a running process, given by its `process` query and rendered as its current details. */
export interface ProcessState {
  readonly operation: string;
  readonly kind: ProcessKind;
  readonly identity: string;
  readonly requester: string;
  readonly emergency: boolean;
  readonly stages: StageState[];
  plan?: ProcessPlan;
  decision?: Decision;
  gate?: GateState;
  /** Earlier rounds of the gate, oldest first. */
  rounds?: GateState[];
  /** What was sent to it and could not be verified, the last ones. It had no effect. */
  inert?: RefusedVote[];
  parked?: Parked;
  /** Until when lent rights are held, ISO 8601; while they are. */
  heldUntil?: string;
  /** True from the point of no return on. */
  forwardOnly: boolean;
  failure?: { readonly code: ErrorCode; readonly message: string };
  /** Undo steps that failed: what is left. */
  leftovers: string[];
}

/** An open or decided gate. */
export interface GateState {
  readonly planDigest: string;
  /** Approvals are bound to these too. */
  readonly policyDigest: string;
  readonly evidenceDigest: string;
  /** Nonce of this round, and the run of the workflow that opened it. Every new round has another one. */
  readonly round: string;
  readonly run: string;
  /** 1 for the first; one more each time that the plan, the policies or the facts have changed under the approvals. */
  readonly number: number;
  /** Why there is another round. */
  readonly reopened?: string;
  readonly requester: string;
  /** Who else is behind the request: the owner of an automation, for whom it asks. They may not approve it either. */
  readonly behind?: readonly string[];
  readonly needed: number;
  readonly groups: readonly string[];
  readonly stepUp: boolean;
  readonly rules: readonly GateRule[];
  readonly openedAt: string;
  readonly deadline: string;
  /** The second group, once it was asked too. */
  escalatedTo?: string;
  readonly votes: readonly Vote[];
  /** What was sent and did not count, the last ones, each with its reason. */
  readonly refused: readonly RefusedVote[];
  outcome: 'open' | 'approved' | 'denied' | 'expired';
}

/** What is sent to a gate, by a signal: anybody in the namespace can send one, so it proves itself. */
export interface Ballot {
  /** A `tenure/decision@v1`. */
  readonly signed: Signed;
  /** The `tenure/delegation@v1` that it leans on. */
  readonly delegation?: Signed;
}

/** A decision that was verified and counts. One for each person, the last. */
export interface Vote {
  readonly approver: string;
  /** Whose delegation was used. */
  readonly onBehalfOf?: string;
  readonly decision: 'approve' | 'deny';
  readonly planDigest: string;
  readonly reason?: string;
  readonly at: string;
  /** The groups that this vote stands for. */
  readonly groups: readonly string[];
  readonly stepUp: boolean;
  readonly key: string;
  readonly ballot: Ballot;
}

/** What somebody sent that did not count. */
export interface RefusedVote {
  readonly at: string;
  /** As claimed; not proven. */
  readonly claimed: string;
  readonly reason: string;
}

/** What became of a ballot. */
export type Weighed =
  | { readonly counts: true; readonly vote: Vote; readonly withdraws?: boolean }
  | { readonly counts: false; readonly refused: RefusedVote };

/** `undone`: it failed and the world is as before. `unfinished`: something is left, and listed. */
export type ProcessOutcome = 'succeeded' | 'undone' | 'unfinished' | 'pre-empted';

/** What a process gives back: ids and proofs, never material. */
export interface ProcessResult {
  readonly kind: ProcessKind;
  readonly operation: string;
  readonly outcome: ProcessOutcome;
  readonly startedAt: string;
  readonly endedAt: string;
  /** How the identity's credentials stand afterwards; what is absent here is gone. */
  readonly after: {
    readonly spec?: IdentitySpec;
    readonly current?: CredentialRecord;
    readonly previous?: readonly CredentialRecord[];
  };
  readonly proofs: Proofs;
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
  readonly leftovers: readonly string[];
  /** SHA-256 of the evidence record. */
  readonly evidence?: string;
}

/** The recorded evidence that lets a process call itself successful. */
export interface Proofs {
  accepted?: AcceptanceProof;
  refused?: readonly RefusalProof[];
  drained?: DrainProof;
  retired?: RetirementProof;
  acknowledged?: readonly Acknowledgement[];
  drift?: readonly Drift[];
  /** Rights that were lent, and that they are gone (elevate). */
  elevated?: ElevationProof;
  /** What was put right (validate with repair), one line each. */
  repaired?: readonly string[];
  /** Sentences that say that nothing answers any more (offboard). */
  gone?: readonly string[];
}

/** A finished process in the identity's own memory. `refused`: its turn came, and by then it could not be started. */
export interface ProcessSummary {
  /** Absent for what ran no process: an amendment, or a request refused when its turn came. */
  readonly operation?: string;
  readonly kind: ProcessKind | 'amend';
  readonly requestId: string;
  readonly outcome: ProcessOutcome | 'refused';
  readonly startedAt: string;
  readonly endedAt: string;
  readonly code?: ErrorCode;
  readonly message?: string;
  /** Of an amendment: ids of the policies that decided on it. */
  readonly policies?: readonly string[];
}
