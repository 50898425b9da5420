/** What changes a PostgreSQL server: each method is one transaction, alone for its identity, behind the fence. */
import type { RetirementProof } from '../../domain/credential.js';
import { TenureError } from '../../domain/errors.js';
import type { Material } from '../../stores/store.js';
import type { Holder, Scope, Subject } from '../target.js';
import { bring, type Brought, refuseLeft } from './bring.js';
import type { Connections, Session } from './connection.js';
import { groupOf } from './names.js';
import { removeRoles } from './remove.js';
import { readHoldings } from './rights.js';
import {
  createRole,
  disableLogin,
  emptyLogin,
  enableLogin,
  joinRoles,
  loginNamed,
  refuseForeign,
  readRoles,
  type Role,
  type Roles,
  takeFence,
  writeMark,
} from './roles.js';
import { scramVerifier } from './scram.js';
import { endSessions } from './sessions.js';

interface Limits {
  readonly scramIterations: number;
  readonly endSessionsTimeoutMs: number;
}

interface Before {
  readonly holder: Holder;
  readonly material: Material;
  readonly scope: Scope;
}

export class Changes {
  constructor(
    private readonly target: string,
    private readonly connections: Connections,
    private readonly limits: Limits,
  ) {}

  async install(subject: Subject, holder: Holder, material: Material): Promise<{ changed: readonly string[] }> {
    const { identity, operation, scope } = subject;
    const verifier = await this.verifierOf(material);
    return this.change(subject, `installing ${holder.principal}`, async (session, roles) => {
      refuseForeign(roles, groupOf(identity), identity);
      if (roles.group?.mark?.undone === operation) throw undoneAlready(subject);
      const login = loginNamed(roles, holder.principal, identity);
      if (!login) await createRole(session, holder.principal);
      await this.markLogin(session, subject, holder, login);
      await joinRoles(session, [holder.principal]);
      const brought = await bring(session, { identity, database: this.database, scope });
      refuseLeft(brought.left, brought.facts, holder.principal);
      const adopted = await adoptObjects(session, brought.facts.roles);
      await enableLogin(session, holder.principal, verifier);
      const created = login ? [] : [`CREATE ROLE ${session.id(holder.principal)}`];
      return { changed: [...created, ...brought.changed, ...adopted] };
    });
  }

  async uninstall(subject: Subject, holder: Holder, before?: Before): Promise<void> {
    const { identity, operation } = subject;
    const isReplaced = before?.holder.principal === holder.principal;
    const verifier = isReplaced ? await this.verifierOf(before.material) : undefined;
    const brought = await this.change(subject, `taking back ${holder.principal}`, async (session, roles) => {
      const login = roles.logins.find((role) => role.name === holder.principal);
      const mark = roles.group?.mark;
      if (mark && mark.undone !== operation)
        await writeMark(session, roles.group!.name, { ...mark, undone: operation });
      if (login && verifier) {
        await this.markLogin(session, subject, before!.holder, login);
        await enableLogin(session, login.name, verifier);
      } else if (login?.mark?.version === holder.version) await emptyLogin(session, login, subject);
      return bring(session, { identity, database: this.database, scope: before?.scope });
    });
    if (!isReplaced) await this.endSessions(subject, [holder.principal]);
    if (before) refuseUnrestored(brought, before.holder.principal);
  }

  async retire(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything'): Promise<RetirementProof> {
    const urgent = reach === 'everything';
    const work = async (session: Session, roles: Roles) => {
      const going = urgent ? everyLogin(roles) : holders.flatMap((holder) => retiring(roles, holder, subject.identity));
      for (const role of going) if (role.canLogin) await disableLogin(session, role.name);
      const superseded = (holder: Holder) => roles.logins.some((role) => role.name === holder.principal);
      const absent = holders.filter((holder) => !superseded(holder)).map((holder) => holder.principal);
      return [...new Set([...going.map((role) => role.name), ...absent])];
    };
    const principals = await this.change(subject, 'disabling its logins', work, urgent);
    const sessionsEnded = await this.endSessions(subject, principals, urgent);
    return { principals, at: new Date().toISOString(), sessionsEnded };
  }

  async purge(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything'): Promise<void> {
    const { identity, scope } = subject;
    await this.change(subject, 'removing retired passwords', async (session, roles) => {
      for (const holder of holders) {
        for (const login of retiring(roles, holder, identity)) await emptyLogin(session, login, subject);
      }
      // An emergency fences off whoever would take back what is lent. A revocation gives nothing, so what is missing stays so.
      if (reach === 'everything') await bring(session, { identity, database: this.database, scope, only: 'excess' });
    });
  }

  async repair(subject: Subject, expected: readonly Holder[]): Promise<readonly string[]> {
    const { identity, scope } = subject;
    const named = new Set(expected.map((holder) => holder.principal));
    const { brought, unnamed } = await this.change(subject, 'putting its roles right', async (session, roles) => ({
      brought: await bring(session, { identity, database: this.database, scope, expected }),
      unnamed: roles.logins.filter((login) => login.canLogin && !named.has(login.name)).map((login) => login.name),
    }));
    await this.endSessions(subject, unnamed);
    return [...brought.changed, ...brought.left.map(({ drift, byHand }) => `not changed: ${drift.detail}; ${byHand}`)];
  }

  async bringRights(
    subject: Subject,
    holders: readonly Holder[],
    sessions: 'keep' | 'end',
  ): Promise<{ changed: readonly string[]; sessionsEnded: number }> {
    const { identity, scope } = subject;
    const principals = holders.map(({ principal }) => principal);
    const brought = await this.change(subject, 'bringing its rights to the scope', async (session) => {
      const done = await bring(session, { identity, database: this.database, scope });
      if (sessions === 'keep') for (const login of principals) refuseLeft(done.left, done.facts, login);
      return done;
    });
    if (sessions === 'keep') return { changed: brought.changed, sessionsEnded: 0 };
    // Every login of the identity has its rights, also one that nobody named.
    const logins = brought.facts.roles.logins.map(({ name }) => name);
    const doing = this.doing(subject, `ending the sessions that ${logins.join(' and ')} had before`);
    const { endSessionsTimeoutMs } = this.limits;
    const reach = { reach: 'begun before' } as const;
    const sessionsEnded = await endSessions(this.connections, doing, logins, endSessionsTimeoutMs, reach);
    for (const login of principals) refuseUnrestored(brought, login);
    return { changed: brought.changed, sessionsEnded };
  }

  async remove(subject: Subject): Promise<readonly string[]> {
    const { principals } = await this.retire(subject, [], 'everything');
    return this.change(subject, 'removing its roles', (session, roles) =>
      removeRoles(session, subject.identity, this.database, roles, principals),
    );
  }

  private get database(): string {
    return this.connections.address.database;
  }

  private verifierOf(material: Material): Promise<string> {
    return scramVerifier(material.password ?? '', this.limits.scramIterations);
  }

  private doing(subject: Subject, what: string): string {
    return `${subject.identity}: ${what} at ${this.target}`;
  }

  private change<T>(
    subject: Subject,
    what: string,
    work: (session: Session, roles: Roles) => Promise<T>,
    urgent = false,
  ): Promise<T> {
    const guarded = async (session: Session) => {
      const found = await readRoles(session, subject.identity, this.database);
      return work(session, await takeFence(session, found, subject, this.database));
    };
    return this.connections.change(this.doing(subject, what), subject.identity, guarded, urgent);
  }

  private endSessions(subject: Subject, principals: readonly string[], urgent = false): Promise<number> {
    const doing = this.doing(subject, `ending the sessions of ${principals.join(' and ')}`);
    return endSessions(this.connections, doing, principals, this.limits.endSessionsTimeoutMs, { urgent });
  }

  private async markLogin(session: Session, subject: Subject, holder: Holder, login: Role | undefined): Promise<void> {
    const { identity, epoch, operation } = subject;
    const { principal, version } = holder;
    const since = login?.mark?.version === version ? login.mark.since : undefined;
    const mark = { identity, database: this.database, kind: 'login', epoch, operation, version } as const;
    await writeMark(session, principal, { ...mark, since: since ?? session.now });
  }
}

/** Logins that still hold the retired credential: one that was replaced in place holds another now, and stays. */
function retiring(roles: Roles, holder: Holder, identity: string): Role[] {
  const login = loginNamed(roles, holder.principal, identity);
  return login?.mark?.version === holder.version ? [login] : [];
}

/** The group as well where somebody let it log in. */
function everyLogin({ group, logins }: Roles): Role[] {
  return group?.canLogin ? [...logins, group] : [...logins];
}

/** What one login made has to be the group's before the other takes over, or the new login could not use it. */
async function adoptObjects(session: Session, roles: Roles): Promise<string[]> {
  const { client, id } = session;
  const group = roles.group!.name;
  const names = roles.logins.map((login) => login.name);
  const { owned } = await readHoldings(session, names);
  const owners = [...new Set(owned.map(({ role }) => role))].map((role) => id(role));
  if (owners.length === 0) return [];
  await joinRoles(session, names);
  const statement = `REASSIGN OWNED BY ${owners.join(', ')} TO ${id(group)}`;
  await client.query(statement);
  return [statement];
}

function undoneAlready({ identity, operation }: Subject): TenureError {
  const message = `${identity}: ${operation} was undone already; a late attempt of it changes nothing`;
  return new TenureError('Fenced', message, { undone: operation });
}

function refuseUnrestored({ left, facts }: Brought, login: string): void {
  try {
    refuseLeft(left, facts, login);
  } catch (error) {
    const { message, facts: details } = error as TenureError;
    throw new TenureError('UnwindFailed', message, details);
  }
}
