/** Ends credentials: waits until nobody uses them, disables, proves the refusal, destroys. */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { clipLines } from '../../src/domain/clip.js';
import { TenureError } from '../../src/domain/errors.js';
import { type DrainMemory, drainPace, quietSince } from '../../src/domain/drain.js';
import { identityId } from '../../src/domain/wire.js';
import type { CredentialRecord, DrainProof, RefusalProof } from '../../src/domain/credential.js';
import type { Delivery } from '../../src/domain/identity.js';
import type { Material, Store, StoreEntry } from '../../src/stores/store.js';
import type { Holder } from '../../src/targets/target.js';
import type { Change, CredentialActivities } from '../contract.js';
import {
  type CredentialDependencies,
  eachDelivery,
  fenceOf,
  holderOf,
  materialOf,
  subjectOf,
  versionsOf,
} from './change.js';

export function endingCredentials(
  deps: CredentialDependencies,
): Pick<CredentialActivities, 'drain' | 'retire' | 'refuse' | 'purge' | 'remove'> {
  return {
    async drain(change) {
      const { from, to, startedAt, deadline } = change;
      if (!from || isSameLogin(from, to)) return nothingToDrain(change, startedAt);
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
      await eachOwnDelivery(deps, change, (store, path) => store.raise(path, fenceOf(change)));
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
        await deps.target(target).purge(subjectOf(change), holdersAt(target, leaving), reachAt(change, target));
      const versions = retiring(change).map(({ version }) => version);
      await eachOwnDelivery(deps, change, (store, path) =>
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
      await eachOwnDelivery(deps, change, (store, path) => store.clear(path, fenceOf(change)));
      for (const { store, path } of change.spec.deliver)
        sentences.push(emptiness(change, await deps.store(store).describe(path), store, path));
      return clipLines(sentences);
    },
  };
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

/** What is declared says nothing of the rights at a target that the identity has moved away from. */
function reachAt({ reach, spec }: { readonly reach: 'these' | 'everything' } & Change, target: string): typeof reach {
  return target === spec.target.name ? reach : 'these';
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

/** Where another identity's credential is, there is none of ours: an ending has nothing to do there, and must not stop because of it. */
function eachOwnDelivery(
  deps: CredentialDependencies,
  change: Change,
  act: (store: Store, path: string) => Promise<StoreEntry>,
): Promise<void> {
  return eachDelivery(deps, change, async (store, path) => {
    const entry = await store.describe(path);
    return versionsOf(entry).every((version) => isOurs(change, version)) ? act(store, path) : entry;
  });
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

/** A version is the operation that made it, and says for whom. */
function isOurs({ identity }: Change, version: string): boolean {
  return version.startsWith(`${identityId(identity)}/`);
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

function emptiness(change: Change, entry: StoreEntry, store: string, path: string): string {
  const left = versionsOf(entry);
  const ours = left.filter((version) => isOurs(change, version));
  if (ours.length > 0) throw new TenureError('StoreUnavailable', `${store}:${path} still holds ${ours.join(', ')}`);
  return `${store}:${path} holds no credential${left.length > 0 ? ` of ${change.identity}` : ''}`;
}
