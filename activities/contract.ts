/**
 * What workflows may call. Inputs and results are plain JSON and hold references, fingerprints and proofs, never material.
 * Every effect is idempotent by `change.operation` and fenced by `change.epoch`.
 */
import type {
  AcceptanceProof,
  CredentialRecord,
  DrainProof,
  Drift,
  RefusalProof,
  RetirementProof,
} from '../src/domain/credential.js';
import type { Clearance, Decision } from '../src/domain/decision.js';
import type { Attested } from '../src/domain/directory.js';
import type { Reviewed, ReviewRecord, WeighedReview } from '../src/domain/elevation-review.js';
import type { ExceptionTold } from '../src/domain/evidence.js';
import type { Consumer, IdentitySpec } from '../src/domain/identity.js';
import type { ProcessPlan } from '../src/domain/plan.js';
import type {
  Acknowledgement,
  Ballot,
  GateState,
  ProcessInput,
  ProcessOutcome,
  ProcessResult,
  ProcessState,
  Weighed,
} from '../src/domain/process.js';
import type { ChangeRequest } from '../src/domain/request.js';
import type { Signed, Verb } from '../src/domain/statement.js';
import type { Trigger } from '../src/domain/wire.js';

/** The change that an activity works for. */
export interface Change {
  readonly identity: string;
  readonly operation: string;
  readonly epoch: number;
  /** What shall be. */
  readonly spec: IdentitySpec;
  /** What was declared when `from` was made. */
  readonly specBefore?: IdentitySpec;
  /** The credential that goes. */
  readonly from?: CredentialRecord;
  /** One that went before it and was never proven dead: an unfinished process has left it. It goes too. */
  readonly previous?: readonly CredentialRecord[];
  /** The credential that comes: known after `stage`. */
  readonly to?: CredentialRecord;
}

/** Makes, moves and ends credentials: targets and stores. */
export interface CredentialActivities {
  /** Keeps a candidate in `next` of every delivery, under the operation id; a retry gives the same one. */
  stage(change: Change): Promise<CredentialRecord>;
  /** Undo of `stage`. */
  discard(change: Change): Promise<void>;
  install(change: Change): Promise<{ readonly changed: readonly string[] }>;
  /** Undo of `install`. */
  uninstall(change: Change): Promise<void>;
  /** Logs in with the credential `to` (or `from` where there is none) and compares the rights; throws `VerificationFailed`. */
  verify(change: Change): Promise<AcceptanceProof>;
  publish(change: Change): Promise<void>;
  /** Undo of `publish`. */
  withdraw(change: Change): Promise<void>;
  /**
   * Looks whether `from` is out of use. Throws retryable `StillInUse` until it is or until `deadline` (ISO 8601) has passed;
   * then it gives what it saw.
   */
  drain(change: Change & { readonly startedAt: string; readonly deadline: string }): Promise<DrainProof>;
  /** Raises the fence, disables and disconnects. `everything`: all that was ever minted for the identity. */
  retire(change: Change & { readonly reach: 'these' | 'everything' }): Promise<RetirementProof>;
  /** Attempts a login with each retired credential whose material is still in the store. */
  refuse(change: Change & { readonly reach: 'these' | 'everything' }): Promise<readonly RefusalProof[]>;
  /** Destroys retired material in stores and what is left at the target. */
  purge(change: Change & { readonly reach: 'these' | 'everything' }): Promise<void>;
  /** Offboard: removes the identity from target and stores and proves that nothing answers. */
  remove(change: Change): Promise<readonly string[]>;
  /** Compares the target and the stores with the state. */
  inspect(change: Change): Promise<readonly Drift[]>;
  repair(change: Change): Promise<readonly string[]>;
  /**
   * Lends rights: brings those of the credentials that the state names to `spec`, in which the lent ones are. All or nothing; touches no
   * login.
   */
  elevate(change: Change): Promise<{ readonly changed: readonly string[] }>;
  /**
   * Brings the rights back to `spec`, as it is declared, and ends the sessions that began before. It only takes away, so any run may ask
   * for it whose operation was permitted: what stands guard over an elevation does when the elevation itself cannot.
   */
  restore(change: Change): Promise<{ readonly changed: readonly string[]; readonly sessionsEnded: number }>;
  /** The highest epoch that any delivery of the identity has seen, or that was permitted; 0 for a new one. */
  lastEpoch(spec: IdentitySpec): Promise<number>;
}

/** Verifies who said what. Nothing here changes anything; what was verified becomes part of history. */
export interface TrustActivities {
  /** Who asked. Throws `ApprovalRefused` with the reason where the request is not signed by who it says, for exactly this. */
  attest(input: { readonly asked: ChangeRequest; readonly identity: string }): Promise<Attested>;
  /** The same for words to a process that is under way. `content` is what the signature's digest is over. */
  attestWord(word: {
    readonly signed?: Signed;
    readonly verb: Verb;
    readonly subject: string;
    readonly content: unknown;
  }): Promise<Attested>;
  /** Whether a ballot counts at this gate, and for whom. Whatever was sent, it answers and throws nothing but `StoreUnavailable`. */
  weigh(input: {
    readonly ballot: Ballot;
    readonly gate: GateState;
    readonly plan: ProcessPlan;
    readonly input: ProcessInput;
  }): Promise<Weighed>;
}

/** What policy is asked. */
export interface AuthorizeInput {
  readonly input: ProcessInput;
  /** As it was shown; it has to be what follows from the input. */
  readonly plan: ProcessPlan;
  /** The gate with its votes, once they seem to be enough; their signatures are verified again. */
  readonly gate?: GateState;
}

/** A change of what is written down of an identity, whose turn has come. */
export interface Amendment {
  readonly asked: ChangeRequest;
  readonly identity: string;
  /** As it is declared until now. */
  readonly before: IdentitySpec;
}

/** `policies`: ids of those that decided. */
export type AmendmentVerdict =
  | { readonly allowed: true; readonly policies: readonly string[] }
  | { readonly allowed: false; readonly policies: readonly string[]; readonly reason: string };

/** Decides on plans. */
export interface PolicyActivities {
  /**
   * Asks policy about exactly this plan. With nothing owed it permits the run of the workflow that asks, and no other, to carry the plan
   * out; a request and an approval permit one run, once. Every effect needs that permit.
   */
  authorize(input: AuthorizeInput): Promise<Decision>;
  /** Asks policy about an amendment, for which nobody can be asked to approve. Throws `ApprovalRefused` where it is not proven. */
  amendment(amendment: Amendment): Promise<AmendmentVerdict>;
  /** May anything change at this moment (freeze, window)? */
  clearance(input: { readonly spec: IdentitySpec; readonly emergency: boolean }): Promise<Clearance>;
  /** When the identity is next due, ISO 8601; undefined where nothing is scheduled. */
  nextRotation(input: { readonly spec: IdentitySpec; readonly lastRotatedAt?: string }): Promise<string | undefined>;
  /** Is a scheduled rotation due and allowed now? */
  due(input: {
    readonly spec: IdentitySpec;
    readonly lastRotatedAt?: string;
  }): Promise<{ readonly due: boolean; readonly reason: string; readonly detail: string }>;
}

/** Tells consumers. */
export interface ConsumerActivities {
  /**
   * Tells every consumer, in the order of `after`, that `current` of the deliveries is now `version`, and collects
   * acknowledgements. `pending` ones answer later by a signal. Throws nothing for a consumer that refuses: it is in the list.
   */
  handOver(input: {
    readonly identity: string;
    readonly operation: string;
    readonly epoch: number;
    readonly spec: IdentitySpec;
    readonly version: string;
    readonly event: 'credential.published' | 'credential.withdrawn' | 'credential.revoked';
    readonly consumers: readonly Consumer[];
  }): Promise<readonly Acknowledgement[]>;
}

/** What follows every use of lent rights. */
export interface ReviewActivities {
  /** Whether a review counts. Whatever was sent, it answers and throws nothing but `StoreUnavailable`. */
  weighReview(input: { readonly signed: Signed; readonly reviewed: Reviewed }): Promise<WeighedReview>;
  /** One evidence record for the review of an elevation. Returns its digest, `sha256:<hex>`. Never in-process, like `seal`. */
  sealReview(record: ReviewRecord): Promise<{ readonly evidence: string }>;
  /** Whether an elevation has taken its rights back, as its own state says. One that does not answer has not. */
  lookAtElevation(operation: string, run: string): Promise<{ readonly isRestored: boolean }>;
}

/** Writes what happened where it can be read later, and tells people. */
export interface RecordActivities {
  /**
   * One evidence record for each run of the process; the same run always gives the same record. Returns its digest, `sha256:<hex>`.
   * Never in-process: it exports the run's own history.
   */
  seal(record: {
    readonly state: ProcessState;
    readonly result: ProcessResult;
    readonly request: ChangeRequest;
    readonly requester?: Attested;
  }): Promise<{ readonly evidence: string }>;
  /**
   * One evidence record for what has become of an exception; the same run always gives the same record. What was approved is taken from
   * what this worker published, whatever the workflow says.
   */
  sealException(told: ExceptionTold): Promise<{ readonly evidence: string }>;
  /** Tells operators what is parked, left unfinished, or was not rotated in time. Best effort; never fails the process. */
  notify(notice: {
    readonly identity: string;
    readonly operation: string;
    readonly level: 'info' | 'warning' | 'alert';
    readonly text: string;
  }): Promise<void>;
}

/** Used by campaigns and by the identity. */
export interface FleetActivities {
  /**
   * Active identities of a rotation policy that are due now, with their target. Each is asked by itself: one that does not answer is
   * left out, and said so. One that has a process already is not due.
   */
  selectDue(input: {
    readonly policy: string;
    readonly limit: number;
    /** The policy says to ask people where no window is left: look beyond what is due by the calendar. */
    readonly asks?: boolean;
    /** Identities that the campaign has already. */
    readonly except?: readonly string[];
  }): Promise<DueSelection>;
  /**
   * Asks one identity to rotate, once by `requestId`, and looks what became of it. Throws retryable, benign `StillRunning` until
   * there is an outcome or until it `waits` for something outside.
   */
  rotateOne(input: {
    readonly name: string;
    readonly requestId: string;
    /** `schedule/<policy>`. */
    readonly requester: string;
    /** Who started the campaign by hand: it is asked on their behalf then, once their signature is verified. */
    readonly asked?: Trigger;
  }): Promise<ScheduledOutcome>;
  /**
   * The result of a process that outlived its identity's run. Throws retryable, benign `StillRunning` until it has ended. With `run` that of
   * one run alone: what somebody has started or reset in its place says nothing about it.
   */
  awaitProcess(operation: string, run?: string): Promise<ProcessResult>;
}

/** What a look at a rotation policy found. */
export interface DueSelection {
  /** How many of one target may be rotated at the same time. */
  readonly perTarget: number;
  readonly identities: readonly { readonly name: string; readonly target: string; readonly jitterMs: number }[];
  /** No window is left before they are too old, and a person has to decide. */
  readonly asking?: readonly Remark[];
  /** They could not be looked at. */
  readonly leftOut?: readonly Remark[];
}

/** One identity, and what is to be said of it. */
export interface Remark {
  readonly name: string;
  readonly detail: string;
}

/**
 * What became of a scheduled rotation. `waits`: it goes on without the campaign, once what it waits for is there. `not due`: somebody
 * else rotated meanwhile. `gone`: the identity has ended. `silent`: the identity does not answer.
 */
export interface ScheduledOutcome {
  readonly outcome: ProcessOutcome | 'refused' | 'not due' | 'waits' | 'gone' | 'silent';
  readonly detail: string;
  readonly operation?: string;
}
