/**
 * The contract of a target: where a credential is accepted. Every mutating method is idempotent (it brings about a state;
 * it does not apply a difference), fenced by epoch inside the target itself where the target can hold one, touches only
 * what this tool minted, and treats "absent" as success when something has to go.
 *
 * Errors: `TargetUnavailable` (not reached, nothing changed), `OutcomeUnknown` (the answer was lost), `RejectedUnchanged`
 * (the target said no), `Fenced`, `InvalidRequest`. *Denied*, *unreachable* and *absent* are three different answers.
 */
import type { AcceptanceProof, Drift, RefusalProof, RetirementProof, Usage } from '../domain/credential.js';
import type { Strategy } from '../domain/identity.js';
import type { Material } from '../stores/store.js';

/** Target-specific description of rights, checked by {@link Target.checkScope}. */
export type Scope = Readonly<Record<string, unknown>>;

/** On whose behalf a method acts. */
export interface Subject {
  readonly identity: string;
  readonly operation: string;
  readonly epoch: number;
  readonly strategy: Strategy;
  readonly scope: Scope;
}

/** A credential at the target, by its login name and the operation that made it. */
export interface Holder {
  readonly principal: string;
  readonly version: string;
}

/** A field of a scope that the target cannot express. */
export interface ScopeProblem {
  /** Path inside the scope, e.g. `grants[0].may[1]`. */
  readonly path: string;
  readonly problem: string;
}

/** How often one right of a scope was seen in use. */
export interface RightUse {
  /** A scope with this right alone. */
  readonly right: Scope;
  /** Statements, calls, whatever the target counts; anything that may have used the right counts. */
  readonly calls: number;
  /** It is in use at this moment. */
  readonly isInUse: boolean;
}

/** What a target recorded of the use of rights. What cannot be told is unknown, and never taken for "not used". */
export type RecordedUse =
  | {
      readonly known: true;
      /** Is another one as soon as something of the record may have been lost. */
      readonly history: string;
      /** All calls of the identity. It falls only where something was lost. */
      readonly total: number;
      readonly rights: readonly RightUse[];
    }
  | {
      readonly known: false;
      /** Why, and what to do about it: one sentence. */
      readonly why: string;
    };

export interface Capabilities {
  readonly strategies: readonly Strategy[];
  /** Whether {@link Target.usage} sees who uses a credential, so that draining goes by evidence. */
  readonly observesUse: boolean;
}

export interface Target {
  /** The name that manifests use. */
  readonly name: string;
  readonly capabilities: Capabilities;

  /** What is wrong with a scope and an identity name for this target. Pure; asks nobody. */
  checkScope(identity: string, scope: Scope): readonly ScopeProblem[];

  /**
   * Says whether the target is reachable with the rights that this tool needs; each problem says what to grant. Remarks are about what can
   * be done without.
   */
  probe(): Promise<{
    readonly version: string;
    readonly problems: readonly string[];
    readonly remarks?: readonly string[];
  }>;

  /** The login name that the next credential gets. Pure. */
  nextPrincipal(subject: Subject, current?: Holder): string;

  /** Makes material for a credential. Has no effect at the target. */
  mint(subject: Subject, principal: string): Promise<Material>;

  /** Makes the target accept `material` as `principal` with exactly the scope's rights. */
  install(subject: Subject, holder: Holder, material: Material): Promise<{ readonly changed: readonly string[] }>;

  /**
   * The way back from {@link install}: `holder` is accepted no more, its sessions are ended, and the rights are those of
   * `before` again. With `in-place` the `before` material is accepted again. Harmless when nothing was installed.
   */
  uninstall(
    subject: Subject,
    holder: Holder,
    before?: { readonly holder: Holder; readonly material: Material; readonly scope: Scope },
  ): Promise<void>;

  /** Logs in for real and reads back the effective rights. Throws `VerificationFailed` only when refused; differences are in the proof. */
  verify(subject: Subject, material: Material): Promise<AcceptanceProof>;

  /** Who uses a credential now. */
  usage(subject: Subject, holder: Holder): Promise<Usage>;

  /**
   * Disables these credentials, ends their live sessions and checks that none is left.
   * `everything`: every login ever minted for the identity, also those that the state does not name (emergency, offboard).
   */
  retire(subject: Subject, holders: readonly Holder[], reach: 'these' | 'everything'): Promise<RetirementProof>;

  /**
   * Proves that `old` is refused for the right reason while a good credential (`control`, or the administrator) is accepted
   * at the same moment. Throws `StillAccepted` when it is let in, `TargetUnavailable` when nobody is.
   */
  refuse(subject: Subject, old: Material, control?: Material): Promise<RefusalProof>;

  /**
   * Removes what is left of these retired credentials. With `alternate` the idle login may stay, disabled and without password.
   * `everything`: also rights beyond the scope, which an emergency may have left lent.
   */
  purge(subject: Subject, holders: readonly Holder[], reach?: 'these' | 'everything'): Promise<void>;

  /** Removes the whole identity and gives back sentences that prove that nothing answers to it. */
  remove(subject: Subject): Promise<readonly string[]>;

  /** Compares the target with what the state names. `expected` are the holders that have to be accepted; none means none. */
  inspect(subject: Subject, expected: readonly Holder[]): Promise<readonly Drift[]>;

  /**
   * Which rights of the scope were used, as far as the target's own record reaches; absent where targets of this type keep none. What a
   * login did counts as used, and so does what it may have done.
   */
  recordedUse?(subject: Subject): Promise<RecordedUse>;

  /** Brings rights, memberships and attributes back to the scope, and disables logins that the state does not name. */
  repair(subject: Subject, expected: readonly Holder[]): Promise<readonly string[]>;

  /**
   * Brings the rights of the identity to the scope, no more and no less, and changes no login. With `sessions: 'end'` all of
   * them that began before are ended afterwards, since a session may hold on to what it had; what can be taken away is, also where some of it
   * cannot, which is then thrown as `UnwindFailed`. With `keep` it is all or nothing: `RejectedUnchanged`.
   */
  bringRights(
    subject: Subject,
    holders: readonly Holder[],
    sessions: 'keep' | 'end',
  ): Promise<{ readonly changed: readonly string[]; readonly sessionsEnded: number }>;

  /** Ends pooled connections. */
  close(): Promise<void>;
}
