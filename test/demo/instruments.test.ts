/** What the demo measures with: an instrument that cannot fail proves nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { Claims } from '../../demo/claims.js';
import { makeSigningKey } from '../../demo/folder.js';
import { Load, percentile, RequestFailure } from '../../demo/load.js';
import { readOptions } from '../../demo/options.js';
import { filesWith, holds, planted } from '../../demo/scan.js';
import { cleanEnvironment } from '../../demo/tenure.js';
import { Terminal } from '../../demo/terminal.js';
import { Receiver } from '../../demo/webhook.js';

describe('the load', () => {
  it('sends what is due whatever becomes of earlier requests, and counts from when it was due', async () => {
    let release = (): void => undefined;
    const stuck = new Promise<void>((resolve) => (release = resolve));
    let sent = 0;
    const load = new Load(async () => {
      sent += 1;
      await stuck;
      return 'payments-db_a';
    }, 100);
    load.start('stuck');
    await sleep(300);
    expect(sent).toBeGreaterThan(15);
    release();
    const figures = await load.stop();
    expect(figures).toMatchObject({ phase: 'stuck', requests: sent, failed: 0, logins: { 'payments-db_a': sent } });
    // The last one waited for no time at all, the first for all of it.
    expect(figures.p99).toBeGreaterThan(figures.p50);
    expect(figures.p99).toBeGreaterThan(200);
  });

  it('counts every failure by its step and code, in the phase in which the request began', async () => {
    let fails = false;
    const load = new Load(
      () => (fails ? Promise.reject(new RequestFailure('login', '28000')) : Promise.resolve('a')),
      200,
    );
    load.start('good');
    await sleep(100);
    const good = await load.next('bad');
    fails = true;
    await sleep(100);
    const bad = await load.stop();
    expect(good).toMatchObject({ failed: 0, failures: {} });
    expect(good.firstRefusedAt).toBeUndefined();
    expect(bad.failed).toBeGreaterThan(0);
    expect(bad.failures).toEqual({ 'login 28000': bad.failed });
    expect(bad.firstRefusedAt).toBeGreaterThanOrEqual(good.lastGoodAt!);
  });

  it('gives percentiles by the nearest rank', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99), percentile([], 0.5)]).toEqual([
      50, 99, 7, 0,
    ]);
  });
});

describe('the scan for passwords', () => {
  const secret = 'k7Qm_2xW-9vTzLp4RsYd8NfHc3JbGa6E';
  const forms: [string, (text: string) => string][] = [
    ['as it is', (text) => text],
    ['in hexadecimal', (text) => Buffer.from(text).toString('hex')],
    ...[0, 1, 2, 3].map((offset): [string, (text: string) => string] => [
      `in base64 after ${offset} bytes`,
      (text) => Buffer.from(`${'x'.repeat(offset)}${text} and more`).toString('base64'),
    ]),
    ['in base64 for URLs', (text) => Buffer.from(`?${text}`).toString('base64url')],
  ];

  it.each(forms)('finds one %s', (_name, write) => {
    expect(holds(Buffer.from(`before ${write(secret)} after`), [secret])).toBe(true);
    expect(holds(Buffer.from(`before ${write(secret.toLowerCase())} after`), [secret])).toBe(false);
  });

  it('finds one that is planted in a payload, and names the file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tenure-scan-'));
    try {
      const [clean, leaking] = [join(folder, 'clean'), join(folder, 'leaking')];
      const history = Buffer.from('{"events":[]}');
      writeFileSync(clean, history);
      writeFileSync(leaking, planted(history, secret));
      expect(filesWith([secret], [clean, leaking])).toEqual([leaking]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the claims', () => {
  it('hold together when each that could be checked here held; what was not shown breaks none, and alone holds nothing', () => {
    const claims = new Claims(silent());
    expect(claims.checkedHeld).toBe(false);
    claims.notShown('two', 'not here');
    expect(claims.checkedHeld).toBe(false);
    claims.check('one', true, 'seen', 'expected');
    expect(claims.checkedHeld).toBe(true);
    claims.check('three', false, 'seen', 'expected');
    expect(claims.checkedHeld).toBe(false);
  });

  it('that fail say what was expected and what was seen', () => {
    const terminal = silent();
    const claims = new Claims(terminal);
    claims.check('nobody notices', false, '3 failed', 'none failed');
    expect(claims.checkedHeld).toBe(false);
    expect(terminal.transcript).toMatch(/✗ nobody notices\n.*expected: none failed\n.*seen: {5}3 failed/);
  });
});

describe('the receiver of webhooks', () => {
  let receiver: Receiver | undefined;
  afterEach(() => receiver?.stop());

  it('takes a signed message, and turns one away that is not signed with its key', async () => {
    const key = makeSigningKey();
    receiver = await Receiver.start(key);
    expect((await send(receiver.port, makeSigningKey())).status).toBe(401);
    expect((await send(receiver.port, key)).status).toBe(204);
    expect(receiver.refused).toBe(1);
    expect(receiver.received).toMatchObject([{ id: 'msg_1', type: 'credential.published' }]);
  });

  async function send(port: number, key: string): Promise<Response> {
    const body = JSON.stringify({ type: 'credential.published' });
    const at = new Date();
    const headers = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(key).sign('msg_1', at, body),
    };
    return fetch(`http://127.0.0.1:${port}/reload`, { method: 'POST', headers, body });
  }
});

describe('the surroundings of the demo', () => {
  it('are without the Temporal and Tenure settings of the user, whose servers are none of its business', () => {
    const env = cleanEnvironment(
      { PATH: '/bin', TEMPORAL_ADDRESS: 'prod:7233', TENURE_CONFIG: '/etc/tenure.yaml', FORCE_COLOR: '1' },
      false,
    );
    expect(env).toEqual({ PATH: '/bin', NO_COLOR: '1' });
  });

  it('have colours on a terminal that wants them, and nowhere else', () => {
    const colours = (isTTY: boolean, env: NodeJS.ProcessEnv): boolean => terminal(isTTY, env).isColourful;
    expect(colours(true, {})).toBe(true);
    expect(colours(false, {})).toBe(false);
    expect(colours(true, { NO_COLOR: '1' })).toBe(false);
  });

  it('take a server by option before the variable, and refuse a rate that is none', () => {
    const env = { TENURE_DEMO_POSTGRES: 'postgresql://a' };
    expect(readOptions([], env)).toEqual({ keep: false, rate: 60, postgres: 'postgresql://a' });
    expect(readOptions(['--postgres', 'postgresql://b', '--keep'], env)).toMatchObject({
      keep: true,
      postgres: 'postgresql://b',
    });
    expect(() => readOptions(['--rate', 'fast'], {})).toThrow('--rate fast');
  });
});

function silent(): Terminal {
  return terminal(false, {});
}

function terminal(isTTY: boolean, env: NodeJS.ProcessEnv): Terminal {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done() });
  return new Terminal(Object.assign(stream, { isTTY }), env);
}
