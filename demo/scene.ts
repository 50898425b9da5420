/** Everything that the acts of the demo play with. */
import type { Store } from '../src/stores/store.js';
import type { Claims } from './claims.js';
import { Client, type ClientOptions } from './client.js';
import type { Ledger } from './ledger.js';
import { approver, asker } from './people.js';
import type { PhaseFigures } from './messages.js';
import type { Facts } from './temporal.js';
import type { Ran, Tenure, Worker } from './tenure.js';
import type { Terminal } from './terminal.js';
import type { Receiver } from './webhook.js';

/** The identity that the story is about. */
export const identity = 'payments-db';
export interface Props {
  readonly terminal: Terminal;
  readonly claims: Claims;
  readonly tenure: Tenure;
  readonly facts: Facts;
  readonly ledger: Ledger;
  readonly receiver: Receiver;
  readonly store: Store;
  readonly storePath: string;
  readonly clientOptions: ClientOptions;
  /** Where a worker's log goes. */
  logOf(worker: number): string;
}

/** A change that was asked for and approved, and follows its course. */
export interface Course {
  readonly operation: string;
  readonly ended: Promise<Ran>;
}

export class Scene {
  readonly figures: PhaseFigures[] = [];
  readonly workerLogs: string[] = [];
  /** What each act measured, for the table at the end. */
  readonly measured: [what: string, value: string][] = [];
  worker: Worker | undefined;
  #client: Client | undefined;

  constructor(readonly props: Props) {}

  get client(): Client {
    if (!this.#client) throw new Error('the client has not been started');
    return this.#client;
  }

  async startWorker(): Promise<Worker> {
    const { tenure, logOf } = this.props;
    const log = logOf(this.workerLogs.length + 1);
    this.workerLogs.push(log);
    return (this.worker = await tenure.startWorker(log));
  }

  async startClient(phase: string): Promise<void> {
    this.#client = new Client(this.props.clientOptions);
    await this.#client.ready;
    await this.#client.ask({ ask: 'phase', name: phase });
  }

  stopClient(): void {
    this.#client?.stop();
  }

  /** Ends the running phase of the client's requests, and begins the next. */
  async endPhase(next: string): Promise<PhaseFigures> {
    const figures = await this.client.ask({ ask: 'phase', name: next });
    this.figures.push(figures);
    return figures;
  }

  /** Lets one person ask and another approve, and shows the rest as it happens. */
  async change(...command: readonly string[]): Promise<Course> {
    const operation = await this.ask(...command);
    return { operation, ended: this.approve() };
  }

  /** Lets one person ask, and waits until the gate is open. */
  async ask(...command: readonly string[]): Promise<string> {
    const { tenure, facts } = this.props;
    const asked = await tenure.run(...command, '--as', asker, '--no-wait');
    if (asked.code !== 0) throw new Error(`\`tenure ${command.join(' ')}\` ended with ${asked.code}`);
    return facts.operationAtGate();
  }

  approve(): Promise<Ran> {
    return this.props.tenure.run('approve', identity, '--as', approver, '--yes');
  }

  /** The same, to its end. */
  async changeToEnd(...command: readonly string[]): Promise<{ readonly operation: string; readonly ran: Ran }> {
    const { operation, ended } = await this.change(...command);
    return { operation, ran: await ended };
  }

  /** Tells what the client saw of a phase, and claims that it noticed nothing. */
  checkUnnoticed(title: string, figures: PhaseFigures): void {
    const { claims } = this.props;
    claims.check(
      title,
      figures.failed === 0 && figures.requests > 0,
      inWords(figures),
      'requests, and none of them failed',
    );
  }

  /** Claims that the client kept its rate through everything. */
  checkRate(wanted: number): void {
    const sum = (of: (figures: PhaseFigures) => number) => this.figures.reduce((all, figures) => all + of(figures), 0);
    const perSecond = sum(({ requests }) => requests) / sum(({ seconds }) => seconds);
    const atLeast = Math.min(50, wanted * 0.9);
    this.props.claims.check(
      `the client sent at least ${atLeast} requests per second all the time`,
      perSecond >= atLeast,
      `${perSecond.toFixed(1)} per second`,
      `${atLeast} or more`,
    );
  }

  /** The roles of the identity at the server, with whether each may log in; asked as the superuser. */
  async roles(): Promise<string[]> {
    const rows = await this.props.ledger.sql(
      `SELECT rolname AS name, rolcanlogin AS may FROM pg_roles WHERE starts_with(rolname, '${identity}') ORDER BY 1`,
    );
    return rows.map(({ name, may }) => `${String(name)}${may === true ? ' (may log in)' : ''}`);
  }
}

/** `312 requests, 0 failed, as payments-db_a (200), payments-db_b (112)`. */
export function inWords({ requests, failed, failures, logins }: PhaseFigures): string {
  const counted = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} (${count})`)
      .join(', ');
  const why = failed > 0 ? `: ${counted(failures)}` : '';
  const as = Object.keys(logins).length > 0 ? `, as ${counted(logins)}` : '';
  return `${requests} requests, ${failed} failed${why}${as}`;
}
