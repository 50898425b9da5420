/**
 * Signatures of `ssh-keygen -Y sign` (OpenSSH's PROTOCOL.sshsig). Read here instead of by `ssh-keygen -Y verify`, which takes the
 * signature of a security key that nobody touched: the flags are in it, and policy may ask for them.
 */
import { constants, createHash, sign, verify, type KeyObject } from 'node:crypto';
import type { Presence } from '../domain/directory.js';
import { signatureNamespace } from '../domain/statement.js';
import { refused } from './refusal.js';
import { readSshKey, sshBlobOf, type SshKey, type SshKeyType } from './ssh-key.js';
import { WireError, WireReader, wirePositive, wireString, wireUint32 } from './ssh-wire.js';

/** A signature that was read and is not verified yet: whose it claims to be has to be known first. */
export interface SshSignature {
  readonly keyId: string;
  readonly algorithm: string;
  readonly presence: Presence;
  /** Whether it is the key's signature of exactly this. */
  isOf(message: Buffer): boolean;
}

/** Characters of an armored signature: RSA of 8192 bits needs 3,000. */
export const longestArmor = 8_192;

const armorStart = '-----BEGIN SSH SIGNATURE-----\n';
const armorEnd = '\n-----END SSH SIGNATURE-----\n';
const magic = 'SSHSIG';
const version = 1;

/** The algorithms that each type of key may sign with, and their hashes. SHA-1 (`ssh-rsa`) is none. */
const algorithms: Readonly<Record<SshKeyType, Readonly<Record<string, string | null>>>> = {
  'ssh-ed25519': { 'ssh-ed25519': null },
  'ecdsa-sha2-nistp256': { 'ecdsa-sha2-nistp256': 'sha256' },
  'ecdsa-sha2-nistp384': { 'ecdsa-sha2-nistp384': 'sha384' },
  'ecdsa-sha2-nistp521': { 'ecdsa-sha2-nistp521': 'sha512' },
  'ssh-rsa': { 'rsa-sha2-256': 'sha256', 'rsa-sha2-512': 'sha512' },
  'sk-ssh-ed25519@openssh.com': { 'sk-ssh-ed25519@openssh.com': null },
  'sk-ecdsa-sha2-nistp256@openssh.com': { 'sk-ecdsa-sha2-nistp256@openssh.com': 'sha256' },
};

/** Reads an armored signature. Throws `ApprovalRefused` for whatever is not exactly one. */
export function readSshsig(armored: string): SshSignature {
  try {
    return readBlob(unarmored(armored));
  } catch (error) {
    if (error instanceof WireError)
      throw refused('signature-malformed', `the SSH signature is malformed: ${error.message}`);
    throw error;
  }
}

/** Signs in this process, as `ssh-keygen -Y sign` would, with a private key of Node's. */
export function signSshsig(key: KeyObject, publicKey: KeyObject, message: Buffer): string {
  const blob = sshBlobOf(publicKey);
  if (!blob) throw new WireError('this kind of key makes no SSH signatures');
  const { type } = readSshKey(blob);
  const algorithm = type === 'ssh-rsa' ? 'rsa-sha2-512' : type;
  const bytes = sign(algorithms[type][algorithm], signedBytes(message, 'sha512'), { key, dsaEncoding: 'ieee-p1363' });
  const body = type.startsWith('ecdsa-') ? ecdsaPair(bytes) : bytes;
  return armor(sshsigBlob(blob, Buffer.concat([wireString(algorithm), wireString(body)])));
}

/** What is around every signature. */
export function sshsigBlob(key: Buffer, signature: Buffer, hash = 'sha512', namespace = signatureNamespace): Buffer {
  const strings = [key, namespace, '', hash, signature].map(wireString);
  return Buffer.concat([Buffer.from(magic), wireUint32(version), ...strings]);
}

/** What an SSH signature signs. */
export function signedBytes(message: Buffer, hash: string, namespace = signatureNamespace): Buffer {
  const digest = createHash(hash).update(message).digest();
  return Buffer.concat([Buffer.from(magic), ...[namespace, '', hash, digest].map(wireString)]);
}

/** A signature in its armor, in the one form that is taken: lines of 70 characters, as `ssh-keygen` writes them. */
export function armor(blob: Buffer): string {
  return `${armorStart}${blob.toString('base64').replaceAll(/.{70}(?=.)/g, '$&\n')}${armorEnd}`;
}

function unarmored(text: string): Buffer {
  if (text.length > longestArmor) throw refused('too-large', `the signature has more than ${longestArmor} characters`);
  const blob = Buffer.from(text.slice(armorStart.length, -armorEnd.length), 'base64');
  if (armor(blob) !== text) throw new WireError('it is not in the armor that ssh-keygen writes');
  return blob;
}

function readBlob(blob: Buffer): SshSignature {
  const reader = new WireReader(blob);
  if (reader.take(magic.length).toString('latin1') !== magic) throw new WireError('it does not begin with SSHSIG');
  if (reader.uint32() !== version) throw new WireError('its version is not 1');
  const key = readSshKey(reader.string());
  const namespace = reader.text();
  if (reader.string().length > 0) throw new WireError('what is reserved is in use');
  const hash = reader.text();
  const signature = reader.string();
  reader.end();
  if (namespace !== signatureNamespace)
    throw refused('wrong-namespace', `the signature was made for another purpose than ${signatureNamespace}`);
  if (hash !== 'sha256' && hash !== 'sha512')
    throw refused('algorithm-refused', 'the signature hashes with neither sha256 nor sha512');
  return readSignature(key, signature, hash);
}

function readSignature(key: SshKey, signature: Buffer, hash: string): SshSignature {
  const reader = new WireReader(signature);
  const algorithm = reader.text();
  if (!Object.hasOwn(algorithms[key.type], algorithm))
    throw refused(
      'algorithm-refused',
      `a key of type ${key.type} may not sign with the algorithm that the signature names`,
    );
  const bytes = signatureBytes(key, reader.string());
  const flags = key.application === undefined ? undefined : reader.take(5);
  reader.end();
  const digest = algorithms[key.type][algorithm]!;
  return {
    keyId: key.id,
    algorithm,
    presence: flags ? presenceOf(flags[0]!) : 'none',
    isOf: (message) => {
      const signed = signedBytes(message, hash);
      const data = flags ? securityKeyBytes(key.application!, flags, signed) : signed;
      return verify(digest, data, { key: key.key, dsaEncoding: 'ieee-p1363', padding: paddingOf(key) }, bytes);
    },
  };
}

/** Brings a signature into the form that Node takes, where its length says that it can be one. */
function signatureBytes({ key, type }: SshKey, bytes: Buffer): Buffer {
  if (type === 'ssh-rsa') return ofLength(bytes, Math.ceil(key.asymmetricKeyDetails!.modulusLength! / 8));
  if (key.asymmetricKeyType === 'ed25519') return ofLength(bytes, 64);
  const reader = new WireReader(bytes);
  const width = { prime256v1: 32, secp384r1: 48, secp521r1: 66 }[key.asymmetricKeyDetails!.namedCurve!]!;
  const pair = [padded(reader.positive(), width), padded(reader.positive(), width)];
  reader.end();
  return Buffer.concat(pair);
}

function ofLength(bytes: Buffer, length: number): Buffer {
  if (bytes.length !== length) throw new WireError(`it has ${bytes.length} bytes where the key makes ${length}`);
  return bytes;
}

function padded(number: Buffer, width: number): Buffer {
  if (number.length > width) throw new WireError('a number is larger than the key makes');
  return Buffer.concat([Buffer.alloc(width - number.length), number]);
}

function ecdsaPair(bytes: Buffer): Buffer {
  const half = bytes.length / 2;
  return Buffer.concat([wirePositive(bytes.subarray(0, half)), wirePositive(bytes.subarray(half))]);
}

/** A security key signs its application, its flags and its counter with the message. */
export function securityKeyBytes(application: string, flags: Buffer, signed: Buffer): Buffer {
  const sha256 = (data: Buffer | string): Buffer => createHash('sha256').update(data).digest();
  return Buffer.concat([sha256(application), flags, sha256(signed)]);
}

const [userPresent, userVerified, moreData] = [0x01, 0x04, 0xc0];

function presenceOf(flags: number): Presence {
  // More would have been signed than is here.
  if ((flags & moreData) !== 0) throw new WireError('its flags announce data that is not there');
  if ((flags & userPresent) === 0) return 'none';
  return (flags & userVerified) === 0 ? 'touch' : 'pin';
}

function paddingOf({ type }: SshKey): number | undefined {
  return type === 'ssh-rsa' ? constants.RSA_PKCS1_PADDING : undefined;
}
