/**
 * Payloads, encrypted: AES-256-GCM with a random nonce each. The key's id stands beside them in clear and is authenticated with them, so
 * that a key can be followed by another while what the first one encrypted stays readable.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { TenureError } from '../../domain/errors.js';
import type { KeyRing } from './key.js';

/** As Temporal's own samples call it; tools know by it that a codec is needed. */
const encoding = 'binary/encrypted';
const cipher = 'aes-256-gcm';
/** Of the layout: nonce, tag, ciphertext. */
const layout = 'AES-256-GCM/1';
const nonceBytes = 12;
const tagBytes = 16;

const { Payload: Message } = proto.temporal.api.common.v1;

/** Encrypts with the current key and decrypts with the one that a payload names. What was never encrypted passes as it is. */
export function payloadCodec({ keys, current }: KeyRing): PayloadCodec {
  const sealing = current === undefined ? undefined : { id: current, key: demanded(keys, current) };
  return {
    encode: async (payloads) =>
      sealing ? payloads.map((payload) => seal(payload, sealing.id, sealing.key)) : payloads,
    decode: async (payloads) => payloads.map((payload) => (isEncrypted(payload) ? open(payload, keys) : payload)),
  };
}

function demanded(keys: KeyRing['keys'], id: string): KeyObject {
  const key = keys.get(id);
  if (!key)
    throw new TenureError('InvalidRequest', `encryption.current: there is no key ${id}; add it to encryption.keys`);
  return key;
}

/** Whether a payload is one of ours that has to be decoded. */
export function isEncrypted({ metadata }: Payload): boolean {
  return textOf(metadata?.['encoding']) === encoding;
}

function seal(payload: Payload, id: string, key: KeyObject): Payload {
  const nonce = randomBytes(nonceBytes);
  const encrypter = createCipheriv(cipher, key, nonce).setAAD(authenticated(id));
  const content = Buffer.concat([encrypter.update(Message.encode(payload).finish()), encrypter.final()]);
  return {
    metadata: {
      encoding: Buffer.from(encoding),
      'encryption-cipher': Buffer.from(layout),
      'encryption-key-id': Buffer.from(id),
    },
    data: Buffer.concat([nonce, encrypter.getAuthTag(), content]),
  };
}

function open({ metadata, data }: Payload, keys: KeyRing['keys']): Payload {
  const id = textOf(metadata?.['encryption-key-id']);
  const key = keys.get(id);
  if (!key)
    throw new TenureError(
      'StoreUnavailable',
      `a payload is encrypted with key ${named(id)}, which is not under encryption.keys in tenure.yaml; add it there and try again`,
      { key: named(id) },
    );
  try {
    const { metadata: inner, data: content } = Message.decode(opened(data ?? new Uint8Array(), id, key));
    return { metadata: inner, data: content };
  } catch {
    throw new TenureError(
      'StoreUnavailable',
      `a payload that names key ${named(id)} does not open with it: it was changed, or another key has that id now; restore the key as it was`,
      { key: named(id) },
    );
  }
}

function opened(data: Uint8Array, id: string, key: KeyObject): Buffer {
  const nonce = data.subarray(0, nonceBytes);
  const tag = data.subarray(nonceBytes, nonceBytes + tagBytes);
  // Node takes a shorter tag too where its length is not said, and a short tag can be guessed.
  const decrypter = createDecipheriv(cipher, key, nonce, { authTagLength: tagBytes })
    .setAAD(authenticated(id))
    .setAuthTag(tag);
  return Buffer.concat([decrypter.update(data.subarray(nonceBytes + tagBytes)), decrypter.final()]);
}

function authenticated(id: string): Buffer {
  return Buffer.from(`tenure payload\0${layout}\0${id}`);
}

/** Whoever wrote the payload chose it: only what could be an id of ours goes into a message. */
function named(id: string): string {
  return /^[a-z0-9._-]{1,63}$/.test(id) ? id : '(none that could be ours)';
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}
