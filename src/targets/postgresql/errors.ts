/** The one place where what PostgreSQL and its driver throw becomes one of our codes. */
import { type ErrorCode, TenureError } from '../../domain/errors.js';

/** An error of the driver: a server's answer has a SQLSTATE in `code`, a lost connection an errno or nothing. */
export interface DriverError extends Error {
  readonly code?: string;
  /** The server's own function that refused; unlike the message it is never translated. */
  readonly routine?: string;
}

/** The SQLSTATE of a server's answer; undefined when no server answered. */
export function sqlState(error: unknown): string | undefined {
  const { code } = (error ?? {}) as DriverError;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

/** SQLSTATEs and classes that mean "not now"; what ran was rolled back. */
const notNow: Readonly<Record<string, string>> = {
  '08': 'the connection broke',
  '25006': 'it is read-only; is this a standby?',
  '25': 'the transaction was ended',
  '28P01': "the administrator's password is refused; correct it in tenure.yaml's password source",
  '28': 'the administrator may not log in; look at its attributes and at pg_hba.conf',
  '3D000': 'the database does not exist',
  '40': 'another transaction was in the way',
  '53300': 'it has no free connection; look at max_connections',
  '53': 'it is short of resources',
  '55P03': 'a lock was held too long by another session',
  '55': 'it is not in a state for this',
  '57014': 'a statement took too long',
  '57': 'it is starting up or shutting down',
  '58': 'its system failed',
  XX: 'it failed inside, or another session changed the same object',
};

/**
 * What to throw for `error`, before anything was committed. `doing` is what was tried, for which identity, e.g.
 * `payments-db: installing payments-db_a at ledger-db`.
 */
export function toTenureError(error: unknown, doing: string): unknown {
  if (error instanceof TenureError) return error;
  const state = sqlState(error);
  if (state === undefined) return isConnectionError(error) ? unreachable(error as DriverError, doing) : error;
  const why = notNow[state] ?? notNow[state.slice(0, 2)];
  if (why !== undefined) return failure('TargetUnavailable', `${doing} failed: ${why}`, state);
  return failure('RejectedUnchanged', `${doing} was refused by PostgreSQL: ${(error as Error).message}`, state);
}

/** What to throw when the answer to COMMIT was lost, or given by a server that was going down. */
export function toCommitError(error: unknown, doing: string): unknown {
  const state = sqlState(error);
  const lost = state === undefined ? isConnectionError(error) : state.startsWith('57P') || state.startsWith('08');
  if (!lost) return toTenureError(error, doing);
  return failure('OutcomeUnknown', `${doing}: the answer to COMMIT was lost; it may have applied`, state);
}

function failure(code: ErrorCode, message: string, state: string | undefined): TenureError {
  return new TenureError(code, state === undefined ? message : `${message} (SQLSTATE ${state})`, { sqlState: state });
}

function unreachable(error: DriverError, doing: string): TenureError {
  const why = tlsAdvice(error) ?? error.code ?? error.message;
  return failure('TargetUnavailable', `${doing} failed: PostgreSQL was not reached (${why})`, undefined);
}

function tlsAdvice(error: DriverError): string | undefined {
  if (error.message === 'The server does not support SSL connections') {
    return 'it speaks no TLS; turn TLS on there, or write tls: false if plaintext is meant';
  }
  const untrusted = /^(DEPTH_ZERO_)?SELF_SIGNED|^UNABLE_TO_|^CERT_|^ERR_TLS_/.test(error.code ?? '');
  return untrusted ? `its certificate is not trusted, ${error.code}; set tls.ca` : undefined;
}

const driverMessages =
  /^(timeout expired|timeout exceeded when trying|Query read timeout|Connection terminated|Client has encountered a conn|Client was closed|The server does not support SSL|SASL: )/;

/** Codes of the network and of TLS. Node's own `ERR_INVALID_…` are bugs and stay loud. */
const networkCodes = /^(E(?!RR_)|ERR_(TLS|SSL)|DEPTH_|SELF_|UNABLE_|CERT_|HOSTNAME_)/;

function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, message } = error as DriverError;
  return networkCodes.test(code ?? '') || error instanceof AggregateError || driverMessages.test(message);
}
