/** Public keys of OpenSSH: the blob inside a line such as `ssh-ed25519 AAAA… comment`, and inside every signature. */
import { createHash, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { WireError, WireReader, wirePositive, wireString } from './ssh-wire.js';

/** A public key that signatures can be checked with. */
export interface SshKey {
  readonly type: SshKeyType;
  readonly blob: Buffer;
  /** `SHA256:<base64>`, as `ssh-keygen -l` prints it. */
  readonly id: string;
  readonly key: KeyObject;
  /** Of a security key: what it was made for, `ssh:…`. Its signatures carry flags. */
  readonly application?: string;
}

/** Bits of an RSA modulus: below, it can be broken; above, checking takes too long. */
export const rsaBits = { least: 2048, most: 8192 } as const;

const curves = {
  nistp256: { crv: 'P-256', bytes: 32 },
  nistp384: { crv: 'P-384', bytes: 48 },
  nistp521: { crv: 'P-521', bytes: 66 },
} as const;
type Curve = keyof typeof curves;

interface Parts {
  readonly jwk: JsonWebKey;
  readonly application?: string;
}

/** How the rest of a blob is read, by the type in front of it. */
const readers = {
  'ssh-ed25519': readEd25519,
  'ecdsa-sha2-nistp256': (reader: WireReader) => readEcdsa(reader, 'nistp256'),
  'ecdsa-sha2-nistp384': (reader: WireReader) => readEcdsa(reader, 'nistp384'),
  'ecdsa-sha2-nistp521': (reader: WireReader) => readEcdsa(reader, 'nistp521'),
  'ssh-rsa': readRsa,
  'sk-ssh-ed25519@openssh.com': (reader: WireReader) => withApplication(readEd25519(reader), reader),
  'sk-ecdsa-sha2-nistp256@openssh.com': (reader: WireReader) => withApplication(readEcdsa(reader, 'nistp256'), reader),
} as const satisfies Readonly<Record<string, (reader: WireReader) => Parts>>;

export type SshKeyType = keyof typeof readers;

/** The types that are taken. No DSA, no certificates. */
export const sshKeyTypes = Object.keys(readers) as readonly SshKeyType[];

/** Reads a key's blob. Throws {@link WireError}. */
export function readSshKey(blob: Buffer): SshKey {
  const reader = new WireReader(blob);
  const type = reader.text();
  if (!isSshKeyType(type)) throw new WireError(whyNotTaken(type));
  const { jwk, ...application } = readers[type](reader);
  reader.end();
  return { type, blob, id: sshKeyId(blob), key: keyObject(jwk), ...application };
}

/** Reads a line as in a `.pub` file. Options before the type are refused. Throws {@link WireError}. */
export function readSshKeyLine(line: string): SshKey {
  const [type, base64 = ''] = line.trim().split(/[ \t]+/) as [string, string?];
  if (!isSshKeyType(type)) throw new WireError(whyNotTaken(type));
  if (/[\r\n]/.test(line.trim())) throw new WireError('a key is one line');
  const blob = fromBase64(base64);
  if (!blob) throw new WireError('what follows its type is not base64');
  const key = readSshKey(blob);
  if (key.type !== type) throw new WireError(`the line says ${type} and the key inside says ${key.type}`);
  return key;
}

/** The id of a key by its blob. */
export function sshKeyId(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The blob of a key of Node's; undefined for a kind that is not taken. */
export function sshBlobOf(key: KeyObject): Buffer | undefined {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  if (kty === 'OKP' && crv === 'Ed25519') return Buffer.concat([wireString('ssh-ed25519'), wireString(number(x))]);
  if (kty === 'RSA') return Buffer.concat([wireString('ssh-rsa'), wirePositive(number(e)), wirePositive(number(n))]);
  const curve = (Object.keys(curves) as Curve[]).find((name) => curves[name].crv === crv);
  if (!curve) return undefined;
  const point = Buffer.concat([Buffer.from([4]), number(x), number(y)]);
  return Buffer.concat([wireString(`ecdsa-sha2-${curve}`), wireString(curve), wireString(point)]);
}

/** Standard base64 in its only form; undefined for anything else. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return text !== '' && bytes.toString('base64') === text ? bytes : undefined;
}

function isSshKeyType(type: string): type is SshKeyType {
  return Object.hasOwn(readers, type);
}

function whyNotTaken(type: string): string {
  if (type.includes('-cert-')) return 'certificates are not taken: write the key itself';
  return `this type of key is not taken; these are: ${sshKeyTypes.join(', ')}`;
}

function readEd25519(reader: WireReader): Parts {
  const point = reader.string();
  if (point.length !== 32) throw new WireError('an Ed25519 key has 32 bytes');
  return { jwk: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') } };
}

function readEcdsa(reader: WireReader, curve: Curve): Parts {
  const { crv, bytes } = curves[curve];
  if (reader.text() !== curve) throw new WireError('the curve is not that of the type');
  const point = reader.string();
  if (point.length !== 1 + 2 * bytes || point[0] !== 4) throw new WireError('the point is not written in full');
  const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
  return { jwk: { kty: 'EC', crv, x: x.toString('base64url'), y: y.toString('base64url') } };
}

function readRsa(reader: WireReader): Parts {
  const exponent = reader.positive();
  const modulus = reader.positive();
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < rsaBits.least || bits > rsaBits.most)
    throw new WireError(`an RSA key has ${rsaBits.least} to ${rsaBits.most} bits, this one has ${bits}`);
  if (exponent.length > 4 || exponent.at(-1)! % 2 === 0 || exponent.equals(Buffer.from([1])))
    throw new WireError('the exponent of an RSA key is odd, above 1 and of 4 bytes at most');
  return { jwk: { kty: 'RSA', n: modulus.toString('base64url'), e: exponent.toString('base64url') } };
}

function withApplication(parts: Parts, reader: WireReader): Parts {
  const application = reader.text();
  // What a web site asked a security key for must never pass as something said here.
  if (!application.startsWith('ssh:')) throw new WireError('the security key was not made for SSH');
  return { ...parts, application };
}

function keyObject(jwk: JsonWebKey): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new WireError('the numbers of the key make no key');
  }
}

function number(base64url: string | undefined): Buffer {
  return Buffer.from(base64url!, 'base64url');
}
