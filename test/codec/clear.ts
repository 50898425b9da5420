/** What a reader of a history sees without a key. */

/** Search attributes, text and plain payloads, each by the last name of its place; what numbers, enums and ids of the server are is left out. */
export function clearIn(history: object): Set<string> {
  const found = new Set<string>();
  walk(history, [], (place, value) => {
    const attribute = place[place.indexOf('indexedFields') + 1];
    if (place.includes('indexedFields')) found.add(attribute!);
    else if (value instanceof Uint8Array) found.add(nameOf(place));
    else if (!isOfServer(value)) found.add(nameOf(place));
  });
  return found;
}

/** The ids of the keys that payloads are encrypted with, and '' where one is not. */
export function keysIn(history: object): Set<string> {
  const found = new Set<string>();
  payloads(history, ({ metadata }) => {
    found.add(Buffer.from(metadata['encryption-key-id'] ?? []).toString());
  });
  return found;
}

type Metadata = Readonly<Record<string, Uint8Array>>;
type Found = { readonly metadata: Metadata };

/** Search attributes and the SDK's own notes are never encrypted. */
function payloads(value: unknown, see: (payload: Found) => void): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  if (isPayload(value)) return see(value);
  for (const [name, inner] of Object.entries(value))
    if (name !== 'searchAttributes' && name !== 'data') payloads(inner, see);
}

function walk(value: unknown, place: readonly string[], see: (place: readonly string[], value: unknown) => void): void {
  if (typeof value === 'string' || value instanceof Uint8Array) return see(place, value);
  if (typeof value !== 'object' || value === null || isEncrypted(value)) return;
  for (const [name, inner] of Object.entries(value)) walk(inner, [...place, name], see);
}

function isPayload(value: object): value is Found {
  const { metadata } = value as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null && 'encoding' in metadata;
}

function isEncrypted(value: object): boolean {
  return isPayload(value) && Buffer.from(value.metadata['encoding']!).toString() === 'binary/encrypted';
}

/** `workflowType.name` for a type; for what stands in a list, the name of the list. */
function nameOf(place: readonly string[]): string {
  const names = place.filter((step) => !/^\d+$/.test(step) && !step.endsWith('EventAttributes') && step !== 'events');
  const at = names.findIndex((name) => ['payloads', 'metadata'].includes(name));
  return (at === -1 ? names : names.slice(0, at)).slice(-2).join('.');
}

/** Numbers, words of the protocol, and random ids. */
function isOfServer(value: unknown): boolean {
  return typeof value === 'string' && /^(\d*|[A-Z][A-Z0-9_]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(value);
}
