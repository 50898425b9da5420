/** DSSE envelopes: a payload, and signatures over it and its type, so that it can be taken for nothing else. */
import { sign, verify, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.js';
import { exactBase64, logKeyOf, type LogKey } from './note.js';

export interface Envelope {
  readonly payloadType: string;
  /** Base64. */
  readonly payload: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

/** The payload type of in-toto Statements. */
export const inTotoType = 'application/vnd.in-toto+json';

const envelopeSchema = z.strictObject({
  payloadType: z.string().max(200),
  payload: z.string(),
  signatures: z.array(z.strictObject({ keyid: z.string().max(300), sig: z.string().max(1_000) })).max(16),
});

/** DSSE's pre-authentication encoding: what is signed. */
export function preAuthEncoding(type: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

/** Signs a payload under the log's name. */
export function signEnvelope(payload: string, name: string, privateKey: KeyObject): Envelope {
  const bytes = Buffer.from(payload);
  const sig = sign(null, preAuthEncoding(inTotoType, bytes), privateKey).toString('base64');
  return {
    payloadType: inTotoType,
    payload: bytes.toString('base64'),
    signatures: [{ keyid: keyIdOf(logKeyOf(name, privateKey)), sig }],
  };
}

/** The payload of an envelope that `key` signed; undefined where it did not. */
export function openEnvelope(envelope: Envelope, key: LogKey): string | undefined {
  const payload = exactBase64(envelope.payload);
  if (!payload || envelope.payloadType !== inTotoType) return undefined;
  const message = preAuthEncoding(envelope.payloadType, payload);
  const isGood = envelope.signatures.some(({ keyid, sig }) => {
    const signature = exactBase64(sig);
    return keyid === keyIdOf(key) && signature !== undefined && verify(null, message, key.publicKey, signature);
  });
  return isGood ? payload.toString() : undefined;
}

/** Reads an envelope in its canonical form, which is the form that the log hashes; undefined for anything else. */
export function parseEnvelope(text: string): Envelope | undefined {
  try {
    const { success, data } = envelopeSchema.safeParse(JSON.parse(text));
    return success && canonicalJson(data) === text ? data : undefined;
  } catch {
    return undefined;
  }
}

function keyIdOf({ name, id }: LogKey): string {
  return `${name}+${id}`;
}
