/** What an exception is proposed for when something is overdue. */
import type { overdueRules } from '../domain/exception.js';
import type { IdentityKind } from '../domain/identity.js';

/** The rule that an overdue credential does not meet. */
export function ruleOf(kind: IdentityKind): (typeof overdueRules)[number] {
  return kind === 'certificate' ? 'certificate-expired' : 'rotation-overdue';
}

/** One a day at most, whoever proposes it, so that two workers propose the same. */
export function proposalId(identity: string, rule: string, at: Date): string {
  return `${identity.slice(0, 80)}-${rule}-${at.toISOString().slice(0, 10).replaceAll('-', '')}`;
}
