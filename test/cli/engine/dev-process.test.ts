/** `tenure dev` as a process: it has to end in order, and to take its server with it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../../src/cli/program.js';
import { compiled } from '../../stores/compiled.js';
import { pretend } from '../support/terminal.js';

test('one runs in a folder; SIGTERM ends the server first and then the program, with exit code 0, and leaves no note behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-dev-process-'));
  const program = await compiled('src/cli/main.ts', join(folder, 'compiled'));
  const child = spawn(process.execPath, [program, 'dev', '--no-worker', '--json'], { cwd: folder });
  try {
    const [answer] = (await once(child.stdout, 'data')) as [Buffer];
    expect(answer.toString()).toContain('uiUrl');
    const { address, pid } = JSON.parse(answer.toString()) as { address: string; pid: number };
    expect(pid).toBe(child.pid);
    const note = JSON.parse(await readFile(join(folder, '.tenure/dev.json'), 'utf8')) as { address: string };
    expect(note.address).toBe(address);
    const second = pretend({ cwd: folder });
    expect(await run(['dev', '--no-worker'], second.io)).toBe(1);
    expect(second.stderr()).toContain(`tenure dev runs in this folder already, as process ${pid}`);
    expect(JSON.parse(await readFile(join(folder, '.tenure/dev.json'), 'utf8'))).toEqual(note);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
    await expect(stat(join(folder, '.tenure/dev.json'))).rejects.toThrow('ENOENT');
    await expect(fetch(`http://${address}`)).rejects.toThrow();
  } finally {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
