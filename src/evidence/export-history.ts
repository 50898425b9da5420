/** A run's history, exported as Temporal's own tools export one: what a replay takes. */
import type { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

/** What was read, up to the moment of reading. Payloads are as the server has them: encoded, where a codec is in use. */
export interface ExportedHistory {
  readonly text: string;
  readonly run: string;
  readonly events: number;
}

/** Reads a run's history, within `withinMs`. */
export async function exportHistory(
  client: Client,
  { workflowId, runId }: { readonly workflowId: string; readonly runId: string },
  withinMs: number,
): Promise<ExportedHistory> {
  const history = await client.connection.withDeadline(Date.now() + withinMs, () =>
    client.workflow.getHandle(workflowId, runId).fetchHistory(),
  );
  return { text: historyToJSON(history), run: runId, events: history.events?.length ?? 0 };
}
