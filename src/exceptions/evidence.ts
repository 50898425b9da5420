import type { ControlResult, ExceptionFacts } from '../domain/exception.js';
import { digestOf } from '../policy/digest.js';

/** `sha256:<hex>` of what a gate shows besides the terms: of the checks, what does not change from look to look, and what the identity is. */
export function evidenceOf(checks: readonly ControlResult[], facts: ExceptionFacts | undefined): string {
  return digestOf({ checks: checks.map(({ control, holds }) => ({ control, holds })), facts: facts ?? null });
}
