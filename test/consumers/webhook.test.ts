import type { ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { signerOf } from '../../src/consumers/webhook.js';
import type { Consumer } from '../../src/domain/identity.js';
import { startReceiver, status } from './receiver.js';
import { newScene, secret, signingKey, version, type Scene } from './scene.js';

let scene: Scene;
const open: (() => Promise<void>)[] = [];
beforeEach(async () => {
  scene = await newScene();
  open.push(scene.close);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

async function receiver(answer: (response: ServerResponse, count: number) => void) {
  const started = await startReceiver(answer);
  open.push(started.close);
  return started;
}
async function tell(webhook: string, timeoutMs = 10_000, event?: 'credential.withdrawn') {
  const consumer: Consumer = { name: 'payments-api', notify: { webhook }, timeoutMs };
  const [answer] = await scene.tell([consumer], event && { event });
  return answer!;
}

describe('a webhook', () => {
  it('is signed as Standard Webhooks says, and says where to look but not what is there', async () => {
    const { url, received } = await receiver(status(204));
    expect(await tell(url)).toEqual({ consumer: 'payments-api', status: 'acknowledged', detail: 'answered 204' });
    const [{ method, headers, body }] = received as [(typeof received)[0]];
    expect([method, headers['content-type']]).toEqual(['POST', 'application/json']);
    const verified = new Webhook(signingKey).verify(body, headers as Record<string, string>);
    expect(verified).toEqual({
      type: 'credential.published',
      timestamp: expect.stringMatching(/Z$/),
      data: {
        identity: 'payments-db',
        operation: version,
        version,
        consumer: 'payments-api',
        store: 'local',
        path: 'payments/db',
      },
    });
    const { fingerprint } = (await scene.store.read('payments/db', { slot: 'current' })).record;
    for (const hidden of [JSON.stringify(secret).slice(1, -1), fingerprint]) expect(body).not.toContain(hidden);
    expect(() => new Webhook(signingKey).verify(`${body} `, headers as Record<string, string>)).toThrow();
  });

  it('has the same id in every attempt and repetition, and another for another event', async () => {
    const { url, received } = await receiver((response, count) => status(count === 1 ? 503 : 200)(response));
    await tell(url);
    await tell(url);
    await tell(url, 10_000, 'credential.withdrawn');
    const ids = received.map(({ headers }) => headers['webhook-id']);
    expect(ids).toHaveLength(4);
    expect(new Set(ids.slice(0, 3)).size).toBe(1);
    expect(ids[3]).not.toBe(ids[0]);
    expect(ids[0]).toMatch(/^[A-Za-z0-9_]+$/);
  });

  it.each([500, 503, 429])('is sent again after %i', async (code) => {
    const { url, received } = await receiver((response, count) => status(count < 3 ? code : 200)(response));
    expect(await tell(url)).toMatchObject({ status: 'acknowledged' });
    expect(received).toHaveLength(3);
  });

  it('is sent again when the connection breaks, and while nobody listens', async () => {
    const { url, received } = await receiver((response, count) =>
      count === 1 ? response.destroy() : status(200)(response),
    );
    expect(await tell(url)).toMatchObject({ status: 'acknowledged' });
    expect(received).toHaveLength(2);
    const gone = await startReceiver(status(200));
    await gone.close();
    const answer = await tell(gone.url, 1_000);
    expect(answer).toMatchObject({
      status: 'refused',
      detail: expect.stringMatching(/ECONNREFUSED.*tried [2-9] times/),
    });
  });

  it.each([400, 401, 404, 410, 422])('that is answered %i is refused at once', async (code) => {
    const { url, received } = await receiver(status(code));
    expect(await tell(url)).toMatchObject({ status: 'refused', detail: `answered ${code}` });
    expect(received).toHaveLength(1);
  });

  it('that is answered 202 stays open for tenure ack', async () => {
    const { url } = await receiver(status(202));
    expect(await tell(url)).toMatchObject({
      status: 'pending',
      detail: expect.stringContaining('tenure ack payments-db payments-api'),
    });
  });

  it('does not follow a redirect', async () => {
    const elsewhere = await receiver(status(200));
    const { url } = await receiver(status(307, { location: elsewhere.url }));
    expect(await tell(url)).toMatchObject({ status: 'refused', detail: expect.stringContaining('redirect') });
    expect(elsewhere.received).toHaveLength(0);
  });

  it('waits as long as Retry-After says, as seconds or as a date', async () => {
    for (const pause of ['1', new Date(Date.now() + 4_000).toUTCString()]) {
      const { url } = await receiver((response, count) =>
        (count === 1 ? status(503, { 'retry-after': pause }) : status(200))(response),
      );
      const startedAt = performance.now();
      expect(await tell(url)).toMatchObject({ status: 'acknowledged' });
      expect(performance.now() - startedAt).toBeGreaterThan(990);
    }
  });

  it('gives up at once when Retry-After is longer than the consumer’s time', async () => {
    const { url, received } = await receiver(status(429, { 'retry-after': '120' }));
    const startedAt = performance.now();
    expect(await tell(url, 5_000)).toMatchObject({
      status: 'refused',
      detail: expect.stringContaining('pause of 120 s'),
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(received).toHaveLength(1);
  });

  it('that is never answered is given up when the consumer’s time is over', async () => {
    const { url } = await receiver(() => undefined);
    const startedAt = performance.now();
    expect(await tell(url, 600)).toMatchObject({ status: 'refused', detail: expect.stringContaining('no answer') });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  it.each(['ftp://127.0.0.1/x', 'file:///etc/passwd', 'not a url', 'http://user:hunter2@127.0.0.1/x'])(
    'to %s is refused without quoting the address',
    async (address) => {
      const { status: outcome, detail } = await tell(address);
      expect(outcome).toBe('refused');
      expect(detail).toMatch(/^its address/);
      expect(detail).not.toContain(address);
      expect(detail).not.toContain('hunter2');
    },
  );
});

describe('a signing key', () => {
  it.each(['', 'whsec_', 'whsec_c2hvcnQ=', `whsec_${'A'.repeat(100)}`, 'whsec_not base64 but quite long indeed'])(
    'such as %j is refused and not quoted',
    (key) => {
      expect(() => signerOf(key)).toThrow(/openssl rand/);
      const quoted = key.replace('whsec_', '');
      if (quoted) expect(() => signerOf(key)).not.toThrow(quoted);
    },
  );
});
