/**
 * `npm run bench`: how much of the engine and of the target a rotation leaves. Everything is taken in one run, since absolute
 * figures move from machine to machine; the ratios are what can be compared.
 */
import process from 'node:process';
import type { Client } from '@temporalio/client';
import Table from 'cli-table3';
import { measureBareTarget } from './bare-target.js';
import { measureDecisions } from './decisions.js';
import { measureGate } from './gate.js';
import { measure, type Measured } from './load.js';
import { anatomy, measureRotations, provisionMany } from './rotations.js';
import { measureVerification } from './signatures.js';
import { bareQueue, startSurroundings, type Surroundings } from './surroundings.js';

const concurrency = 32;
const identities = 64;
const idle = 300;
const total = Number(process.env['TENURE_BENCH_ROTATIONS'] ?? 300);

say('starting PostgreSQL, Temporal and a worker');
const surroundings = await startSurroundings();
try {
  await run(surroundings);
} finally {
  await surroundings.stop();
}

async function run({
  connected: { client },
  configFile,
  temporal,
  workerMemory,
  postgresVersion,
}: Surroundings): Promise<void> {
  const plain = { style: { head: [], border: [] } };
  say(`provisioning ${identities} identities`);
  const names = await provisionMany(client, 'bench', identities, concurrency);
  const shape = await anatomy(client, names[0]!);

  say(`(a) ${total} workflows of ${shape.remote} remote and ${shape.local} local activities that do nothing`);
  await bare(client, shape, concurrency * 2);
  const engine = await bare(client, shape, total);

  say(`(b) ${total} rotations of the target alone`);
  const target = await measureBareTarget(configFile, identities, total, concurrency);

  say(`(c) ${total} full rotations`);
  const before = await actions(temporal.metricsUrl);
  const rotations = await measureRotations(client, names, total, concurrency);
  const perRotation = ((await actions(temporal.metricsUrl)) - before) / total;

  say('(d) rotations without and with a gate, decisions, and verifications of signatures');
  const { open, gated } = await measureGate(client, () => settledActions(temporal.metricsUrl));
  const [decisions, verification] = [await measureDecisions(), await measureVerification()];

  say(`provisioning ${idle} more identities that then wait`);
  const memoryBefore = await workerMemory();
  await provisionMany(client, 'idle', idle, concurrency);
  const memory = ((await workerMemory()) - memoryBefore) / idle;

  const table = new Table({
    head: ['', 'per second', 'p50 ms', 'p99 ms'],
    colAligns: ['left', 'right', 'right', 'right'],
    ...plain,
  });
  table.push(row('(a) bare engine', engine), row('(b) bare target', target), row('(c) full rotation', rotations));
  process.stdout.write(`\n${table.toString()}\n\n`);
  const facts = new Table({ ...plain, colAligns: ['left', 'right'] });
  facts.push(
    ['c / a', (rotations.perSecond / engine.perSecond).toFixed(2)],
    ['c / b', (rotations.perSecond / target.perSecond).toFixed(2)],
    ['events of a rotation', String(shape.events)],
    ['Temporal actions of a rotation, its identity included', perRotation.toFixed(1)],
    ['events that a gate adds', added(gated.events, open.events)],
    ['Temporal actions that a gate adds', added(gated.actions, open.actions)],
    ['one policy decision, p50 / p99', milliseconds(decisions.p50Ms, decisions.p99Ms)],
    ['one verification of an Ed25519 SSH signature, p50 / p99', milliseconds(verification.p50, verification.p99)],
    ['worker memory of an open identity', `${(memory / 1024).toFixed(0)} KiB`],
  );
  process.stdout.write(
    `${facts.toString()}\nPostgreSQL ${postgresVersion} without TLS, Temporal's development server on SQLite, ${concurrency} at a time, Node ${process.version}\n`,
  );
}

function bare(
  client: Client,
  shape: { remote: number; local: number; input: unknown },
  count: number,
): Promise<Measured> {
  return measure(Array.from({ length: count }), concurrency, () =>
    client.workflow.execute('bare', { workflowId: `bare-${crypto.randomUUID()}`, taskQueue: bareQueue, args: [shape] }),
  );
}

function added(more: number, less: number): string {
  return `+${(more - less).toFixed(1)} (${less.toFixed(1)} → ${more.toFixed(1)})`;
}

function milliseconds(p50: number, p99: number): string {
  return `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`;
}

/** Once what was begun before has been counted: an identity still notes the end of its process after that has ended. */
async function settledActions(metricsUrl: string): Promise<number> {
  for (let before = await actions(metricsUrl); ;) {
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const now = await actions(metricsUrl);
    if (now === before) return now;
    before = now;
  }
}

/** The server's own count of what Temporal Cloud would bill. */
async function actions(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text();
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith('action{') && !/namespace="temporal[-_]system"/.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function row(name: string, { perSecond, p50, p99 }: Measured): string[] {
  return [name, perSecond.toFixed(1), p50.toFixed(0), p99.toFixed(0)];
}

function say(what: string): void {
  process.stderr.write(`bench: ${what}\n`);
}
