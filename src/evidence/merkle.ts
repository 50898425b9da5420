/** The Merkle tree of RFC 6962, section 2.1: hashes, and the two proofs, made and verified. The verifiers know only the hashes given. */
import { createHash } from 'node:crypto';

/** What an entry is in the tree. */
export function leafHash(entry: string | Buffer): Buffer {
  return createHash('sha256').update(leafPrefix).update(entry).digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update(nodePrefix).update(left).update(right).digest();
}

// Different first bytes, so that no entry can be taken for an inner node.
const leafPrefix = Buffer.from([0]);
const nodePrefix = Buffer.from([1]);
const emptyRoot = createHash('sha256').digest();

/** A tree that grows by leaves. It keeps every full subtree's hash, so that no answer costs more than O(log² n). */
export class MerkleTree {
  /** By height: the hashes of the full subtrees of that height, from left to right. */
  readonly #full: Buffer[][] = [[]];

  get size(): number {
    return this.#full[0]!.length;
  }

  /** The leaf hashes, in order. */
  get leaves(): readonly Buffer[] {
    return this.#full[0]!;
  }

  append(leaf: Buffer): void {
    let hash = leaf;
    for (let height = 0; ; height += 1) {
      const row = (this.#full[height] ??= []);
      row.push(hash);
      if (row.length % 2 === 1) return;
      hash = nodeHash(row.at(-2)!, row.at(-1)!);
    }
  }

  /** The root of the first `size` leaves. */
  root(size = this.size): Buffer {
    this.#demand(size);
    return size === 0 ? emptyRoot : this.#hash(0, size);
  }

  /** Proves that leaf `index` is in the tree of the first `size` leaves. */
  inclusion(index: number, size = this.size): Buffer[] {
    this.#demand(size);
    if (index < 0 || index >= size) throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
    return this.#path(index, 0, size);
  }

  /** Proves that the tree of `size` leaves only adds to that of `old` leaves. */
  consistency(old: number, size = this.size): Buffer[] {
    this.#demand(size);
    if (old < 0 || old > size) throw new RangeError(`a tree of ${size} leaves never had ${old}`);
    return old === 0 || old === size ? [] : this.#subproof(old, 0, size, true);
  }

  #path(index: number, from: number, count: number): Buffer[] {
    if (count === 1) return [];
    const left = splitOf(count);
    return index < left
      ? [...this.#path(index, from, left), this.#hash(from + left, count - left)]
      : [...this.#path(index - left, from + left, count - left), this.#hash(from, left)];
  }

  #subproof(old: number, from: number, count: number, isWhole: boolean): Buffer[] {
    if (old === count) return isWhole ? [] : [this.#hash(from, count)];
    const left = splitOf(count);
    return old <= left
      ? [...this.#subproof(old, from, left, isWhole), this.#hash(from + left, count - left)]
      : [...this.#subproof(old - left, from + left, count - left, false), this.#hash(from, left)];
  }

  #hash(from: number, count: number): Buffer {
    if (isPowerOfTwo(count)) return this.#full[Math.round(Math.log2(count))]![from / count]!;
    const left = splitOf(count);
    return nodeHash(this.#hash(from, left), this.#hash(from + left, count - left));
  }

  #demand(size: number): void {
    if (!Number.isInteger(size) || size < 0 || size > this.size)
      throw new RangeError(`the tree has ${this.size} leaves, not ${size}`);
  }
}

/** The tree of these leaf hashes. */
export function treeOf(leaves: Iterable<Buffer>): MerkleTree {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
}

/** Whether `proof` leads from leaf `index` to `root`, the root of `size` leaves. RFC 9162, section 2.1.3.2. */
export function isIncluded(leaf: Buffer, index: number, size: number, proof: readonly Buffer[], root: Buffer): boolean {
  if (index < 0 || index >= size) return false;
  let [at, last, hash] = [index, size - 1, leaf];
  for (const beside of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(beside, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else hash = nodeHash(hash, beside);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && hash.equals(root);
}

/** Whether `proof` shows that the tree of `size` leaves only adds to that of `old` leaves. RFC 9162, section 2.1.4.2. */
export function isConsistent(
  old: { readonly size: number; readonly root: Buffer },
  now: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (old.size === now.size) return proof.length === 0 && old.root.equals(now.root);
  if (old.size > now.size) return false;
  if (old.size === 0) return proof.length === 0 && old.root.equals(emptyRoot);
  const [first, ...rest] = isPowerOfTwo(old.size) ? [old.root, ...proof] : proof;
  if (!first) return false;
  let [at, last] = [old.size - 1, now.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  let [oldHash, newHash] = [first, first];
  for (const beside of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      [oldHash, newHash] = [nodeHash(beside, oldHash), nodeHash(beside, newHash)];
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else newHash = nodeHash(newHash, beside);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && oldHash.equals(old.root) && newHash.equals(now.root);
}

/** Exact, also where a logarithm is not. */
function isPowerOfTwo(count: number): boolean {
  return 2 ** Math.round(Math.log2(count)) === count;
}

/** The largest power of two below `count`. */
function splitOf(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1);
}

function half(value: number): number {
  return Math.floor(value / 2);
}
