/** What the activities on credentials have in common: a change taken apart, and the places that it speaks of. */
import type { CredentialRecord, Fence } from '../../src/domain/credential.js';
import type { Material, Store, StoreEntry } from '../../src/stores/store.js';
import type { Holder, Subject, Target } from '../../src/targets/target.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Change } from '../contract.js';

/** Where targets and stores are found by name. */
export interface CredentialDependencies {
  target(name: string): Target;
  store(name: string): Store;
}

export function fenceOf({ operation, epoch }: Change): Fence {
  return { operation, epoch };
}

/** With `credential`: the scope under which that one was made. */
export function subjectOf(change: Change, credential?: CredentialRecord): Subject {
  const spec = credential && credential === change.from ? (change.specBefore ?? change.spec) : change.spec;
  return {
    identity: change.identity,
    operation: change.operation,
    epoch: change.epoch,
    strategy: spec.rotation.strategy,
    scope: spec.target.scope,
  };
}

export function holderOf({ principal, version }: CredentialRecord): Holder {
  return { principal, version };
}

export async function materialOf(
  deps: CredentialDependencies,
  { deliveries, version }: CredentialRecord,
): Promise<Material> {
  const first = deliveries[0]!;
  return (await deps.store(first.store).read(first.path, { version })).material;
}

export async function eachDelivery(
  deps: CredentialDependencies,
  { spec }: Change,
  act: (store: Store, path: string) => Promise<StoreEntry>,
): Promise<void> {
  for (const { store, path } of spec.deliver) await act(deps.store(store), path);
}

export function versionsOf({ slots }: StoreEntry): string[] {
  return Object.values(slots).map(({ version }) => version);
}

/**
 * Store and state have to name the same credential before anything is changed. They differ when a process was terminated by hand or the
 * store has lost it; going on would disable what consumers read, or leave nothing with which to prove the refusal.
 */
export async function mustBeCurrent(
  deps: CredentialDependencies,
  { identity }: Change,
  { deliveries, version }: CredentialRecord,
): Promise<void> {
  const { store, path } = deliveries[0]!;
  const { current } = (await deps.store(store).describe(path)).slots;
  if (current?.version === version) return;
  throw new TenureError(
    'InvalidRequest',
    `${store}:${path} holds ${current?.version ?? 'no credential'} as current, and ${identity} has ${version}: nothing was changed. End both with: tenure revoke ${identity}; then make a new one with: tenure apply --reinstate`,
  );
}
