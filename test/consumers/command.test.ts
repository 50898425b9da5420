import { access, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redact } from '../../src/stores/redact.js';
import type { Consumer } from '../../src/domain/identity.js';
import { newScene, secret, version, type Scene } from './scene.js';

let scene: Scene;
beforeEach(async () => {
  scene = await newScene();
});
afterEach(async () => scene.close());

async function tell(command: readonly string[], timeoutMs = 10_000) {
  const consumer: Consumer = { name: 'reloader', notify: { command }, timeoutMs };
  const [answer] = await scene.tell([consumer]);
  return answer!;
}
/** Runs a script of Node, which says what it likes on standard error. */
const node = (script: string, ...args: string[]) => tell([process.execPath, '-e', script, ...args]);
const sayAndFail = (text: string) => node(`process.stderr.write(process.argv[1]); process.exitCode = 1`, text);

describe('a command', () => {
  it('is told what happened by its environment, and nothing of the worker’s secrets', async () => {
    process.env['TENURE_TEST_WORKER_SECRET'] = 'kept';
    const file = join(scene.folder, 'seen.json');
    const script = `require('fs').writeFileSync(process.argv[1], JSON.stringify({ env: process.env, args: process.argv }))`;
    expect(await node(script, file)).toMatchObject({ status: 'acknowledged', detail: 'exit code 0' });
    const { env, args } = JSON.parse(await readFile(file, 'utf8')) as { env: Record<string, string>; args: string[] };
    expect(env).toMatchObject({
      TENURE_IDENTITY: 'payments-db',
      TENURE_OPERATION: version,
      TENURE_EVENT: 'credential.published',
      TENURE_VERSION: version,
      TENURE_STORE: 'local',
      TENURE_PATH: 'payments/db',
      PATH: process.env['PATH'],
    });
    expect(Object.keys(env)).not.toContain('TENURE_TEST_WORKER_SECRET');
    expect(JSON.stringify({ env, args })).not.toContain(JSON.stringify(secret).slice(1, -1));
  });

  it('gets its arguments as they are, since no shell reads them', async () => {
    const file = join(scene.folder, 'args.json');
    const awkward = ['$(touch pwned)', '; exit 3', 'a \'b\' "c"', '*', ''];
    await node(`require('fs').writeFileSync(process.argv[1], JSON.stringify(process.argv.slice(2)))`, file, ...awkward);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(awkward);
  });

  it('that fails is refused with its exit code and the last line that it said', async () => {
    expect(await sayAndFail('first\nreload failed: no such unit\n\n')).toMatchObject({
      status: 'refused',
      detail: 'exit code 1: reload failed: no such unit',
    });
    expect(await tell(['/bin/false'])).toMatchObject({ status: 'refused', detail: 'exit code 1' });
  });

  it('is refused when it cannot be started or ends by a signal', async () => {
    for (const command of [['/nowhere/to/be/found'], [scene.folder], ['nul\0byte'], []]) {
      expect((await tell(command)).status).toBe('refused');
    }
    expect((await tell(['/nowhere/to/be/found'])).detail).toContain('ENOENT');
    expect((await tell(['/bin/sh', '-c', 'kill -9 $$'])).detail).toContain('SIGKILL');
  });

  it('has what it says bounded to one printable line', async () => {
    const { detail } = await sayAndFail(`\u001b[31m${'x'.repeat(2_000)}\u0007`);
    expect(detail.length).toBeLessThanOrEqual(300);
    expect(detail).toMatch(/^[\x20-\x7e…]+$/);
  });

  it.each([
    ['as it is', secret],
    ['in a URL', encodeURIComponent(secret)],
    ['in JSON', JSON.stringify(secret)],
    ['in base64', Buffer.from(secret).toString('base64')],
  ])('has the credential taken out of what it says, written %s', async (_, spelling) => {
    const { detail } = await sayAndFail(`login of payments-db_b failed with ${spelling} today`);
    expect(detail).toMatch(/login of payments-db_b failed with "?\[redacted\]"? today$/);
  });

  it('has nothing quoted that begins in the middle of a long line, as it could be the rest of a secret', async () => {
    const filler = 'y'.repeat(9_000 - 10);
    const { detail } = await sayAndFail(`${filler}${secret.repeat(500)}`);
    expect(detail).toBe('exit code 1');
    expect((await sayAndFail(`${filler}\n${secret}${'z'.repeat(8_000)}\nthe end`)).detail).toBe('exit code 1: the end');
  });

  it('has nothing quoted while the store cannot be read to redact it', async () => {
    const gone = join(await mkdtemp(join(scene.folder, 'k-')), 'release');
    const consumer: Consumer = {
      name: 'c',
      notify: {
        command: ['/bin/sh', '-c', 'while [ ! -e "$0" ]; do sleep 0.02; done; echo "$1" >&2; exit 1', gone, secret],
      },
    };
    const running = scene.tell([consumer]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await writeFile(join(scene.folder, 'store/payments/db/entry~99.json'), 'damaged');
    await writeFile(gone, '');
    const [answer] = await running;
    expect(answer!.detail).toMatch(/kept back/);
    expect(answer!.detail).not.toContain(secret);
  });

  it('is ended with everything that it started when its time is over, even if it does not listen', async () => {
    const file = join(scene.folder, 'survived');
    const script = `trap '' TERM; (trap '' TERM; sleep 4; touch "$0") & sleep 30`;
    const startedAt = performance.now();
    const answer = await tell(['/bin/sh', '-c', script, file], 500);
    expect(answer).toMatchObject({ status: 'refused', detail: 'did not end within 0.5 s' });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
    await new Promise((resolve) => setTimeout(resolve, 4_500 - (performance.now() - startedAt)));
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('may leave a service running that holds its output open, which costs the worker neither time nor a descriptor', async () => {
    const pipes = () => process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
    const leaveOne = () => tell(['/bin/sh', '-c', 'sleep 4 & echo no >&2; exit 1']);
    const startedAt = performance.now();
    expect(await tell(['/bin/sh', '-c', 'sleep 4 & exit 0'])).toMatchObject({ status: 'acknowledged' });
    expect(await leaveOne()).toMatchObject({ detail: 'exit code 1: no' });
    const before = pipes();
    for (let times = 0; times < 4; times += 1) await leaveOne();
    expect(pipes()).toBeLessThan(before + 4);
    expect(performance.now() - startedAt).toBeLessThan(3_500);
  });
});

describe('redaction', () => {
  it('takes each line of a secret of several lines out, and leaves names and places', () => {
    const material = {
      username: 'svc',
      host: 'db.internal',
      port: '5432',
      key: '-----BEGIN-----\nAAAABBBB\nCCCCDDDD\n',
    };
    expect(redact('svc@db.internal:5432 has CCCCDDDD in it', [material])).toBe(
      'svc@db.internal:5432 has [redacted] in it',
    );
  });

  it('takes a secret out whole where another secret is a part of it', () => {
    expect(redact('abcdefgh', [{ a: 'cdef', b: 'abcdefgh' }])).toBe('[redacted]');
  });

  it('survives half of a surrogate pair', () => {
    expect(redact('x \ud800abcd', [{ a: '\ud800abcd' }])).toBe('x [redacted]');
  });
});
