/** SSH signatures with one thing wrong: built from their parts, so that everything else is right. */
import { createHash, sign, type KeyObject } from 'node:crypto';
import { sshBlobOf } from '../../src/trust/ssh-key.js';
import { armor, signedBytes, sshsigBlob } from '../../src/trust/sshsig.js';
import { wirePositive, wireString, wireUint32 } from '../../src/trust/ssh-wire.js';
import { freshPair } from '../support/signers.js';

/** A key of this test program, with its blob. */
export interface WireKey {
  readonly blob: Buffer;
  readonly privateKey: KeyObject;
}

export function wireKey(kind: 'ed25519' | 'p256' | 'p384' | 'p521' | 'rsa'): WireKey {
  const { publicKey, privateKey } = freshPair(kind);
  return { blob: sshBlobOf(publicKey)!, privateKey };
}

/** What can be different in a signature. */
export interface Parts {
  readonly magic?: string;
  readonly version?: number;
  readonly blob?: Buffer;
  readonly namespace?: string;
  readonly reserved?: string;
  readonly hash?: string;
  readonly algorithm?: string;
  /** Signs; the default is right for Ed25519. */
  readonly signature?: (signed: Buffer) => Buffer;
  readonly afterSignature?: Buffer;
  readonly after?: Buffer;
}

/** An armored signature of `message` by an Ed25519 key, but for these parts. */
export function signatureWith(key: WireKey, message: Buffer, parts: Parts = {}): string {
  const {
    magic = 'SSHSIG',
    version = 1,
    blob = key.blob,
    namespace = 'tenure',
    reserved = '',
    hash = 'sha512',
  } = parts;
  const { algorithm = 'ssh-ed25519', signature = (signed: Buffer) => sign(null, signed, key.privateKey) } = parts;
  const { afterSignature = Buffer.alloc(0), after = Buffer.alloc(0) } = parts;
  const digest = createHash(hash).update(message).digest();
  const signed = Buffer.concat([Buffer.from('SSHSIG'), ...[namespace, reserved, hash, digest].map(wireString)]);
  const body = Buffer.concat([wireString(algorithm), wireString(signature(signed)), afterSignature]);
  const strings = [blob, namespace, reserved, hash, body].map(wireString);
  return armor(Buffer.concat([Buffer.from(magic), wireUint32(version), ...strings, after]));
}

/** An ECDSA signature of `message` with its two numbers changed. */
export function ecdsaWith(
  key: WireKey,
  message: Buffer,
  body: (r: Buffer, s: Buffer) => Buffer = (r, s) => Buffer.concat([wirePositive(r), wirePositive(s)]),
): string {
  const pair = sign('sha256', signedBytes(message, 'sha512'), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  const signature = body(pair.subarray(0, 32), pair.subarray(32));
  return armor(sshsigBlob(key.blob, Buffer.concat([wireString('ecdsa-sha2-nistp256'), wireString(signature)])));
}

/** An RSA signature of `message`. */
export function rsaWith(
  key: WireKey,
  message: Buffer,
  { algorithm = 'rsa-sha2-512', hash = 'sha512', change = (bytes: Buffer) => bytes } = {},
): string {
  const signature = change(sign(hash, signedBytes(message, 'sha512'), key.privateKey));
  return armor(sshsigBlob(key.blob, Buffer.concat([wireString(algorithm), wireString(signature)])));
}
