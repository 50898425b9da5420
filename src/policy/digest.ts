import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.js';

/** `sha256:<hex>` of the canonical JSON (RFC 8785) of a value. Throws for what is no JSON. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}

/** Of what a gate shows besides the plan: the facts, and what was declared before where the plan leaves that out. Approvals are bound to it. */
export function evidenceDigestOf({ facts, before }: { readonly facts?: unknown; readonly before?: unknown }): string {
  return digestOf(before === undefined ? (facts ?? null) : { facts, before });
}
