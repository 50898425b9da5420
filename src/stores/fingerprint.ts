/**
 * Keyed fingerprints: two credentials can be told apart, or found equal, by someone who may see neither. The key keeps a
 * weak secret from being guessed by trying candidates against a fingerprint that stands in a history.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { canonicalJson } from '../canonical-json.js';
import type { Material } from './store.js';

/** A key for one purpose out of a key that the operator holds (HKDF-SHA-256, 32 bytes). Purposes give unrelated keys. */
export function deriveKey(operatorKey: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', operatorKey, '', `tenure ${purpose} v1`, 32));
}

/** Fingerprint of `material`: HMAC-SHA-256 of its canonical JSON (RFC 8785), 16 hex characters. The order of keys does not matter. */
export function fingerprintOf(key: Buffer, material: Material): string {
  return createHmac('sha256', key).update(canonicalJson(material)).digest('hex').slice(0, 16);
}
