/**
 * A store in a folder of this machine: one encrypted file for each path, for one machine or a shared volume with hard
 * links. Needs a folder that only its user can enter, and an age identity as its key. `docs/stores/local.md` has more.
 *
 *     stores:
 *       local: { type: local, directory: store, key: { file: store.key } }
 */
import { randomBytes } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { SecretSource } from '../config/types.js';
import type { Fence, Slot } from '../domain/credential.js';
import { TenureError } from '../domain/errors.js';
import { createFile, removeFile } from '../files/durable.js';
import { fingerprintOf } from './fingerprint.js';
import {
  readEntry,
  rememberedFingerprints,
  rememberedWrites,
  writeEntry,
  type Entry,
  type Held,
} from './local/entry-file.js';
import { fileOf, readNewest, removeOlder, writeGeneration } from './local/generations.js';
import { loadKey, type LocalStoreKey } from './local/key.js';
import { checkPath } from './local/path.js';
import { unavailable } from './local/unavailable.js';
import { secretSource } from './secret-source.js';
import * as change from './slots.js';
import type { Material, SlotRecord, Store, StoreEntry } from './store.js';

export { createLocalStoreKey } from './local/key.js';

/** Options of `type: local`. */
export const localStoreOptions = z.strictObject({
  type: z.literal('local'),
  /** Folder of the entries, relative to the operator's file. Made with mode 0700 on first use. */
  directory: z.string().min(1).describe('Folder of the entries, relative to this file'),
  /** An age identity (AGE-SECRET-KEY-1…). Losing it loses the material; whoever has it can read everything. */
  key: secretSource.describe('Where the age identity is that encrypts the entries: a file of mode 0600, or a variable'),
});

/** The same with absolute paths. */
export interface LocalStoreOptions {
  readonly directory: string;
  readonly key: SecretSource;
}

/** How long a change may be beaten by others before it gives up, milliseconds. */
const patienceMs = 5_000;

type Alteration = Pick<Entry, 'slots'> & Partial<Pick<Entry, 'seen'>>;

/** Opens the store. Nothing is read before the first call. */
export function openLocalStore(name: string, options: LocalStoreOptions): Store {
  return new LocalStore(name, options);
}

class LocalStore implements Store {
  private loadedKey: Promise<LocalStoreKey> | undefined;
  private readonly root: string;

  constructor(
    readonly name: string,
    private readonly options: LocalStoreOptions,
  ) {
    this.root = options.directory;
  }

  async describe(path: string): Promise<StoreEntry> {
    const { epoch, slots } = await this.load(path);
    return change.entryOf(epoch, slots);
  }

  async stage(path: string, fence: Fence, make: () => Promise<Material>): Promise<SlotRecord> {
    let made: Held | undefined;
    const { slots } = await this.change(path, fence, async (entry) => {
      // Also when it was published meanwhile: one operation makes one credential, ever.
      if (change.slotOf(entry.slots, fence.operation)) return entry;
      made ??= await this.seal(fence.operation, await make());
      refuseSeen(path, entry, made);
      return { slots: { ...entry.slots, next: made }, seen: [...entry.seen, made.fingerprint] };
    });
    return change.recordOf(change.find(path, slots, { version: fence.operation }).held);
  }

  async read(
    path: string,
    which: { slot: Slot } | { version: string },
  ): Promise<{ record: SlotRecord; slot: Slot; material: Material }> {
    const { slots } = await this.load(path);
    const { slot, held } = change.find(path, slots, which);
    const key = await this.key();
    return { record: change.recordOf(held), slot, material: JSON.parse(await key.decrypt(held.sealed)) as Material };
  }

  async publish(path: string, fence: Fence): Promise<StoreEntry> {
    return this.move(path, fence, (slots) => change.published(path, slots, fence.operation));
  }

  async withdraw(path: string, fence: Fence): Promise<StoreEntry> {
    return this.move(path, fence, (slots) => change.withdrawn(slots, fence.operation));
  }

  async discard(path: string, fence: Fence): Promise<StoreEntry> {
    return this.move(path, fence, (slots) => change.discarded(slots, fence.operation));
  }

  async purge(path: string, fence: Fence, versions: readonly string[]): Promise<StoreEntry> {
    return this.move(path, fence, (slots) => change.purged(slots, versions));
  }

  async clear(path: string, fence: Fence): Promise<StoreEntry> {
    return this.move(path, fence, change.cleared);
  }

  async raise(path: string, fence: Fence): Promise<StoreEntry> {
    return this.move(path, fence, (slots) => slots);
  }

  async probe(): Promise<void> {
    await this.key();
    await this.prepare();
    const trial = join(this.root, `~probe-${process.pid}`);
    try {
      await removeFile(trial);
      await createFile(trial, '');
      await removeFile(trial);
    } catch (error) {
      throw unavailable(this.name, this.root, error);
    }
  }

  private async move(
    path: string,
    fence: Fence,
    alter: (slots: change.Slots<Held>) => change.Slots<Held>,
  ): Promise<StoreEntry> {
    const { epoch, slots } = await this.change(path, fence, (entry) => ({ slots: alter(entry.slots) }));
    return change.entryOf(epoch, slots);
  }

  /** Reads, alters and writes until nobody else wrote in between. */
  private async change(
    path: string,
    fence: Fence,
    alter: (entry: Entry) => Alteration | Promise<Alteration>,
  ): Promise<Entry> {
    const patientUntil = Date.now() + patienceMs;
    for (let beaten = 0; Date.now() < patientUntil; beaten += 1) {
      const before = await this.load(path);
      change.refuseForeign(path, before, fence);
      change.refuseOlder(path, before, fence);
      const after = following(before, fence, await alter(before));
      if (await this.commit(before, after)) return after;
      await sleep(Math.random() * Math.min(2 ** beaten, 50));
    }
    throw new TenureError('StoreUnavailable', `store ${this.name}: too many others write to ${path} at the same time`);
  }

  private async load(path: string): Promise<Entry> {
    checkPath(path);
    const key = await this.key();
    try {
      const { generation, file, text } = await readNewest(join(this.root, path));
      if (generation === 0) return { path, generation, writes: [], epoch: 0, slots: {}, seen: [] };
      return readEntry(key, file, text, path, generation);
    } catch (error) {
      throw unavailable(this.name, join(this.root, path), error);
    }
  }

  private async commit(before: Entry, after: Entry): Promise<boolean> {
    const folder = join(this.root, after.path);
    await this.prepare();
    try {
      if (before !== after) {
        const text = writeEntry(await this.key(), after);
        const outcome = await writeGeneration(folder, after.generation, text);
        if (outcome === 'taken') return false;
        if (outcome === 'overtaken') return (await this.load(after.path)).writes.includes(after.writes.at(-1)!);
      }
      // Also when there was nothing to change: a writer may have been killed before it came to this.
      await removeOlder(folder, after.generation);
      return true;
    } catch (error) {
      throw unavailable(this.name, fileOf(folder, after.generation), error);
    }
  }

  private async seal(version: string, material: Material): Promise<Held> {
    const key = await this.key();
    return {
      version,
      fingerprint: fingerprintOf(key.fingerprintKey, material),
      createdAt: new Date().toISOString(),
      sealed: await key.encrypt(JSON.stringify(material)),
    };
  }

  /** Kept once it is good; a key that could not be read is tried again, so that a person can put it right meanwhile. */
  private async key(): Promise<LocalStoreKey> {
    this.loadedKey ??= loadKey(this.options.key, this.name);
    try {
      return await this.loadedKey;
    } catch (error) {
      this.loadedKey = undefined;
      throw error;
    }
  }

  private async prepare(): Promise<void> {
    try {
      await mkdir(this.root, { recursive: true, mode: 0o700 });
      if (((await stat(this.root)).mode & 0o077) === 0) return;
    } catch (error) {
      throw unavailable(this.name, this.root, error);
    }
    const message = `store ${this.name}: others may enter ${this.root}; close it with: chmod 700 '${this.root}'`;
    throw new TenureError('StoreUnavailable', message);
  }
}

/** The entry after an alteration; the very same one when there is nothing to write. */
function following(before: Entry, fence: Fence, altered: Alteration): Entry {
  const epoch = Math.max(before.epoch, fence.epoch);
  if (altered.slots === before.slots && epoch === before.epoch) return before;
  const seen = (altered.seen ?? before.seen).slice(-rememberedFingerprints);
  const writes = [...before.writes, randomBytes(8).toString('hex')].slice(-rememberedWrites);
  return { path: before.path, generation: before.generation + 1, writes, epoch, slots: altered.slots, seen };
}

function refuseSeen(path: string, entry: Entry, made: Held): void {
  const known = [...entry.seen, ...Object.values(entry.slots).map(({ fingerprint }) => fingerprint)];
  if (!known.includes(made.fingerprint)) return;
  throw new TenureError('Conflict', `${path}: this credential was used here before; a new one has to be different`);
}
