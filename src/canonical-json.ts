import canonicalize from 'canonicalize';

// The package is CommonJS and declares itself as an ES module, so its types name a `default` that is not there.
const serialize = canonicalize as unknown as (value: unknown) => string | undefined;

/** Canonical JSON (RFC 8785): equal data gives equal text, whatever the order of its keys. */
export function canonicalJson(value: unknown): string {
  const text = serialize(value);
  if (text === undefined) throw new TypeError('this value has no JSON form');
  return text;
}
