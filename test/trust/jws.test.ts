import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint, CompactSign, type CompactJWSHeaderParameters } from 'jose';
import { describe, expect, test } from 'vitest';
import { readJwk } from '../../src/trust/jwk.js';
import { readJws, signJws } from '../../src/trust/jws.js';
import { verifySigned } from '../../src/trust/verify.js';
import { canonicalJson } from '../../src/canonical-json.js';
import { directoryOf, freshPair, person, type TestSigner } from '../support/signers.js';
import { refusalOf } from './refusals.js';
import { now, statements } from './statements.js';

const request = statements['tenure/request@v1'];
const text = canonicalJson(request);
const message = Buffer.from(text);
const service = person('ada@example.com', { kind: 'service', owner: 'grace@example.com', key: 'jwk-ed25519' });
const circumstances = { typ: request.typ, directory: directoryOf(service), now };
const verify = (signature: string): Promise<string | undefined> =>
  refusalOf(verifySigned({ statement: text, signature }, circumstances));

/** Signed with the service's key, under any header. */
async function under(header: object, signer: TestSigner = service): Promise<string> {
  const whole = await new CompactSign(message)
    .setProtectedHeader(header as CompactJWSHeaderParameters)
    .sign(createPrivateKey(signer.pem!));
  return whole.replace(/\..*\./, '..');
}
const right = { alg: 'EdDSA', kid: service.keyId, typ: 'tenure' };

describe('a JWS', () => {
  test('is refused with any character changed, left out or doubled, and cut at any length', async () => {
    const { signature } = await service.sign(request);
    expect(await verify(signature)).toBeUndefined();
    const taken: string[] = [];
    for (let at = 0; at <= signature.length; at += 1) {
      const [head, tail] = [signature.slice(0, at), signature.slice(at)];
      const hostile = [head, `${head}${tail.slice(1)}`, `${head}${tail[0] ?? 'A'}${tail}`];
      for (const character of ['A', 'B', '.', '=', '-', '_', '+', '/', ' ', '\n', '\0', 'é'])
        hostile.push(`${head}${character}${tail.slice(1)}`);
      for (const one of hostile) if (one !== signature && (await verify(one)) === undefined) taken.push(one);
    }
    expect(taken).toEqual([]);
  });

  test.each<[string, string, () => Promise<string>]>([
    [
      'of no algorithm',
      'signature-malformed',
      async () => `${Buffer.from('{"alg":"none"}').toString('base64url')}..AA`,
    ],
    [
      'that names no algorithm by name',
      'algorithm-refused',
      async () => `${Buffer.from(JSON.stringify({ ...right, alg: 'none' })).toString('base64url')}..AA`,
    ],
    [
      'by the public key as a shared secret',
      'algorithm-refused',
      async () => `${Buffer.from(JSON.stringify({ ...right, alg: 'HS256' })).toString('base64url')}..AA`,
    ],
    ['under another name of the same algorithm', 'algorithm-refused', () => under({ ...right, alg: 'Ed25519' })],
    ['for another purpose', 'wrong-namespace', () => under({ ...right, typ: 'JWT' })],
    ['for no purpose', 'signature-malformed', () => under({ alg: 'EdDSA', kid: service.keyId })],
    ['with a key in its header', 'signature-malformed', () => under({ ...right, jwk: {} })],
    ['with a kid that is no text', 'signature-malformed', () => under({ ...right, kid: 1 as unknown as string })],
    [
      'with an algorithm that is no text',
      'signature-malformed',
      async () => `${Buffer.from(JSON.stringify({ ...right, alg: 1 })).toString('base64url')}..AA`,
    ],
    ['with the id of an SSH key', 'signature-malformed', () => under({ ...right, kid: `SHA256:${'a'.repeat(43)}` })],
    ['of a key that nobody has', 'unknown-key', () => under({ ...right, kid: `jwk:${'a'.repeat(43)}` })],
    ['by another key than it names', 'bad-signature', () => under(right, person('x', { key: 'jwk-ed25519' }))],
    ['whose header is no JSON', 'signature-malformed', async () => 'AAAA..AA'],
    ['whose header is a list', 'signature-malformed', async () => `${Buffer.from('[]').toString('base64url')}..AA`],
    ['whose header is null', 'signature-malformed', async () => `${Buffer.from('null').toString('base64url')}..AA`],
    [
      'with its payload',
      'signature-malformed',
      async () => (await under(right)).replace('..', `.${message.toString('base64url')}.`),
    ],
    ['that is too large', 'too-large', async () => 'x'.repeat(4_097)],
  ])('%s is refused: %s', async (_, reason, make) => {
    expect(await verify(await make())).toBe(reason);
  });

  test.each(['jwk-ed25519', 'jwk-p256', 'jwk-rsa'] as const)(
    'of a key of kind %s takes one algorithm, that of the key',
    async (kind) => {
      const { privateKey, publicKey } = freshPair(kind);
      const key = readJwk(publicKey.export({ format: 'jwk' }) as Record<string, unknown>);
      const read = readJws(await signJws(privateKey, publicKey, message));
      expect(read).toMatchObject({ keyId: key.id, algorithm: key.alg });
      expect(await read.isOf(message, key)).toBe(true);
      expect(await read.isOf(Buffer.from('another'), key)).toBe(false);
    },
  );
});

describe('a JWK', () => {
  const okp = (): Record<string, unknown> =>
    freshPair('jwk-ed25519').publicKey.export({ format: 'jwk' }) as Record<string, unknown>;
  const rsa = (bits: number): Record<string, unknown> =>
    generateKeyPairSync('rsa', { modulusLength: bits }).publicKey.export({ format: 'jwk' }) as Record<string, unknown>;

  test('has the thumbprint of RFC 7638 for its id, whatever is remarked on it', async () => {
    for (const kind of ['jwk-ed25519', 'jwk-p256', 'jwk-rsa'] as const) {
      const written = freshPair(kind).publicKey.export({ format: 'jwk' }) as Record<string, unknown>;
      const { id, jwk } = readJwk({ ...written, alg: 'X', use: 'sig', kid: 'mine', key_ops: ['verify'] });
      expect(id).toBe(`jwk:${await calculateJwkThumbprint(jwk as never)}`);
      expect(readJwk(written).id).toBe(id);
    }
  });

  test.each<[string, () => Record<string, unknown>, string]>([
    ['of a shared secret', () => ({ kty: 'oct', k: 'AAAA' }), 'none of OKP, EC and RSA'],
    [
      'with its private part',
      () => freshPair('jwk-ed25519').privateKey.export({ format: 'jwk' }) as Record<string, unknown>,
      'private key',
    ],
    ['with members that no key has', () => ({ ...okp(), x5u: 'https://example.com' }), 'not known'],
    ['with a member missing', () => ({ kty: 'OKP', crv: 'Ed25519' }), 'its x is missing'],
    ['with a member in another form', () => ({ ...okp(), x: `${String(okp()['x'])}=` }), 'not base64url'],
    ['with an empty member', () => ({ ...okp(), x: '' }), 'not base64url'],
    [
      'on a curve that is for something else',
      () => generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }) as Record<string, unknown>,
      'neither Ed25519 nor P-256',
    ],
    [
      'on a curve that is not taken',
      () =>
        generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }) as Record<
          string,
          unknown
        >,
      'neither Ed25519 nor P-256',
    ],
    ['whose numbers are no key', () => ({ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }), 'make no key'],
    ['of RSA with 1024 bits', () => rsa(1024), '2048 to 8192 bits, this one has 1024'],
  ])('%s is refused', (_, written, why) => {
    expect(() => readJwk(written())).toThrow(why);
  });

  test('that is private is not repeated', () => {
    const written = freshPair('jwk-ed25519').privateKey.export({ format: 'jwk' }) as Record<string, unknown>;
    expect(() => readJwk(written)).not.toThrow(String(written['d']));
    expect(() => readJwk(written)).toThrow();
  });
});
