/** Opens the log that the operator's file names. */
import { join } from 'node:path';
import type { KeyObject } from 'node:crypto';
import type { TenureConfig } from '../config/types.js';
import type { ProcessRecord } from '../domain/evidence.js';
import { directoryShelf } from './directory-shelf.js';
import { createEvidenceKey, readEvidenceKey } from './key.js';
import { openLog, type EvidenceLog } from './log.js';
import { logKeyOf, parseLogKey, type LogKey } from './note.js';
import { readerOf, type EvidenceReader } from './reader.js';
import { s3Shelf } from './s3-shelf.js';
import type { Shelf } from './shelf.js';

/** What says where a log is and how it is signed. */
export type EvidenceConfig = Pick<TenureConfig, 'stateDirectory' | 'evidence'>;

/** A log for reading and writing. */
export interface EvidenceWriter extends EvidenceLog {
  readonly reader: EvidenceReader;
  readonly shelf: Shelf;
}

/** Where the key is, unless the operator's file names another place. Apart from every other key. */
export function evidenceKeyFile(stateDirectory: string): string {
  return join(stateDirectory, 'keys', 'evidence.pem');
}

/** Opens the log for reading. Needs no private key. */
export function openEvidence(config: EvidenceConfig): EvidenceReader {
  const shelf = shelfOf(config);
  return readerOf(shelf, () => publicKeyOf(shelf, config));
}

/** Opens the log for writing; where it is empty and no key is named, a key is made. Fails with `StoreUnavailable` at the first use. */
export function openEvidenceWriter(config: EvidenceConfig): EvidenceWriter {
  const shelf = shelfOf(config);
  const { name } = config.evidence;
  let log: Promise<EvidenceLog> | undefined;
  const open = async (): Promise<EvidenceLog> => {
    const privateKey = await privateKeyOf(shelf, config);
    await shelf.create(publicKeyName, `${logKeyOf(name, privateKey).text}\n`);
    return openLog(shelf, name, privateKey);
  };
  return {
    shelf,
    reader: readerOf(shelf, () => publicKeyOf(shelf, config)),
    async append(statement) {
      log ??= open();
      // A key that is not there now may be there at the next try.
      log.catch(() => (log = undefined));
      return (await log).append(statement);
    },
  };
}

/** The record of an operation in an evidence folder, that of its last run; undefined where there is none. */
export async function readRecord(directory: string, operation: string): Promise<ProcessRecord | undefined> {
  const shelf = directoryShelf(directory);
  return readerOf(shelf, async () => parseLogKey((await shelf.get(publicKeyName)) ?? '')).byOperation(operation);
}

export const publicKeyName = 'log.vkey';

function shelfOf({ evidence }: EvidenceConfig): Shelf {
  return 'directory' in evidence.log ? directoryShelf(evidence.log.directory) : s3Shelf(evidence.log.s3);
}

async function privateKeyOf(shelf: Shelf, { stateDirectory, evidence }: EvidenceConfig): Promise<KeyObject> {
  if (evidence.key) return readEvidenceKey(evidence.key);
  const file = evidenceKeyFile(stateDirectory);
  // A log whose key was lost needs that key: what a new one signs would be another log.
  if ((await shelf.get(publicKeyName)) === undefined) await createEvidenceKey(file);
  return readEvidenceKey({ file });
}

/** Our own key where we can read it; else what lies beside the log, which is as good as that place is. */
async function publicKeyOf(shelf: Shelf, { stateDirectory, evidence }: EvidenceConfig): Promise<LogKey | undefined> {
  const source = evidence.key ?? { file: evidenceKeyFile(stateDirectory) };
  const own = await readEvidenceKey(source).catch(() => undefined);
  return own ? logKeyOf(evidence.name, own) : parseLogKey((await shelf.get(publicKeyName)) ?? '');
}
