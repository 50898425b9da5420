/** Keys for a first try: nobody has to write a directory before they see the first rotation. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { createFile, replaceFile } from '../files/durable.js';
import type { Directory, Party } from '../domain/directory.js';
import { developmentDirectory, readDirectory } from './directory-file.js';
import { writtenDirectory } from './directory-schema.js';
import { readPem } from './pem-signer.js';
import { readSshKeyLine } from './ssh-key.js';
import { developmentKeyFile } from './sign.js';

/** Stands in for a second person where two have to agree, on a machine that has one. */
export const standIn = 'second@localhost';

/** The groups that the policies of this package name. */
const everyGroup = ['security', 'platform', 'responders', 'owners'];

/**
 * Makes a key for `person`, for a stand-in second person and for the worker's automation, and the directory of them, beside the state.
 * What is there stays. Gives the names of those it added.
 */
export async function makeDevelopmentKeys(
  stateDirectory: string,
  person: string,
  automation: string,
): Promise<readonly string[]> {
  const file = developmentDirectory(stateDirectory);
  const before = await readDirectory(file, 'may be absent');
  const wanted: Omit<Party, 'keys'>[] = [
    { name: person, kind: 'person', groups: everyGroup },
    { name: standIn, kind: 'person', groups: everyGroup },
    { name: automation, kind: 'automation', groups: [], owner: person },
  ];
  const added: string[] = [];
  let parties = before.parties;
  for (const party of wanted) {
    const line = await keyLine(developmentKeyFile(stateDirectory, party.name));
    const after = withKey(parties, party, line);
    if (after !== parties) added.push(party.name);
    parties = after;
  }
  if (added.length > 0) await replaceFile(file, fileOf({ ...before, parties }));
  return added;
}

function withKey(parties: readonly Party[], party: Omit<Party, 'keys'>, line: string): readonly Party[] {
  const { id } = readSshKeyLine(line);
  const known = parties.find(({ name }) => name === party.name);
  if (known?.keys.some((key) => key.id === id)) return parties;
  const key = { id, text: line, hardware: false };
  if (!known) return [...parties, { ...party, keys: [key] }];
  return parties.map((one) => (one === known ? { ...one, keys: [...one.keys, key] } : one));
}

/** The public half of the key in a file, which is made where there is none. */
async function keyLine(file: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const { privateKey } = generateKeyPairSync('ed25519');
  await createFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  const line = readPem(await readFile(file, 'utf8'))?.sshLine;
  if (line === undefined) throw new Error(`${file} holds no key that can sign`);
  return line;
}

function fileOf(directory: Directory): string {
  return `# Made by \`tenure dev\`, for this machine alone. It counts only while tenure.yaml names nobody under \`directory\`.\n${stringify({ directory: writtenDirectory(directory) }, { aliasDuplicateObjects: false, lineWidth: 0 })}`;
}
