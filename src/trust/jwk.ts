/** Keys of services as JSON Web Keys, each for one algorithm. */
import { createHash, createPublicKey, type JsonWebKey } from 'node:crypto';
import { canonicalJson } from '../canonical-json.js';
import { rsaBits } from './ssh-key.js';

/** The only members that a key is made of, by its type; a private one has more. */
const members = { OKP: ['crv', 'x'], EC: ['crv', 'x', 'y'], RSA: ['e', 'n'] } as const;
/** Members that say something about a key and make none. */
const remarks = ['alg', 'use', 'kid', 'key_ops'];

/** A JWK that was checked. */
export interface ServiceKey {
  /** `jwk:<base64url>`: the RFC 7638 thumbprint. */
  readonly id: string;
  /** The only algorithm that its signatures may use. */
  readonly alg: 'EdDSA' | 'ES256' | 'RS256';
  /** Its public members alone. */
  readonly jwk: JsonWebKey & { readonly kty: string };
}

/** Checks a JWK. Throws an `Error` with a reason that repeats nothing of it. */
export function readJwk(written: Readonly<Record<string, unknown>>): ServiceKey {
  const { kty } = written;
  if (kty !== 'OKP' && kty !== 'EC' && kty !== 'RSA') throw new Error('its kty is none of OKP, EC and RSA');
  if (['d', 'p', 'q', 'k', 'dp', 'dq', 'qi'].some((secret) => Object.hasOwn(written, secret)))
    throw new Error(
      'it holds a private key; take its public part, and make a new key, since this one was written down',
    );
  const known: readonly string[] = ['kty', ...members[kty], ...remarks];
  if (Object.keys(written).some((member) => !known.includes(member)))
    throw new Error('it has a member that is not known');
  const jwk = {
    kty,
    ...Object.fromEntries(members[kty].map((member) => [member, base64url(written[member], member)])),
  };
  const alg = algorithmOf(jwk);
  return { id: jwkId(jwk), alg, jwk };
}

/** The thumbprint of a JWK that has its public members alone. */
function jwkId(jwk: JsonWebKey): string {
  return `jwk:${createHash('sha256').update(canonicalJson(jwk)).digest('base64url')}`;
}

/** Members are bytes in base64url, but for the curve. */
function base64url(value: unknown, member: string): string {
  if (typeof value !== 'string') throw new Error(`its ${member} is missing`);
  if (member !== 'crv' && (value === '' || Buffer.from(value, 'base64url').toString('base64url') !== value))
    throw new Error(`its ${member} is not base64url`);
  return value;
}

function algorithmOf(jwk: JsonWebKey): ServiceKey['alg'] {
  const { asymmetricKeyType, asymmetricKeyDetails } = keyObject(jwk);
  if (asymmetricKeyType === 'ed25519') return 'EdDSA';
  if (asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ES256';
  const bits = asymmetricKeyDetails?.modulusLength;
  if (bits === undefined) throw new Error('its curve is neither Ed25519 nor P-256');
  if (bits < rsaBits.least || bits > rsaBits.most)
    throw new Error(`an RSA key has ${rsaBits.least} to ${rsaBits.most} bits, this one has ${bits}`);
  return 'RS256';
}

function keyObject(jwk: JsonWebKey): ReturnType<typeof createPublicKey> {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new Error('its numbers make no key');
  }
}
