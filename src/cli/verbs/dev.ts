import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from 'commander';
import { onInterrupt } from '../io.js';
import { demandNoOther, removeDevNote, writeDevNote } from '../dev-file.js';
import { prepare, prepareKeys } from '../dev-folder.js';
import { portOption } from '../numbers.js';
import { personOf } from '../person.js';
import { stateFolder } from '../services.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';

interface DevOptions extends CommonOptions {
  readonly port?: number;
  readonly uiPort?: number;
  readonly worker: boolean;
}

export function addDev(program: Command, runtime: Runtime): void {
  const command = program
    .command('dev')
    .description('run a Temporal server, its UI and a worker on this machine, until Ctrl-C')
    .option('--port <port>', 'port of the Temporal server (default: a free one)', portOption)
    .option('--ui-port <port>', 'port of the Temporal UI (default: a free one)', portOption)
    .option('--no-worker', 'only the server and the UI')
    .addHelpText(
      'after',
      '\nKeeps its state in .tenure beside tenure.yaml, and makes both where they are missing. Commands in the same folder find its server.\n\nExamples:\n  tenure dev\n  tenure dev --port 7233 --ui-port 8233',
    );
  verb<DevOptions>(runtime, command, async (session, options) => {
    const configFile = await session.services.configFile();
    const folder = stateFolder(dirname(configFile));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await demandNoOther(folder);
    for (const line of await prepare(configFile)) session.out.say(line);
    for (const line of await prepareKeys(configFile, personOf(session.io))) session.out.say(line);
    await serve(session, options, folder);
  });
}

async function serve(session: Session, options: DevOptions, folder: string): Promise<void> {
  const { out, io } = session;
  const { startDevServer } = await import('../../temporal/dev-server.js');
  const server = await startDevServer({
    dbFilename: join(folder, 'temporal.db'),
    log: join(folder, 'temporal.log'),
    ...(options.port && { port: options.port }),
    ...(options.uiPort && { uiPort: options.uiPort }),
  });
  try {
    await writeDevNote(folder, {
      address: server.address,
      namespace: server.namespace,
      uiUrl: server.uiUrl,
      pid: process.pid,
    });
    // Its own server and no other, whatever TEMPORAL_ADDRESS says.
    const own = { address: server.address, namespace: server.namespace, alone: true };
    const worker = options.worker ? await (await import('../work.js')).startWorker(session, own) : undefined;
    onInterrupt(io.interrupted, () => worker?.shutdown());
    await worker?.polling;
    tellAddresses(session, server, dirname(folder));
    out.answer({ address: server.address, namespace: server.namespace, uiUrl: server.uiUrl, pid: process.pid });
    await (worker ? worker.ended : interruption(io.interrupted));
    out.say('stopping');
  } finally {
    await removeDevNote(folder);
    await session.services.close();
    await server.stop();
  }
}

function tellAddresses(
  { out, io }: Session,
  server: { readonly address: string; readonly uiUrl: string; readonly namespace: string },
  folder: string,
): void {
  out.say(`Temporal   ${server.address} (namespace ${server.namespace})`);
  out.say(`UI         ${server.uiUrl}`);
  out.say('');
  if (!existsSync(join(folder, 'manifests')))
    out.say(
      'name a target in tenure.yaml, start this again, and declare an identity in manifests/ (README.md has one)',
    );
  out.say('next, in this folder:');
  out.say('  tenure doctor');
  out.say('  tenure plan');
  out.say('  tenure apply');
  if (io.env['TEMPORAL_ADDRESS'])
    out.say(`  (TEMPORAL_ADDRESS is set: other commands go to ${io.env['TEMPORAL_ADDRESS']})`);
  out.say('Ctrl-C stops it');
}

function interruption(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => onInterrupt(signal, resolve));
}
