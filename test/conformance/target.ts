/**
 * The contract of a target as tests: one suite for every connector, run against the real system. Each case stands for a
 * sentence of `src/targets/target.ts`. A connector brings its system; what only that system has is tested beside it.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Strategy } from '../../src/domain/identity.js';
import type { Material } from '../../src/stores/store.js';
import type { Holder, Scope, Subject, Target } from '../../src/targets/target.js';

/** A session of a credential at the real system. */
export interface LiveSession {
  /** Whether the system still answers it. */
  isAlive(): Promise<boolean>;
  close(): Promise<void>;
}

/** What the suite needs of a connector and its system. */
export interface TargetUnderTest {
  /** A target at the running system. */
  open(): Target;
  /** The same connector, aimed at a place where nothing answers. */
  openUnreachable(): Target;
  /** Rights that the system can give. */
  readonly scope: Scope;
  /** Fewer rights than {@link scope}. */
  readonly narrower: Scope;
  /** A scope that cannot be expressed, and the path of the fault. */
  readonly wrong: { readonly scope: Scope; readonly path: string };
  /** Logs in without the target's help, and stays. Rejects when refused. */
  logIn(material: Material): Promise<LiveSession>;
  /** Gives the identity a right that {@link scope} does not name, as a person would by hand; undefined where that cannot be. */
  readonly grantByHand?: (identity: string) => Promise<void>;
  /** All that the system logged; undefined where it logs nothing. */
  readonly log?: () => Promise<string>;
  /** Frees what {@link open} and the system took. */
  close?(): Promise<void>;
}

interface Minted {
  readonly subject: Subject;
  readonly holder: Holder;
  readonly material: Material;
}

/** Runs the suite once for each strategy that the target has. `start` gives a reason where the system cannot be had. */
export function conformanceTarget(
  title: string,
  start: () => Promise<TargetUnderTest | { unavailable: string }>,
): void {
  describe(title, async () => {
    const system = await start();
    if ('unavailable' in system) return void it('on its system', { skip: true, meta: { skipped: system.unavailable } });
    afterAll(() => system.close?.());
    const { strategies } = system.open().capabilities;
    for (const strategy of strategies) describe(strategy, () => void suite(system, strategy));
  });
}

let count = 0;

function suite(system: TargetUnderTest, strategy: Strategy): void {
  let target: Target;
  const minted: Material[] = [];

  beforeAll(() => {
    target = system.open();
  });
  afterAll(() => target.close());

  const newIdentity = () => `conform-${strategy}-${(count += 1)}-${randomBytes(3).toString('hex')}`;
  const subjectOf = (identity: string, epoch: number, scope = system.scope): Subject => ({
    identity,
    operation: `nhi/${identity}/test/${epoch}`,
    epoch,
    strategy,
    scope,
  });
  const mint = async (subject: Subject, current?: Holder): Promise<Minted> => {
    const principal = target.nextPrincipal(subject, current);
    const material = await target.mint(subject, principal);
    minted.push(material);
    return { subject, holder: { principal, version: subject.operation }, material };
  };
  const install = async (subject: Subject, current?: Holder): Promise<Minted> => {
    const made = await mint(subject, current);
    await target.install(subject, made.holder, made.material);
    return made;
  };
  const provision = (identity = newIdentity()) => install(subjectOf(identity, 1));
  const isAccepted = (material: Material) =>
    system.logIn(material).then(
      async (session) => {
        await session.close();
        return true;
      },
      () => false,
    );
  const before = ({ holder, material, subject }: Minted) => ({ holder, material, scope: subject.scope });

  it('accepts a scope that it can express, and names the field of one that it cannot', () => {
    expect(target.checkScope('payments-db', system.scope)).toEqual([]);
    expect(target.checkScope('payments-db', system.narrower)).toEqual([]);
    expect(target.checkScope('payments-db', system.wrong.scope).map(({ path }) => path)).toContain(system.wrong.path);
  });

  it('says that it is reachable and lacks nothing', async () => {
    const { version, problems } = await target.probe();
    expect(problems).toEqual([]);
    expect(version).not.toBe('');
  });

  it('mints a new secret each time, and minting has no effect', async () => {
    const first = await mint(subjectOf(newIdentity(), 1));
    const second = await mint(first.subject);
    expect(first.material).not.toEqual(second.material);
    expect(await isAccepted(first.material)).toBe(false);
  });

  it('accepts what it installed, with the rights of the scope, no more and no less', async () => {
    const { subject, holder, material } = await provision();
    const proof = await target.verify(subject, material);
    expect(proof).toMatchObject({ principal: holder.principal, excess: [], missing: [] });
    expect(proof.answer).not.toBe('');
    expect(await isAccepted(material)).toBe(true);
  });

  it('changes nothing when it installs the same credential again', async () => {
    const { subject, holder, material } = await provision();
    expect(await target.install(subject, holder, material)).toEqual({ changed: [] });
    expect(await target.verify(subject, material)).toMatchObject({ excess: [], missing: [] });
  });

  it('reaches the same state when two attempts of one operation install at once', async () => {
    const { subject, holder, material } = await mint(subjectOf(newIdentity(), 1));
    await Promise.all([1, 2, 3].map(() => target.install(subject, holder, material)));
    expect(await target.inspect(subject, [holder])).toEqual([]);
    expect(await isAccepted(material)).toBe(true);
  });

  it('installs for many identities at once', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => provision()));
    for (const { subject, material } of all)
      expect(await target.verify(subject, material)).toMatchObject({ missing: [] });
  });

  it('says that a credential which was never installed is refused', async () => {
    const { subject, material } = await mint(subjectOf(newIdentity(), 1));
    expect(await failureOf(target.verify(subject, material))).toMatchObject({ code: 'VerificationFailed' });
  });

  it('keeps the current credential working while the next is installed, where two can live', async () => {
    const current = await provision();
    const next = await install(subjectOf(current.subject.identity, 2), current.holder);
    expect(await isAccepted(next.material)).toBe(true);
    expect(await isAccepted(current.material)).toBe(strategy !== 'in-place');
  });

  it('takes an installation back: the new is refused, its sessions are ended, the old works as before', async () => {
    const current = await provision();
    const { identity } = current.subject;
    const next = await install(subjectOf(identity, 2, system.narrower), current.holder);
    const session = await system.logIn(next.material);
    for (const _ of ['once', 'twice']) await target.uninstall(next.subject, next.holder, before(current));
    expect(await isAccepted(next.material)).toBe(false);
    expect(await session.isAlive()).toBe(strategy === 'in-place');
    await session.close();
    const again = subjectOf(identity, 2);
    expect(await target.verify(again, current.material)).toMatchObject({ excess: [], missing: [] });
    expect(await target.inspect(again, [current.holder])).toEqual([]);
  });

  it('takes back a first installation, and one that never happened', async () => {
    const { subject, holder, material } = await provision();
    for (const _ of ['once', 'twice']) await target.uninstall(subject, holder);
    expect(await isAccepted(material)).toBe(false);
    expect(await target.inspect(subject, [])).toEqual([]);
    const never = await mint(subjectOf(newIdentity(), 1));
    await target.uninstall(never.subject, never.holder);
    expect(await target.inspect(never.subject, [])).toEqual([]);
  });

  it('leaves the current credential alone when it takes back what was never installed', async () => {
    const current = await provision();
    const next = await mint(subjectOf(current.subject.identity, 2), current.holder);
    await target.uninstall(next.subject, next.holder, before(current));
    expect(await target.verify(subjectOf(current.subject.identity, 2), current.material)).toMatchObject({
      missing: [],
    });
  });

  it('sees who uses a credential, and that nobody does any more', async (context) => {
    if (!target.capabilities.observesUse) return context.skip('this target does not see who uses a credential');
    const { subject, holder, material } = await provision();
    expect(await target.usage(subject, holder)).toMatchObject({ principal: holder.principal, sessions: 0, who: [] });
    const session = await system.logIn(material);
    const usage = await target.usage(subject, holder);
    expect(usage.sessions).toBe(1);
    expect(usage.who).toHaveLength(1);
    await session.close();
    await expect.poll(async () => (await target.usage(subject, holder)).sessions).toBe(0);
  });

  it('retires the old credential and ends its sessions; the new one and its sessions go on', async () => {
    const old = await provision();
    const oldSession = await system.logIn(old.material);
    const next = await install(subjectOf(old.subject.identity, 2), old.holder);
    const newSession = await system.logIn(next.material);
    const proof = await target.retire(next.subject, [old.holder], 'these');
    expect(await isAccepted(old.material)).toBe(false);
    expect(await isAccepted(next.material)).toBe(true);
    expect(await newSession.isAlive()).toBe(true);
    // What was replaced in place is dead already, and its sessions cannot be told from those of the new credential.
    const isReplaced = strategy === 'in-place';
    expect(proof.principals).toEqual(isReplaced ? [] : [old.holder.principal]);
    expect(proof.sessionsEnded).toBe(isReplaced ? 0 : 1);
    expect(await oldSession.isAlive()).toBe(isReplaced);
    expect((await target.retire(next.subject, [old.holder], 'these')).sessionsEnded).toBe(0);
    await Promise.all([oldSession.close(), newSession.close()]);
  });

  it('treats the retirement and the purge of what is absent as done', async () => {
    const { subject, holder } = await mint(subjectOf(newIdentity(), 1));
    expect(await target.retire(subject, [holder], 'these')).toMatchObject({ sessionsEnded: 0 });
    await target.purge(subject, [holder]);
    expect(await target.inspect(subject, [])).toEqual([]);
  });

  it('retires every login that was ever minted for the identity, also those that nobody names', async () => {
    const first = await provision();
    const second = await install(subjectOf(first.subject.identity, 2), first.holder);
    const session = await system.logIn(second.material);
    const emergency = subjectOf(first.subject.identity, 3);
    const proof = await target.retire(emergency, [], 'everything');
    expect(proof.sessionsEnded).toBe(1);
    expect(proof.principals).toContain(second.holder.principal);
    for (const { material } of [first, second]) expect(await isAccepted(material)).toBe(false);
    expect(await session.isAlive()).toBe(false);
    expect(await target.retire(emergency, [], 'everything')).toMatchObject({ sessionsEnded: 0 });
    await session.close();
  });

  it('proves that a retired credential is refused while a good one is accepted', async () => {
    const old = await provision();
    const next = await install(subjectOf(old.subject.identity, 2), old.holder);
    await target.retire(next.subject, [old.holder], 'these');
    const proof = await target.refuse(next.subject, old.material, next.material);
    expect(proof).toMatchObject({ principal: old.holder.principal, control: next.holder.principal });
    expect(proof.code).not.toBe('');
    await target.purge(next.subject, [old.holder]);
    const withoutControl = await target.refuse(next.subject, old.material);
    expect(withoutControl.control).not.toBe('');
  });

  it('says that a credential is still accepted, and never proves a refusal where nobody is let in', async () => {
    const { subject, material } = await provision();
    expect(await failureOf(target.refuse(subject, material))).toMatchObject({ code: 'StillAccepted' });
    const unreachable = system.openUnreachable();
    expect(await failureOf(unreachable.refuse(subject, material))).toMatchObject({ code: 'TargetUnavailable' });
    await unreachable.close();
  });

  it('purges what is retired, twice, and the current credential goes on', async () => {
    const old = await provision();
    const next = await install(subjectOf(old.subject.identity, 2), old.holder);
    await target.retire(next.subject, [old.holder], 'these');
    for (const _ of ['once', 'twice']) await target.purge(next.subject, [old.holder]);
    expect(await isAccepted(old.material)).toBe(false);
    expect(await target.inspect(next.subject, [next.holder])).toEqual([]);
    expect(await target.verify(next.subject, next.material)).toMatchObject({ excess: [], missing: [] });
  });

  it('rotates again and again without leaving anything behind', async () => {
    let current = await provision();
    for (let epoch = 2; epoch <= 5; epoch += 1) {
      const next = await install(subjectOf(current.subject.identity, epoch), current.holder);
      await target.retire(next.subject, [current.holder], 'these');
      await target.purge(next.subject, [current.holder]);
      current = next;
      expect(await target.inspect(current.subject, [current.holder])).toEqual([]);
    }
    expect(await isAccepted(current.material)).toBe(true);
  });

  it('changes nothing for an operation of an older epoch', async () => {
    const { subject, holder, material } = await install(subjectOf(newIdentity(), 5));
    const zombie = await mint(subjectOf(subject.identity, 4), holder);
    const attempts = [
      () => target.install(zombie.subject, zombie.holder, zombie.material),
      () => target.uninstall(zombie.subject, holder),
      () => target.retire(zombie.subject, [holder], 'these'),
      () => target.retire(zombie.subject, [holder], 'everything'),
      () => target.purge(zombie.subject, [holder]),
      () => target.repair(zombie.subject, []),
      () => target.remove(zombie.subject),
    ];
    for (const late of attempts) expect(await failureOf(late())).toMatchObject({ code: 'Fenced' });
    expect(await target.inspect(subject, [holder])).toEqual([]);
    expect(await isAccepted(material)).toBe(true);
    expect(await isAccepted(zombie.material)).toBe(false);
  });

  it('fences an installation that comes after the emergency which pre-empted it', async () => {
    const late = await mint(subjectOf(newIdentity(), 1));
    await target.retire(subjectOf(late.subject.identity, 2), [], 'everything');
    expect(await failureOf(target.install(late.subject, late.holder, late.material))).toMatchObject({ code: 'Fenced' });
    expect(await isAccepted(late.material)).toBe(false);
  });

  it('reports a login that the state does not name, one that is missing, and one that was replaced', async () => {
    const { subject, holder } = await provision();
    expect(await target.inspect(subject, [])).toMatchObject([{ what: 'login', problem: 'excess' }]);
    const other = { principal: holder.principal, version: 'another' };
    expect(await target.inspect(subject, [other])).toMatchObject([{ what: 'login', problem: 'changed' }]);
    const absent = await mint(subjectOf(newIdentity(), 1));
    expect(await target.inspect(absent.subject, [absent.holder])).toMatchObject([
      { what: 'login', problem: 'missing' },
    ]);
    expect(await target.inspect(absent.subject, [])).toEqual([]);
  });

  it('disables a login that the state does not name when it repairs, and says so', async () => {
    const { subject, material } = await provision();
    const session = await system.logIn(material);
    expect(await target.repair(subject, [])).toHaveLength(1);
    expect(await target.repair(subject, [])).toEqual([]);
    expect(await isAccepted(material)).toBe(false);
    expect(await session.isAlive()).toBe(false);
    await session.close();
    expect(await target.inspect(subject, [])).toEqual([]);
  });

  it('finds a right that was given by hand, and takes it back when it repairs', async (context) => {
    if (!system.grantByHand) return context.skip('nobody can give a right by hand at this system');
    const { subject, holder, material } = await provision();
    await system.grantByHand(subject.identity);
    expect((await target.verify(subject, material)).excess).toHaveLength(1);
    expect(await target.inspect(subject, [holder])).toMatchObject([{ what: 'right', problem: 'excess' }]);
    expect(await target.repair(subject, [holder])).toHaveLength(1);
    expect(await target.inspect(subject, [holder])).toEqual([]);
    expect(await target.verify(subject, material)).toMatchObject({ excess: [], missing: [] });
  });

  it('puts drift right before a turn, and lists it', async (context) => {
    if (!system.grantByHand) return context.skip('nobody can give a right by hand at this system');
    const current = await provision();
    await system.grantByHand(current.subject.identity);
    const next = await mint(subjectOf(current.subject.identity, 2), current.holder);
    const { changed } = await target.install(next.subject, next.holder, next.material);
    expect(changed.length).toBeGreaterThan(0);
    expect(await target.verify(next.subject, next.material)).toMatchObject({ excess: [], missing: [] });
  });

  it('follows a scope that got narrower, and finds what it lacks when it gets wider', async () => {
    const { subject, holder, material } = await provision();
    const narrow = subjectOf(subject.identity, 2, system.narrower);
    expect((await target.verify(narrow, material)).excess.length).toBeGreaterThan(0);
    const next = await install(narrow, holder);
    expect(await target.verify(narrow, next.material)).toMatchObject({ excess: [], missing: [] });
    expect((await target.verify(subject, next.material)).missing.length).toBeGreaterThan(0);
  });

  it('removes an identity and proves that nothing answers to it, twice', async () => {
    const other = await provision();
    const { subject, material } = await provision();
    const session = await system.logIn(material);
    const last = subjectOf(subject.identity, 2);
    for (const _ of ['once', 'twice']) expect((await target.remove(last)).length).toBeGreaterThan(0);
    expect(await isAccepted(material)).toBe(false);
    expect(await session.isAlive()).toBe(false);
    await session.close();
    expect(await target.inspect(last, [])).toEqual([]);
    expect(await isAccepted(other.material)).toBe(true);
  });

  it('says that it was not reached, whatever is asked of it', async () => {
    const { subject, holder, material } = await mint(subjectOf(newIdentity(), 1));
    const gone = system.openUnreachable();
    const asked = [
      () => gone.probe(),
      () => gone.install(subject, holder, material),
      () => gone.uninstall(subject, holder),
      () => gone.verify(subject, material),
      () => gone.usage(subject, holder),
      () => gone.retire(subject, [holder], 'these'),
      () => gone.retire(subject, [holder], 'everything'),
      () => gone.refuse(subject, material),
      () => gone.purge(subject, [holder]),
      () => gone.remove(subject),
      () => gone.inspect(subject, [holder]),
      () => gone.repair(subject, [holder]),
    ];
    for (const ask of asked) {
      const error = await failureOf(ask());
      expect(error).toMatchObject({ code: 'TargetUnavailable' });
      expect(error.message).not.toContain(material.password ?? 'no password');
    }
    await gone.close();
  });

  it('never lets a secret into the log of the system', async (context) => {
    if (!system.log) return context.skip('this system logs nothing');
    const log = await system.log();
    expect(log).not.toBe('');
    const secrets = minted.flatMap((material) => [material.password, material.url]).filter((it) => it !== undefined);
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([]);
  });
}

/** What a call failed with; what it gave, where it did not fail, so that the assertion shows it. */
async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    (value) => new Error(`it did not fail, and gave ${JSON.stringify(value)}`),
    (error: unknown) => error as Error,
  );
}
