import type { Material } from './store.js';

/** Fields that name a place or an account. Without them a message about a failed login would say nothing. */
const publicFields = new Set(['username', 'host', 'port', 'database']);

/** Too short to be a secret, and too likely to be a part of other words. */
const shortest = 4;

/** `text` without any value of `materials`, also where it is written as in a URL, in JSON or in base64. */
export function redact(text: string, materials: readonly Material[]): string {
  const secrets = materials.flatMap((material) =>
    Object.entries(material).flatMap(([field, value]) => (publicFields.has(field) ? [] : spellings(value))),
  );
  // Longest first, so that a part never breaks the whole up into pieces that are left over.
  const ordered = [...new Set(secrets)].toSorted((a, b) => b.length - a.length);
  return ordered.reduce((redacted, secret) => redacted.replaceAll(secret, '[redacted]'), text);
}

/** A secret of several lines, a key for example, is a secret in each of them. */
function spellings(value: string): string[] {
  const parts = [value, ...value.split(/\r?\n/)].filter((part) => part.length >= shortest);
  return parts.flatMap((part) => [
    part,
    // By way of bytes, since half of a surrogate pair has no form in a URL.
    encodeURIComponent(Buffer.from(part).toString()),
    JSON.stringify(part).slice(1, -1),
    Buffer.from(part).toString('base64'),
    Buffer.from(part).toString('base64url'),
    Buffer.from(part).toString('hex'),
  ]);
}
