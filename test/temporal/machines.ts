/** Machines for the search of programs: each with only what a test puts there. */
import { createServer } from 'node:http';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runCommand } from '../../src/temporal/commands.js';
import { freePorts } from '../../src/temporal/ports.js';
import type { Machine } from '../../src/temporal/sources.js';

/** A machine whose PATH holds only `bin`, with an empty cache and, until told otherwise, nobody to download from. */
export class EmptyMachine implements Machine {
  readonly heard: string[] = [];
  readonly progress = {
    note: (line: string) => void this.heard.push(line),
    during: async <T>(title: string, work: () => Promise<T>) => {
      this.heard.push(title);
      return work();
    },
  };
  readonly env: NodeJS.ProcessEnv;
  readonly tools: string;

  private constructor(
    readonly folder: string,
    public service: string,
  ) {
    this.tools = path.join(folder, 'tools');
    this.env = { PATH: path.join(folder, 'bin'), TENURE_CACHE: path.join(folder, 'cache') };
  }

  static async make(): Promise<EmptyMachine> {
    const folder = await mkdtemp(path.join(tmpdir(), 'tenure-machine-'));
    await mkdir(path.join(folder, 'bin'));
    const { nobody } = await freePorts('nobody');
    return new EmptyMachine(folder, `http://127.0.0.1:${nobody}`);
  }

  /** Puts a shell script on the machine. */
  async script(file: string, body: string): Promise<string> {
    const full = path.join(this.folder, file);
    await mkdir(path.dirname(full), { recursive: true });
    await writeFile(full, `#!/bin/sh\n${body}\n`);
    await chmod(full, 0o755);
    return full;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** What a CLI says of itself. */
export const saysVersion = (server: string) => `echo 'temporal version 1.0.0 (Server ${server}, UI 2.0.0)'`;

/** A download service with one archive that holds `member`, and what it was asked. */
export async function downloadService(machine: EmptyMachine, member: string, body: string) {
  const file = await machine.script(`archive/${member}`, body);
  const archive = path.join(machine.folder, 'archive.tar.gz');
  await runCommand('tar', ['-czf', archive, '-C', path.dirname(file), member], { timeoutMs: 10_000 });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    if (request.url === '/archive') return void readFile(archive).then((bytes) => response.end(bytes));
    response.end(JSON.stringify({ archiveUrl: `${machine.service}/archive`, fileToExtract: member }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  machine.service = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  return { asked, close: () => new Promise((resolve) => server.close(resolve)) };
}
