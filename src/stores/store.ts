/**
 * The contract of a store: where consumers read a credential, and where a candidate is durable before the target hears
 * of it. Every method is idempotent by operation id, and every mutating one is refused with `Fenced` when an operation
 * with a higher epoch has already written to the same path, and with `Conflict` when the path holds a credential of another
 * identity: a path belongs to the identity whose credential is there.
 *
 * Errors: `StoreUnavailable` (not reachable or not writable, nothing changed), `Fenced`, `Conflict` (the slots are not as
 * the caller believes), `InvalidRequest` (a path that the store cannot hold). Absence is an answer, never an error,
 * except for {@link Store.read}.
 */
import type { Fence, Slot } from '../domain/credential.js';

/**
 * Secret material, e.g. `{ username, password, host, port, database, url }`. It lives in the memory of an activity and in
 * stores, and nowhere else.
 */
export type Material = Readonly<Record<string, string>>;

/** What a store tells about a slot without giving the material. */
export interface SlotRecord {
  /** Operation id that made it. */
  readonly version: string;
  /** Keyed fingerprint, see `CredentialRecord`. */
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** One path of a store. An absent path has epoch 0 and no slots. */
export interface StoreEntry {
  readonly epoch: number;
  readonly slots: Readonly<Partial<Record<Slot, SlotRecord>>>;
}

export interface Store {
  /** The name that manifests use. */
  readonly name: string;

  /** The slots and epoch of a path. Gives no material. */
  describe(path: string): Promise<StoreEntry>;

  /**
   * Keeps a candidate durably in `next`. `make` is called at most once, and only when `next` does not already hold a
   * candidate of this operation: a retry gets the same candidate. A candidate of an older operation is replaced.
   * Material that this path has held before is refused with `Conflict`.
   */
  stage(path: string, fence: Fence, make: () => Promise<Material>): Promise<SlotRecord>;

  /** The material of a slot or a version. Fails with `Conflict` when it is not there, naming what is. */
  read(
    path: string,
    which: { slot: Slot } | { version: string },
  ): Promise<{ record: SlotRecord; slot: Slot; material: Material }>;

  /** `next` becomes `current`, `current` becomes `previous`. Nothing to do when this operation is `current` already. */
  publish(path: string, fence: Fence): Promise<StoreEntry>;

  /** The way back from {@link publish}: `previous` becomes `current`, `current` becomes `next`. Nothing to do when not published. */
  withdraw(path: string, fence: Fence): Promise<StoreEntry>;

  /** Destroys the candidate of this operation in `next`; nothing to do when there is none. */
  discard(path: string, fence: Fence): Promise<StoreEntry>;

  /** Destroys the material of these versions, in whatever slot they are; absent ones are fine. */
  purge(path: string, fence: Fence, versions: readonly string[]): Promise<StoreEntry>;

  /** Destroys all material of the path and keeps only the epoch, so that a zombie of an older operation stays fenced. */
  clear(path: string, fence: Fence): Promise<StoreEntry>;

  /** Raises the epoch: from now on older operations are refused. */
  raise(path: string, fence: Fence): Promise<StoreEntry>;

  /** Says whether the store can be read and written now; throws `StoreUnavailable` with what to do otherwise. */
  probe(): Promise<void>;
}
