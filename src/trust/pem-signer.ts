/** Signing in this process with a private key in PEM, from a file or a variable. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { isValidAt, type Party } from '../domain/directory.js';
import { readJwk } from './jwk.js';
import { signJws } from './jws.js';
import { sshBlobOf, sshKeyId } from './ssh-key.js';
import { signSshsig } from './sshsig.js';
import { statementText } from './statement-text.js';
import type { Signer } from './statements.js';

/** A private key with the two names that its public key can have in a directory. */
export interface PemKey {
  readonly sshId: string;
  /** `ssh-ed25519 AAAA…`: what to add to the directory. */
  readonly sshLine: string;
  readonly jwkId?: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** Reads a PEM; undefined for what this process cannot use: an encrypted one, a key of another kind, OpenSSH's own format. */
export function readPem(pem: string): PemKey | undefined {
  const privateKey = quietly(() => createPrivateKey(pem));
  if (!privateKey) return undefined;
  const publicKey = createPublicKey(privateKey);
  const blob = quietly(() => sshBlobOf(publicKey));
  if (!blob) return undefined;
  const jwk = quietly(() => readJwk(publicKey.export({ format: 'jwk' }) as Record<string, unknown>));
  return {
    privateKey,
    publicKey,
    sshId: sshKeyId(blob),
    sshLine: lineOf(blob),
    ...(jwk && { jwkId: jwk.id }),
  };
}

/** Signs as `party`, in the form that the directory has the key in; undefined where it does not have it now. */
export function pemSigner(pem: PemKey, party: Party, now: Date): Signer | undefined {
  const keyId = [pem.sshId, pem.jwkId].find((id) => party.keys.some((key) => key.id === id && isValidAt(key, now)));
  if (keyId === undefined) return undefined;
  const { privateKey, publicKey } = pem;
  return {
    name: party.name,
    keyId,
    async sign(statement) {
      const text = statementText(statement);
      const signWith = keyId === pem.sshId ? signSshsig : signJws;
      return { statement: text, signature: await signWith(privateKey, publicKey, Buffer.from(text)) };
    },
  };
}

/** A public key's line as in a `.pub` file, without a comment. */
export function lineOf(blob: Buffer): string {
  const type = blob.subarray(4, 4 + blob.readUInt32BE()).toString('latin1');
  return `${type} ${blob.toString('base64')}`;
}

/** The library's own messages may tell something of a key. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
