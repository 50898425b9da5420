/** What the activities on credentials have in common: a change taken apart, and the places that it speaks of. */
import type { CredentialRecord, Fence } from '../../src/domain/credential.js';
import type { Material, Store, StoreEntry } from '../../src/stores/store.js';
import type { Holder, Subject, Target } from '../../src/targets/target.js';
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
