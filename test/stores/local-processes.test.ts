import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import type { Entry } from '../../src/stores/local/entry-file.js';
import { compiled } from './compiled.js';

describe('a local store that several processes write', () => {
  let root: string;
  let hammer: string;
  const running = new Set<ChildProcess>();
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'tenure-processes-'));
    hammer = await compiled('test/stores/hammer.ts', join(root, 'program'));
  });
  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await rm(root, { recursive: true, force: true });
  });

  async function newStore(name: string) {
    const options = { directory: join(root, name), key: { file: join(root, `${name}.key`) } };
    await createLocalStoreKey(options.key.file);
    return { options, store: openLocalStore('local', options), folder: join(options.directory, 'hot/path') };
  }

  /** Runs a process that writes, and hears of each write that it calls durable. */
  function write(options: { directory: string; key: { file: string } }, name: string, times: number) {
    const child = spawn(process.execPath, [hammer, options.directory, options.key.file, name, String(times)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.add(child);
    const durable: string[] = [];
    const lines = createInterface({ input: child.stdout! });
    lines.on('line', (line) => durable.push(line));
    const ended = once(child, 'close').then(([code]: unknown[]) => (running.delete(child), code as number | null));
    return { child, durable, ended };
  }

  it('loses no write of four processes at one path', async () => {
    const { options, folder } = await newStore('many');
    const writers = ['a', 'b', 'c', 'd'].map((name) => write(options, name, 20));
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0, 0, 0]);
    const files = await readdir(folder);
    expect(files).toHaveLength(1);
    const { entry } = JSON.parse(await readFile(join(folder, files[0]!), 'utf8')) as { entry: Entry };
    expect(entry.generation).toBe(80);
    expect(new Set(entry.seen).size).toBe(80);
  });

  it('is whole after each SIGKILL, keeps what was called durable, and makes nobody wait', async () => {
    const { options, store } = await newStore('killed');
    for (let round = 1; round <= 8; round += 1) {
      const { child, durable, ended } = write(options, `r${round}`, 100_000);
      while (durable.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 30));
      child.kill('SIGKILL');
      await ended;
      const { record, material } = await store.read('hot/path', { slot: 'next' });
      expect(material).toEqual({ password: record.version });
      const [, number] = record.version.split('-');
      const said = Number(durable.at(-1)!.split('-')[1]);
      // One write may have become durable and been killed before it could say so.
      expect([said, said + 1]).toContain(Number(number));
      const startedAt = performance.now();
      await store.raise('hot/path', { operation: 'nhi/hot/rotate/after', epoch: 1 });
      const operation = `nhi/hot/rotate/after-${round}`;
      await store.stage('hot/path', { operation, epoch: 1 }, () => Promise.resolve({ password: operation }));
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
  });
});
