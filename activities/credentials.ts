/**
 * Makes, moves and ends credentials. Material lives here, in memory, and in stores; only references leave. Every method
 * brings about a state, so that trying again is always safe.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  AcceptanceProof,
  CredentialRecord,
  DrainProof,
  Drift,
  Fence,
  RefusalProof,
} from '../src/domain/credential.js';
import { clip, clipLines, clipList } from '../src/domain/clip.js';
import { TenureError } from '../src/domain/errors.js';
import type { Delivery, IdentitySpec } from '../src/domain/identity.js';
import { drainPace, quietSince, type DrainMemory } from '../src/domain/drain.js';
import { identityId } from '../src/domain/wire.js';
import type { Material, Store, StoreEntry } from '../src/stores/store.js';
import type { Holder, Subject, Target } from '../src/targets/target.js';
import type { Change, CredentialActivities } from './contract.js';

export interface CredentialDependencies {
  target(name: string): Target;
  store(name: string): Store;
}

export function createCredentialActivities(deps: CredentialDependencies): CredentialActivities {
  return {
    async stage(change) {
      const { spec, from } = change;
      const target = deps.target(spec.target.name);
      const subject = subjectOf(change);
      if (from) await mustBeKept(deps, change, from);
      const current = from && from.target === target.name ? holderOf(from) : undefined;
      const principal = target.nextPrincipal(subject, current);
      const [first, ...others] = deliveriesOf(spec);
      const record = await deps
        .store(first.store)
        .stage(first.path, fenceOf(change), () => target.mint(subject, principal));
      const { material } = await deps.store(first.store).read(first.path, { version: change.operation });
      for (const { store, path } of others)
        await deps.store(store).stage(path, fenceOf(change), () => Promise.resolve(material));
      return {
        version: record.version,
        target: target.name,
        principal,
        fingerprint: record.fingerprint,
        deliveries: spec.deliver,
        createdAt: record.createdAt,
      };
    },

    async discard(change) {
      await eachDelivery(deps, change, (store, path) => store.discard(path, fenceOf(change)));
    },

    async install(change) {
      const to = candidateOf(change);
      const { changed } = await deps
        .target(to.target)
        .install(subjectOf(change), holderOf(to), await materialOf(deps, to));
      return { changed: clipLines(changed) };
    },

    async uninstall(change) {
      const { to, from } = change;
      if (!to) return;
      const target = deps.target(to.target);
      const before = from && from.target === to.target ? await whatWasBefore(deps, change, from) : undefined;
      await target.uninstall(subjectOf(change), holderOf(to), before);
    },

    async verify(change) {
      const credential = change.to ?? currentOf(change);
      const proof = await deps.target(credential.target).verify(subjectOf(change), await materialOf(deps, credential));
      refuseDifferences(change.identity, proof);
      return proof;
    },

    async publish(change) {
      await eachDelivery(deps, change, (store, path) => store.publish(path, fenceOf(change)));
    },

    async withdraw(change) {
      await eachDelivery(deps, change, (store, path) => store.withdraw(path, fenceOf(change)));
    },

    async drain(change) {
      const { from, to, startedAt, deadline } = change;
      if (!from || from.principal === to?.principal) return nothingToDrain(change, startedAt);
      const usage = await deps.target(from.target).usage(subjectOf(change, from), holderOf(from));
      const memory: DrainMemory = { startedAt, deadline, ...heartbeatMemory() };
      const verdict = drainPace(memory, usage.sessions, Date.now());
      if (verdict.done)
        return {
          ...usage,
          drained: verdict.drained,
          waitedMs: Date.now() - Date.parse(startedAt),
        } satisfies DrainProof;
      Context.current().heartbeat({ lastUse: quietSince(memory, usage.sessions, Date.now()) });
      throw ApplicationFailure.create({
        type: 'StillInUse',
        message: `${from.principal} has ${usage.sessions} session(s); watching until ${deadline}`,
        nextRetryDelay: verdict.lookAgainMs,
        category: 'BENIGN',
      });
    },

    async retire(change) {
      // The target comes first and fences itself, so that a store that is down never holds up a revocation.
      const proofs = await Promise.all(
        targetsOf(change).map((target) =>
          deps.target(target).retire(subjectOf(change), holdersAt(target, retiring(change)), change.reach),
        ),
      );
      await eachDelivery(deps, change, (store, path) => store.raise(path, fenceOf(change)));
      return {
        principals: proofs.flatMap(({ principals }) => principals),
        at: new Date().toISOString(),
        sessionsEnded: proofs.reduce((sum, { sessionsEnded }) => sum + sessionsEnded, 0),
      };
    },

    async refuse(change) {
      const good = change.reach === 'these' && change.to ? await materialOf(deps, change.to) : undefined;
      const attempts = await materialsToRefuse(deps, change);
      return Promise.all(
        attempts.map(({ target, material }): Promise<RefusalProof> =>
          deps.target(target).refuse(subjectOf(change), material, sameTarget(change, target) ? good : undefined),
        ),
      );
    },

    async purge(change) {
      const leaving = retiring(change).filter(
        (credential) => change.reach === 'everything' || !isSameLogin(credential, change.to),
      );
      for (const target of targetsOf(change))
        await deps.target(target).purge(subjectOf(change), holdersAt(target, leaving));
      const versions = retiring(change).map(({ version }) => version);
      await eachDelivery(deps, change, (store, path) =>
        change.reach === 'everything'
          ? store.clear(path, fenceOf(change))
          : store.purge(path, fenceOf(change), versions),
      );
      await purgeLeftDeliveries(deps, change);
      for (const target of leftTargets(change)) await deps.target(target).remove(subjectOf(change));
    },

    async remove(change) {
      const sentences: string[] = [];
      for (const target of targetsOf(change)) sentences.push(...(await deps.target(target).remove(subjectOf(change))));
      await eachDelivery(deps, change, (store, path) => store.clear(path, fenceOf(change)));
      for (const { store, path } of change.spec.deliver)
        sentences.push(emptiness(await deps.store(store).describe(path), store, path));
      return clipLines(sentences);
    },

    async inspect(change) {
      const expected = change.from ? [holderOf(change.from)] : [];
      const atTarget = await deps.target(change.spec.target.name).inspect(subjectOf(change), expected);
      // A table of thousands of wrong grants is one finding; the record of it has to stay small.
      return clipDrift([...(await storeDrift(deps, change)), ...atTarget]);
    },

    async repair(change) {
      const expected = change.from ? [holderOf(change.from)] : [];
      return clipLines(await deps.target(change.spec.target.name).repair(subjectOf(change), expected));
    },

    async lastEpoch(spec) {
      const entries = await Promise.all(spec.deliver.map(({ store, path }) => deps.store(store).describe(path)));
      return Math.max(0, ...entries.map(({ epoch }) => epoch));
    },
  };
}

function fenceOf({ operation, epoch }: Change): Fence {
  return { operation, epoch };
}

/** With `credential`: the scope under which that one was made. */
function subjectOf(change: Change, credential?: CredentialRecord): Subject {
  const spec = credential && credential === change.from ? (change.specBefore ?? change.spec) : change.spec;
  return {
    identity: change.identity,
    operation: change.operation,
    epoch: change.epoch,
    strategy: spec.rotation.strategy,
    scope: spec.target.scope,
  };
}

function holderOf({ principal, version }: CredentialRecord): Holder {
  return { principal, version };
}

function candidateOf({ to, identity }: Change): CredentialRecord {
  if (!to) throw new TenureError('InvalidRequest', `${identity}: no candidate has been staged`);
  return to;
}

function currentOf({ from, identity }: Change): CredentialRecord {
  if (!from) throw new TenureError('InvalidRequest', `${identity} has no credential; make one with: tenure apply`);
  return from;
}

function deliveriesOf(spec: IdentitySpec): [Delivery, ...Delivery[]] {
  const [first, ...others] = spec.deliver;
  if (!first) throw new TenureError('InvalidRequest', `${spec.name}: deliver names no store; add one in the manifest`);
  return [first, ...others];
}

async function materialOf(deps: CredentialDependencies, { deliveries, version }: CredentialRecord): Promise<Material> {
  const first = deliveries[0]!;
  return (await deps.store(first.store).read(first.path, { version })).material;
}

async function eachDelivery(
  deps: CredentialDependencies,
  { spec }: Change,
  act: (store: Store, path: string) => Promise<StoreEntry>,
): Promise<void> {
  for (const { store, path } of spec.deliver) await act(deps.store(store), path);
}

async function whatWasBefore(deps: CredentialDependencies, change: Change, from: CredentialRecord) {
  const scope = (change.specBefore ?? change.spec).target.scope;
  return { holder: holderOf(from), material: await materialOf(deps, from), scope };
}

/** The targets that may accept what ends; without `these`, also the one that is declared. */
function targetsOf(change: Change & { readonly reach?: 'these' | 'everything' }): string[] {
  const going = retiring(change).map(({ target }) => target);
  return [...new Set(change.reach === 'these' ? going : [change.spec.target.name, ...going])];
}

/** The credentials that end: the one that is replaced or revoked, and what an unfinished process left. */
function retiring({ from, previous = [] }: Change): CredentialRecord[] {
  return [...(from ? [from] : []), ...previous];
}

function holdersAt(target: string, credentials: readonly CredentialRecord[]): Holder[] {
  return credentials.filter((credential) => credential.target === target).map(holderOf);
}

function isSameLogin(one: CredentialRecord, other: CredentialRecord | undefined): boolean {
  return one.target === other?.target && one.principal === other.principal;
}

function sameTarget({ to }: Change, target: string): boolean {
  return to?.target === target;
}

/** Every material that must be refused now and that is still known, so that it can be tried. */
async function materialsToRefuse(
  deps: CredentialDependencies,
  change: Change & { readonly reach: 'these' | 'everything' },
): Promise<{ target: string; material: Material }[]> {
  const { from, spec } = change;
  const kept = await everythingKept(deps, change);
  // What is replaced has to be tried: a proof without it would prove nothing.
  if (change.reach === 'these' && from) kept.set(from.version, await materialOf(deps, from));
  const going = retiring(change);
  return [...kept].flatMap(([version, material]) => {
    const credential = going.find((one) => one.version === version);
    if (change.reach === 'these' && !credential) return [];
    return [{ target: credential?.target ?? spec.target.name, material }];
  });
}

/** By version: all material of the identity, also where it was delivered before. */
async function everythingKept(deps: CredentialDependencies, change: Change): Promise<Map<string, Material>> {
  const kept = new Map<string, Material>();
  for (const { store: name, path } of [...change.spec.deliver, ...leftDeliveries(change)]) {
    const store = deps.store(name);
    for (const version of versionsOf(await store.describe(path)))
      if (!kept.has(version) && isOurs(change, version))
        kept.set(version, (await store.read(path, { version })).material);
  }
  return kept;
}

/** Where credentials that end were delivered, and what is declared no more. */
function leftDeliveries(change: Change): Delivery[] {
  const declared = new Set(change.spec.deliver.map(({ store, path }) => `${store}:${path}`));
  return retiring(change)
    .flatMap(({ deliveries }) => deliveries)
    .filter(({ store, path }) => !declared.has(`${store}:${path}`));
}

/**
 * A delivery that is declared no more loses our material. Another identity may have been given the path since: what is not ours
 * is neither destroyed nor fenced.
 */
async function purgeLeftDeliveries(deps: CredentialDependencies, change: Change): Promise<void> {
  for (const { store: name, path } of leftDeliveries(change)) {
    const store = deps.store(name);
    const versions = versionsOf(await store.describe(path)).filter((version) => isOurs(change, version));
    if (versions.length > 0) await store.purge(path, fenceOf(change), versions);
  }
}

/** Targets that the identity has moved away from: once its credentials there are dead, nothing of it stays behind. */
function leftTargets(change: Change): string[] {
  const { to, spec } = change;
  return to ? targetsOf(change).filter((target) => target !== spec.target.name) : [];
}

function versionsOf({ slots }: StoreEntry): string[] {
  return Object.values(slots).map(({ version }) => version);
}

/** A version is the operation that made it, and says for whom. */
function isOurs({ identity }: Change, version: string): boolean {
  return version.startsWith(`${identityId(identity)}/`);
}

/** Without its material nobody can prove that the old credential is refused: that has to be known before anything is touched. */
async function mustBeKept(deps: CredentialDependencies, { identity }: Change, from: CredentialRecord): Promise<void> {
  const { store, path } = from.deliveries[0]!;
  const kept = versionsOf(await deps.store(store).describe(path));
  if (kept.includes(from.version)) return;
  throw new TenureError(
    'InvalidRequest',
    `${store}:${path} has lost the current credential of ${identity}, so its refusal could not be proven. End it with: tenure revoke ${identity}; then make a new one with: tenure apply --reinstate`,
  );
}

/** Where old and new log in by the same name there is nobody to wait for: the old secret is dead already. */
function nothingToDrain({ to, from }: Change, startedAt: string): DrainProof {
  return {
    principal: (from ?? to)?.principal ?? 'nobody',
    sessions: 0,
    at: startedAt,
    who: [],
    drained: true,
    waitedMs: 0,
  };
}

function heartbeatMemory(): { readonly lastUse?: number } {
  const details: unknown = Context.current().info.heartbeatDetails;
  return typeof details === 'object' && details !== null && 'lastUse' in details && typeof details.lastUse === 'number'
    ? { lastUse: details.lastUse }
    : {};
}

function refuseDifferences(identity: string, { excess, missing }: AcceptanceProof): void {
  const problems = [
    ...excess.map((right) => `more than approved: ${right}`),
    ...missing.map((right) => `less than approved: ${right}`),
  ];
  if (problems.length > 0)
    throw new TenureError(
      'VerificationFailed',
      `${identity} logged in, but its rights are not the approved scope: ${clipLines(problems, 10).join('; ')}`,
    );
}

function clipDrift(drift: readonly Drift[]): Drift[] {
  const rest = (left: number): Drift => ({ what: 'object', problem: 'changed', detail: `and ${left} more` });
  return clipList(drift, rest).map((one) => ({ ...one, detail: clip(one.detail, 400) }));
}

/** What stores hold that the state does not name. */
async function storeDrift(deps: CredentialDependencies, { spec, from }: Change): Promise<Drift[]> {
  const drift: Drift[] = [];
  for (const { store, path } of spec.deliver) {
    const { current } = (await deps.store(store).describe(path)).slots;
    if (current?.version === from?.version) continue;
    const holds = current ? `version ${current.version}` : 'no credential';
    drift.push({
      what: 'object',
      problem: 'changed',
      detail: `${store}:${path} holds ${holds}, the state names ${from?.version ?? 'none'}`,
    });
  }
  return drift;
}

function emptiness({ slots }: StoreEntry, store: string, path: string): string {
  const left = Object.keys(slots);
  if (left.length > 0) throw new TenureError('StoreUnavailable', `${store}:${path} still holds ${left.join(', ')}`);
  return `${store}:${path} holds no credential`;
}
