/** Checkpoints (C2SP `tlog-checkpoint`) and proofs of inclusion as files (C2SP `tlog-proof`). */
import type { KeyObject } from 'node:crypto';
import { exactBase64, openNote, signNote, type LogKey } from './note.js';

/** What a log says of itself: so many entries, and one hash of all of them. */
export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** The signed note of a checkpoint. */
export function signCheckpoint({ origin, size, root }: Checkpoint, privateKey: KeyObject): string {
  return signNote(`${origin}\n${size}\n${root.toString('base64')}\n`, origin, privateKey);
}

/** The checkpoint that `key` signed, under its own name; undefined for anything else. */
export function openCheckpoint(note: string, key: LogKey): Checkpoint | undefined {
  const text = openNote(note, key);
  const [origin, size, root, ...rest] = text?.split('\n') ?? [];
  // We sign no extension lines, since nobody could check them against the entries.
  if (origin !== key.name || rest.length !== 1 || rest[0] !== '' || !isCount(size)) return undefined;
  const hash = exactBase64(root!);
  return hash?.length === 32 ? { origin, size: Number(size), root: hash } : undefined;
}

/** An entry's place in the log, with what proves it. */
export interface InclusionProof {
  readonly index: number;
  readonly hashes: readonly Buffer[];
  /** The signed note. */
  readonly checkpoint: string;
}

const proofHeader = 'c2sp.org/tlog-proof@v1';

export function formatProof({ index, hashes, checkpoint }: InclusionProof): string {
  return [proofHeader, `index ${index}`, ...hashes.map((hash) => hash.toString('base64')), '', checkpoint].join('\n');
}

/** Reads a proof in exactly the form that {@link formatProof} writes; undefined for anything else. */
export function parseProof(text: string): InclusionProof | undefined {
  const end = text.indexOf('\n\n');
  const [header, second, ...lines] = text.slice(0, Math.max(end, 0)).split('\n');
  const index = /^index (.+)$/.exec(second ?? '')?.[1];
  if (header !== proofHeader || !isCount(index)) return undefined;
  const hashes = lines.map(exactBase64).filter((hash) => hash?.length === 32) as Buffer[];
  if (hashes.length !== lines.length) return undefined;
  return { index: Number(index), hashes, checkpoint: text.slice(end + 2) };
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^(0|[1-9]\d{0,14})$/.test(text);
}
