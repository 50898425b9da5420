/** What records name by digest, each kept once: histories, the code of workflows, and the directory as it was over time. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { canonicalJson } from '../canonical-json.js';
import type { Directory } from '../domain/directory.js';
import { numbered, numberIn, type Shelf } from './shelf.js';

/** The folders of attachments, and how their files end. */
export const attachmentKinds = { histories: 'json', bundles: 'js', directories: 'json' } as const;
export type AttachmentKind = keyof typeof attachmentKinds;

/** `<folder>/<64 hex digits>.<suffix>`. `digest` is `sha256:<hex>`. */
export function attachmentName(kind: AttachmentKind, digest: string): string {
  return `${kind}/${digest.replace(/^sha256:/, '')}.${attachmentKinds[kind]}`;
}

/** `sha256:<hex>` of a text. */
export function digestOfText(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** Keeps a text under its digest, which it gives. What this process has put there is not sent again: code is large. */
export async function keepAttachment(shelf: Shelf, kind: AttachmentKind, text: string): Promise<string> {
  const digest = digestOfText(text);
  const name = attachmentName(kind, digest);
  const kept = keptOn.get(shelf) ?? new Set();
  keptOn.set(shelf, kept);
  if (kept.has(name)) return digest;
  await shelf.create(name, text);
  if (kind !== 'histories') kept.add(name);
  return digest;
}

const keptOn = new WeakMap<Shelf, Set<string>>();

/** Keeps the directory as it is from `now` on, and notes when that was, unless it was so already. */
export async function keepDirectory(shelf: Shelf, directory: Directory, now: Date): Promise<string> {
  const digest = await keepAttachment(shelf, 'directories', canonicalJson(directory));
  const last = await shelf.last(times);
  const known = last === undefined ? undefined : await shelf.get(numbered(times, last));
  if (known !== digest) await shelf.create(numbered(times, secondsOf(now)), digest);
  return digest;
}

/**
 * Loads the directory, and keeps each one that is new beside the log: a key that is removed before a process ends was good when it
 * signed, and the record has to show that. Best effort: the seal says what it has found.
 */
export function remembering(shelf: Shelf, load: () => Promise<Directory>): () => Promise<Directory> {
  let last: Directory | undefined;
  return async () => {
    const directory = await load();
    const isSame = last?.parties === directory.parties && isDeepStrictEqual(last.revoked, directory.revoked);
    if (!isSame) await keepDirectory(shelf, directory, new Date()).catch(() => undefined);
    last = directory;
    return directory;
  };
}

/**
 * The directories that were in force around an instant: the one that was, those of the same second, which may be older or younger, and the next,
 * which a worker may have seen a moment late.
 */
export async function directoriesAround(shelf: Shelf, instant: string): Promise<Directory[]> {
  const at = secondsOf(new Date(instant));
  const names = await shelf.list(times);
  const since = names.findLastIndex((name) => numberIn(name)! < at);
  const next = names.findIndex((name) => numberIn(name)! > at);
  const around = names.slice(Math.max(since, 0), next < 0 ? names.length : next + 1);
  const texts = await Promise.all(
    around.map(async (name) => {
      const digest = await shelf.get(name);
      return digest === undefined ? undefined : shelf.get(attachmentName('directories', digest));
    }),
  );
  return texts.flatMap((text) => (text ? [JSON.parse(text) as Directory] : []));
}

const times = 'directory-times';

function secondsOf(instant: Date): number {
  return Math.floor(instant.getTime() / 1_000);
}
