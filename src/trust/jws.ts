/** Signatures of services: a compact JWS with detached payload (RFC 7515, appendix F), whose algorithm the key decides. */
import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, importJWK } from 'jose';
import { signatureNamespace } from '../domain/statement.js';
import { readJwk, type ServiceKey } from './jwk.js';
import { refused } from './refusal.js';

/** A signature that was read and is not verified yet. */
export interface JwsSignature {
  readonly keyId: string;
  readonly algorithm: string;
  /** Whether it is this key's signature of exactly this. */
  isOf(message: Buffer, key: ServiceKey): Promise<boolean>;
}

const longestJws = 4_096;

/** Reads a detached JWS: `header..signature`. Its header has exactly alg, kid and typ. Throws `ApprovalRefused`. */
export function readJws(compact: string): JwsSignature {
  if (compact.length > longestJws) throw refused('too-large', `the signature has more than ${longestJws} characters`);
  const [, header = '', signature = ''] = /^([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]+)$/.exec(compact) ?? [];
  if (![header, signature].every(isBase64url)) throw malformed('it is neither an SSH signature nor a detached JWS');
  const { alg, kid } = readHeader(header);
  return {
    keyId: kid,
    algorithm: alg,
    isOf: async (message, key) => {
      if (key.alg !== alg)
        throw refused('algorithm-refused', `this key signs with ${key.alg}, and the signature names another algorithm`);
      return isVerified(`${header}.${message.toString('base64url')}.${signature}`, key);
    },
  };
}

/** Signs with the private key that belongs to `jwk`. */
export async function signJws(key: KeyObject, publicKey: KeyObject, message: Buffer): Promise<string> {
  const { id, alg } = readJwk(publicKey.export({ format: 'jwk' }) as Record<string, unknown>);
  const whole = await new CompactSign(message).setProtectedHeader({ alg, kid: id, typ: signatureNamespace }).sign(key);
  return whole.replace(/\..*\./, '..');
}

interface Header {
  readonly alg: string;
  readonly kid: string;
}

function readHeader(base64url: string): Header {
  const header = parsed(Buffer.from(base64url, 'base64url').toString('utf8'));
  const { alg, kid, typ } = header;
  if (Object.keys(header).toSorted().join() !== 'alg,kid,typ' || typeof alg !== 'string' || typeof kid !== 'string')
    throw malformed('its header has other members than alg, kid and typ');
  if (typ !== signatureNamespace)
    throw refused('wrong-namespace', `the signature was made for another purpose than ${signatureNamespace}`);
  if (!kid.startsWith('jwk:')) throw malformed('its kid is not the thumbprint of a JWK');
  return { alg, kid };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as unknown;
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Refused below, like JSON that is no object.
  }
  throw malformed('its header is no JSON object');
}

async function isVerified(compact: string, { jwk, alg }: ServiceKey): Promise<boolean> {
  try {
    await compactVerify(compact, await importJWK(jwk, alg), { algorithms: [alg] });
    return true;
  } catch {
    // Whatever the library has against it, it is no signature.
    return false;
  }
}

function isBase64url(text: string): boolean {
  return text !== '' && Buffer.from(text, 'base64url').toString('base64url') === text;
}

function malformed(why: string): ReturnType<typeof refused> {
  return refused('signature-malformed', `the signature is malformed: ${why}`);
}
