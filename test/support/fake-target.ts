/**
 * A target in memory, for faults that a real one cannot be made to show on demand: fail before an effect, fail after it, never
 * return. What it accepts is plain to see in `logins`.
 */
import type { AcceptanceProof, Drift, RefusalProof, RetirementProof, Usage } from '../../src/domain/credential.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Material } from '../../src/stores/store.js';
import type { Holder, Subject, Target } from '../../src/targets/target.js';

type Method =
  'install' | 'uninstall' | 'verify' | 'usage' | 'retire' | 'refuse' | 'purge' | 'remove' | 'inspect' | 'mint';

/** How a method misbehaves, for as many calls as `times` says. */
export interface Fault {
  readonly when: 'before' | 'after' | 'hang';
  times: number;
  readonly error?: TenureError;
}

export class FakeTarget implements Target {
  readonly capabilities = { strategies: ['alternate', 'in-place'], observesUse: true } as const;
  /** Principal → password that is accepted. */
  readonly logins = new Map<string, string>();
  readonly sessions = new Map<string, number>();
  readonly calls: string[] = [];
  readonly faults = new Map<Method, Fault>();
  /** Highest epoch seen for an identity. */
  readonly epochs = new Map<string, number>();
  drift: Drift[] = [];
  excess: string[] = [];
  private minted = 0;

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

  mint(_subject: Subject, principal: string): Promise<Material> {
    return this.act('mint', () => ({ username: principal, password: `made-${++this.minted}` }));
  }

  install(subject: Subject, { principal }: Holder, material: Material): Promise<{ changed: string[] }> {
    return this.act('install', () => {
      this.fence(subject);
      this.logins.set(principal, material['password']!);
      return { changed: [`${principal} can log in`] };
    });
  }

  uninstall(subject: Subject, { principal }: Holder, before?: { holder: Holder; material: Material }): Promise<void> {
    return this.act('uninstall', () => {
      this.fence(subject);
      this.logins.delete(principal);
      if (before) this.logins.set(before.holder.principal, before.material['password']!);
    });
  }

  verify(_subject: Subject, material: Material): Promise<AcceptanceProof> {
    return this.act('verify', () => {
      const principal = material['username']!;
      if (this.logins.get(principal) !== material['password'])
        throw new TenureError('VerificationFailed', `${principal} was refused`);
      return {
        principal,
        at: new Date().toISOString(),
        answer: `logged in as ${principal}`,
        excess: this.excess,
        missing: [],
      };
    });
  }

  usage(_subject: Subject, { principal }: Holder): Promise<Usage> {
    return this.act('usage', () => ({
      principal,
      sessions: this.sessions.get(principal) ?? 0,
      at: new Date().toISOString(),
      who: ['someone'],
    }));
  }

  retire(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything'): Promise<RetirementProof> {
    return this.act('retire', () => {
      this.fence(subject);
      const mine = [...this.logins.keys()].filter((principal) => principal.startsWith(`${subject.identity}_`));
      const principals = reach === 'everything' ? mine : holders.map(({ principal }) => principal);
      for (const principal of principals) this.logins.delete(principal);
      return { principals, at: new Date().toISOString(), sessionsEnded: 0 };
    });
  }

  refuse(_subject: Subject, old: Material): Promise<RefusalProof> {
    return this.act('refuse', () => {
      const principal = old['username']!;
      if (this.logins.get(principal) === old['password'])
        throw new TenureError('StillAccepted', `${principal} is still let in`);
      return { principal, at: new Date().toISOString(), code: '28P01', answer: 'refused', control: 'admin' };
    });
  }

  purge(): Promise<void> {
    return this.act('purge', () => undefined);
  }

  remove(subject: Subject): Promise<string[]> {
    return this.act('remove', () => {
      this.fence(subject);
      return [`no login of ${subject.identity} is left`];
    });
  }

  inspect(): Promise<Drift[]> {
    return this.act('inspect', () => this.drift);
  }

  repair(): Promise<string[]> {
    const repaired = this.drift.map(({ detail }) => detail);
    this.drift = [];
    return Promise.resolve(repaired);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private fence({ identity, epoch }: Subject): void {
    const seen = this.epochs.get(identity) ?? 0;
    if (epoch < seen) throw new TenureError('Fenced', `${identity}: epoch ${epoch} is over, ${seen} has begun`);
    this.epochs.set(identity, epoch);
  }

  private async act<T>(method: Method, effect: () => T): Promise<T> {
    this.calls.push(method);
    const fault = this.faults.get(method);
    if (!fault || fault.times <= 0) return effect();
    fault.times -= 1;
    if (fault.when === 'hang') return new Promise(() => {});
    if (fault.when === 'after') effect();
    throw fault.error ?? new TenureError('TargetUnavailable', `${this.name} did not answer`);
  }
}
