/** The log itself: its files, its key, its checkpoint, its tree, and that nothing was taken away since an earlier checkpoint. */
import { digestOfText } from '../attachments.js';
import { checkpointFile, leavesName } from '../bundle/export.js';
import type { BundleFiles } from '../bundle/files.js';
import { manifestDigestName, manifestName, manifestOf, type Manifest } from '../bundle/manifest.js';
import { openCheckpoint, type Checkpoint } from '../checkpoint.js';
import { entryName } from '../log.js';
import { isConsistent, treeOf, type MerkleTree } from '../merkle.js';
import { exactBase64, parseLogKey, type LogKey } from '../note.js';
import { publicKeyName } from '../open.js';
import { broken, check, held, unknown, unless, type Check, type Finding } from './check.js';

/** What the checks of the records build on. */
export interface LogUnderTest {
  readonly files: BundleFiles;
  readonly manifest: Manifest | undefined;
  readonly key: LogKey | undefined;
  readonly checkpoint: Checkpoint | undefined;
  /** Leaf hashes as listed; undefined where one is not readable. */
  readonly leaves: readonly (Buffer | undefined)[];
  readonly tree: MerkleTree | undefined;
}

/** What a verifier brings along. */
export interface Trusted {
  /** An earlier checkpoint of the log, as a signed note. */
  readonly checkpoint?: string;
  /** The log's public key, `<name>+<id>+<base64>`. */
  readonly logKey?: string;
}

/** Reads the log's part of a bundle. */
export function logUnderTest(files: BundleFiles, { logKey }: Trusted): LogUnderTest {
  const key = parseLogKey(logKey ?? files.get(publicKeyName) ?? '');
  const leaves = leavesIn(files.get(leavesName) ?? '');
  return {
    files,
    manifest: manifestOf(files),
    key,
    checkpoint: key && openCheckpoint(files.get(checkpointFile) ?? '', key),
    leaves,
    tree: leaves.every((leaf) => leaf !== undefined) ? treeOf(leaves) : undefined,
  };
}

/** In exactly the form in which they are written, so that there is nothing in it that nobody looks at. */
function leavesIn(text: string): (Buffer | undefined)[] {
  const lines = text.split('\n');
  const isWhole = lines.pop() === '';
  const leaves = lines.map((line) => {
    const leaf = exactBase64(line);
    return leaf?.length === 32 ? leaf : undefined;
  });
  return isWhole ? leaves : [...leaves, undefined];
}

export async function checkLog(log: LogUnderTest, trusted: Trusted): Promise<Check[]> {
  const checks = [
    check('log', 'files', () => filesAreThere(log)),
    check('log', 'key', () => keyIsKnown(log, trusted)),
    check('log', 'checkpoint', () => checkpointIsSigned(log)),
    check('log', 'tree', () => treeIsThatOfCheckpoint(log)),
    ...(trusted.checkpoint === undefined
      ? []
      : [check('log', 'consistency', () => onlyAddsTo(log, trusted.checkpoint!))]),
    check('log', 'selection', () => everyEntryIsThere(log)),
  ];
  return Promise.all(checks);
}

function filesAreThere({ files, manifest }: LogUnderTest): Finding {
  if (!manifest) return broken(`${manifestName} is missing, or is not what ${manifestDigestName} says`);
  const listed = Object.entries(manifest.files);
  const extra = [...files.keys()].filter(
    (name) => !Object.hasOwn(manifest.files, name) && name !== manifestName && name !== manifestDigestName,
  );
  return unless(
    [
      ...listed.map(([name, digest]) => {
        const text = files.get(name);
        if (text === undefined) return `${name} is missing`;
        return digestOfText(text) !== digest && `${name} was changed`;
      }),
      ...extra.map((name) => `${name} does not belong to it`),
    ],
    `${listed.length} files, each with the digest that the manifest lists`,
  );
}

function keyIsKnown({ files, key }: LogUnderTest, { logKey }: Trusted): Finding {
  const own = parseLogKey(files.get(publicKeyName) ?? '');
  if (!key)
    return broken(
      logKey === undefined ? `${publicKeyName} is missing or is no key` : 'the key that was given is no key of a log',
    );
  if (own && files.get(publicKeyName) !== `${own.text}\n`) return broken(`${publicKeyName} holds more than the key`);
  if (logKey === undefined)
    return unknown(
      `the bundle brings its own key, ${key.name}+${key.id}; hold it against one that you had from elsewhere with --log-key`,
    );
  return own?.text === key.text
    ? held(`${key.name}+${key.id}, as given`)
    : broken(
        `the bundle is from a log with another key, ${own ? `${own.name}+${own.id}` : 'which cannot be read'}, than was given, ${key.name}+${key.id}`,
      );
}

function checkpointIsSigned({ checkpoint, key }: LogUnderTest): Finding {
  return checkpoint
    ? held(`${checkpoint.size} entries, signed by ${checkpoint.origin}`)
    : broken(`it was not signed with the key ${key ? `${key.name}+${key.id}` : 'of the log'}`);
}

function treeIsThatOfCheckpoint({ checkpoint, leaves, tree }: LogUnderTest): Finding {
  if (!checkpoint) return broken('there is no checkpoint to hold it against');
  const missing = leaves.flatMap((leaf, index) => (leaf ? [] : [index]));
  if (!tree) return broken(`the hash of ${missing.map((index) => `entry ${index}`).join(', ')} is missing`);
  if (tree.size !== checkpoint.size)
    return broken(`the checkpoint covers ${checkpoint.size} entries, and ${tree.size} are listed`);
  return tree.root().equals(checkpoint.root)
    ? held(`the root follows from the hashes of all ${tree.size} entries`)
    : broken('the root does not follow from the hashes: an entry was changed, moved, put in or taken out');
}

/** The proof is made from the leaves and then verified from its hashes alone, as somebody else would. */
function onlyAddsTo({ key, checkpoint, tree }: LogUnderTest, note: string): Finding {
  const old = key && openCheckpoint(note, key);
  if (!old) return broken('the earlier checkpoint was not signed with this log’s key');
  if (!checkpoint || !tree || tree.size !== checkpoint.size) return broken('there is no whole tree to hold it against');
  if (old.size > checkpoint.size)
    return broken(
      `the log had ${old.size} entries at the earlier checkpoint and has ${checkpoint.size} now: it was cut`,
    );
  return isConsistent(old, checkpoint, tree.consistency(old.size))
    ? held(`the ${old.size} entries of the earlier checkpoint are the first of these ${checkpoint.size}`)
    : broken(`the first ${old.size} entries are not those of the earlier checkpoint: the log was rewritten`);
}

function everyEntryIsThere({ files, manifest, checkpoint }: LogUnderTest): Finding {
  if (!manifest) return broken('what was selected is not known');
  const { selection, entries } = manifest;
  const isAll = Object.keys(selection).length === 0;
  const wanted = isAll ? Array.from({ length: checkpoint?.size ?? 0 }, (_, index) => index) : entries;
  const listed = new Set(entries);
  return unless(
    [
      ...wanted.filter((index) => !files.has(entryName(index))).map((index) => `entry ${index} is missing`),
      ...wanted.filter((index) => !listed.has(index)).map((index) => `entry ${index} is not listed`),
    ],
    isAll
      ? `all ${wanted.length} entries of the log`
      : `${entries.length} of ${checkpoint?.size ?? '?'} entries: ${inWords(selection)}`,
  );
}

function inWords(selection: Manifest['selection']): string {
  return Object.entries(selection)
    .map(([what, value]) => `${what} ${value}`)
    .join(', ');
}
