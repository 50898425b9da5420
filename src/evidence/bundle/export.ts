/** Takes records out of the log, with everything that it needs to verify them elsewhere and without us. */
import { TenureError } from '../../domain/errors.js';
import { attachmentName, type AttachmentKind } from '../attachments.js';
import { formatProof } from '../checkpoint.js';
import { parseEnvelope } from '../dsse.js';
import { aboutOf, anyRecordIn, type About } from '../kinds.js';
import { readLeaves } from '../leaves.js';
import { checkpointName, entryName } from '../log.js';
import { treeOf, type MerkleTree } from '../merkle.js';
import { publicKeyName } from '../open.js';
import { numbered, type Shelf } from '../shelf.js';
import { indexesUnder } from '../under-operation.js';
import { identityId } from '../../domain/wire.js';
import type { BundleFiles } from './files.js';
import { withManifest, type Selection } from './manifest.js';

export const leavesName = 'leaves';
export const checkpointFile = 'checkpoint';

/** `proofs/000000000042.tlog-proof`. */
export function proofName(index: number): string {
  return `${numbered('proofs', index)}.tlog-proof`;
}

/**
 * Makes a bundle as of the last checkpoint. It copies what is there, also where that is damaged: to find that out is the verifier's work.
 * The leaf hashes of all entries come along, so that the bundle can be held against any earlier checkpoint.
 */
export async function exportBundle(shelf: Shelf, selection: Selection): Promise<BundleFiles> {
  const size = await shelf.last('checkpoints');
  const [checkpoint, key] = await Promise.all([
    size === undefined ? undefined : shelf.get(checkpointName(size)),
    shelf.get(publicKeyName),
  ]);
  if (size === undefined || checkpoint === undefined || key === undefined)
    throw new TenureError('InvalidRequest', `the evidence log in ${shelf.where} is empty: nothing was sealed yet`);
  const leaves = await readLeaves(shelf, 0, size);
  const files = new Map([
    [publicKeyName, key],
    [checkpointFile, checkpoint],
    [leavesName, `${leaves.map((leaf) => leaf?.toString('base64') ?? 'missing').join('\n')}\n`],
  ]);
  const tree = leaves.every((leaf) => leaf !== undefined) ? treeOf(leaves) : undefined;
  const entries: number[] = [];
  for (const index of await candidates(shelf, selection, size)) {
    const text = await shelf.get(entryName(index));
    const about = text === undefined ? undefined : aboutText(text);
    if (!isSelected(about, selection)) continue;
    entries.push(index);
    await addEntry(shelf, files, { index, text, about, checkpoint, tree });
  }
  return withManifest(files, selection, entries);
}

async function candidates(shelf: Shelf, { identity, operation }: Selection, size: number): Promise<number[]> {
  const prefix = operation ?? (identity === undefined ? undefined : identityId(identity));
  if (prefix !== undefined) return (await indexesUnder(shelf, prefix)).filter((index) => index < size);
  return Array.from({ length: size }, (_, index) => index);
}

/** Without a narrower selection everything counts, also what cannot be read. */
function isSelected(about: About | undefined, { identity, operation, since }: Selection): boolean {
  if (!about) return since === undefined && identity === undefined && operation === undefined;
  return (identity === undefined || about.identity === identity) && (since === undefined || about.at >= since);
}

interface Exported {
  readonly index: number;
  readonly text: string | undefined;
  readonly about: About | undefined;
  readonly checkpoint: string;
  readonly tree: MerkleTree | undefined;
}

async function addEntry(
  shelf: Shelf,
  files: Map<string, string>,
  { index, text, about, checkpoint, tree }: Exported,
): Promise<void> {
  if (text !== undefined) files.set(entryName(index), text);
  if (tree) files.set(proofName(index), formatProof({ index, hashes: tree.inclusion(index), checkpoint }));
  const attached: readonly (readonly [AttachmentKind, string | undefined])[] = [
    ['histories', about?.by.history?.digest],
    ['bundles', about?.by.code?.workflows],
    ...(about?.directories ?? []).map((digest) => ['directories', digest] as const),
  ];
  for (const [kind, digest] of attached) {
    if (digest === undefined || files.has(attachmentName(kind, digest))) continue;
    const content = await shelf.get(attachmentName(kind, digest));
    if (content !== undefined) files.set(attachmentName(kind, digest), content);
  }
}

/** Unverified: what an entry says of itself is enough to choose it. */
function aboutText(text: string): About | undefined {
  const envelope = parseEnvelope(text);
  const any = envelope && anyRecordIn(Buffer.from(envelope.payload, 'base64').toString());
  return any && aboutOf(any);
}
