/** Signed notes (C2SP `signed-note`) with Ed25519: text that people can read, and under it who signed it. */
import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';

/** A public key as C2SP writes it: `<name>+<id>+<base64>`. */
export interface LogKey {
  readonly name: string;
  /** Eight hex digits. */
  readonly id: string;
  readonly text: string;
  readonly publicKey: KeyObject;
}

/** The Ed25519 signature type of signed notes. */
const ed25519Type = 1;
const dash = '\u2014';

/** The name of a log: what C2SP allows as the name of a key. */
export function isLogName(name: string): boolean {
  return /^[^\s+\p{C}]{1,200}$/u.test(name);
}

/** Names a public key. */
export function logKeyOf(name: string, key: KeyObject): LogKey {
  if (!isLogName(name)) throw new TypeError(`a log cannot be named ${JSON.stringify(name)}: no spaces and no plus`);
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const { x } = publicKey.export({ format: 'jwk' });
  const material = Buffer.concat([Buffer.from([ed25519Type]), Buffer.from(x!, 'base64url')]);
  const id = createHash('sha256').update(`${name}\n`).update(material).digest().subarray(0, 4).toString('hex');
  return { name, id, text: `${name}+${id}+${material.toString('base64')}`, publicKey };
}

/** Reads `<name>+<id>+<base64>`; undefined for what is no Ed25519 key in exactly this form. */
export function parseLogKey(text: string): LogKey | undefined {
  const [, name, , base64] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text.trim()) ?? [];
  const material = base64 === undefined ? undefined : exactBase64(base64);
  if (name === undefined || !isLogName(name) || material?.length !== 33 || material[0] !== ed25519Type)
    return undefined;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: material.subarray(1).toString('base64url') };
  const key = logKeyOf(name, createPublicKey({ key: jwk, format: 'jwk' }));
  return key.text === text.trim() ? key : undefined;
}

/** Signs `text`, which ends with a newline. */
export function signNote(text: string, name: string, privateKey: KeyObject): string {
  const { id } = logKeyOf(name, privateKey);
  const signature = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), privateKey)]);
  return `${text}\n${dash} ${name} ${signature.toString('base64')}\n`;
}

/** The text of a note that `key` signed; undefined where it did not. Signatures of others, such as witnesses, are passed over. */
export function openNote(note: string, key: LogKey): string | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n') || Buffer.byteLength(note) > longestNote) return undefined;
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  const known = lines.map((line) => signatureOf(line, key)).filter((found) => found !== 'of another');
  const isGood = (found: Buffer | undefined): boolean =>
    found !== undefined && verify(null, Buffer.from(text), key.publicKey, found);
  return known.length > 0 && known.every(isGood) ? text : undefined;
}

/** Bytes. A checkpoint has about 200; this leaves room for many witnesses. */
const longestNote = 100_000;

function signatureOf(line: string, { name, id }: LogKey): Buffer | undefined | 'of another' {
  const [, signer, base64] = /^\u2014 (\S+) (\S+)$/.exec(line) ?? [];
  if (signer === undefined) return undefined;
  const signature = exactBase64(base64!);
  if (!signature) return undefined;
  if (signer !== name || signature.subarray(0, 4).toString('hex') !== id) return 'of another';
  return signature.length === 68 ? signature.subarray(4) : undefined;
}

/** Base64 has several spellings of the same bytes; only one counts. */
export function exactBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
