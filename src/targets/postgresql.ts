/**
 * PostgreSQL 15 and later: a group role owns the rights, and login roles that are its members carry the credential.
 *
 * Least privilege: `CREATEROLE` and the rights that it passes on, see `examples/postgresql-admin.sql`. Never a superuser.
 *
 *     targets:
 *       ledger-db: { type: postgresql, host: 127.0.0.1, database: ledger, user: tenure_admin, password: { file: admin.pw } }
 */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { AcceptanceProof, Drift, RefusalProof, RetirementProof, Usage } from '../domain/credential.js';
import { TenureError } from '../domain/errors.js';
import { readSecret } from '../stores/secret-source.js';
import type { Material } from '../stores/store.js';
import { compare, isAboutLogin } from './postgresql/bring.js';
import { Connections } from './postgresql/connection.js';
import { attempt, deniedRights, isKeptOut } from './postgresql/login.js';
import { groupOf, loginsOf } from './postgresql/names.js';
import { addressOf, type PostgresqlOptions, tlsOf } from './postgresql/options.js';
import { probeServer } from './postgresql/probe.js';
import { readRoles } from './postgresql/roles.js';
import { scopeProblems } from './postgresql/scope.js';
import { usageOf } from './postgresql/sessions.js';
import { Changes } from './postgresql/changes.js';
import { recordedUse } from './postgresql/use/use.js';
import type { Capabilities, Holder, RecordedUse, Scope, ScopeProblem, Subject, Target } from './target.js';

export { postgresqlOptions } from './postgresql/options.js';

/** Opens nothing yet: the first call connects. Paths in `options` are relative to `folder`. */
export function postgresqlTarget(name: string, options: PostgresqlOptions, folder: string): Target {
  return new PostgresqlTarget(name, options, folder);
}

class PostgresqlTarget implements Target {
  readonly capabilities: Capabilities = { strategies: ['alternate', 'in-place'], observesUse: true };
  private readonly connections: Connections;
  private readonly changes: Changes;

  constructor(
    readonly name: string,
    private readonly options: PostgresqlOptions,
    folder: string,
  ) {
    const address = addressOf(options);
    const { password } = options;
    const source = 'file' in password ? { file: resolve(folder, password.file) } : password;
    const readPassword = () =>
      readSecret(source, `the administrator's password for target ${name}`, 'TargetUnavailable');
    this.connections = new Connections(address, tlsOf(options, address.host, folder), options, readPassword);
    this.changes = new Changes(name, this.connections, options);
  }

  checkScope(identity: string, scope: Scope): readonly ScopeProblem[] {
    return scopeProblems(identity, scope);
  }

  probe(): ReturnType<Target['probe']> {
    return probeServer(this.connections, `looking at target ${this.name}`, this.options.readsOnStandbys);
  }

  nextPrincipal({ identity, strategy }: Subject, current?: Holder): string {
    const [first, second] = loginsOf(identity);
    if (strategy === 'in-place') return current?.principal ?? first;
    return current?.principal === first ? second : first;
  }

  mint(_subject: Subject, principal: string): Promise<Material> {
    const password = randomBytes(32).toString('base64url');
    const { host, port, database } = this.connections.address;
    const place = host.includes(':') ? `[${host}]` : encodeURIComponent(host);
    const part = encodeURIComponent;
    const url = `postgresql://${part(principal)}:${part(password)}@${place}:${port}/${part(database)}`;
    return Promise.resolve({ username: principal, password, host, port: String(port), database, url });
  }

  install(subject: Subject, holder: Holder, material: Material): Promise<{ readonly changed: readonly string[] }> {
    return this.changes.install(subject, holder, material);
  }

  uninstall(
    subject: Subject,
    holder: Holder,
    before?: { readonly holder: Holder; readonly material: Material; readonly scope: Scope },
  ): Promise<void> {
    return this.changes.uninstall(subject, holder, before);
  }

  async verify(subject: Subject, material: Material): Promise<AcceptanceProof> {
    const principal = material.username ?? '';
    const doing = this.doing(subject, `logging in as ${principal}`);
    const { database } = this.connections.address;
    const question = { identity: subject.identity, database, scope: subject.scope };
    const { found, facts } = await this.connections.read(doing, (session) => compare(session, question));
    const result = await attempt(this.connections, doing, material, (client) =>
      deniedRights(client, facts.wanted),
    ).catch((error: unknown) => this.blameLogin(doing, error));
    if (!result.accepted) {
      const message = `${doing} was refused (SQLSTATE ${result.code}); the credential that was installed is not accepted`;
      throw new TenureError('VerificationFailed', message, { sqlState: result.code });
    }
    const about = found.filter((difference) => isAboutLogin(difference, facts, principal)).map(({ drift }) => drift);
    const denied = result.found.map(
      ({ privilege, object }) => `${principal} has no ${privilege} on ${object} in its own session`,
    );
    return {
      principal,
      at: new Date().toISOString(),
      answer: `logged in as ${result.as}`,
      excess: about.filter(({ problem }) => problem === 'excess').map(({ detail }) => detail),
      missing: [...about.filter(({ problem }) => problem !== 'excess').map(({ detail }) => detail), ...denied],
    };
  }

  usage(subject: Subject, { principal, version }: Holder): Promise<Usage> {
    return this.connections.read(this.doing(subject, `looking who uses ${principal}`), async (session) => {
      const { logins } = await readRoles(session, subject.identity, this.connections.address.database);
      const mark = logins.find((login) => login.name === principal)?.mark;
      // Replaced in place: only sessions from before the replacement can be the old credential's.
      const isReplaced = mark?.version !== undefined && mark.version !== version;
      return usageOf(session, principal, isReplaced ? mark.since : undefined);
    });
  }

  retire(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything'): Promise<RetirementProof> {
    return this.changes.retire(subject, holders, reach);
  }

  async refuse(subject: Subject, old: Material, control?: Material): Promise<RefusalProof> {
    const principal = old.username ?? '';
    const doing = this.doing(subject, `trying the old credential of ${principal}`);
    const nothing = () => Promise.resolve(undefined);
    // At the same moment, so that a server that lets nobody in is never taken for one that refuses the old credential.
    const [tried, controlled] = await Promise.allSettled([
      attempt(this.connections, doing, old, nothing),
      this.logInControl(doing, control),
    ]);
    if (tried.status === 'fulfilled' && tried.value.accepted) {
      throw new TenureError('StillAccepted', `${doing}: it was let in; it has to be retired again`, { principal });
    }
    if (tried.status === 'rejected') throw tried.reason;
    if (controlled.status === 'rejected') throw controlled.reason;
    const { code, answer } = tried.value as { code: string; answer: string };
    return { principal, at: new Date().toISOString(), code, answer, control: controlled.value };
  }

  purge(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything' = 'these'): Promise<void> {
    return this.changes.purge(subject, holders, reach);
  }

  remove(subject: Subject): Promise<readonly string[]> {
    return this.changes.remove(subject);
  }

  async inspect(subject: Subject, expected: readonly Holder[]): Promise<readonly Drift[]> {
    const { identity, scope } = subject;
    const question = { identity, database: this.connections.address.database, scope, expected };
    const doing = this.doing(subject, `comparing ${groupOf(identity)} with its state`);
    const { found } = await this.connections.read(doing, (session) => compare(session, question));
    // Where nothing has to be accepted, nothing can be missed.
    return found.map(({ drift }) => drift).filter((drift) => expected.length > 0 || drift.problem !== 'missing');
  }

  recordedUse(subject: Subject): Promise<RecordedUse> {
    const { identity, scope } = subject;
    const { database } = this.connections.address;
    return this.connections.read(this.doing(subject, `looking which rights ${identity} used`), async (session) => {
      const roles = await readRoles(session, identity, database);
      return recordedUse(session, { identity, scope, database, roles, readsOnStandbys: this.options.readsOnStandbys });
    });
  }

  repair(subject: Subject, expected: readonly Holder[]): Promise<readonly string[]> {
    return this.changes.repair(subject, expected);
  }

  bringRights(
    subject: Subject,
    holders: readonly Holder[],
    sessions: 'keep' | 'end',
  ): Promise<{ readonly changed: readonly string[]; readonly sessionsEnded: number }> {
    return this.changes.bringRights(subject, holders, sessions);
  }

  close(): Promise<void> {
    return this.connections.close();
  }

  /**
   * The server keeps a new login out by another rule than its credential, pg_hba.conf for example. While it lets the
   * administrator in, that is about this login and does not get better by waiting.
   */
  private async blameLogin(doing: string, error: unknown): Promise<never> {
    if (!isKeptOut(error)) throw error;
    const control = await this.logInControl(doing, undefined);
    const { message, facts } = error;
    throw new TenureError('VerificationFailed', `${message}; ${control} was let in at the same moment`, facts);
  }

  /** Somebody who is let in for certain: the control credential, or the administrator where that is not accepted either. */
  private async logInControl(doing: string, control: Material | undefined): Promise<string> {
    for (const material of control ? [control, undefined] : [undefined]) {
      const result = await attempt(this.connections, doing, material, () => Promise.resolve(undefined));
      if (result.accepted) return result.as;
    }
    throw new TenureError(
      'TargetUnavailable',
      `${doing}: the administrator was not let in either, so a refusal proves nothing; correct its password in tenure.yaml`,
    );
  }

  private doing(subject: Subject, what: string): string {
    return `${subject.identity}: ${what} at ${this.name}`;
  }
}
