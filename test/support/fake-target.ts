/**
 * A target in memory, for faults that a real one cannot be made to show on demand: fail before an effect, fail after it, never
 * return. What it accepts is plain to see in `logins`.
 */
import type { AcceptanceProof, Drift, RefusalProof, RetirementProof, Usage } from '../../src/domain/credential.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Material } from '../../src/stores/store.js';
import type { Holder, Scope, Subject, Target } from '../../src/targets/target.js';
import { Faults } from './faults.js';

type Method =
  | 'install'
  | 'uninstall'
  | 'verify'
  | 'usage'
  | 'retire'
  | 'refuse'
  | 'purge'
  | 'remove'
  | 'inspect'
  | 'mint'
  | 'bringRights';

/** Counts over all targets, so that no two credentials are ever the same. */
let minted = 0;

export class FakeTarget implements Target {
  readonly capabilities = { strategies: ['alternate', 'in-place'], observesUse: true } as const;
  /** Principal → password that is accepted. */
  readonly logins = new Map<string, string>();
  /** Principal → version of the credential that it last got; what was replaced in place is not retired again. */
  private readonly versions = new Map<string, string>();
  /** Identity → the scope that its rights were last brought to. */
  readonly rights = new Map<string, string>();
  readonly sessions = new Map<string, number>();
  readonly calls: string[] = [];
  /** By method, or by `<method> <identity>`. */
  readonly faults = new Faults();
  /** Highest epoch seen for an identity. */
  readonly epochs = new Map<string, number>();
  drift: Drift[] = [];
  excess: string[] = [];

  constructor(readonly name: string) {}

  checkScope(): [] {
    return [];
  }

  probe(): Promise<{ version: string; problems: string[] }> {
    return Promise.resolve({ version: 'fake', problems: [] });
  }

  nextPrincipal({ identity, strategy }: Subject, current?: Holder): string {
    return strategy === 'in-place' || current?.principal !== `${identity}_a` ? `${identity}_a` : `${identity}_b`;
  }

  mint(subject: Subject, principal: string): Promise<Material> {
    return this.act('mint', subject, () => ({ username: principal, password: `made-${++minted}` }));
  }

  install(subject: Subject, { principal, version }: Holder, material: Material): Promise<{ changed: string[] }> {
    return this.act('install', subject, () => {
      this.fence(subject);
      this.logins.set(principal, material['password']!);
      this.versions.set(principal, version);
      this.rights.set(subject.identity, JSON.stringify(subject.scope));
      return { changed: [`${principal} can log in`] };
    });
  }

  uninstall(
    subject: Subject,
    { principal, version }: Holder,
    before?: { holder: Holder; material: Material; scope: Scope },
  ): Promise<void> {
    return this.act('uninstall', subject, () => {
      this.fence(subject);
      if (this.versions.get(principal) === version) this.logins.delete(principal);
      if (before) this.rights.set(subject.identity, JSON.stringify(before.scope));
      if (before?.holder.principal !== principal) return;
      this.logins.set(principal, before.material['password']!);
      this.versions.set(principal, before.holder.version);
    });
  }

  verify(subject: Subject, material: Material): Promise<AcceptanceProof> {
    return this.act('verify', subject, () => {
      const principal = material['username']!;
      if (this.logins.get(principal) !== material['password'])
        throw new TenureError('VerificationFailed', `${principal} was refused`);
      return {
        principal,
        at: new Date().toISOString(),
        answer: `logged in as ${principal}`,
        excess: [...this.excess, ...this.otherThan(subject)],
        missing: [],
      };
    });
  }

  usage(subject: Subject, { principal }: Holder): Promise<Usage> {
    return this.act('usage', subject, () => ({
      principal,
      sessions: this.sessions.get(principal) ?? 0,
      at: new Date().toISOString(),
      who: ['someone'],
    }));
  }

  retire(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything'): Promise<RetirementProof> {
    return this.act('retire', subject, () => {
      this.fence(subject);
      const mine = [...this.logins.keys()].filter((principal) => principal.startsWith(`${subject.identity}_`));
      const named = holders.filter(({ principal, version }) => this.versions.get(principal) === version);
      const principals = reach === 'everything' ? mine : named.map(({ principal }) => principal);
      for (const principal of principals) this.logins.delete(principal);
      return { principals, at: new Date().toISOString(), sessionsEnded: 0 };
    });
  }

  refuse(subject: Subject, old: Material): Promise<RefusalProof> {
    return this.act('refuse', subject, () => {
      const principal = old['username']!;
      if (this.logins.get(principal) === old['password'])
        throw new TenureError('StillAccepted', `${principal} is still let in`);
      return { principal, at: new Date().toISOString(), code: '28P01', answer: 'refused', control: 'admin' };
    });
  }

  purge(subject: Subject): Promise<void> {
    return this.act('purge', subject, () => undefined);
  }

  remove(subject: Subject): Promise<string[]> {
    return this.act('remove', subject, () => {
      this.fence(subject);
      return [`no login of ${subject.identity} is left`];
    });
  }

  inspect(subject: Subject): Promise<Drift[]> {
    return this.act('inspect', subject, () => this.drift);
  }

  repair(): Promise<string[]> {
    const repaired = this.drift.map(({ detail }) => detail);
    this.drift = [];
    return Promise.resolve(repaired);
  }

  bringRights(subject: Subject, holders: readonly Holder[], sessions: 'keep' | 'end') {
    return this.act('bringRights', subject, () => {
      this.fence(subject);
      this.rights.set(subject.identity, JSON.stringify(subject.scope));
      const ended = sessions === 'end' ? holders.map(({ principal }) => this.sessions.get(principal) ?? 0) : [];
      if (sessions === 'end') for (const { principal } of holders) this.sessions.delete(principal);
      return {
        changed: [`rights are ${JSON.stringify(subject.scope)}`],
        sessionsEnded: ended.reduce((a, b) => a + b, 0),
      };
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Rights of another scope than the one that is asked about. */
  private otherThan({ identity, scope }: Subject): string[] {
    const has = this.rights.get(identity);
    return has === undefined || has === JSON.stringify(scope) ? [] : [`its rights are ${has}`];
  }

  private fence({ identity, epoch }: Subject): void {
    const seen = this.epochs.get(identity) ?? 0;
    if (epoch < seen) throw new TenureError('Fenced', `${identity}: epoch ${epoch} is over, ${seen} has begun`);
    this.epochs.set(identity, epoch);
  }

  private act<T>(method: Method, { identity }: Subject, effect: () => T): Promise<T> {
    this.calls.push(`${method} ${identity}`);
    return this.faults.act(method, identity, effect);
  }
}
