/**
 * The text of an entry's file: the metadata in the clear, the material of each slot encrypted by itself, and a seal over
 * all of it. So telling the slots needs no decryption, moving a credential from slot to slot re-encrypts nothing, and a
 * file that was damaged, edited or exchanged for another path's is noticed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalJson } from '../../canonical-json.js';
import { TenureError } from '../../domain/errors.js';
import type { SlotRecord } from '../store.js';
import type { Slots } from '../slots.js';
import type { LocalStoreKey } from './key.js';

/** A slot with its material: an age file in base64. */
export interface Held extends SlotRecord {
  readonly sealed: string;
}

export interface Entry {
  readonly path: string;
  /** Counts every write. The highest generation of a path is the truth. */
  readonly generation: number;
  /** Ids of the writes that led here, newest last, at most {@link rememberedWrites}. See `generations.ts`. */
  readonly writes: readonly string[];
  readonly epoch: number;
  readonly slots: Slots<Held>;
  /** Fingerprints of everything that was ever staged, newest last, at most {@link rememberedFingerprints}. */
  readonly seen: readonly string[];
}

export const rememberedFingerprints = 100;
export const rememberedWrites = 50;

interface EntryFile {
  readonly format: 'tenure-entry-1';
  readonly key: string;
  readonly entry: Entry;
  readonly seal: string;
}

export function writeEntry(key: LocalStoreKey, entry: Entry): string {
  const file: EntryFile = { format: 'tenure-entry-1', key: key.id, entry, seal: sealOf(key, entry) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Reads what {@link writeEntry} wrote, or says what is wrong with `file` and what to do. */
export function readEntry(key: LocalStoreKey, file: string, text: string, path: string, generation: number): Entry {
  const content = parse(text);
  if (!content) throw damaged(file, 'is not an entry of a local store');
  if (content.key !== key.id) {
    const message = `${file} was written with another key (${content.key.slice(0, 16)}, this is ${key.id}); give this store the key that wrote it`;
    throw new TenureError('StoreUnavailable', message, { file });
  }
  const { entry } = content;
  const genuine = Buffer.from(sealOf(key, entry));
  const found = Buffer.from(content.seal);
  if (genuine.length !== found.length || !timingSafeEqual(genuine, found))
    throw damaged(file, 'was changed or damaged');
  if (entry.path !== path || entry.generation !== generation) {
    throw damaged(file, `belongs to ${entry.path}, generation ${entry.generation}`);
  }
  return entry;
}

/** Nothing is written over it: what is wrong with it is for a person to find out. */
export function damaged(file: string, problem: string): TenureError {
  return new TenureError(
    'StoreUnavailable',
    `${file} ${problem}, and is left as it is; restore it from a backup, or move it away, revoke the identity, and apply it with --reinstate`,
    { file },
  );
}

function sealOf(key: LocalStoreKey, entry: Entry): string {
  return createHmac('sha256', key.sealKey).update(canonicalJson(entry)).digest('hex');
}

function parse(text: string): EntryFile | undefined {
  try {
    const file = JSON.parse(text) as Partial<EntryFile> | null;
    const whole =
      file?.format === 'tenure-entry-1' &&
      typeof file.key === 'string' &&
      typeof file.seal === 'string' &&
      typeof file.entry === 'object';
    return whole ? (file as EntryFile) : undefined;
  } catch {
    return undefined;
  }
}
