/** Reads the files of a target's log, whatever their length, in the order of their times. */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { TenureError } from '../../../domain/errors.js';
import type { Coverage, TargetEvent } from './events.js';
import { PostgresqlEvents } from './postgresql-events.js';
import { logLines } from './postgresql-lines.js';
import { sampledEvents } from './samples.js';

export interface TargetLogs {
  readonly events: readonly TargetEvent[];
  readonly coverage?: Coverage;
  /** When samples were taken. */
  readonly samples: readonly string[];
}

/** What the files say about these roles. `roles` grows by the names that one of them is given. */
export async function readTargetLogs(
  files: { readonly logs: readonly string[]; readonly samples: readonly string[]; readonly prefix: string },
  roles: Set<string>,
): Promise<TargetLogs> {
  const events: TargetEvent[] = [];
  const log = new PostgresqlEvents(roles);
  for (const file of await inOrder(files.logs, files.prefix)) {
    for await (const entry of logLines(linesOf(file), files.prefix)) log.take(entry, basename(file));
  }
  events.push(...log.events);
  const samples: string[] = [];
  for (const file of files.samples) {
    const read = await sampledEvents(linesOf(file), basename(file), roles);
    const [first] = read.unread;
    if (first) throw unreadable(`${file}:${first.line}`, first.unread);
    events.push(...read.events);
    samples.push(...read.times);
  }
  return { events, ...(files.logs.length > 0 && { coverage: log.coverage }), samples };
}

/** A session may go on in the next file, so they are read as they were written. */
async function inOrder(files: readonly string[], prefix: string): Promise<string[]> {
  const begun = await Promise.all(files.map(async (file) => ({ file, at: await beginningOf(file, prefix) })));
  return begun.sort((one, other) => one.at.localeCompare(other.at)).map(({ file }) => file);
}

async function beginningOf(file: string, prefix: string): Promise<string> {
  for await (const entry of logLines(linesOf(file), prefix)) if ('at' in entry) return entry.at;
  return '';
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file, 'utf8');
  const lines = createInterface({ input, crlfDelay: Infinity });
  try {
    yield* lines;
    // Not every version of Node gives the error of a stream to the iterator.
    if (input.errored) throw input.errored;
  } catch (error) {
    throw unreadable(file, String((error as NodeJS.ErrnoException).code));
  } finally {
    input.destroy();
  }
}

function unreadable(where: string, why: string): TenureError {
  return new TenureError(
    'InvalidRequest',
    `${where} could not be read (${why}); name a readable file of the target's log`,
    { next: ['tenure attribute --help'] },
  );
}
