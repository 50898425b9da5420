/** Finds the Temporal CLI, which holds the development server; builds it where nothing else works. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { cachedPath, fillEntry } from './cache.js';
import { isExecutable, onPath, runCommand } from './commands.js';
import { download } from './download.js';
import { progressOn } from './progress.js';
import { firstOf, thisMachine, type Answer, type Machine, type Source } from './sources.js';

/** Release of the CLI. It goes with the version in `tools/temporal/go.mod`, which a test compares. */
export const cliVersion = '1.5.1';

/** What the server must be at least: typed search attributes, priorities and updates as the workflows use them. */
const oldestServer = [1, 29] as const;

const program = 'the Temporal server';
const entry = {
  name: `temporal-${cliVersion}`,
  program: process.platform === 'win32' ? 'temporal.exe' : 'temporal',
};

const sources: readonly Source[] = [
  { title: 'TENURE_TEMPORAL_CLI', find: named },
  { title: '`temporal` on the PATH', find: installed },
  { title: 'the cache', find: cached },
  { title: 'Temporal’s download service', slow: true, find: downloaded },
  { title: 'a build of the pinned Go module, about four minutes', slow: true, find: built },
];

const remedies = [
  'install the Temporal CLI (https://docs.temporal.io/cli) so that `temporal` is on the PATH',
  'set TENURE_TEMPORAL_CLI to its path',
  'let this machine reach https://temporal.download, once',
  'install Go 1.21 or later (https://go.dev/dl, or `sudo apt-get install -y golang-go`) and let it reach its module proxy',
  'use a Temporal server that runs elsewhere: set TEMPORAL_ADDRESS',
];

/**
 * Gives the path of a Temporal CLI that works: named, installed, cached, downloaded, or built, in this order. Quick
 * and silent when it is there; each miss is told before anything that takes time.
 *
 * @throws TenureError `InvalidRequest` that lists every miss and what can be done.
 */
export function temporalCli(machine: Machine = thisMachine(progressOn())): Promise<string> {
  return firstOf(program, sources, remedies, machine);
}

async function named({ env }: Machine): Promise<Answer> {
  const file = env['TENURE_TEMPORAL_CLI'];
  return file ? usable(file, `TENURE_TEMPORAL_CLI names ${file}, which`) : { miss: 'TENURE_TEMPORAL_CLI is not set' };
}

async function installed({ env }: Machine): Promise<Answer> {
  const file = onPath('temporal', env);
  return file ? usable(file, `${file} on the PATH`) : { miss: '`temporal` is not on the PATH' };
}

async function cached(machine: Machine): Promise<Answer> {
  const file = cachedPath(entry, machine);
  return isExecutable(file) ? { path: file } : { miss: `the cache has no ${file}` };
}

function downloaded(machine: Machine): Promise<Answer> {
  return fillEntry(entry, machine, async (folder) => {
    const to = path.join(folder, entry.program);
    const failed = await machine.progress.during(
      `downloading the Temporal CLI ${cliVersion}`,
      () => download({ artifact: 'cli', version: { release: `v${cliVersion}` }, to, from: machine.service }),
      (miss) => !miss,
    );
    return failed ?? missOf(await usable(to, 'what was downloaded'));
  });
}

async function built(machine: Machine): Promise<Answer> {
  const { env } = machine;
  const moduleFolder = path.join(machine.tools, 'temporal');
  if (!existsSync(path.join(moduleFolder, 'go.mod'))) return { miss: 'this installation does not carry the Go module' };
  const go = onPath('go', env);
  if (!go) return { miss: 'Go is not installed, so it can’t be built (`sudo apt-get install -y golang-go`)' };
  return fillEntry(entry, machine, async (folder) => {
    const to = path.join(folder, entry.program);
    const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', to, 'github.com/temporalio/cli/cmd/temporal'];
    const { ok, complaint } = await machine.progress.during(
      `building the Temporal CLI ${cliVersion} (once, about four minutes)`,
      () => runCommand(go, args, { cwd: moduleFolder, env: { ...env, CGO_ENABLED: '0' }, timeoutMs: 30 * 60_000 }),
      (ended) => ended.ok,
    );
    return ok
      ? missOf(await usable(to, 'what was built'))
      : { miss: `the Go build failed:\n    ${complaint.replaceAll('\n', '\n    ')}` };
  });
}

/** A program counts as found when it runs and its server is new enough. */
async function usable(file: string, what: string): Promise<Answer> {
  if (!existsSync(file)) return { miss: `${what} is not there` };
  const { ok, stdout, complaint } = await runCommand(file, ['--version'], { timeoutMs: 10_000 });
  if (!ok) return { miss: `${what} can't be run: ${complaint}` };
  const [, version = '', major = 0, minor = 0] = /Server ((\d+)\.(\d+)[^,)]*)/.exec(stdout) ?? [];
  const tooOld =
    Number(major) < oldestServer[0] || (Number(major) === oldestServer[0] && Number(minor) < oldestServer[1]);
  return tooOld
    ? { miss: `${what} holds server ${version || 'unknown'}; ${oldestServer.join('.')} or later is needed` }
    : { path: file };
}

function missOf(answer: Answer): { readonly miss: string } | undefined {
  return 'miss' in answer ? answer : undefined;
}
