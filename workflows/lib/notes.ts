/** What a finished stage says of itself: one short sentence with the proof in it. */
import type {
  AcceptanceProof,
  CredentialRecord,
  DrainProof,
  Drift,
  RefusalProof,
  RetirementProof,
} from '../../src/domain/credential.js';
import { clipLines } from '../../src/domain/clip.js';
import type { Acknowledgement } from '../../src/domain/process.js';
import type { Process } from './process.js';

export function staged({ principal, fingerprint }: CredentialRecord): string {
  return `candidate for ${principal}, fingerprint ${fingerprint}`;
}

export function installed({ changed }: { readonly changed: readonly string[] }): string {
  return changed.length === 0 ? 'it was accepted already' : inShort(changed);
}

export function accepted({ answer }: AcceptanceProof): string {
  return `${answer}; rights are exactly the approved scope`;
}

/** With what is known of the use of those rights, where the target keeps a record. */
export function validated(proof: AcceptanceProof): string {
  const { use } = proof;
  if (!use) return accepted(proof);
  const unused = use.known ? inShort(use.unused.map(({ right }) => right)) : '';
  const said = use.known
    ? `not seen in use: ${unused || 'none of them'}`
    : `which of them are used is not known: ${use.why}`;
  return `${accepted(proof)}; ${said}`;
}

export function published(process: Process): () => string {
  return () =>
    `${process.candidate!.principal} is current in ${process.input.spec.deliver.map(({ store, path }) => `${store}:${path}`).join(', ')}`;
}

export function acknowledged(acknowledgements: readonly Acknowledgement[]): string {
  return acknowledgements.map(({ consumer, status }) => `${consumer} ${status}`).join(', ');
}

export function drained({ drained: isDrained, sessions, principal, waitedMs }: DrainProof): string {
  const seconds = (waitedMs / 1000).toFixed(1);
  return isDrained
    ? `${principal} is out of use (watched for ${seconds} s)`
    : `${principal} still has ${sessions} session(s) after ${seconds} s; they will be ended`;
}

export function retired({ principals, sessionsEnded }: RetirementProof): string {
  return `${principals.length === 0 ? 'no login' : principals.join(', ')} disabled, ${sessionsEnded} session(s) ended, none left`;
}

export function refused(proofs: readonly RefusalProof[]): string {
  if (proofs.length === 0) return 'no material was left to try';
  return proofs
    .map(({ principal, code, control }) => `${principal} refused (${code}) while ${control} was let in`)
    .join('; ');
}

export function purged(): string {
  return 'no material of it is left in stores or target';
}

export function gone(sentences: readonly string[]): string {
  return inShort(sentences);
}

export function repaired(lines: readonly string[]): string {
  return lines.length === 0 ? 'nothing to put right' : inShort(lines);
}

export function drift(differences: readonly Drift[]): string {
  return differences.length === 0
    ? 'nothing answers that should not; target and state agree'
    : inShort(differences.map(({ detail }) => detail));
}

/** A stage is one line of a table. */
function inShort(lines: readonly string[]): string {
  return clipLines(lines, 5).join('; ');
}
