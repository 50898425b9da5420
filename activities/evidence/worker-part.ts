/** What only the worker can know of what it seals: the run, its history as Temporal has it, the code that ran, who signed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import type { Directory } from '../../src/domain/directory.js';
import { TenureError } from '../../src/domain/errors.js';
import type { SealedBy } from '../../src/domain/evidence.js';
import { digestOfText, directoriesAround, keepAttachment, keepDirectory } from '../../src/evidence/attachments.js';
import { exportHistory, type ExportedHistory } from '../../src/evidence/export-history.js';
import type { EvidenceWriter } from '../../src/evidence/open.js';
import { signersOf, type SignedPart } from '../../src/evidence/signers.js';
import { packageRoot } from '../../src/package-root.js';

/** What every seal needs. */
export interface SealDependencies {
  readonly evidence: EvidenceWriter;
  /** Reads histories. Without one, records say that theirs was not read. */
  readonly client?: Client;
  /** The code of the workflow bundle that this worker runs. */
  readonly workflows: string;
  /** Who there is now. */
  readonly directory?: () => Promise<Directory>;
  readonly log: Logger;
}

/** The workflow that asks, as Temporal itself says, and how long the attempt may take. */
export interface Execution {
  readonly workflowId: string;
  readonly runId: string;
  readonly attemptMs: number;
}

export function executionNow(): Execution {
  const { workflowExecution, startToCloseTimeoutMs } = Context.current().info;
  if (!workflowExecution)
    throw new TenureError('InvalidRequest', 'only what a workflow did can be sealed; nothing was written');
  return { ...workflowExecution, attemptMs: startToCloseTimeoutMs };
}

/** How long the history may take, milliseconds; of an attempt that is shorter, half. */
const historyMs = 10_000;

/** The worker's part of a record, and how many of the signatures in it are nobody's. */
export interface WorkerPart {
  readonly by: SealedBy & { readonly run: string; readonly signers: NonNullable<SealedBy['signers']> };
  readonly nobodys: number;
}

/** Keeps what a record leans on, and gives what the record says of it. */
export async function workerPart(
  parts: readonly SignedPart[],
  execution: Execution,
  { evidence: { shelf }, client, workflows, directory, log }: SealDependencies,
): Promise<WorkerPart> {
  const now = await directory?.().catch(() => undefined);
  const [history, snapshot] = await Promise.all([
    client && historyOf(client, execution, log),
    now && keepDirectory(shelf, now, new Date()),
  ]);
  const kept = history && (await keepAttachment(shelf, 'histories', history.text));
  const { signers, nobodys } = await signersOf(parts, async (at) => [
    ...(now ? [now] : []),
    ...(await directoriesAround(shelf, at)),
  ]);
  const by = {
    run: execution.runId,
    code: { version, workflows: await keepAttachment(shelf, 'bundles', workflows), node: process.version },
    ...(history && kept !== undefined && { history: { digest: kept, run: history.run, events: history.events } }),
    signers,
    ...(snapshot !== undefined && { directory: snapshot }),
  };
  return { by, nobodys };
}

/** A record without its history is worth more than none, so this fails in words only. */
async function historyOf(client: Client, execution: Execution, log: Logger): Promise<ExportedHistory | undefined> {
  try {
    return await exportHistory(client, execution, Math.min(historyMs, execution.attemptMs / 2));
  } catch (error) {
    const { workflowId: operation } = execution;
    log.warn({ operation, error: (error as Error).name }, 'sealed without its history, which could not be read');
    return undefined;
  }
}

/** Appends a statement. A repeated attempt gets the first one: `isSame` says whether it says what this one does. */
export async function appended(
  { evidence }: SealDependencies,
  statement: string,
  isSame: (before: string) => boolean,
): Promise<{ readonly evidence: string; readonly statement: string }> {
  const { envelope, isNew } = await evidence.append(statement);
  const there = isNew ? statement : Buffer.from(envelope.payload, 'base64').toString();
  if (isNew || isSame(there)) return { evidence: digestOfText(there), statement: there };
  const { workflowId, runId } = executionNow();
  throw new TenureError(
    'Conflict',
    `run ${runId} of ${workflowId} has a record already, and it says something else; look at it with: tenure explain ${workflowId}`,
  );
}

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
