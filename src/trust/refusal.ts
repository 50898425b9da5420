import { TenureError } from '../domain/errors.js';

/** Why something signed does not count. One code for each reason; wire names, since they stand in histories and evidence. */
export const refusalReasons = [
  'not-signed',
  'too-large',
  'not-json',
  'malformed',
  'wrong-type',
  'not-canonical',
  'issued-in-the-future',
  'expired',
  'not-valid-yet',
  'lives-too-long',
  'signature-malformed',
  'algorithm-refused',
  'wrong-namespace',
  'unknown-key',
  'key-not-valid',
  'party-not-valid',
  'other-signer',
  'bad-signature',
  'other-content',
  'other-gate',
  'no-person',
  'own-request',
  'delegation',
  'step-up',
  'wrong-group',
] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** The refusal of something signed. `facts.reason` holds the code. The message never repeats what was sent. */
export function refused(reason: RefusalReason, message: string): TenureError {
  return new TenureError('ApprovalRefused', message, { reason });
}

/** For `catch`: what was refused is not there, and what cannot be known is thrown. */
export function noneIfRefused(error: unknown): undefined {
  if (error instanceof TenureError && error.code === 'ApprovalRefused') return undefined;
  throw error;
}
