import { isErrorCode, TenureError, type ErrorCode } from '../domain/errors.js';
import { exitCodes } from './io.js';

/** What a person sees when a command fails: one message and the commands that lead on. */
export interface Complaint {
  readonly code: ErrorCode | 'Usage' | 'NoWorker' | 'NoTemporal' | 'NotFound' | 'Interrupted' | 'Unexpected';
  readonly message: string;
  /** Commands, ready to paste. Never empty. */
  readonly next: readonly string[];
  readonly exitCode: number;
}

/** A failure of the command line itself, with the commands that lead on. */
export class CliError extends Error {
  override readonly name = 'CliError';

  constructor(
    readonly code: Complaint['code'],
    message: string,
    readonly next: readonly string[],
    readonly exitCode: number = code === 'Usage' ? exitCodes.usage : exitCodes.failure,
  ) {
    super(message);
  }
}

/** What leads on where a wrong use did not say; a verb that is running puts its own help here. */
export const anyHelp: readonly string[] = ['tenure --help'];

/** A command line that makes no sense: exit code 2. */
export function usage(message: string, ...next: string[]): CliError {
  return new CliError('Usage', message, next.length > 0 ? next : anyHelp);
}

/** Nobody polls the task queue, so nobody would do it. */
export function noWorker(what: string): CliError {
  return new CliError('NoWorker', `${what}: no worker is running`, ['tenure worker', 'tenure doctor']);
}

const nextByCode: Readonly<Record<ErrorCode, readonly string[]>> = {
  InvalidRequest: ['tenure plan', 'tenure show NAME'],
  PolicyDenied: ['tenure plan', 'tenure policy explain NAME --action …'],
  ApprovalRefused: ['tenure history NAME'],
  TargetUnavailable: ['tenure doctor'],
  StoreUnavailable: ['tenure doctor'],
  RejectedUnchanged: ['tenure history NAME'],
  OutcomeUnknown: ['tenure validate NAME'],
  VerificationFailed: ['tenure validate NAME', 'tenure history NAME'],
  ConsumerRefused: ['tenure history NAME'],
  StillInUse: ['tenure show NAME'],
  StillRunning: ['tenure show NAME'],
  StillAccepted: ['tenure revoke NAME --now', 'tenure history NAME'],
  Conflict: ['tenure show NAME'],
  Fenced: ['tenure show NAME'],
  UnwindFailed: ['tenure list --parked', 'tenure show NAME'],
};

/** The commands that lead on from a code, for one identity where it is known. */
export function nextCommands(code: ErrorCode, identity?: string): readonly string[] {
  // What is wrong without any identity stands in the operator's file, or in its surroundings.
  if (code === 'InvalidRequest' && identity === undefined) return ['tenure doctor'];
  return nextByCode[code].map((command) => (identity === undefined ? command : command.replace('NAME', identity)));
}

/**
 * Turns whatever was thrown into one message without a stack, and the next command. The SDK's errors are told by their names,
 * so that a command that needs no server does not load it.
 */
export function complaintOf(error: unknown): Complaint {
  if (error instanceof CliError) {
    return { code: error.code, message: redact(error.message), next: error.next, exitCode: error.exitCode };
  }
  if (error instanceof TenureError) return ofTenure(error);
  if (!(error instanceof Error)) return unexpected(error);
  return ofTemporal(error) ?? unexpected(error);
}

/** Whoever throws may know better what leads on. */
function ofTenure({ code, message, facts }: TenureError): Complaint {
  const complaint = coded(code, message, identityIn(facts));
  const next = facts['next'];
  return Array.isArray(next) && next.length > 0 ? { ...complaint, next: next as string[] } : complaint;
}

function coded(code: ErrorCode, message: string, identity?: string): Complaint {
  return { code, message: redact(message), next: nextCommands(code, identity), exitCode: exitCodes.failure };
}

function ofTemporal(error: Error): Complaint | undefined {
  const { workflowId, type, details } = error as { workflowId?: unknown; type?: unknown; details?: unknown };
  switch (error.name) {
    case 'ApplicationFailure':
      return isErrorCode(type) ? coded(type, error.message) : undefined;
    case 'WorkflowUpdateFailedError':
    case 'WorkflowFailedError':
    case 'ServiceError':
      return error.cause === undefined ? undefined : complaintOf(error.cause);
    case 'WorkflowNotFoundError': {
      const message = `nothing is known of ${String(workflowId).replace(/^nhi\/([^/]+)$/, '$1')}`;
      return { code: 'NotFound', message, next: ['tenure list', 'tenure apply'], exitCode: exitCodes.failure };
    }
    case 'WorkflowUpdateRPCTimeoutOrCancelledError':
    case 'QueryNotRegisteredError':
      return complaintOf(noWorker('no answer came'));
    default:
      // What gRPC itself throws has no name of its own.
      return typeof details === 'string' && 'metadata' in error ? noTemporal(details || error.message) : undefined;
  }
}

function noTemporal(why: string): Complaint {
  const message = redact(`Temporal did not answer: ${why}`);
  return { code: 'NoTemporal', message, next: ['tenure dev', 'tenure doctor'], exitCode: exitCodes.failure };
}

function unexpected(error: unknown): Complaint {
  const message = error instanceof Error ? firstLine(error.message) : 'something unknown was thrown';
  return { code: 'Unexpected', message: redact(message), next: ['tenure doctor'], exitCode: exitCodes.failure };
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]!;
}

function identityIn(facts: Readonly<Record<string, unknown>>): string | undefined {
  return typeof facts['identity'] === 'string' ? facts['identity'] : undefined;
}

/** Removes user names and passwords from addresses: a driver's message may quote its connection string. */
export function redact(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)\S*@/gi, '$1…@');
}
