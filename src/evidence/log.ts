/**
 * The append-only log of evidence: entries, and after each a signed checkpoint over all of them. Workers share it without a lock. Who
 * creates entry `n` has it; who finds it there takes it into the tree and tries `n + 1`. An entry is listed under its operation before
 * any checkpoint covers it, so whoever knows a checkpoint knows every record below it.
 */
import type { KeyObject } from 'node:crypto';
import { canonicalJson } from '../canonical-json.js';
import { TenureError } from '../domain/errors.js';
import { openCheckpoint, signCheckpoint, type InclusionProof } from './checkpoint.js';
import { openEnvelope, parseEnvelope, signEnvelope, type Envelope } from './dsse.js';
import { keepTile, readLeaves } from './leaves.js';
import { leafHash, MerkleTree } from './merkle.js';
import { logKeyOf } from './note.js';
import { namesOf } from './statement.js';
import { numbered, type Shelf } from './shelf.js';
import { listUnder, noteUnder } from './under-operation.js';

/** What was appended, now or before. */
export interface Appended {
  readonly index: number;
  /** False where the same operation and run have an entry already; that one is given. */
  readonly isNew: boolean;
  /** The entry as it lies in the log. */
  readonly envelope: Envelope;
  /** The entry's place in the tree that `proof.checkpoint` signs. */
  readonly proof: InclusionProof;
}

/** A log that can be added to. */
export interface EvidenceLog {
  /** Signs an in-toto Statement's canonical JSON and appends it, once for each operation and run that it names. */
  append(statement: string): Promise<Appended>;
}

/** Opens a log for writing; several may be open on the same shelf. */
export function openLog(shelf: Shelf, name: string, privateKey: KeyObject): EvidenceLog {
  const writer = new Writer(shelf, name, privateKey);
  let last: Promise<unknown> = Promise.resolve();
  return {
    // One after another: the tree in memory is one.
    append: (statement) => {
      const next = last.catch(() => {}).then(() => writer.append(statement));
      last = next;
      return next;
    },
  };
}

class Writer {
  #tree: MerkleTree | undefined;

  constructor(
    private readonly shelf: Shelf,
    private readonly name: string,
    private readonly privateKey: KeyObject,
  ) {}

  async append(statement: string): Promise<Appended> {
    const envelope = signEnvelope(statement, this.name, this.privateKey);
    const text = canonicalJson(envelope);
    const tree = (this.#tree ??= await this.#read());
    for (;;) {
      await this.#takeIn(tree);
      const before = await this.#find(tree, statement);
      if (before === 'not taken in') continue;
      if (before) return before;
      const index = tree.size;
      if (!(await this.shelf.create(entryName(index), text))) continue;
      await this.#cover(tree, index, text, statement);
      return { index, isNew: true, envelope, proof: await this.#proof(tree, index) };
    }
  }

  /** Takes in what other workers have appended since, and what one that crashed has left without a checkpoint. */
  async #takeIn(tree: MerkleTree): Promise<void> {
    for (;;) {
      const text = await this.shelf.get(entryName(tree.size));
      if (text === undefined) return;
      const envelope = parseEnvelope(text);
      const statement = envelope && openEnvelope(envelope, logKeyOf(this.name, this.privateKey));
      if (statement === undefined)
        throw this.#broken(
          `${entryName(tree.size)} was not signed with this log's key. Take it out of there, and find out who put it in`,
        );
      await this.#cover(tree, tree.size, text, statement);
    }
  }

  async #cover(tree: MerkleTree, index: number, text: string, statement: string): Promise<void> {
    const { operation, run, also } = namesOf(statement);
    for (const name of also === undefined ? [operation] : [operation, also])
      await noteUnder(this.shelf, { operation: name, run }, index);
    tree.append(leafHash(text));
    await keepTile(this.shelf, tree.leaves);
    await this.shelf.create(checkpointName(tree.size), this.#checkpoint(tree));
  }

  async #find(tree: MerkleTree, statement: string): Promise<Appended | 'not taken in' | undefined> {
    const { operation, run } = namesOf(statement);
    const found = (await listUnder(this.shelf, operation)).find((entry) => entry.run === run);
    if (!found) return undefined;
    // Another worker has appended it since we looked.
    if (found.index >= tree.size) return 'not taken in';
    const envelope = parseEnvelope((await this.shelf.get(entryName(found.index))) ?? '');
    if (!envelope) throw this.#broken(`${entryName(found.index)} is missing or damaged. Restore it from a backup`);
    return { index: found.index, isNew: false, envelope, proof: await this.#proof(tree, found.index) };
  }

  async #proof(tree: MerkleTree, index: number): Promise<InclusionProof> {
    return { index, hashes: tree.inclusion(index), checkpoint: this.#checkpoint(tree) };
  }

  /** Ed25519 signatures are the same each time, so two workers write the same note. */
  #checkpoint(tree: MerkleTree): string {
    return signCheckpoint({ origin: this.name, size: tree.size, root: tree.root() }, this.privateKey);
  }

  /** The tree as the last checkpoint has it. */
  async #read(): Promise<MerkleTree> {
    const size = await this.shelf.last('checkpoints');
    if (size === undefined) return new MerkleTree();
    const note = await this.shelf.get(checkpointName(size));
    const checkpoint = openCheckpoint(note ?? '', logKeyOf(this.name, this.privateKey));
    if (!checkpoint)
      throw this.#broken(
        `its last checkpoint was not signed as ${this.name} with this key. Restore the key, or let evidence.log name another place`,
      );
    for (const useTiles of [true, false]) {
      const tree = new MerkleTree();
      const leaves = await readLeaves(this.shelf, 0, size, useTiles);
      for (const leaf of leaves) if (leaf) tree.append(leaf);
      if (tree.size === size && tree.root().equals(checkpoint.root)) return tree;
    }
    throw this.#broken(
      'its entries are not those that its last checkpoint was made of. Restore it from a backup, and find out who changed it',
    );
  }

  /** Retried: nothing is sealed until the log is whole again. */
  #broken(what: string): TenureError {
    return new TenureError('StoreUnavailable', `the evidence log in ${this.shelf.where}: ${what}`);
  }
}

export function entryName(index: number): string {
  return numbered('entries', index, '.json');
}

export function checkpointName(size: number): string {
  return numbered('checkpoints', size);
}
