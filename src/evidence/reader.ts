/** Reading the log: records by operation and by identity. Each one's signature is verified; that none is missing is `verify`'s work. */
import type { ProcessRecord } from '../domain/evidence.js';
import { TenureError } from '../domain/errors.js';
import { identityId } from '../domain/wire.js';
import { attachmentName, digestOfText, type AttachmentKind } from './attachments.js';
import { openEnvelope, parseEnvelope, type Envelope } from './dsse.js';
import { anyRecordIn, type AnyRecord } from './kinds.js';
import { checkpointName, entryName } from './log.js';
import type { LogKey } from './note.js';
import type { Shelf } from './shelf.js';
import { parseStatement } from './statement.js';
import { indexesUnder, listUnder } from './under-operation.js';

/** One entry of the log. */
export interface LogEntry {
  readonly index: number;
  /** The canonical text that the tree hashes. */
  readonly text: string;
  readonly envelope: Envelope;
  /** The in-toto Statement's canonical text. */
  readonly statement: string;
  /** `sha256:<hex>` of the statement: the digest of the record. */
  readonly digest: string;
  readonly predicateType: string;
}

/** A record of whatever kind, and where it lies. */
export type SealedAny = AnyRecord & { readonly index: number; readonly digest: string };

/** A record of a process, and where it lies. */
export interface SealedRecord {
  readonly index: number;
  /** `sha256:<hex>`, as the process's result has it. */
  readonly digest: string;
  readonly record: ProcessRecord;
}

export interface EvidenceReader {
  /** The folder or the bucket. */
  readonly where: string;
  /** How many entries the last checkpoint covers. */
  size(): Promise<number>;
  /** The last checkpoint, a signed note; undefined for an empty log. */
  checkpoint(): Promise<string | undefined>;
  /** The key that everything here is signed with; undefined for an empty log. */
  key(): Promise<LogKey | undefined>;
  read(index: number): Promise<LogEntry>;
  /** The records of one operation, one for each run of its workflow, oldest first. */
  runsOf(operation: string): Promise<SealedRecord[]>;
  /** The record of an operation: that of its last run. */
  byOperation(operation: string): Promise<ProcessRecord | undefined>;
  /** The records of one identity, oldest first. */
  sealedOf(identity: string): Promise<SealedRecord[]>;
  recordsOf(identity: string): Promise<ProcessRecord[]>;
  /** Every record of a process, oldest first. */
  sealed(): Promise<SealedRecord[]>;
  all(): Promise<ProcessRecord[]>;
  /** Records of every kind whose name is `prefix` or goes on after it with a slash, oldest first. Without one, all of them. */
  under(prefix?: string): Promise<SealedAny[]>;
  /** A history, a bundle or a directory, by its `sha256:<hex>`; undefined where it is not there. */
  attachment(kind: AttachmentKind, digest: string): Promise<string | undefined>;
  /** The text of a name on the shelf, for an export. */
  readonly shelf: Shelf;
}

/** Reads a log. `keyOf` gives the key of the log; undefined while there is none. */
export function readerOf(shelf: Shelf, keyOf: () => Promise<LogKey | undefined>): EvidenceReader {
  let known: LogKey | undefined;
  const key = async (): Promise<LogKey | undefined> => (known ??= await keyOf());
  const read = async (index: number): Promise<LogEntry> => entryOf(shelf, index, await key());
  const anyOf = async (indexes: readonly number[]): Promise<SealedAny[]> =>
    (await inTurns(indexes, read)).flatMap(({ index, digest, statement }) => {
      const any = anyRecordIn(statement);
      return any ? [{ ...any, index, digest }] : [];
    });
  const records = async (indexes: readonly number[]): Promise<SealedRecord[]> =>
    (await anyOf(indexes)).flatMap(({ kind, record, index, digest }) =>
      kind === 'process' ? [{ index, digest, record }] : [],
    );
  const size = async (): Promise<number> => (await shelf.last('checkpoints')) ?? 0;
  const everything = async (): Promise<number[]> => Array.from({ length: await size() }, (_, index) => index);
  const sealed = async (): Promise<SealedRecord[]> => records(await everything());
  const runsOf = async (operation: string): Promise<SealedRecord[]> =>
    records((await listUnder(shelf, operation)).map(({ index }) => index));
  const sealedOf = async (identity: string): Promise<SealedRecord[]> =>
    (await records(await indexesUnder(shelf, identityId(identity)))).filter(
      (each) => each.record.identity === identity,
    );
  return {
    where: shelf.where,
    shelf,
    size,
    key,
    read,
    runsOf,
    sealedOf,
    sealed,
    checkpoint: async () => {
      const last = await shelf.last('checkpoints');
      return last === undefined ? undefined : shelf.get(checkpointName(last));
    },
    byOperation: async (operation) => (await runsOf(operation)).at(-1)?.record,
    recordsOf: async (identity) => (await sealedOf(identity)).map(({ record }) => record),
    all: async () => (await sealed()).map(({ record }) => record),
    under: async (prefix) => anyOf(prefix === undefined ? await everything() : await indexesUnder(shelf, prefix)),
    attachment: (kind, digest) => shelf.get(attachmentName(kind, digest)),
  };
}

async function entryOf(shelf: Shelf, index: number, key: LogKey | undefined): Promise<LogEntry> {
  const name = entryName(index);
  const text = await shelf.get(name);
  const envelope = text === undefined ? undefined : parseEnvelope(text);
  const statement = envelope && key && openEnvelope(envelope, key);
  const predicateType = statement && parseStatement(statement)?.predicateType;
  if (text !== undefined && envelope && statement !== undefined && predicateType !== undefined)
    return { index, text, envelope, statement, digest: digestOfText(statement), predicateType };
  throw new TenureError(
    'StoreUnavailable',
    `the evidence log in ${shelf.where}: ${name} is ${text === undefined ? 'missing' : 'not what was signed'}. Find out who changed it with: tenure evidence export --all --out FOLDER, and tenure evidence verify FOLDER`,
  );
}

/** How many entries are read at the same time. */
const atOnce = 16;

async function inTurns<T>(indexes: readonly number[], read: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let at = 0; at < indexes.length; at += atOnce)
    results.push(...(await Promise.all(indexes.slice(at, at + atOnce).map(read))));
  return results;
}
