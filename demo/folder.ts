/** The operator's folder: the examples of the project, with the few lines changed that a demo needs otherwise. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument, type Document } from 'yaml';
import { packageRoot } from '../src/package-root.js';
import { createLocalStoreKey } from '../src/stores/local.js';
import { isLoopback } from '../src/targets/postgresql/options.js';
import type { Ledger } from './ledger.js';
import { makePeople } from './people.js';

export interface OperatorsFolder {
  readonly config: string;
  /** What differs from the examples: `- as it stands`, `+ as it is here`. */
  readonly changes: readonly string[];
}

/** How long the old credential may still be used: the example's hour is too long to watch. */
const grace = '6s';

/** As the examples are written. */
const style = { lineWidth: 0, flowCollectionPadding: true, singleQuote: true } as const;

type Change = readonly [path: readonly (string | number)[], value: unknown];

/** Makes the signing key before the receiver starts, which has to know it. */
export function makeSigningKey(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export async function makeFolder(
  folder: string,
  { ledger, signingKey, webhookPort }: { ledger: Ledger; signingKey: string; webhookPort: number },
): Promise<OperatorsFolder> {
  const secret = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  await mkdir(join(folder, 'manifests'), { recursive: true });
  await mkdir(join(folder, '.tenure'), { mode: 0o700 });
  await secret('admin.password', ledger.adminPassword);
  await secret('webhook.key', signingKey);
  await createLocalStoreKey(join(folder, '.tenure', 'store.key'));
  const operator = await adapted('tenure.yaml', [
    [['targets', 'ledger-db', 'host'], ledger.host],
    [['targets', 'ledger-db', 'port'], ledger.port],
    ...tlsOf(ledger),
    [['targets', 'ledger-db', 'password'], { file: 'admin.password' }],
    [['consumers', 'signingKey'], { file: 'webhook.key' }],
    [['freezes'], []],
    [['directory'], await makePeople(join(folder, '.tenure'))],
  ]);
  const manifest = await adapted('payments-db.yaml', [
    [['identities', 0, 'consumers', 0, 'notify', 'webhook'], `http://127.0.0.1:${webhookPort}/reload`],
    [['identities', 0, 'rotation', 'grace'], grace],
  ]);
  const config = join(folder, 'tenure.yaml');
  await writeFile(config, operator.text);
  await writeFile(join(folder, 'manifests', 'payments-db.yaml'), manifest.text);
  return { config, changes: [...operator.changes, ...manifest.changes] };
}

/** Only where it differs from what Tenure does by itself. */
function tlsOf({ host, tls }: Ledger): Change[] {
  return tls === !isLoopback(host) ? [] : [[['targets', 'ledger-db', 'tls'], tls]];
}

async function adapted(name: string, changes: readonly Change[]): Promise<{ text: string; changes: string[] }> {
  const document = parseDocument(await readFile(join(packageRoot, 'examples', name), 'utf8'));
  if (name === 'payments-db.yaml') leaveOutOthers(document);
  const before = document.toString(style);
  for (const [path, value] of changes) document.setIn(path, document.createNode(value, { flow: true }));
  const text = document.toString(style);
  return { text, changes: difference(name, before.split('\n'), text.split('\n')) };
}

/** The story is about one identity. */
function leaveOutOthers(document: Document): void {
  document.deleteIn(['identities', 1]);
  document.deleteIn(['policies']);
}

function difference(name: string, before: readonly string[], after: readonly string[]): string[] {
  const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line.trim()}`);
  const come = after.filter((line) => !before.includes(line)).map((line) => `+ ${line.trim()}`);
  return [`examples/${name}`, ...gone, ...come];
}
