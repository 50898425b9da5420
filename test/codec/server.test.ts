/** The codec server over HTTP: whom it answers, whose pages may ask, and what it never says. */
import { execFile } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { exportJWK, SignJWT } from 'jose';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CodecServerConfig } from '../../src/config/types.js';
import { startCodecServer, type CodecServer } from '../../src/temporal/codec-server/server.js';
import { codecWith, keyOf } from './keys.js';

const origin = 'https://temporal.example.com';
const token = 'a-token-of-this-test-that-nobody-guesses';
const codec = codecWith({ one: keyOf(1) }, 'one');
const content = 'pays the suppliers of Halmstad';
const base: CodecServerConfig = { host: '127.0.0.1', port: 0, origins: [origin] };

let folder: string;
let server: CodecServer;
let logged: string[];
const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-codec-server-'));
  await writeFile(join(folder, 'token'), `${token}\n`, { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => {
  logged = [];
});
afterEach(() => server?.close());

const withToken = (): CodecServerConfig => ({ ...base, token: { file: join(folder, 'token') } });

async function encrypted(value: unknown = content): Promise<object> {
  return bodyWith(await codec.encode([defaultPayloadConverter.toPayload(value)!]));
}

function bodyWith(payloads: readonly Payload[]): object {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata!).map(([name, bytes]) => [name, text(bytes)])),
      data: text(data!),
    })),
  };
}

function ask(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-namespace': 'default', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const bearer = (word: string): Record<string, string> => ({ authorization: `Bearer ${word}` });

async function valuesIn(response: Response): Promise<unknown[]> {
  const { payloads } = (await response.json()) as { payloads: { data: string }[] };
  return payloads.map(({ data }) => JSON.parse(Buffer.from(data, 'base64').toString()) as unknown);
}

describe('with a token', () => {
  beforeEach(async () => {
    server = await startCodecServer(withToken(), codec, log);
  });

  test('it decodes for who has it, as the UI asks', async () => {
    const response = await ask('/decode?preserveStorageRefs=true', await encrypted(), { ...bearer(token), origin });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await valuesIn(response)).toEqual([content]);
  });

  test('what it encodes, it decodes', async () => {
    const plain = bodyWith([defaultPayloadConverter.toPayload(content)!]);
    const encoded: unknown = await (await ask('/encode', plain, bearer(token))).json();
    expect(Buffer.from(JSON.stringify(encoded)).toString()).not.toContain(Buffer.from(content).toString('base64'));
    expect(await valuesIn(await ask('/decode', encoded, bearer(token)))).toEqual([content]);
  });

  test.each([
    ['no token', {}],
    ['another token', bearer('a-token-of-this-test-that-somebody-guessed')],
    ['the beginning of the token', bearer(token.slice(0, -1))],
    ['the token and more', bearer(`${token}x`)],
    ['an empty token', { authorization: 'Bearer ' }],
    ['the token as a password', { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` }],
    ['the token in a cookie', { cookie: `tenure-codec=${token}`, origin }],
    ['an unsigned token of the UI', bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.')],
  ])('nobody with %s is answered', async (_what, headers) => {
    for (const path of ['/decode', '/encode']) {
      const response = await ask(path, await encrypted(), headers as Record<string, string>);
      expect(response.status).toBe(401);
      expect(await response.text()).not.toContain('payloads');
    }
  });

  test.each([
    'https://evil.example.com',
    'null',
    'http://temporal.example.com',
    `${origin}.evil.example`,
    `${origin}:8443`,
  ])('a page of %s is refused, also with the token, and its preflight too', async (other) => {
    const response = await ask('/decode', await encrypted(), { ...bearer(token), origin: other });
    expect(response.status).toBe(403);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await fetch(`${server.url}/decode`, { method: 'OPTIONS', headers: { origin: other } });
    expect(preflight.status).toBe(403);
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('the UI’s preflight is answered with exactly what it needs', async () => {
    const preflight = await fetch(`${server.url}/decode`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    for (const name of ['authorization', 'authorization-extras', 'content-type', 'x-namespace'])
      expect(preflight.headers.get('access-control-allow-headers')).toContain(name);
  });

  test.each([
    ['no JSON', '{', {}, 400],
    ['no payloads', '{"payloads":{}}', {}, 400],
    ['bytes that are no base64', '{"payloads":[{"data":"*"}]}', {}, 400],
    ['metadata that is no text', '{"payloads":[{"metadata":{"encoding":1}}]}', {}, 400],
    ['another type', '{"payloads":[]}', { 'content-type': 'text/plain' }, 415],
    ['more than it takes', `"${'x'.repeat(9 << 20)}"`, {}, 413],
  ])('a body with %s is refused', async (_what, body, headers, status) => {
    const response = await ask('/decode', body, { ...bearer(token), ...headers });
    expect(response.status).toBe(status);
    expect((await response.text()).length).toBeLessThan(200);
  });

  test('another path and another method are refused', async () => {
    expect((await ask('/download', {}, bearer(token))).status).toBe(404);
    expect((await fetch(`${server.url}/decode`, { headers: bearer(token) })).status).toBe(405);
  });

  test('a payload that does not open stays as it is, and the others are decoded', async () => {
    const [foreign] = await codecWith({ two: keyOf(2) }, 'two').encode([defaultPayloadConverter.toPayload('theirs')!]);
    const [own] = await codec.encode([defaultPayloadConverter.toPayload('ours')!]);
    const response = await ask('/decode', bodyWith([foreign!, own!]), bearer(token));
    const { payloads } = (await response.json()) as { payloads: { metadata: Record<string, string>; data: string }[] };
    expect(payloads[0]).toEqual((bodyWith([foreign!]) as { payloads: object[] }).payloads[0]);
    expect(Buffer.from(payloads[1]!.data, 'base64').toString()).toBe('"ours"');
    expect(logged.join('')).toContain('"unopened":1');
  });

  test('the log has who asked and how much, and neither the content nor the token, nor lines of their making', async () => {
    await ask('/decode', await encrypted(), { ...bearer(token), 'x-namespace': 'a"b' });
    await ask('/decode', await encrypted(), bearer('wrong-token-wrong-token-wrong-token'));
    await ask('/decode', '{"payloads":"Halmstad"}', bearer(token));
    const all = logged.join('');
    expect(all).toContain('"who":"token"');
    expect(all).toContain('"payloads":1');
    expect(all).toContain('"namespace":"a?b"');
    for (const hidden of ['Halmstad', token, 'wrong-token', Buffer.from(content).toString('base64')])
      expect(all).not.toContain(hidden);
  });
});

describe('signing in with a browser', () => {
  beforeEach(async () => {
    server = await startCodecServer(withToken(), codec, log);
  });

  const signIn = (word: string): Promise<Response> =>
    fetch(`${server.url}/session`, { method: 'POST', body: new URLSearchParams({ token: word }), redirect: 'manual' });

  test('gives a cookie that scripts cannot read, with which the UI’s page is answered', async () => {
    const set = (await signIn(token)).headers.get('set-cookie')!;
    expect(set).toMatch(/HttpOnly; SameSite=Strict/);
    expect(set).not.toContain(token);
    const cookie = set.split(';')[0]!;
    const response = await ask('/decode', await encrypted(), { cookie, origin });
    expect(response.headers.get('access-control-allow-credentials')).toBe('true');
    expect(await valuesIn(response)).toEqual([content]);
    // Without an origin it is no page of the UI, and with another one it is a page of somebody else.
    expect((await ask('/decode', await encrypted(), { cookie })).status).toBe(401);
    expect((await ask('/decode', await encrypted(), { cookie, origin: 'https://evil.example.com' })).status).toBe(403);
    expect(await (await fetch(server.url, { headers: { cookie } })).text()).toContain('You are signed in');
  });

  test('with another word gives none', async () => {
    const response = await signIn('another-word-another-word-another-word');
    expect(response.status).toBe(401);
    expect(response.headers.get('set-cookie')).toBeNull();
  });

  test('is a page that runs nothing and cannot be framed', async () => {
    const response = await fetch(server.url);
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(await response.text()).not.toContain('<script');
  });
});

describe('with tokens of an issuer', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  let issuer: Server;
  let address: string;
  let isUp = true;
  beforeAll(async () => {
    const keys = { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] };
    issuer = createServer((request, response) => {
      if (!isUp) return void response.writeHead(503).end();
      const found = request.url === '/keys' ? keys : { issuer: address, jwks_uri: `${address}/keys` };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
    });
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  });
  afterAll(() => void issuer.close());
  beforeEach(async () => {
    isUp = true;
    const jwt = { issuer: address, audience: 'temporal-ui', require: { groups: ['operators', 'security'] } };
    server = await startCodecServer({ ...base, jwt }, codec, log);
  });

  interface Claims {
    readonly groups?: unknown;
    readonly aud?: string;
    readonly iss?: string;
    readonly sub?: string;
    readonly exp?: number;
  }

  function tokenWith(differs: Claims = {}, key: KeyObject = privateKey): Promise<string> {
    const claims = { groups: ['everyone', 'security'], aud: 'temporal-ui', iss: address, sub: 'ada', ...differs };
    const unsigned = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k' });
    return (differs.exp === undefined ? unsigned.setExpirationTime('5m') : unsigned).sign(key);
  }

  test('it decodes for a user of the UI, whom the log names', async () => {
    const response = await ask('/decode', await encrypted(), { ...bearer(await tokenWith()), origin });
    expect(await valuesIn(response)).toEqual([content]);
    expect(logged.join('')).toContain('"who":"ada"');
  });

  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const past = Math.floor(Date.now() / 1_000) - 3_600;
  test.each<[string, () => Promise<string>]>([
    ['of another key', () => tokenWith({}, other)],
    ['for another audience', () => tokenWith({ aud: 'another' })],
    ['of another issuer', () => tokenWith({ iss: 'http://127.0.0.1:1' })],
    ['that has expired', () => tokenWith({ exp: past })],
    [
      'that never expires',
      () =>
        new SignJWT({ groups: ['security'], aud: 'temporal-ui', iss: address, sub: 'ada' })
          .setProtectedHeader({ alg: 'ES256', kid: 'k' })
          .sign(privateKey),
    ],
    [
      'of nobody',
      () =>
        new SignJWT({ groups: ['security'], aud: 'temporal-ui', iss: address })
          .setExpirationTime('5m')
          .setProtectedHeader({ alg: 'ES256', kid: 'k' })
          .sign(privateKey),
    ],
    ['of somebody in no such group', () => tokenWith({ groups: ['everyone'] })],
    ['with a group that only contains the name', () => tokenWith({ groups: 'not-security' })],
    ['without groups', () => tokenWith({ groups: undefined })],
    [
      'signed with the public key as a secret',
      async () => {
        const secret = new TextEncoder().encode(publicKey.export({ type: 'spki', format: 'pem' }).toString());
        return new SignJWT({ groups: ['security'], aud: 'temporal-ui', iss: address, sub: 'ada' })
          .setExpirationTime('5m')
          .setProtectedHeader({ alg: 'HS256', kid: 'k' })
          .sign(secret);
      },
    ],
    [
      'without a signature',
      async () => {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        return `${part({ alg: 'none' })}.${part({ groups: ['security'], aud: 'temporal-ui', iss: address, sub: 'ada', exp: past + 7_200 })}.`;
      },
    ],
  ])('a token %s is refused', async (_what, made) => {
    expect((await ask('/decode', await encrypted(), { ...bearer(await made()), origin })).status).toBe(401);
  });

  test('while the issuer’s keys cannot be had, nobody is let in and the log says why', async () => {
    isUp = false;
    const response = await ask('/decode', await encrypted(), bearer(await tokenWith()));
    expect(response.status).toBe(500);
    expect(logged.join('')).toContain('cannot be had now');
  });

  test('there is no page to sign in at', async () => {
    expect((await fetch(server.url)).status).toBe(404);
  });
});

describe('it does not start', () => {
  const refusal = (config: CodecServerConfig): Promise<string> =>
    startCodecServer(config, codec, log).then(
      async (started) => {
        await started.close();
        return 'started';
      },
      (error: Error) => error.message,
    );

  test('where nobody could be told from anybody else', async () => {
    expect(await refusal(base)).toContain('give encryption.codecServer a token or a jwt');
  });

  test('with a token that could be guessed, which is not quoted', async () => {
    await writeFile(join(folder, 'short'), 'short-token', { mode: 0o600 });
    const message = await refusal({ ...base, token: { file: join(folder, 'short') } });
    expect(message).toContain('shorter than 32 characters');
    expect(message).not.toContain('short-token');
  });

  test('for the network without TLS', async () => {
    expect(await refusal({ ...withToken(), host: '0.0.0.0' })).toContain('cross the network in clear');
  });

  test('with files that are no certificate and key', async () => {
    const tls = { certificate: join(folder, 'token'), key: join(folder, 'token') };
    const message = await refusal({ ...withToken(), tls });
    expect(message).toContain('encryption.codecServer.tls');
    expect(message).not.toContain(token);
  });

  test('with an issuer that does not say where its keys are', async () => {
    const jwt = { issuer: 'http://127.0.0.1:9', audience: 'a', require: {} };
    expect(await refusal({ ...base, jwt })).toContain('openid-configuration does not say');
  });
});

test('with a certificate it speaks TLS, and its cookie goes nowhere else', async () => {
  const files = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
    ...['-subj', '/CN=127.0.0.1', '-keyout', files.key, '-out', files.certificate],
  ]);
  server = await startCodecServer({ ...withToken(), tls: files }, codec, log);
  expect(server.url).toMatch(/^https:/);
  const cookie = await new Promise<string>((resolve, reject) => {
    const request = tlsRequest(`${server.url}/session`, { method: 'POST', rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(String(response.headers['set-cookie']));
    });
    request.once('error', reject);
    request.end(new URLSearchParams({ token }).toString());
  });
  expect(cookie).toContain('; Secure');
});
