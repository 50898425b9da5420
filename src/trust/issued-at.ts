import type { Signed } from '../domain/statement.js';

/**
 * The instant at which a statement says that it was made, for judging its own life where it was verified at its arrival and is verified
 * again now. An invalid date where it says none, for which nothing holds.
 */
export function issuedAt(signed: Signed | undefined): Date {
  try {
    const { iat } = JSON.parse(signed?.statement ?? '') as { iat?: unknown };
    return new Date(typeof iat === 'string' ? iat : Number.NaN);
  } catch {
    return new Date(Number.NaN);
  }
}
