import { generateKeyPairSync } from 'node:crypto';
import { pemSigner, readPem } from '../trust/pem-signer.js';
import type { Signer } from '../trust/statements.js';

/** Signs in somebody's name with a key made just now, which no directory has. */
export function strangerNamed(name: string): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = readPem(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())!;
  const key = { id: pem.sshId, text: pem.sshLine, hardware: false };
  return pemSigner(pem, { name, kind: 'person', groups: [], keys: [key] }, new Date())!;
}
