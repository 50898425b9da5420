import { createHash } from 'node:crypto';

/** The namespace of every UUID of ours; made once, at random. */
const namespace = Buffer.from('7d8a0cf16f0b4e0c9c1b5c0a5b5f2e64', 'hex');

/** A name-based UUID (RFC 9562, version 5): the same name gives the same UUID, wherever and whenever. */
export function uuidOf(name: string): string {
  const bytes = createHash('sha1').update(namespace).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
