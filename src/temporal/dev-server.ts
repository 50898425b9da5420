/**
 * Temporal's development server as a child of this process: on the loopback, with our search attributes, ready when
 * {@link startDevServer} answers, and gone when this process is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Connection } from '@temporalio/client';
import { TenureError } from '../domain/errors.js';
import { temporalCli } from './binary.js';
import { onPath } from './commands.js';
import { freePorts } from './ports.js';
import { progressOn, type Progress } from './progress.js';
import { searchAttributeFlags, untilUsable } from './registration.js';
import { thisMachine } from './sources.js';

/** What a server is started with. Every port is random when left out. */
export interface DevServerOptions {
  /** SQLite file that keeps everything over a restart; in memory when left out. */
  readonly dbFilename?: string;
  readonly port?: number;
  readonly uiPort?: number;
  readonly namespace?: string;
  /** File that the server's own log is appended to; when left out its last lines are kept for an error message. */
  readonly log?: string;
  /** Without the web UI. */
  readonly headless?: boolean;
  /** Hears about a server binary that has to be fetched or built. */
  readonly progress?: Progress;
}

/** A server that is ready. */
export interface DevServer {
  /** `host:port` for clients and workers. */
  readonly address: string;
  readonly uiUrl: string;
  /** Prometheus metrics; the counter `action` counts what Temporal Cloud would bill. */
  readonly metricsUrl: string;
  readonly namespace: string;
  readonly pid: number;
  /** Ends it in order and waits for its end. Safe to repeat. */
  stop(): Promise<void>;
  /** Ends it as a power cut would, and waits for its end. */
  kill(): Promise<void>;
}

const host = '127.0.0.1';

/** From the start of the process to the first answered query; SQLite's schema is made in it. */
const readyMs = 60_000;
/** An orderly end flushes SQLite; a server that takes longer than this is ended. */
const stopMs = 15_000;

/** Settings that the server needs to behave as the workflows expect. */
const dynamicConfig = [
  // Priorities do nothing without it: an emergency would queue behind every rotation.
  'matching.useNewMatcher=true',
  // New search attributes are usable at once instead of after a minute.
  'system.forceSearchAttributesCacheRefreshOnRead=true',
];

/**
 * Starts a server and waits until its namespace and search attributes can be used.
 *
 * @throws TenureError `TargetUnavailable` with the server's last lines when it does not become ready, `InvalidRequest`
 *   when no server binary is to be had.
 */
export async function startDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const cli = await temporalCli(thisMachine(options.progress ?? progressOn()));
  const free = await freePorts('port', 'ui', 'metrics', 'http');
  const namespace = options.namespace ?? 'default';
  const port = options.port ?? free.port;
  const uiPort = options.uiPort ?? free.ui;
  const child = new ServerProcess(cli, argumentsFor(options, { ...free, port, uiPort, namespace }), options.log);
  const address = `${host}:${port}`;
  try {
    await Promise.race([untilReady(address, namespace), child.failed]);
  } catch (error) {
    await child.end('SIGKILL');
    throw new TenureError(
      'TargetUnavailable',
      `the Temporal development server did not become ready at ${address}: ${(error as Error).message}${child.lastLines()}`,
      { address },
    );
  }
  return {
    address,
    uiUrl: `http://${host}:${uiPort}`,
    metricsUrl: `http://${host}:${free.metrics}/metrics`,
    namespace,
    pid: child.pid,
    stop: () => child.end('SIGTERM'),
    kill: () => child.end('SIGKILL'),
  };
}

interface Ports {
  readonly port: number;
  readonly uiPort: number;
  readonly metrics: number;
  readonly http: number;
}

function argumentsFor(options: DevServerOptions, { namespace, ...ports }: Ports & { namespace: string }): string[] {
  return [
    ...['server', 'start-dev', '--ip', host, '--log-level', 'warn', '--namespace', namespace],
    ...['--port', `${ports.port}`, '--metrics-port', `${ports.metrics}`, '--http-port', `${ports.http}`],
    ...(options.headless ? ['--headless'] : ['--ui-port', `${ports.uiPort}`]),
    ...(options.dbFilename ? ['--db-filename', options.dbFilename] : []),
    ...searchAttributeFlags.flatMap((flag) => ['--search-attribute', flag]),
    ...dynamicConfig.flatMap((setting) => ['--dynamic-config-value', setting]),
  ];
}

/** Ready means used: a health check passes long before the first query with our search attributes does. */
async function untilReady(address: string, namespace: string): Promise<void> {
  for (const end = Date.now() + readyMs; ;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: 1_000 });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        return await untilUsable(connection, namespace);
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

class ServerProcess {
  /** Rejects when the process ends, whoever ended it. */
  readonly failed: Promise<never>;
  private readonly child: ChildProcess;
  private readonly ended: Promise<string>;
  private tail = '';

  constructor(cli: string, args: readonly string[], log: string | undefined) {
    const guard = dyingWithParent();
    const [command, ...rest] = [...guard, cli, ...args] as [string, ...string[]];
    const file = log === undefined ? undefined : openSync(log, 'a');
    this.child = spawn(command, rest, {
      stdio: ['ignore', file ?? 'pipe', file ?? 'pipe'],
      // Ctrl-C reaches the whole group of a terminal: ours is told, finishes, and then ends the server.
      detached: guard.length > 0,
    });
    if (file !== undefined) closeSync(file);
    const keep = (chunk: Buffer) => (this.tail = (this.tail + chunk.toString()).slice(-4_000));
    this.child.stdout?.on('data', keep);
    this.child.stderr?.on('data', keep);
    const killNow = () => this.child.kill('SIGKILL');
    process.once('exit', killNow);
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(`it can't be started: ${error.message}`));
      this.child.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
    });
    void this.ended.then(() => process.off('exit', killNow));
    this.failed = this.ended.then((how) => {
      throw new Error(how);
    });
    // Only the start listens; afterwards an end is nobody's error.
    this.failed.catch(() => undefined);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    const last = setTimeout(() => this.child.kill('SIGKILL'), stopMs);
    await this.ended;
    clearTimeout(last);
  }

  lastLines(): string {
    const lines = this.tail.trim().split('\n').slice(-8).join('\n');
    return lines ? `\n${lines}` : '';
  }
}

/** Linux can end a child with its parent, however the parent ended; elsewhere an orderly exit has to do. */
export function dyingWithParent(): string[] {
  const setpriv = process.platform === 'linux' ? onPath('setpriv') : undefined;
  return setpriv ? [setpriv, '--pdeathsig', 'TERM', '--'] : [];
}
