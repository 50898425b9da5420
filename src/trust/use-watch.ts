/** Watches which rights identities use: looks at the target, and keeps what it saw in a small file for each identity. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../canonical-json.js';
import { afterLook, unusedIn, type UseProof, type UseRecord, type UseSeen } from '../domain/use.js';
import { hasErrorCode, removeFile, replaceFile } from '../files/durable.js';
import { fileNameOf, inState } from '../files/state.js';
import { scopeLines } from '../policy/scope-lines.js';
import type { RecordedUse, RightUse, Target } from '../targets/target.js';

/** What an identity was granted, by what this worker has on record itself. */
export interface Granted {
  readonly identity: string;
  /** Of the process that was granted it. */
  readonly operation: string;
  readonly target: string;
  readonly scope: Readonly<Record<string, unknown>>;
}

export interface UseWatch {
  /** Looks, remembers, and says what is unused. Undefined where the target keeps no record of use. */
  look(granted: Granted): Promise<UseProof | undefined>;
}

/** Opens the records in a folder, which is made when it is not there. `afterMs`: from when on something is unused. */
export function useWatch(options: {
  readonly folder: string;
  target(name: string): Target;
  readonly afterMs: number;
  readonly now?: () => Date;
}): UseWatch {
  const { folder, target, afterMs, now = () => new Date() } = options;
  return {
    async look(granted) {
      const file = join(folder, `${fileNameOf(granted.identity)}.json`);
      const { identity, operation, scope } = granted;
      const use = await target(granted.target).recordedUse?.({
        identity,
        operation,
        epoch: 0,
        strategy: 'alternate',
        scope,
      });
      if (!use) return undefined;
      const at = now();
      return inState(file, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        // What nobody watched for a while was not watched: it begins anew.
        if (!use.known) return removeFile(file).then(() => ({ known: false, why: use.why }) as const);
        const record = afterLook(await recordIn(file), granted, seenIn(use), at.toISOString());
        await replaceFile(file, canonicalJson(record));
        return { known: true, unused: unusedIn(record, afterMs, at) } as const;
      });
    },
  };
}

/** In the words in which rights are compared and shown. Where two mean the same, either is use of it. */
function seenIn({ history, total, rights }: Extract<RecordedUse, { known: true }>): UseSeen {
  const lines = rights.flatMap((use) => scopeLines(use.right).map((line) => [line, use] as const));
  const seen: Record<string, Pick<RightUse, 'calls' | 'isInUse'>> = {};
  for (const [line, { calls, isInUse }] of lines) {
    const other = Object.hasOwn(seen, line) ? seen[line]! : { calls: 0, isInUse: false };
    seen[line] = { calls: other.calls + calls, isInUse: other.isInUse || isInUse };
  }
  return { history, total, rights: seen };
}

/** A file that cannot be understood is none: the watch begins anew. */
async function recordIn(file: string): Promise<UseRecord | undefined> {
  try {
    const record = JSON.parse(await readFile(file, 'utf8')) as UseRecord;
    return record.v === 1 && typeof record.rights === 'object' ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
