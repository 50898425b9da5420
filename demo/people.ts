/** The people of the story: their keys, made for it, and what the operator's file says of them. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pemSigner, readPem } from '../src/trust/pem-signer.js';
import { developmentKeyFile } from '../src/trust/sign.js';
import type { Signer } from '../src/trust/statements.js';

/** Who asks, who approves, and who is called when it burns. */
export const asker = 'ada@example.com';
export const approver = 'grace@example.com';
export const responder = 'oncall@example.com';
/** Somebody who can reach Temporal, and is in no directory. */
const stranger = 'mallory@example.com';

const groups: Readonly<Record<string, readonly string[]>> = {
  [asker]: ['platform'],
  [approver]: ['platform', 'security'],
  [responder]: ['security'],
};

/** Keeps their keys where `tenure` finds them, and gives what stands under `directory:`. */
export async function makePeople(stateDirectory: string): Promise<object> {
  await mkdir(join(stateDirectory, 'keys'), { recursive: true, mode: 0o700 });
  const people = [];
  for (const name of Object.keys(groups)) {
    const pem = freshPem();
    await writeFile(developmentKeyFile(stateDirectory, name), pem, { mode: 0o600 });
    people.push({ name, groups: groups[name], keys: [readPem(pem)!.sshLine] });
  }
  return { people };
}

/** Signs in somebody's name with a key that nobody knows. */
export function forger(name: string): Signer {
  const pem = readPem(freshPem())!;
  const key = { id: pem.sshId, text: pem.sshLine, hardware: false };
  const { sign } = pemSigner(pem, { name: stranger, kind: 'person', groups: [], keys: [key] }, new Date())!;
  return { name, keyId: key.id, sign };
}

function freshPem(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
