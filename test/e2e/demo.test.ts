/** The whole demo, as a user runs it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/package-root.js';

type Demo = ChildProcessByStdio<null, Readable, Readable>;

describe('npm run demo', () => {
  let demo: Demo | undefined;
  const folders: string[] = [];
  afterEach(() => void demo?.kill('SIGTERM'));
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

  it('checks every claim on real servers, holds them all, and leaves the histories and nothing else', async () => {
    const { code, output } = await run([]);
    expect(output).not.toContain('✗');
    expect(code, output).toBe(0);
    expect(output).toMatch(/^\d\d of \d\d claims were checked and held$/m);
    expect(failedIn(output)).toMatchObject({
      'as provisioned': 0,
      rotated: 0,
      undone: 0,
      'taken over': 0,
      'provisioned again': 0,
    });
    expect(eventsIn(output)).toHaveLength(9);
    const histories = /^ {2}histories +(\S+)$/m.exec(output)![1]!;
    expect(readdirSync(histories)).toHaveLength(9);
    expect(readdirSync(dirname(histories))).toEqual(['histories']);
    // oxlint-disable-next-line no-control-regex -- colours are what is looked for
    expect(output, 'plain in a pipe').not.toMatch(/\u001b/);
  }, 300_000);

  it('that is interrupted stops every server, and says so by its exit code', async () => {
    const ended = run([], (output) => {
      // As a terminal does it: to the whole group.
      if (/^ {2}\$ tenure apply/m.test(output)) process.kill(-demo!.pid!, 'SIGINT');
    });
    const { code, output } = await ended;
    expect(code, output).toBe(130);
    const [, postgres, temporal] = /PostgreSQL 18 at \S+:(\d+), Temporal at \S+:(\d+)/.exec(output)!;
    expect(await answers(Number(postgres))).toBe(false);
    expect(await answers(Number(temporal))).toBe(false);
    expect(existsSync(/operator's folder: (\S+)\./.exec(output)![1]!)).toBe(false);
  }, 120_000);

  it('on a server that is not there ends with 1 and the reason, without the password', async () => {
    const { code, output } = await run(['--postgres', 'postgresql://admin:planted-password@127.0.0.1:1/postgres']);
    expect(code).toBe(1);
    expect(output).toContain('ECONNREFUSED');
    expect(output).not.toContain('planted-password');
  }, 60_000);

  function run(args: readonly string[], look: (output: string) => void = () => undefined) {
    const main = join(packageRoot, 'scripts', 'bootstrap.mjs');
    const child = spawn(process.execPath, [main, 'demo', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, FORCE_COLOR: undefined },
    });
    demo = child;
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        look(output);
      });
    }
    return new Promise<{ code: number | null; output: string }>((resolve) => {
      child.once('close', (code) => {
        const folder = /operator's folder: (\S+)\./.exec(output)?.[1];
        if (folder) folders.push(folder);
        resolve({ code, output });
      });
    });
  }
});

/** Failed requests of each phase, out of the table. */
function failedIn(output: string): Record<string, number> {
  const rows = output.matchAll(/^ {2}([a-z][a-z ]+?) {2,}(\d+) +(\d+) +[\d.]+ /gm);
  return Object.fromEntries([...rows].map(([, phase, , failed]) => [phase, Number(failed)]));
}

function eventsIn(output: string): number[] {
  return [...output.matchAll(/^ {2}nhi\/\S+ .* (\d+)$/gm)].map(([, events]) => Number(events));
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
