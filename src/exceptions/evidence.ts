import type { ControlResult } from '../domain/exception.js';
import { digestOf } from '../policy/digest.js';

/** `sha256:<hex>` of what a gate shows besides the terms: of the checks, what does not change from look to look. */
export function evidenceOf(checks: readonly ControlResult[]): string {
  return digestOf(checks.map(({ control, holds }) => ({ control, holds })));
}
