import { createHash, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { sshBlobOf } from '../../src/trust/ssh-key.js';
import {
  armor,
  longestArmor,
  readSshsig,
  securityKeyBytes,
  signedBytes,
  signSshsig,
  sshsigBlob,
} from '../../src/trust/sshsig.js';
import { wirePositive, wireString } from '../../src/trust/ssh-wire.js';
import { freshPair, keyFlags, securityKey } from '../support/signers.js';
import { refusalOf } from './refusals.js';
import { ecdsaWith, rsaWith, signatureWith, wireKey } from './wire.js';

const message = Buffer.from('{"a":"statement"}');
const ed25519 = wireKey('ed25519');
const p256 = wireKey('p256');
const rsa = wireKey('rsa');

/** One good signature by each kind of key. */
const good: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    (['ed25519', 'p256', 'p384', 'p521', 'rsa'] as const).map((kind) => {
      const { privateKey, publicKey } = freshPair(kind);
      return [kind, signSshsig(privateKey, publicKey, message)];
    }),
  ),
  'rsa-sha2-256': rsaWith(rsa, message, { algorithm: 'rsa-sha2-256', hash: 'sha256' }),
  'sk-ed25519': securityKey('ed25519').sign(message, keyFlags.touchedAndUnlocked),
  'sk-p256': securityKey('p256').sign(message, keyFlags.touchedAndUnlocked),
};

/** Takes the armor off. */
const blobOf = (armored: string): Buffer => Buffer.from(armored.split('\n').slice(1, -2).join(''), 'base64');

/** Whether it is taken for a signature of the message by the same key. Throws for anything but a refusal. */
async function isTaken(armored: string, by: string): Promise<boolean> {
  let taken = false;
  await refusalOf(() => {
    const read = readSshsig(armored);
    taken = read.keyId === by && read.isOf(message);
  });
  return taken;
}

describe('a good signature', () => {
  test.each(Object.keys(good))('of %s is that of its key over its message, and over no other', (kind) => {
    const read = readSshsig(good[kind]!);
    expect(read.isOf(message)).toBe(true);
    expect(read.isOf(Buffer.from('{"a":"Statement"}'))).toBe(false);
    expect(read.isOf(Buffer.alloc(0))).toBe(false);
  });

  test('may hash with sha256 too', () => {
    const armored = signatureWith(ed25519, message, { hash: 'sha256' });
    expect(readSshsig(armored).isOf(message)).toBe(true);
    expect(readSshsig(securityKey().sign(message, 5, 'sha256')).isOf(message)).toBe(true);
  });

  test.each(Object.keys(good))('of %s is refused with any one bit changed', async (kind) => {
    const blob = blobOf(good[kind]!);
    const { keyId } = readSshsig(good[kind]!);
    const taken: string[] = [];
    for (let at = 0; at < blob.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const hostile = Buffer.from(blob);
        hostile[at]! ^= 1 << bit;
        if (await isTaken(armor(hostile), keyId)) taken.push(`byte ${at}, bit ${bit}`);
      }
    }
    expect(taken).toEqual([]);
  });

  test.each(Object.keys(good))(
    'of %s is refused cut at any length, and with anything added at any place',
    async (kind) => {
      const blob = blobOf(good[kind]!);
      const { keyId } = readSshsig(good[kind]!);
      const hostile = [...blob.keys()].flatMap((at) => [
        blob.subarray(0, at),
        blob.subarray(at + 1),
        Buffer.concat([blob.subarray(0, at), Buffer.from([0]), blob.subarray(at)]),
        Buffer.concat([blob.subarray(0, at), Buffer.from([0xff]), blob.subarray(at)]),
        Buffer.concat([blob.subarray(0, at), blob]),
      ]);
      // The one with nothing in front is the good one.
      expect(hostile[4]).toEqual(blob);
      const taken = [];
      for (const one of hostile.filter((_, index) => index !== 4))
        if (await isTaken(armor(one), keyId)) taken.push(one);
      for (const tail of [[0], [0xff], [0, 0, 0, 0]])
        if (await isTaken(armor(Buffer.concat([blob, Buffer.from(tail)])), keyId)) taken.push(tail);
      expect(taken).toEqual([]);
    },
  );

  test.each(['ed25519', 'sk-ed25519'])('of %s is refused with its armor changed in any character', async (kind) => {
    const armored = good[kind]!;
    const { keyId } = readSshsig(armored);
    const taken: string[] = [];
    for (let at = 0; at <= armored.length; at += 1) {
      const [head, tail] = [armored.slice(0, at), armored.slice(at)];
      const hostile = [head, `${head}${tail.slice(1)}`];
      for (const character of ['\n', '\r', ' ', '=', 'A', '-', '\0', 'é', tail[0] === 'a' ? 'b' : 'a'])
        hostile.push(`${head}${character}${tail}`, `${head}${character}${tail.slice(1)}`);
      for (const one of hostile) if (one !== armored && (await isTaken(one, keyId))) taken.push(one);
    }
    expect(taken).toEqual([]);
  });
});

describe('a signature is refused', () => {
  const padded = (bytes: Buffer): Buffer => Buffer.concat([Buffer.alloc(1), bytes]);
  const withLong = (number: Buffer): Buffer => wireString(Buffer.concat([Buffer.from([0, 0]), number]));
  const cert = Buffer.concat([wireString('ssh-ed25519-cert-v01@openssh.com'), ed25519.blob.subarray(15)]);

  test.each<[string, string, () => string]>([
    ['without its armor', 'signature-malformed', () => blobOf(good['ed25519']!).toString('base64')],
    ['that is longer than any', 'too-large', () => 'x'.repeat(longestArmor + 1)],
    ['with another beginning', 'signature-malformed', () => signatureWith(ed25519, message, { magic: 'SSHSIH' })],
    ['of another version', 'signature-malformed', () => signatureWith(ed25519, message, { version: 2 })],
    ['made for git', 'wrong-namespace', () => signatureWith(ed25519, message, { namespace: 'git' })],
    ['made for no purpose', 'wrong-namespace', () => signatureWith(ed25519, message, { namespace: '' })],
    [
      'made for a purpose that only looks like ours',
      'wrong-namespace',
      () => signatureWith(ed25519, message, { namespace: 'tenure ' }),
    ],
    [
      'made for a purpose that is no text',
      'signature-malformed',
      () => signatureWith(ed25519, message, { namespace: 'tenure\0' }),
    ],
    ['with something reserved', 'signature-malformed', () => signatureWith(ed25519, message, { reserved: 'x' })],
    ['that hashes with sha1', 'algorithm-refused', () => signatureWith(ed25519, message, { hash: 'sha1' })],
    ['that hashes with sha384', 'algorithm-refused', () => signatureWith(ed25519, message, { hash: 'sha384' })],
    [
      'with something after it',
      'signature-malformed',
      () => signatureWith(ed25519, message, { after: Buffer.alloc(1) }),
    ],
    [
      'with something after its inner part',
      'signature-malformed',
      () => signatureWith(ed25519, message, { afterSignature: Buffer.alloc(5) }),
    ],
    [
      'with a shorter inner part',
      'signature-malformed',
      () => signatureWith(ed25519, message, { signature: () => Buffer.alloc(63) }),
    ],
    [
      'that names the algorithm of another key',
      'algorithm-refused',
      () => signatureWith(ed25519, message, { algorithm: 'rsa-sha2-512' }),
    ],
    ['that names no algorithm', 'algorithm-refused', () => signatureWith(ed25519, message, { algorithm: 'none' })],
    [
      'that names what every object has',
      'algorithm-refused',
      () => signatureWith(ed25519, message, { algorithm: 'constructor' }),
    ],
    ['of a certificate', 'signature-malformed', () => signatureWith(ed25519, message, { blob: cert })],
    ['of RSA with SHA-1', 'algorithm-refused', () => rsaWith(rsa, message, { algorithm: 'ssh-rsa', hash: 'sha1' })],
    [
      'of RSA that is shorter than the modulus',
      'signature-malformed',
      () => rsaWith(rsa, message, { change: (bytes) => bytes.subarray(1) }),
    ],
    ['of RSA that is longer than the modulus', 'signature-malformed', () => rsaWith(rsa, message, { change: padded })],
    [
      'of ECDSA with a zero',
      'signature-malformed',
      () => ecdsaWith(p256, message, (r) => Buffer.concat([wirePositive(r), wireString('')])),
    ],
    [
      'of ECDSA with a zero that is written out',
      'signature-malformed',
      () => ecdsaWith(p256, message, (r) => Buffer.concat([wirePositive(r), wireString(Buffer.alloc(1))])),
    ],
    [
      'of ECDSA with a negative number',
      'signature-malformed',
      () => ecdsaWith(p256, message, (r) => Buffer.concat([wirePositive(r), wireString(Buffer.from([0x80]))])),
    ],
    [
      'of ECDSA with a number in a longer form',
      'signature-malformed',
      () => ecdsaWith(p256, message, (r, s) => Buffer.concat([withLong(r), wirePositive(s)])),
    ],
    [
      'of ECDSA with a number that is too large',
      'signature-malformed',
      () =>
        ecdsaWith(p256, message, (r, s) =>
          Buffer.concat([wirePositive(r), wireString(Buffer.concat([Buffer.from([1]), s]))]),
        ),
    ],
    [
      'of ECDSA with three numbers',
      'signature-malformed',
      () => ecdsaWith(p256, message, (r, s) => Buffer.concat([r, s, s].map(wirePositive))),
    ],
  ])('%s: %s', async (_, reason, make) => {
    expect(await refusalOf(() => readSshsig(make()))).toBe(reason);
  });

  test('of ECDSA whose numbers are those of no signature', () => {
    const swapped = ecdsaWith(p256, message, (r, s) => Buffer.concat([wirePositive(s), wirePositive(r)]));
    expect(readSshsig(swapped).isOf(message)).toBe(false);
    const order = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const beyond = ecdsaWith(p256, message, () => Buffer.concat([wirePositive(order), wirePositive(order)]));
    expect(readSshsig(beyond).isOf(message)).toBe(false);
  });

  test('whose hash is named otherwise than it was made', () => {
    const signed = sign('sha256', signedBytes(message, 'sha512'), rsa.privateKey);
    const renamed = armor(sshsigBlob(rsa.blob, Buffer.concat([wireString('rsa-sha2-512'), wireString(signed)])));
    expect(readSshsig(renamed).isOf(message)).toBe(false);
  });
});

describe('a security key', () => {
  const { publicKey, privateKey } = freshPair('ed25519');
  const type = 'sk-ssh-ed25519@openssh.com';
  const blobFor = (application: string): Buffer =>
    Buffer.concat([wireString(type), sshBlobOf(publicKey)!.subarray(15), wireString(application)]);

  /** As the device signs, with any flags, told or true. */
  function signedWith(trueFlags: number, toldFlags = trueFlags, application = 'ssh:', rest = [0, 0, 0, 1]): string {
    const data = securityKeyBytes(application, Buffer.from([trueFlags, 0, 0, 0, 1]), signedBytes(message, 'sha512'));
    const told = Buffer.from([toldFlags, ...rest]);
    const inner = Buffer.concat([wireString(type), wireString(sign(null, data, privateKey)), told]);
    return armor(sshsigBlob(blobFor(application), inner));
  }

  test('that was not touched is not made touched by saying so', () => {
    expect(readSshsig(signedWith(0)).isOf(message)).toBe(true);
    const claimed = readSshsig(signedWith(0, keyFlags.touchedAndUnlocked));
    expect(claimed.presence).toBe('pin');
    expect(claimed.isOf(message)).toBe(false);
  });

  test('announces no more data than is signed', async () => {
    for (const flags of [0x41, 0x81, 0xc5])
      expect(await refusalOf(() => readSshsig(signedWith(flags)))).toBe('signature-malformed');
  });

  test('gives flags and a counter, and nothing else', async () => {
    for (const rest of [[], [0, 0, 0], [0, 0, 0, 1, 0]])
      expect(await refusalOf(() => readSshsig(signedWith(1, 1, 'ssh:', rest)))).toBe('signature-malformed');
  });

  test('made for a web site signs nothing here', async () => {
    expect(await refusalOf(() => readSshsig(signedWith(5, 5, 'example.com')))).toBe('signature-malformed');
  });

  test('cannot be passed for an ordinary key, nor an ordinary key for one', async () => {
    const plain = Buffer.concat([
      wireString('ssh-ed25519'),
      wireString(sign(null, signedBytes(message, 'sha512'), privateKey)),
    ]);
    expect(await refusalOf(() => readSshsig(armor(sshsigBlob(blobFor('ssh:'), plain))))).toBe('algorithm-refused');
    const asDevice = Buffer.concat([wireString(type), wireString(Buffer.alloc(64)), Buffer.alloc(5)]);
    expect(await refusalOf(() => readSshsig(armor(sshsigBlob(sshBlobOf(publicKey)!, asDevice))))).toBe(
      'algorithm-refused',
    );
  });

  test('signs the hash of what is signed, not the thing itself', () => {
    const data = Buffer.concat([
      createHash('sha256').update('ssh:').digest(),
      Buffer.from([5, 0, 0, 0, 1]),
      signedBytes(message, 'sha512'),
    ]);
    const inner = Buffer.concat([
      wireString(type),
      wireString(sign(null, data, privateKey)),
      Buffer.from([5, 0, 0, 0, 1]),
    ]);
    expect(readSshsig(armor(sshsigBlob(blobFor('ssh:'), inner))).isOf(message)).toBe(false);
  });
});
