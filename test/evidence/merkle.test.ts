import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isConsistent, isIncluded, leafHash, MerkleTree, treeOf } from '../../src/evidence/merkle.js';

/** The inputs, roots and proofs that implementations of RFC 6962 have been tested with from the first. */
const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const leaves = inputs.map((input) => leafHash(Buffer.from(input, 'hex')));
const tree = treeOf(leaves);
const hex = (hashes: readonly Buffer[]): string[] => hashes.map((hash) => hash.toString('hex'));

describe('as the known trees of RFC 6962', () => {
  test.each(roots.map((root, size) => ({ size, root })))('the root of $size leaves', ({ size, root }) => {
    expect(tree.root(size).toString('hex')).toBe(root);
    expect(treeOf(leaves.slice(0, size)).root().toString('hex')).toBe(root);
  });

  test('the proof of leaf 5 in a tree of 8', () => {
    expect(hex(tree.inclusion(5, 8))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  test('the proof that 8 leaves only add to 6', () => {
    expect(hex(tree.consistency(6, 8))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ]);
  });

  test('the proof that 5 leaves only add to 2', () => {
    expect(hex(tree.consistency(2, 5))).toEqual([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ]);
  });
});

/** Section 2.1 of RFC 6962 as it is written, and nothing else. */
function rootAsDefined(all: readonly Buffer[]): Buffer {
  return treeAsDefined(all);
}
function treeAsDefined(all: readonly Buffer[]): Buffer {
  if (all.length <= 1) return all[0] ?? new MerkleTree().root();
  let left = 1;
  while (left * 2 < all.length) left *= 2;
  return nodeHash(treeAsDefined(all.slice(0, left)), treeAsDefined(all.slice(left)));
}
function nodeHash(left: Buffer, right: Buffer): Buffer {
  return treeOf([left, right]).root();
}

const many = Array.from({ length: 70 }, (_, index) => leafHash(`entry ${index}`));
const grown = treeOf(many);

test('every root up to 70 leaves is as the definition says', () => {
  for (let size = 0; size <= many.length; size += 1)
    expect(grown.root(size)).toEqual(rootAsDefined(many.slice(0, size)));
});

test('every leaf is proven in every tree that has it, and at no other place', () => {
  for (let size = 1; size <= 40; size += 1) {
    for (let index = 0; index < size; index += 1) {
      const proof = grown.inclusion(index, size);
      expect(isIncluded(many[index]!, index, size, proof, grown.root(size))).toBe(true);
      expect(isIncluded(many[index]!, (index + 1) % (size + 1), size, proof, grown.root(size))).toBe(false);
      expect(isIncluded(many[index]!, index, size, proof, grown.root(size + 1))).toBe(false);
      expect(isIncluded(many[index]!, index, size, [...proof, many[0]!], grown.root(size))).toBe(false);
      expect(isIncluded(leafHash('another'), index, size, proof, grown.root(size))).toBe(false);
    }
  }
});

test('every tree is proven to add to every smaller one, and to no other', () => {
  for (let size = 0; size <= 40; size += 1) {
    for (let old = 0; old <= size; old += 1) {
      const proof = grown.consistency(old, size);
      const [before, now] = [
        { size: old, root: grown.root(old) },
        { size, root: grown.root(size) },
      ];
      expect(isConsistent(before, now, proof)).toBe(true);
      expect(isConsistent({ ...before, root: leafHash('another') }, now, proof)).toBe(false);
      // The empty tree says nothing about what comes after it.
      if (old > 0) expect(isConsistent(before, { ...now, root: leafHash('another') }, proof)).toBe(false);
      expect(isConsistent(before, now, [...proof, many[0]!])).toBe(false);
      if (proof.length > 0) expect(isConsistent(before, now, proof.slice(1))).toBe(false);
    }
  }
});

test('no changed proof is believed', () => {
  const cases = fc.record({
    size: fc.integer({ min: 2, max: 70 }),
    at: fc.nat(),
    where: fc.nat(),
    byte: fc.nat({ max: 31 }),
    bit: fc.nat({ max: 7 }),
  });
  fc.assert(
    fc.property(cases, ({ size, at, where, byte, bit }) => {
      const index = at % size;
      const proof = grown.inclusion(index, size).map((hash) => Buffer.from(hash));
      proof[where % proof.length]![byte]! ^= 1 << bit;
      expect(isIncluded(many[index]!, index, size, proof, grown.root(size))).toBe(false);
      const old = 1 + (at % (size - 1));
      const steps = grown.consistency(old, size).map((hash) => Buffer.from(hash));
      steps[where % steps.length]![byte]! ^= 1 << bit;
      const before = { size: old, root: grown.root(old) };
      expect(isConsistent(before, { size, root: grown.root(size) }, steps)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('an inner node is not proven to be a leaf by the rest of a proof', () => {
  const [inner, ...rest] = [treeOf(leaves.slice(0, 2)).root(), ...tree.inclusion(0, 8).slice(1)];
  expect(isIncluded(inner, 0, 8, rest, tree.root(8))).toBe(false);
});

test('a leaf is not an inner node: the same bytes give another hash', () => {
  const inner = Buffer.concat([leaves[0]!, leaves[1]!]);
  expect(leafHash(inner)).not.toEqual(treeOf(leaves.slice(0, 2)).root());
});

test.each([
  ['a leaf that is not there', () => tree.inclusion(8, 8)],
  ['a tree that is larger', () => tree.root(9)],
  ['a larger one before', () => tree.consistency(7, 6)],
  ['half a leaf', () => tree.root(1.5)],
])('a tree says that it has no proof of %s', (_, ask) => expect(ask).toThrow(RangeError));
