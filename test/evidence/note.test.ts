import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../../src/canonical-json.js';
import { formatProof, openCheckpoint, parseProof, signCheckpoint } from '../../src/evidence/checkpoint.js';
import { inTotoType, openEnvelope, parseEnvelope, preAuthEncoding, signEnvelope } from '../../src/evidence/dsse.js';
import { leafHash } from '../../src/evidence/merkle.js';
import { logKeyOf, openNote, parseLogKey, signNote } from '../../src/evidence/note.js';

/** The key pair and the note that Go's implementation of signed notes documents. */
const known = {
  name: 'PeterNeumann',
  key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  text: "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n",
  signature: 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=',
};
const knownNote = `${known.text}\n\u2014 ${known.name} ${known.signature}\n`;

const { privateKey } = generateKeyPairSync('ed25519');
const name = 'example.com/tenure';
const key = logKeyOf(name, privateKey);
const root = leafHash('root');
const note = signCheckpoint({ origin: name, size: 42, root }, privateKey);

describe('signed notes', () => {
  test('a note of another implementation is read with its key', () => {
    expect(openNote(knownNote, parseLogKey(known.key)!)).toBe(known.text);
  });

  test('the same key writes the same note, byte for byte', () => {
    const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
    // The documented private key is `PRIVATE+KEY+<name>+<id>+` and this, after a byte that says Ed25519.
    const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
    const secret = createPrivateKey({ key: Buffer.concat([prefix, seed]), format: 'der', type: 'pkcs8' });
    expect(logKeyOf(known.name, secret).text).toBe(known.key);
    expect(signNote(known.text, known.name, secret)).toBe(knownNote);
  });

  test('a note with the signatures of others beside ours is ours; with a bad one of ours it is not', () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    const witness = signNote('a\n', 'witness.example', other).split('\n\n')[1]!;
    const foreign = signNote('b\n', name, other).split('\n\n')[1]!;
    expect(openNote(note + witness, key)).toBe(`${name}\n42\n${root.toString('base64')}\n`);
    const ours = note.split('\n\n')[1]!;
    const bad = signNote('other words\n', name, privateKey).split('\n\n')[1]!;
    expect(openNote(note + bad, key)).toBeUndefined();
    expect(openNote(note.replace(ours, foreign), key)).toBeUndefined();
    expect(openNote(note.replace(ours, ''), key)).toBeUndefined();
  });

  test('no changed byte of a checkpoint is believed', () => {
    const bytes = Buffer.from(note);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes);
        changed[at]! ^= flip;
        expect(openCheckpoint(changed.toString('utf8'), key)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['no name', 'PeterNeumann+c74f20a3'],
    ['another id', known.key.replace('c74f20a3', 'c74f20a4')],
    ['another type', known.key.replace('+ARpc', '+BBpc')],
    ['bits left over', known.key.replace(/W$/, 'X')],
    ['a space', ` Peter Neumann${known.key.slice(12)}`],
    ['nothing', ''],
  ])('a key with %s is no key', (_, text) => expect(parseLogKey(text)).toBeUndefined());
});

describe('checkpoints', () => {
  test('what was signed is read', () => expect(openCheckpoint(note, key)).toEqual({ origin: name, size: 42, root }));

  test.each([
    ['of another log', 'another.example\n42\nR\n'],
    ['with a size that is none', `${name}\n042\nR\n`],
    ['with a root that is no hash', `${name}\n42\nAAAA\n`],
    ['with lines that nobody can check', `${name}\n42\nR\nmore\n`],
    ['without a root', `${name}\n42\n`],
  ])('one %s is not ours, although our key signed it', (_, text) => {
    const signed = signNote(text.replace('R', root.toString('base64')), name, privateKey);
    expect(openNote(signed, key)).toBeDefined();
    expect(openCheckpoint(signed, key)).toBeUndefined();
  });

  test('a log cannot be named so that its name could be read as more', () => {
    for (const bad of ['', 'a b', 'a+b', 'a\nb', 'a\u0000']) expect(() => logKeyOf(bad, privateKey)).toThrow(TypeError);
  });
});

describe('proofs of inclusion as files', () => {
  const proof = { index: 7, hashes: [leafHash('a'), leafHash('b')], checkpoint: note };

  test('what was written is read', () => {
    expect(parseProof(formatProof(proof))).toEqual(proof);
    expect(parseProof(formatProof({ ...proof, hashes: [] }))).toEqual({ ...proof, hashes: [] });
    expect(formatProof(proof)).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 7\n/);
  });

  test.each([
    ['another header', (text: string) => text.replace('@v1', '@v2')],
    ['an index that is none', (text: string) => text.replace('index 7', 'index 07')],
    ['half a hash', (text: string) => text.replace(proof.hashes[0]!.toString('base64'), 'AAAA')],
    ['no checkpoint', (text: string) => text.split('\n\n')[0]!],
  ])('one with %s is none', (_, change) => expect(parseProof(change(formatProof(proof)))).toBeUndefined());
});

describe('envelopes', () => {
  const payload = '{"some":"statement"}';
  const envelope = signEnvelope(payload, name, privateKey);

  test('what is signed is encoded as the specification of DSSE shows', () => {
    expect(preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  test('what was signed is read', () => {
    expect(openEnvelope(envelope, key)).toBe(payload);
    expect(envelope.payloadType).toBe(inTotoType);
    expect(parseEnvelope(canonicalJson(envelope))).toEqual(envelope);
  });

  const [signature] = envelope.signatures;
  test.each([
    ['another payload', { ...envelope, payload: Buffer.from('{}').toString('base64') }],
    ['another type', { ...envelope, payloadType: 'text/plain' }],
    ['no signature', { ...envelope, signatures: [] }],
    ['the signature of another name', { ...envelope, signatures: [{ ...signature!, keyid: 'other+00000000' }] }],
    ['a signature that is none', { ...envelope, signatures: [{ ...signature!, sig: 'AAAA' }] }],
    ['base64 in another spelling', { ...envelope, payload: `${envelope.payload.replace(/=+$/, '')}` }],
  ])('one with %s does not open', (_, changed) => {
    expect(canonicalJson(changed)).not.toBe(canonicalJson(envelope));
    expect(openEnvelope(changed, key)).toBeUndefined();
  });

  test.each([
    ['a field more', { ...envelope, more: 1 }],
    ['no payload', { payloadType: '', signatures: [] }],
  ])('one with %s is none', (_, changed) => expect(parseEnvelope(canonicalJson(changed))).toBeUndefined());

  test('one that is not in its canonical form is none', () => {
    expect(parseEnvelope(JSON.stringify(envelope, null, 1))).toBeUndefined();
    expect(parseEnvelope('{')).toBeUndefined();
  });
});
