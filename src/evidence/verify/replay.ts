/** Replays: the recorded history is led through the recorded code, which has to want what it wanted then, step by step. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PayloadCodec } from '@temporalio/common';
import { historyToJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { attachmentName, digestOfText } from '../attachments.js';
import type { BundleFiles } from '../bundle/files.js';
import { broken, held, unknown, type Check, type Finding } from './check.js';
import { decodedHistory } from './decoded-history.js';
import type { Replayable } from './history-checks.js';
import { replayInChild } from './replay-child.js';

/** How to replay. */
export interface ReplayOptions {
  /**
   * Which code may be run here, by its `sha256:<hex>`. A replay runs what the bundle brings, in a sandbox that is made for
   * determinism and keeps nobody out: so it has to be our own, or vouched for by a key that the verifier trusts.
   */
  readonly mayRun: (digest: string) => boolean;
  /** Decode the payloads of the histories, where they are encoded. */
  readonly codecs?: readonly PayloadCodec[];
}

/** Replays each history against the code that its record names. */
export async function replayAll(
  files: BundleFiles,
  replayables: readonly Replayable[],
  { mayRun, codecs = [] }: ReplayOptions,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const digest of new Set(replayables.map(({ code }) => code))) {
    const those = replayables.filter(({ code }) => code === digest);
    const text = files.get(attachmentName('bundles', digest));
    const findings = mayRun(digest) ? await replayWith(text, digest, those, codecs) : those.map(() => unknown(notRun));
    checks.push(...those.map(({ subject }, at) => ({ subject, check: 'replay', ...findings[at]! })));
  }
  return checks;
}

const notRun =
  'not replayed: the code is not that of this installation, and nobody whom you trust vouches for it; give the log’s key with --log-key (and no --no-replay)';

async function replayWith(
  code: string | undefined,
  digest: string,
  replayables: readonly Replayable[],
  codecs: readonly PayloadCodec[],
): Promise<Finding[]> {
  if (code === undefined || digestOfText(code) !== digest)
    return replayables.map(() => broken('the code of that version is missing or was changed, so nothing is replayed'));
  const folder = await mkdtemp(join(tmpdir(), 'tenure-replay-'));
  try {
    await writeFile(join(folder, 'code.js'), code);
    const closed = new Map<number, Finding>();
    for (const [at, { workflowId, history }] of replayables.entries()) {
      const found = await decodedHistory(history, codecs);
      if ('unreadable' in found) closed.set(at, unknown(`not replayed: ${found.unreadable}`));
      else await writeFile(join(folder, `${at - closed.size}.json`), replayText(workflowId, found.history));
    }
    const answers = (await replayInChild(folder, replayables.length - closed.size)).map(findingOf);
    return replayables.map((_, at) => closed.get(at) ?? answers.shift()!);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function replayText(workflowId: string, history: History): string {
  return `{"workflowId":${JSON.stringify(workflowId)},"history":${historyToJSON(history)}}`;
}

function findingOf(error: string | undefined): Finding {
  if (error === undefined) return held('the code of that version wants the same, step by step');
  return broken(`the code of that version does something else: ${error.split('\n')[0]!.slice(0, 400)}`);
}
