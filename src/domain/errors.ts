/**
 * The error codes. A code answers two questions: did it happen, and may it be tried again?
 * Codes are wire names: they cross Temporal as the `type` of an `ApplicationFailure`.
 */
export const errorCodes = {
  /** Refused before anything was touched; the request has to change. */
  InvalidRequest: { retry: false },
  /** Policy says no to this plan. Nothing was touched. */
  PolicyDenied: { retry: false },
  /** The gate was denied or expired. Nothing was touched. */
  ApprovalRefused: { retry: false },
  /** The target could not be reached, or it said "not now". Known to have had no effect. */
  TargetUnavailable: { retry: true },
  /** The store could not be reached or written. Known to have had no effect. */
  StoreUnavailable: { retry: true },
  /** The target or store said no, and nothing changed. Unwind. */
  RejectedUnchanged: { retry: false },
  /** The answer was lost: it may have applied. Every step probes before it acts, so trying again is safe. */
  OutcomeUnknown: { retry: true },
  /** The credential was installed, but does not do what was approved. Unwind. */
  VerificationFailed: { retry: false },
  /** A consumer did not take the new credential. Unwind or park, as policy says. */
  ConsumerRefused: { retry: false },
  /** Not an error yet: the old credential is still in use. Polled by retry. */
  StillInUse: { retry: true },
  /** Not an error yet: another workflow is still at it. Polled by retry. */
  StillRunning: { retry: true },
  /** The target still accepts what must be refused. Retire again, and alert. */
  StillAccepted: { retry: false },
  /** Someone else moved first. Read again. */
  Conflict: { retry: false },
  /** A newer process owns this identity; an older epoch changes nothing. Stop. */
  Fenced: { retry: false },
  /** Some undo failed: what is left is listed, and a person is needed. */
  UnwindFailed: { retry: false },
} as const;

/** One of the codes of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** A failure whose meaning is known. Messages say what happened, to which identity, and what to do next. */
export class TenureError extends Error {
  override readonly name = 'TenureError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    /** Plain facts that a program can read. Never a secret. */
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** Says whether trying the same step again can help. */
export function isRetryable(code: ErrorCode): boolean {
  return errorCodes[code].retry;
}

/** Says whether `value` is one of our codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}
