/** Who may have payloads decoded: whoever has the token, or a user of the Temporal UI whose access token says enough. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import type { CodecServerConfig } from '../../config/types.js';
import { TenureError } from '../../domain/errors.js';
import { readSecret } from '../../stores/secret-source.js';

/** Gives who asks by the bearer token that they brought; undefined for nobody. */
export type Authenticate = (bearer: string) => Promise<string | undefined>;

/** Both ways that are configured; at least one has to be. Reads the token, and asks the issuer where its keys are. */
export async function authenticator({ token, jwt }: CodecServerConfig): Promise<Authenticate> {
  if (!token && !jwt)
    throw new TenureError(
      'InvalidRequest',
      'nobody could be told from anybody else: whoever reaches it could read every payload; give encryption.codecServer a token or a jwt in tenure.yaml',
    );
  const ways = [...(token ? [await byToken(token)] : []), ...(jwt ? [await byJwt(jwt)] : [])];
  return async (bearer) => {
    for (const way of ways) {
      const who = await way(bearer);
      if (who !== undefined) return who;
    }
    return undefined;
  };
}

const shortestToken = 32;

async function byToken(source: NonNullable<CodecServerConfig['token']>): Promise<Authenticate> {
  const token = await readSecret(source, 'the token of the codec server');
  if (token.length < shortestToken)
    throw new TenureError(
      'InvalidRequest',
      `the token of the codec server is shorter than ${shortestToken} characters and could be guessed; make one with: openssl rand -base64 32`,
    );
  const wanted = digest(token);
  return async (bearer) => (timingSafeEqual(digest(bearer), wanted) ? 'token' : undefined);
}

/** Of one length, whatever was brought, so that the comparison says nothing by the time that it takes. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

type JwtConfig = NonNullable<CodecServerConfig['jwt']>;

/** A key that signs; never a secret that is shared, which everybody who verifies could sign with. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const toleranceSeconds = 30;

async function byJwt(config: JwtConfig): Promise<Authenticate> {
  const { issuer, audience } = config;
  const keys: JWTVerifyGetKey = createRemoteJWKSet(new URL(config.jwks ?? (await discovered(issuer))));
  return async (bearer) => {
    try {
      const { payload } = await jwtVerify(bearer, keys, {
        ...{ issuer, audience, algorithms },
        clockTolerance: toleranceSeconds,
        requiredClaims: ['exp', 'sub'],
      });
      return mayAsk(payload, config.require) ? payload.sub : undefined;
    } catch (error) {
      if (isUnanswered(error)) throw unanswered(issuer);
      // Not a token, not theirs, or not valid any more: all the same to whoever brought it.
      return undefined;
    }
  };
}

/** The token was not even looked at, since the issuer's keys could not be had. */
function isUnanswered(error: unknown): boolean {
  const isAnswer = error instanceof errors.JOSEError;
  return !isAnswer || ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'].includes(error.code);
}

function unanswered(issuer: string): TenureError {
  return new TenureError(
    'TargetUnavailable',
    `the keys of ${issuer} cannot be had now, so nobody is let in by its tokens; look at its JWKS address`,
  );
}

/** Every claim that is demanded is there, with one of its values. */
function mayAsk(payload: JWTPayload, demanded: JwtConfig['require']): boolean {
  return Object.entries(demanded).every(([claim, values]) => {
    const found = payload[claim];
    const held: readonly unknown[] = Array.isArray(found) ? found : [found];
    return held.some((value) => typeof value === 'string' && values.includes(value));
  });
}

const discoveryMs = 10_000;

async function discovered(issuer: string): Promise<string> {
  const place = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const response = await fetch(place, { signal: AbortSignal.timeout(discoveryMs), redirect: 'error' });
    const { jwks_uri: found, issuer: said } = (await response.json()) as Record<string, unknown>;
    if (said === issuer && typeof found === 'string' && new URL(found).protocol === new URL(issuer).protocol)
      return found;
  } catch {
    // What it was is of no help to an operator: the remedy is the same.
  }
  throw new TenureError(
    'TargetUnavailable',
    `${place} does not say where the keys of ${issuer} are; correct encryption.codecServer.jwt.issuer, or name them under jwks`,
  );
}
