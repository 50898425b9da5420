/** Talking to exceptions: the wire names of `src/domain/exception.ts` as functions. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import {
  exceptionId,
  exceptionMessages,
  exceptionWorkflow,
  parseExceptionId,
  type ExceptionStart,
  type ExceptionState,
  type ExceptionTerms,
} from '../domain/exception.js';
import { keyword, keywordList } from '../domain/tags.js';
import { taskQueue } from '../domain/wire.js';
import { searchAttributes } from '../temporal/search-attributes.js';
import { quoted } from '../temporal/visibility-query.js';
import { CliError, noWorker } from './errors.js';

const queryMs = 5_000;

/** Asks for an exception. */
export async function startException(client: Client, terms: ExceptionTerms): Promise<void> {
  const start: ExceptionStart = { terms };
  const tags = keywordList([`exception:${terms.identity}`, ...terms.rules.map((rule) => `rule:${rule}`)]);
  try {
    await client.workflow.start(exceptionWorkflow, {
      workflowId: exceptionId(terms.id),
      taskQueue,
      args: [start],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `exception of ${terms.identity} from ${terms.rules.join(', ')}`.slice(0, 190),
      typedSearchAttributes: [{ key: searchAttributes.tags, value: tags }],
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new CliError('Conflict', `there is an exception ${terms.id} already`, ['tenure except list']);
  }
}

/** The state of an exception. Fails with `NotFound` and `NoWorker`. */
export async function exceptionOf(client: Client, typed: string): Promise<ExceptionState> {
  const id = parseExceptionId(typed) ?? typed;
  try {
    return await query(client, id);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new CliError('NotFound', `there is no exception ${id}`, ['tenure except list']);
    throw noWorker(`the exception ${id} did not answer`);
  }
}

/** Exceptions that are open, or all that Temporal still knows, or those that wait at their gate, by id. Those that do not answer are left out, and counted. */
export async function listExceptions(
  client: Client,
  {
    identity,
    all = false,
    gated = false,
  }: { readonly identity?: string; readonly all?: boolean; readonly gated?: boolean } = {},
): Promise<{ readonly exceptions: readonly ExceptionState[]; readonly silent: number }> {
  const conditions = [
    `WorkflowType = ${quoted(exceptionWorkflow)}`,
    ...(all ? [] : ["ExecutionStatus = 'Running'"]),
    ...(gated ? [`${searchAttributes.gate.name} = 'open'`] : []),
    ...(identity === undefined ? [] : [`${searchAttributes.tags.name} = ${quoted(keyword(`exception:${identity}`))}`]),
  ];
  const ids = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query: conditions.join(' AND ') })) {
    const id = parseExceptionId(workflowId);
    if (id !== undefined) ids.add(id);
  }
  const found = await Promise.all([...ids].toSorted().map((id) => query(client, id).catch(() => undefined)));
  const exceptions = found.filter((state) => state !== undefined);
  return { exceptions, silent: found.length - exceptions.length };
}

function query(client: Client, id: string): Promise<ExceptionState> {
  const handle = client.workflow.getHandle(exceptionId(id));
  return client.withDeadline(Date.now() + queryMs, () => handle.query<ExceptionState>(exceptionMessages.exception));
}
