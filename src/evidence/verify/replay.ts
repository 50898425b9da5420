/** Replays: the recorded history is led through the recorded code, which has to want what it wanted then, step by step. */
import type { DataConverter } from '@temporalio/common';
import { attachmentName, digestOfText } from '../attachments.js';
import type { BundleFiles } from '../bundle/files.js';
import { broken, held, unknown, type Check, type Finding } from './check.js';
import type { Replayable } from './history-checks.js';

/** How to replay. */
export interface ReplayOptions {
  /**
   * Which code may be run here, by its `sha256:<hex>`. A replay runs what the bundle brings, in a sandbox that is made for
   * determinism and keeps nobody out: so it has to be our own, or vouched for by a key that the verifier trusts.
   */
  readonly mayRun: (digest: string) => boolean;
  readonly dataConverter?: DataConverter;
}

/** Replays each history against the code that its record names. The native part of the SDK is loaded only here. */
export async function replayAll(
  files: BundleFiles,
  replayables: readonly Replayable[],
  { mayRun, dataConverter }: ReplayOptions,
): Promise<Check[]> {
  const checks: Check[] = [];
  for (const digest of new Set(replayables.map(({ record }) => record.code.workflows))) {
    const those = replayables.filter(({ record }) => record.code.workflows === digest);
    const findings = mayRun(digest)
      ? await replayWith(files.get(attachmentName('bundles', digest)), digest, those, dataConverter)
      : those.map(() => unknown(notRun));
    checks.push(...those.map(({ subject }, at) => ({ subject, check: 'replay', ...findings[at]! })));
  }
  return checks;
}

const notRun =
  'not replayed: the code is not that of this installation, and nobody whom you trust vouches for it; give the log’s key with --log-key';

async function replayWith(
  code: string | undefined,
  digest: string,
  replayables: readonly Replayable[],
  dataConverter: DataConverter | undefined,
): Promise<Finding[]> {
  // Code from a bundle is run only if it is the code that was sealed.
  if (code === undefined || digestOfText(code) !== digest)
    return replayables.map(() => broken('the code of that version is missing or was changed, so nothing is replayed'));
  const { Worker } = await quietWorker();
  const histories = replayables.map(({ record, history }) => ({ workflowId: record.operation, history }));
  const options = { workflowBundle: { code }, ...(dataConverter && { dataConverter }) };
  const findings: Finding[] = [];
  try {
    for await (const { error } of Worker.runReplayHistories(options, histories)) findings.push(findingOf(error));
  } catch (error) {
    findings.push(findingOf(error as Error));
  }
  return replayables.map((_, at) => findings[at] ?? broken('it was not replayed, since one before it could not be'));
}

function findingOf(error: Error | undefined): Finding {
  if (!error) return held('the code of that version wants the same, step by step');
  const why = error.message.split('\n')[0]!.slice(0, 400);
  return broken(`the code of that version does something else: ${why}`);
}

/** Without its log lines: what they would say is in the findings. */
async function quietWorker(): Promise<typeof import('@temporalio/worker')> {
  const sdk = await import('@temporalio/worker');
  try {
    sdk.Runtime.install({
      logger: new sdk.DefaultLogger('ERROR', () => {}),
      telemetryOptions: { logging: { forward: {}, filter: 'OFF' } },
    });
  } catch {
    // It runs already, with the logger of whoever started it.
  }
  return sdk;
}
