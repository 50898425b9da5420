/** One PostgreSQL with a ledger and a target, for the tests of what only PostgreSQL has. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect } from 'vitest';
import type { ErrorCode } from '../../src/domain/errors.js';
import type { Strategy } from '../../src/domain/identity.js';
import type { Material } from '../../src/stores/store.js';
import { guardTarget } from '../../src/targets/guard.js';
import { postgresqlOptions, postgresqlTarget } from '../../src/targets/postgresql.js';
import type { Holder, Scope, Subject, Target } from '../../src/targets/target.js';
import { type Ledger, makeLedger } from '../systems/ledger.js';
import { type PostgresOptions, type PostgresServer, startPostgres, type Unavailable } from '../systems/postgresql.js';

export const ledgerScope: Scope = { grants: [{ on: 'ledger', may: ['select', 'insert'] }] };

export interface Minted {
  readonly subject: Subject;
  readonly holder: Holder;
  readonly material: Material;
}

export class Fixture {
  readonly target: Target;
  private opened: Target[] = [];

  constructor(
    readonly server: PostgresServer,
    readonly ledger: Ledger,
  ) {
    this.target = this.open();
  }

  /** A target at this server; options override those of the ledger. */
  open(options: Record<string, unknown> = {}): Target {
    const variable = `TENURE_TEST_${this.server.port}`;
    process.env[variable] = this.ledger.adminPassword;
    const { host, port, database, user } = this.ledger;
    const written = { type: 'postgresql', host, port, database, user, password: { env: variable }, ...options };
    const target = guardTarget(postgresqlTarget('ledger-db', postgresqlOptions.parse(written), '/'));
    this.opened.push(target);
    return target;
  }

  subject(identity: string, epoch = 1, scope = ledgerScope, strategy: Strategy = 'alternate'): Subject {
    return { identity, operation: `nhi/${identity}/test/${epoch}`, epoch, strategy, scope };
  }

  async mint(subject: Subject, current?: Holder): Promise<Minted> {
    const principal = this.target.nextPrincipal(subject, current);
    const material = await this.target.mint(subject, principal);
    return { subject, holder: { principal, version: subject.operation }, material };
  }

  async install(subject: Subject, current?: Holder): Promise<Minted> {
    const made = await this.mint(subject, current);
    await this.target.install(subject, made.holder, made.material);
    return made;
  }

  /** A client that logged in with `material`. */
  async logIn({ username, password, port }: Material, database = 'ledger'): Promise<pg.Client> {
    const client = new pg.Client({ host: '127.0.0.1', port: Number(port), user: username, password, database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Runs SQL as the superuser in the ledger's database. */
  sql(text: string): Promise<Record<string, unknown>[]> {
    return this.server.sql(text, 'ledger');
  }

  async roleExists(name: string): Promise<boolean> {
    return (await this.sql(`SELECT 1 FROM pg_roles WHERE rolname = '${name}'`)).length > 0;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.opened.map((target) => target.close()));
    await this.server.stop();
  }
}

/** Starts a server with its ledger, or says why there is none. */
export async function startFixture(
  options: PostgresOptions,
  ledger: { readonly repair?: boolean } = {},
): Promise<Fixture | Unavailable> {
  const server = await startPostgres(options);
  return 'unavailable' in server ? server : new Fixture(server, await makeLedger(server, ledger));
}

let count = 0;

/** A name that no other test uses. */
export function newIdentity(): string {
  return `app-${(count += 1)}-${randomBytes(2).toString('hex')}`;
}

/** Expects a failure with `code`, and gives its message. */
export async function failsWith(code: ErrorCode, call: Promise<unknown>): Promise<string> {
  const outcome = await call.then(
    (value) => new Error(`it did not fail, and gave ${JSON.stringify(value)}`),
    (error: unknown) => error as Error,
  );
  expect(outcome).toMatchObject({ code });
  return outcome.message;
}
