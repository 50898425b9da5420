/** Starting the worker from the command line: its log, its connection, the search attributes that it needs. */
import { IllegalStateError } from '@temporalio/common';
import { DefaultLogger, Runtime, type RuntimeOptions } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino, type Logger } from 'pino';
import { connectClient, connectWorker, type ConnectOptions } from '../temporal/connection.js';
import { ensureSearchAttributes } from '../temporal/registration.js';
import { ensureReviewSchedule } from '../temporal/review-schedule.js';
import { createWorker } from '../worker.js';
import type { Client } from '@temporalio/client';
import type { Session } from './session.js';
import { pollers } from './workers.js';

export interface Running {
  /** Resolves when the worker polls both queues: from then on requests are taken. */
  readonly polling: Promise<void>;
  /** Resolves when the worker was shut down and everything that was at hand is finished. */
  readonly ended: Promise<void>;
  shutdown(): void;
}

/** Starts a worker for the server of `options`. It runs until it is shut down. */
export async function startWorker({ services, io }: Session, options: ConnectOptions): Promise<Running> {
  const log = createLog(io.stderr, io.env['TENURE_LOG'] ?? 'info');
  installRuntime(log);
  const config = await services.config();
  const { client, connection, namespace } = await connectClient(options);
  await ensureSearchAttributes(connection, namespace);
  // A namespace in which this identity may make no schedules is no reason not to work.
  await ensureReviewSchedule(client, config.review.every).catch(() =>
    log.warn('the schedule of the routine review could not be made; run it with: tenure review'),
  );
  const own = await connectWorker(options);
  const worker = await createWorker({ config, connection: own.connection, namespace, log });
  const ended = closing(worker.run(), own.connection);
  const polling = closing(untilPolled(client, namespace, ended), connection);
  return { polling, ended, shutdown: () => worker.shutdown() };
}

async function closing(work: Promise<void>, connection: { close(): Promise<void> }): Promise<void> {
  try {
    await work;
  } finally {
    await connection.close();
  }
}

const pollingMs = 15_000;
const lookAgainMs = 100;

/** Not longer than the worker itself lives; a server that is slow to say so is no reason to fail. */
async function untilPolled(client: Client, namespace: string, ended: Promise<void>): Promise<void> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  ended.then(over, over);
  for (const end = Date.now() + pollingMs; !isOver && Date.now() < end; await sleep(lookAgainMs)) {
    const all = await pollers(client, namespace);
    if (all.every(({ identities }) => identities.length > 0)) return;
  }
}

function createLog(stderr: NodeJS.WritableStream, level: string): Logger {
  // With its task token, anybody in the namespace can complete an activity.
  return pino({ name: 'tenure', level, redact: { paths: ['taskToken', '*.taskToken'], remove: true } }, stderr);
}

/**
 * Temporal's own log goes into ours, also that of its native part, which would go to standard output otherwise. The command line has
 * its own idea of what Ctrl-C means.
 */
export function runtimeOptions(log: Logger): RuntimeOptions {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => log[levels[level]]({ ...meta }, message));
  return { logger, shutdownSignals: [], telemetryOptions: { logging: { forward: {} } } };
}

/** A process has one runtime: where there is one already, it stays. */
function installRuntime(log: Logger): void {
  try {
    Runtime.install(runtimeOptions(log));
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}
