/**
 * What the methods of a store do to its slots, as pure functions. Each brings about a state, so that doing it twice is the
 * same as doing it once; one that has nothing to do gives back the very object that it was given.
 */
import { slots as slotNames, type Fence, type Slot } from '../domain/credential.js';
import { TenureError } from '../domain/errors.js';
import type { SlotRecord, StoreEntry } from './store.js';

/** The slots of a path; `S` may carry more than the record, for example the sealed material. */
export type Slots<S extends SlotRecord = SlotRecord> = Readonly<Partial<Record<Slot, S>>>;

/** Where the credential of an operation is, if it is anywhere. */
export function slotOf(slots: Slots, version: string): Slot | undefined {
  return slotNames.find((slot) => slots[slot]?.version === version);
}

/** Refuses an operation that is older than what has already written. */
export function refuseOlder(path: string, entry: { readonly epoch: number }, fence: Fence): void {
  if (fence.epoch >= entry.epoch) return;
  throw new TenureError(
    'Fenced',
    `${path}: ${fence.operation} has epoch ${fence.epoch}, and epoch ${entry.epoch} has already written here; a newer process owns this identity`,
    { path, operation: fence.operation, epoch: fence.epoch, newer: entry.epoch },
  );
}

/**
 * Refuses an operation of one identity where another one's credential is: whoever may declare an identity could otherwise displace,
 * read or destroy what any path holds.
 */
export function refuseForeign(path: string, { slots }: { readonly slots: Slots }, { operation }: Fence): void {
  const foreign = Object.values(slots).find(({ version }) => ownerOf(version) !== ownerOf(operation));
  if (!foreign) return;
  throw new TenureError(
    'Conflict',
    `${path} holds ${foreign.version}, and ${operation} is another identity's: nothing was changed. Deliver to another path`,
    { path, operation },
  );
}

/** `nhi/payments-db` of `nhi/payments-db/rotate/7`: an operation says for whom it is. */
function ownerOf(operation: string): string {
  return operation.split('/').slice(0, 2).join('/');
}

/** `next` becomes `current`, `current` becomes `previous`. */
export function published<S extends SlotRecord>(path: string, slots: Slots<S>, operation: string): Slots<S> {
  const { next, current } = slots;
  if (current?.version === operation) return slots;
  if (next?.version !== operation) {
    throw new TenureError('Conflict', `${path}: ${operation} is not in the next slot; ${whatIsThere(slots)}`);
  }
  return { current: next, ...(current && { previous: current }) };
}

/** The way back from {@link published}. */
export function withdrawn<S extends SlotRecord>(slots: Slots<S>, operation: string): Slots<S> {
  const { current, previous } = slots;
  if (current?.version !== operation) return slots;
  return { next: current, ...(previous && { current: previous }) };
}

/** Without the candidate of this operation. */
export function discarded<S extends SlotRecord>(slots: Slots<S>, operation: string): Slots<S> {
  return slots.next?.version === operation ? without(slots, ['next']) : slots;
}

/** Without these versions, wherever they are. */
export function purged<S extends SlotRecord>(slots: Slots<S>, versions: readonly string[]): Slots<S> {
  const gone = slotNames.filter((slot) => versions.includes(slots[slot]?.version ?? ''));
  return gone.length > 0 ? without(slots, gone) : slots;
}

/** Without anything. */
export function cleared<S extends SlotRecord>(slots: Slots<S>): Slots<S> {
  return Object.keys(slots).length > 0 ? {} : slots;
}

/** The slot that is asked for, or `Conflict` that names what is there instead. */
export function find<S extends SlotRecord>(
  path: string,
  slots: Slots<S>,
  which: { readonly slot: Slot } | { readonly version: string },
): { readonly slot: Slot; readonly held: S } {
  const slot = 'slot' in which ? which.slot : slotOf(slots, which.version);
  const held = slot && slots[slot];
  if (held) return { slot, held };
  const asked = 'slot' in which ? `nothing is in the ${which.slot} slot` : `${which.version} is not there`;
  throw new TenureError('Conflict', `${path}: ${asked}; ${whatIsThere(slots)}`);
}

/** Only what may be told. */
export function entryOf(epoch: number, slots: Slots): StoreEntry {
  const records = slotNames.flatMap((slot) => (slots[slot] ? [[slot, recordOf(slots[slot])] as const] : []));
  return { epoch, slots: Object.fromEntries(records) };
}

/** The record alone, without what a store keeps beside it. */
export function recordOf({ version, fingerprint, createdAt }: SlotRecord): SlotRecord {
  return { version, fingerprint, createdAt };
}

function without<S extends SlotRecord>(slots: Slots<S>, gone: readonly Slot[]): Slots<S> {
  return Object.fromEntries(Object.entries(slots).filter(([slot]) => !gone.includes(slot as Slot)));
}

function whatIsThere(slots: Slots): string {
  const there = slotNames.flatMap((slot) => (slots[slot] ? [`${slot} is ${slots[slot].version}`] : []));
  return there.length > 0 ? there.join(', ') : 'the path is empty';
}
