/**
 * The seal: one record for each run of a process, with everything that it leans on, in the log of evidence. The worker puts in what only
 * it can know: the run, its history as Temporal has it, the code that ran, and whether it had permitted this run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { canonicalJson } from '../src/canonical-json.js';
import type { Directory } from '../src/domain/directory.js';
import { TenureError } from '../src/domain/errors.js';
import type { ProcessRecord } from '../src/domain/evidence.js';
import { digestOfText, directoriesAround, keepAttachment, keepDirectory } from '../src/evidence/attachments.js';
import { exportHistory, type ExportedHistory } from '../src/evidence/export-history.js';
import type { EvidenceWriter } from '../src/evidence/open.js';
import { recordIn, recordOf, saidIn, statementOf, type Added, type Told } from '../src/evidence/records.js';
import { signedParts, signersOf } from '../src/evidence/signers.js';
import { issuedAt } from '../src/trust/issued-at.js';
import { verifyRequest } from '../src/trust/requests.js';
import { packageRoot } from '../src/package-root.js';
import type { RecordActivities } from './contract.js';

/** What the seal needs. */
export interface EvidenceDependencies {
  readonly evidence: EvidenceWriter;
  /** Reads histories. Without one, records say that theirs was not read. */
  readonly client?: Client;
  /** The code of the workflow bundle that this worker runs. */
  readonly workflows: string;
  /** Who there is now. */
  readonly directory?: () => Promise<Directory>;
  /** The permit of a run, as any JSON; undefined where it has none. */
  readonly permitOf?: (operation: string, run: string) => Promise<unknown>;
  readonly log: Logger;
}

interface Execution {
  readonly workflowId: string;
  readonly runId: string;
}

/** How long the history may take, milliseconds; of an attempt that is shorter, half. */
const historyMs = 10_000;

/** Makes the `seal` activity. */
export function createEvidenceActivities(dependencies: EvidenceDependencies): Pick<RecordActivities, 'seal'> {
  const { evidence } = dependencies;
  return {
    async seal(said) {
      const { workflowExecution, startToCloseTimeoutMs } = Context.current().info;
      if (!workflowExecution)
        throw new TenureError('InvalidRequest', 'only a process can be sealed; nothing was written');
      const told = await withRequester(said, dependencies);
      const added = await addedTo(
        told,
        workflowExecution,
        Math.min(historyMs, startToCloseTimeoutMs / 2),
        dependencies,
      );
      const record = recordOf(told, added);
      const appended = await evidence.append(statementOf(record));
      const statement = Buffer.from(appended.envelope.payload, 'base64').toString();
      if (!appended.isNew) demandSame(recordIn(statement), record);
      return { evidence: digestOfText(statement) };
    },
  };
}

/** Who asked, where policy did not have to find out: a validation that only looks is sealed too. */
async function withRequester(told: Told, { directory }: EvidenceDependencies): Promise<Told> {
  if (told.requester) return told;
  const now = issuedAt(told.request.signed);
  try {
    const known = (await directory?.()) ?? { parties: [], revoked: [] };
    return { ...told, requester: await verifyRequest(told.request, told.state.identity, { directory: known, now }) };
  } catch {
    // The record says so by having none.
    return told;
  }
}

async function addedTo(
  told: Told,
  execution: Execution,
  withinMs: number,
  { evidence: { shelf }, client, workflows, directory, permitOf, log }: EvidenceDependencies,
): Promise<Added> {
  const now = await directory?.().catch(() => undefined);
  const [history, snapshot, permit] = await Promise.all([
    client && historyOf(client, execution, withinMs, log),
    now && keepDirectory(shelf, now, new Date()),
    permitOf?.(told.result.operation, execution.runId),
  ]);
  const kept = history && (await keepAttachment(shelf, 'histories', history.text));
  return {
    run: execution.runId,
    code: { version, workflows: await keepAttachment(shelf, 'bundles', workflows), node: process.version },
    ...(history && kept !== undefined && { history: { digest: kept, run: history.run, events: history.events } }),
    signers: await signersOf(signedParts(told), async (at) => [
      ...(now ? [now] : []),
      ...(await directoriesAround(shelf, at)),
    ]),
    ...(snapshot !== undefined && { directory: snapshot }),
    ...(permit !== undefined && { permit: digestOfText(canonicalJson(permit)) }),
  };
}

/** A record without its history is worth more than none, so this fails in words only. */
async function historyOf(
  client: Client,
  execution: Execution,
  withinMs: number,
  log: Logger,
): Promise<ExportedHistory | undefined> {
  try {
    return await exportHistory(client, execution, withinMs);
  } catch (error) {
    const { workflowId: operation } = execution;
    log.warn({ operation, error: (error as Error).name }, 'sealed without its history, which could not be read');
    return undefined;
  }
}

/** The same run is sealed once: a repeated attempt gets the first record, and whoever says something else is refused. */
function demandSame(before: ProcessRecord | undefined, record: ProcessRecord): void {
  if (before && canonicalJson(saidIn(before)) === canonicalJson(saidIn(record))) return;
  throw new TenureError(
    'Conflict',
    `run ${record.run} of ${record.operation} has a record already, and it says something else; look at it with: tenure explain ${record.operation}`,
  );
}

const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
