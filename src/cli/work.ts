/** Starting the worker from the command line: its log, its connection, the search attributes that it needs. */
import { IllegalStateError } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import { connectWorker } from '../temporal/connection.js';
import { ensureSearchAttributes } from '../temporal/registration.js';
import { createWorker } from '../worker.js';
import type { Connection } from '@temporalio/client';
import type { Session } from './session.js';

export interface Running {
  /** Resolves when everything that was at hand is finished. */
  run(): Promise<void>;
  shutdown(): void;
}

/** A worker for the Temporal server that the session talks to. */
export async function startWorker({ services, io }: Session): Promise<Running> {
  const log = createLog(io.stderr, io.env['TENURE_LOG'] ?? 'info');
  installRuntime(log);
  const config = await services.config();
  const [client, namespace] = await Promise.all([services.client(), services.namespace()]);
  await ensureSearchAttributes(client.connection as Connection, namespace);
  const { connection } = await connectWorker(await services.connectOptions());
  const worker = await createWorker({ config, connection, namespace, log });
  return {
    async run() {
      try {
        await worker.run();
      } finally {
        await connection.close();
      }
    },
    shutdown: () => worker.shutdown(),
  };
}

function createLog(stderr: NodeJS.WritableStream, level: string): Logger {
  // With its task token, anybody in the namespace can complete an activity.
  return pino({ name: 'tenure', level, redact: { paths: ['taskToken', '*.taskToken'], remove: true } }, stderr);
}

/** Temporal's own log goes into ours. A process has one runtime: where there is one already, it stays. */
function installRuntime(log: Logger): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  const logger = new DefaultLogger('WARN', ({ level, message, meta }) => log[levels[level]]({ ...meta }, message));
  try {
    // The command line has its own idea of what Ctrl-C means.
    Runtime.install({ logger, shutdownSignals: [] });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}
