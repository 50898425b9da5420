/** People and automations with fresh keys, and the directory of them. */
import { generateKeyPairSync, sign as signBytes, type KeyObject } from 'node:crypto';
import { canonicalJson } from '../../src/canonical-json.js';
import type { Directory, Party, PartyKey, PartyKind } from '../../src/domain/directory.js';
import type { Signed, Statement } from '../../src/domain/statement.js';
import { writtenDirectory } from '../../src/trust/directory-schema.js';
import { readJwk } from '../../src/trust/jwk.js';
import { signJws } from '../../src/trust/jws.js';
import { readSshKey, sshBlobOf, sshKeyId } from '../../src/trust/ssh-key.js';
import { wireString, wireUint32, wirePositive } from '../../src/trust/ssh-wire.js';
import { armor, securityKeyBytes, signedBytes, signSshsig, sshsigBlob } from '../../src/trust/sshsig.js';
import type { Signer } from '../../src/trust/statements.js';

/** Somebody in a test: in the directory as `party`, and able to sign whatever they like. */
export interface TestSigner extends Signer {
  readonly party: Party;
  readonly key: PartyKey;
  /** The private key as PEM, for commands; absent for a security key. */
  readonly pem?: string;
  /** Signs text as it stands, also what no builder would make. */
  signText(text: string): Promise<Signed>;
}

/** What a test may say of somebody. */
export interface PartyOptions {
  readonly kind?: PartyKind;
  readonly groups?: readonly string[];
  readonly owner?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Kinds of keys, as in `ssh-keygen -t`; `jwk-…` sign as services do. */
export type KeyKind = 'ed25519' | 'p256' | 'p384' | 'p521' | 'rsa' | 'jwk-ed25519' | 'jwk-p256' | 'jwk-rsa';

/** Flags of a security key's signature. */
export const keyFlags = { none: 0, touched: 1, touchedAndUnlocked: 5 } as const;

/** A person with a fresh key. */
export function person(name: string, options: PartyOptions & { readonly key?: KeyKind } = {}): TestSigner {
  const { key: kind = 'ed25519', ...rest } = options;
  const { publicKey, privateKey } = freshPair(kind);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const isJwk = kind.startsWith('jwk-');
  const key = isJwk ? jwkKey(publicKey) : sshKey(sshBlobOf(publicKey)!);
  const signature = async (bytes: Buffer): Promise<string> =>
    isJwk ? signJws(privateKey, publicKey, bytes) : signSshsig(privateKey, publicKey, bytes);
  return { ...signer(name, key, rest, signature), pem };
}

/** A service, an agent or an automation. */
export function automation(
  name: string,
  owner: string,
  options: PartyOptions & { readonly key?: KeyKind } = {},
): TestSigner {
  return person(name, { kind: 'automation', owner, ...options });
}

/** A person whose key lives in a (simulated) FIDO security key that gives these flags with each signature. */
export function securityKeyHolder(
  name: string,
  options: PartyOptions & { readonly flags?: number; readonly curve?: 'ed25519' | 'p256' } = {},
): TestSigner {
  const { flags = keyFlags.touchedAndUnlocked, curve = 'ed25519', ...rest } = options;
  const device = securityKey(curve);
  return signer(name, sshKey(device.blob), rest, async (bytes) => device.sign(bytes, flags));
}

/** A simulated FIDO security key. */
export function securityKey(
  curve: 'ed25519' | 'p256' = 'ed25519',
  application = 'ssh:',
): { readonly blob: Buffer; sign(message: Buffer, flags: number, hash?: 'sha256' | 'sha512'): string } {
  const { publicKey, privateKey } = freshPair(curve);
  const plain = sshBlobOf(publicKey)!;
  const type = curve === 'ed25519' ? 'sk-ssh-ed25519@openssh.com' : 'sk-ecdsa-sha2-nistp256@openssh.com';
  const inner = plain.subarray(4 + plain.readUInt32BE());
  const blob = Buffer.concat([wireString(type), inner, wireString(application)]);
  return {
    blob,
    sign(message, flags, hash = 'sha512') {
      const counted = Buffer.concat([Buffer.from([flags]), wireUint32(9)]);
      const data = securityKeyBytes(application, counted, signedBytes(message, hash));
      const body = curve === 'ed25519' ? signBytes(null, data, privateKey) : ecdsaBody(data, privateKey);
      const signature = Buffer.concat([wireString(type), wireString(body), counted]);
      return armor(sshsigBlob(blob, signature, hash));
    },
  };
}

/** A directory of them. One who stands twice in the list has both keys. */
export function directoryOf(...signers: readonly TestSigner[]): Directory {
  const parties = new Map<string, Party>();
  for (const { party } of signers) {
    const known = parties.get(party.name);
    parties.set(party.name, known ? { ...known, keys: [...known.keys, ...party.keys] } : party);
  }
  return { parties: [...parties.values()], revoked: [] };
}

/** The same as it is written under `directory:` in the operator's file: JSON is YAML. */
export function directoryYaml(directory: Directory): string {
  return `directory: ${JSON.stringify(writtenDirectory(directory))}\n`;
}

function signer(
  name: string,
  key: PartyKey,
  { kind = 'person', groups = [], ...rest }: PartyOptions,
  signature: (bytes: Buffer) => Promise<string>,
): TestSigner {
  const signText = async (text: string): Promise<Signed> => ({
    statement: text,
    signature: await signature(Buffer.from(text)),
  });
  return {
    name,
    keyId: key.id,
    key,
    party: { name, kind, groups, keys: [key], ...rest },
    signText,
    sign: (statement: Statement) => signText(canonicalJson(statement)),
  };
}

function sshKey(blob: Buffer): PartyKey {
  const { type, application } = readSshKey(blob);
  return { id: sshKeyId(blob), text: `${type} ${blob.toString('base64')}`, hardware: application !== undefined };
}

function jwkKey(publicKey: KeyObject): PartyKey {
  const { id, jwk } = readJwk(publicKey.export({ format: 'jwk' }) as Record<string, unknown>);
  return { id, text: JSON.stringify(jwk), hardware: false };
}

function ecdsaBody(data: Buffer, key: KeyObject): Buffer {
  const pair = signBytes('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
  return Buffer.concat([wirePositive(pair.subarray(0, 32)), wirePositive(pair.subarray(32))]);
}

/** A new key pair. RSA takes long to make, so one is kept for each run. */
export function freshPair(kind: KeyKind): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  switch (kind) {
    case 'ed25519':
    case 'jwk-ed25519':
      return generateKeyPairSync('ed25519');
    case 'p256':
    case 'jwk-p256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' });
    case 'p384':
      return generateKeyPairSync('ec', { namedCurve: 'P-384' });
    case 'p521':
      return generateKeyPairSync('ec', { namedCurve: 'P-521' });
    case 'rsa':
    case 'jwk-rsa':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
  }
}
