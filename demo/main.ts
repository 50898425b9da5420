/** The demo: the whole life of one credential on real servers and under load, every claim checked. */
import { mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { writeDevNote } from '../src/cli/dev-file.js';
import { loadConfig } from '../src/config/load.js';
import { openStores } from '../src/stores/registry.js';
import { connectClient } from '../src/temporal/connection.js';
import { startDevServer } from '../src/temporal/dev-server.js';
import { progressOn } from '../src/temporal/progress.js';
import { offboard } from './acts/offboard.js';
import { provision } from './acts/provision.js';
import { revoke } from './acts/revoke.js';
import { rotate } from './acts/rotate.js';
import { takeover } from './acts/takeover.js';
import { undo } from './acts/undo.js';
import { Claims } from './claims.js';
import { makeFolder, makeSigningKey } from './folder.js';
import { openLedger } from './ledger.js';
import { help, readOptions, type DemoOptions } from './options.js';
import { tellReport } from './report.js';
import { identity, Scene } from './scene.js';
import { checkSecrets } from './secrets.js';
import { Facts } from './temporal.js';
import { cleanEnvironment, program, Tenure } from './tenure.js';
import { Terminal } from './terminal.js';
import { Receiver } from './webhook.js';

const acts = [provision, rotate, undo, takeover, revoke, offboard];
const storePath = 'payments/db';

/** What has to be ended, newest first. */
const closers: (() => unknown)[] = [];
const terminal = new Terminal(process.stdout, process.env);
const claims = new Claims(terminal);
/** From then on an interruption is the end that `--keep` waits for. */
let isTold = false;
const interrupted = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});

// After an interruption the story still waits for what will not come.
process.exit(await main());

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2), process.env);
    if (!options) return tellHelp();
    const story = play(options);
    // An interruption takes the ground from under the story: what it then complains of is of no interest.
    story.catch(() => undefined);
    await Promise.race([story, interrupted]);
    if (!isTold) return 130;
    return claims.checkedHeld ? 0 : 1;
  } catch (error) {
    terminal.say(terminal.paint.red(`✗ the demo did not come to its end: ${(error as Error).message}`));
    return 1;
  } finally {
    await close();
  }
}

function tellHelp(): number {
  process.stdout.write(help);
  return 0;
}

async function play(options: DemoOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-demo-'));
  const histories = join(folder, 'histories');
  if (!options.keep) closers.push(() => removeAllBut(folder, 'histories'));
  const { scene, uiUrl, logs } = await setUp(folder, options);
  for (const act of acts) await act(scene);
  scene.checkRate(options.rate);
  const exported = await scene.props.facts.exportTo(histories);
  await checkSecrets(scene, exported, logs());
  tellReport(scene, exported);
  terminal.say();
  terminal.say(`  Temporal UI   ${uiUrl}${options.keep ? '' : '  (until now; --keep leaves it running)'}`);
  terminal.say(`  histories     ${histories}`);
  isTold = true;
  if (options.keep) await untilEnough(folder);
}

async function setUp(folder: string, options: DemoOptions) {
  const progress = progressOn();
  const ledger = await progress.during('starting PostgreSQL', () => openLedger(options.postgres, identity));
  closers.push(() => ledger.stop());
  const file = (name: string) => join(folder, name);
  const database = file('temporal.db');
  const server = await progress.during('starting Temporal', () =>
    startDevServer({ dbFilename: database, log: file('temporal.log') }),
  );
  closers.push(() => server.stop());
  const signingKey = makeSigningKey();
  const receiver = await Receiver.start(signingKey);
  closers.push(() => receiver.stop());
  const { config, changes } = await makeFolder(folder, { ledger, signingKey, webhookPort: receiver.port });
  await writeDevNote(file('.tenure'), { ...server, pid: process.pid });
  const { client, connection } = await connectClient({
    address: server.address,
    namespace: server.namespace,
    alone: true,
  });
  closers.push(() => connection.close());
  const tenure = new Tenure(folder, terminal, cleanEnvironment(process.env, terminal.isColourful));
  const scene = new Scene({
    ...{ terminal, claims, tenure, ledger, receiver, storePath },
    facts: new Facts(client, identity),
    store: openStores(await loadConfig(config)).get('local'),
    clientOptions: { config, store: 'local', path: storePath, rate: options.rate, tls: ledger.tls },
    logOf: (worker) => file(`worker-${worker}.log`),
  });
  closers.push(() => tenure.stop());
  closers.push(() => scene.stopClient());
  terminal.say(`${ledger.where}, Temporal at ${server.address}, its UI at ${server.uiUrl}`);
  terminal.say(`the operator's folder: ${folder}. It differs from the project's examples in this:`);
  for (const line of changes) terminal.output(line);
  await scene.startWorker();
  const written = [database, `${database}-wal`, file('temporal.log'), ...(ledger.logFile ? [ledger.logFile] : [])];
  return { scene, uiUrl: server.uiUrl, logs: () => [...written, ...scene.workerLogs] };
}

async function untilEnough(folder: string): Promise<void> {
  terminal.say();
  terminal.say('Everything is left running. In another terminal:');
  terminal.say(`  cd ${folder}`);
  terminal.say(`  alias tenure='node ${program}'`);
  terminal.say(`  tenure history ${identity}          # what happened, in plain words`);
  terminal.say(`  tenure apply && tenure list         # begin a new life; approve it with: tenure approve ${identity}`);
  terminal.say('Ctrl-C here stops it; the folder stays.');
  await interrupted;
}

async function removeAllBut(folder: string, kept: string): Promise<void> {
  const others = (await readdir(folder)).filter((name) => name !== kept);
  await Promise.all(others.map((name) => rm(join(folder, name), { recursive: true, force: true })));
  // Only where nothing was to be kept; a folder with something in it stays.
  await rmdir(folder).catch(() => undefined);
}

async function close(): Promise<void> {
  for (const end of closers.toReversed()) {
    try {
      await end();
    } catch (error) {
      process.stderr.write(`while stopping: ${(error as Error).message}\n`);
    }
  }
}
