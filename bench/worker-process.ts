/** The worker under load, as a process of its own so that its memory is its own. Talks with the bench over IPC. */
import process from 'node:process';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { loadConfig } from '../src/config/load.js';
import { connectWorker } from '../src/temporal/connection.js';
import { createWorker } from '../src/worker.js';
import { bareQueue } from './surroundings.js';

Runtime.install({ logger: new DefaultLogger('ERROR') });
const [configFile, address] = process.argv.slice(2) as [string, string];
const { connection, namespace } = await connectWorker({ address });
const quiet = { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, log: () => {} };
const tenure = await createWorker({
  config: await loadConfig(configFile),
  connection,
  namespace,
  log: pino({ level: 'silent' }),
});
const bare = await Worker.create({
  connection,
  namespace,
  taskQueue: bareQueue,
  workflowBundle: await bundleWorkflowCode({
    workflowsPath: new URL('bare-workflow.js', import.meta.url).pathname,
    logger: quiet,
  }),
  activities: { nothing: () => Promise.resolve({}) },
});

process.on('message', (question) => {
  if (question === 'memory') process.send?.({ rss: process.memoryUsage().rss });
});
process.on('SIGTERM', () => {
  tenure.shutdown();
  bare.shutdown();
});
process.send?.('ready');
await Promise.all([tenure.run(), bare.run()]);
await connection.close();
process.disconnect();
