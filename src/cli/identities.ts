/** Talking to identities and their processes: the wire names of `src/domain/wire.ts` as functions. */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import {
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
  type Client,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { IdentitySpec, IdentityState } from '../domain/identity.js';
import type { ProcessState } from '../domain/process.js';
import type { Answer, ChangeRequest } from '../domain/request.js';
import {
  identityId,
  identityMessages,
  identityWorkflow,
  parseProcessId,
  processMessages,
  taskQueue,
} from '../domain/wire.js';
import { searchAttributes } from '../temporal/search-attributes.js';
import { CliError } from './errors.js';

/** How long a worker may take to answer before the command says so. */
const answerMs = 20_000;
const queryMs = 5_000;

export function newRequestId(): string {
  return randomUUID();
}

/** Asks an identity that exists. Fails with `NotFound` for one that nobody ever declared. */
export async function ask(client: Client, name: string, request: ChangeRequest): Promise<Answer> {
  const handle = client.workflow.getHandle(identityId(name));
  return answered(client, name, request, () =>
    handle.executeUpdate<Answer, [ChangeRequest]>(identityMessages.request, { args: [request], updateId: request.id }),
  );
}

/** Asks an identity, and brings its workflow into being when there is none. */
export async function askOrStart(client: Client, spec: IdentitySpec, request: ChangeRequest): Promise<Answer> {
  const startWorkflowOperation = new WithStartWorkflowOperation(identityWorkflow, {
    ...identityStart(spec),
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  // A start that fails is reported through the update; without this its own promise would be an unhandled rejection.
  startWorkflowOperation.workflowHandle().catch(() => undefined);
  return answered(client, spec.name, request, () =>
    client.workflow.executeUpdateWithStart<never, Answer, [ChangeRequest]>(identityMessages.request, {
      args: [request],
      updateId: request.id,
      startWorkflowOperation: startWorkflowOperation as WithStartWorkflowOperation<never>,
    }),
  );
}

/**
 * Leaves a request where it is taken even if no worker runs: by signal. Starts nothing: for a life that has ended or never began it
 * fails, since a workflow made for it would have nothing to work on and no end.
 */
export async function leave(client: Client, name: string, request: ChangeRequest): Promise<void> {
  try {
    await client.workflow.getHandle(identityId(name)).signal(identityMessages.requestSignal, request);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw await closedOrUnknown(client, name);
    throw error;
  }
}

function identityStart(spec: IdentitySpec): WorkflowStartOptions {
  const { name, kind, purpose, owner, target, environment } = spec;
  return {
    workflowId: identityId(name),
    taskQueue,
    args: [{ name }],
    staticSummary: `${kind} ${name}: ${purpose}`.slice(0, 190),
    typedSearchAttributes: [
      { key: searchAttributes.kind, value: kind },
      { key: searchAttributes.owner, value: owner.person },
      { key: searchAttributes.target, value: target.name },
      { key: searchAttributes.environment, value: environment },
      { key: searchAttributes.status, value: 'absent' },
    ],
  };
}

async function answered(
  client: Client,
  name: string,
  request: ChangeRequest,
  send: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await client.withDeadline(Date.now() + answerMs, send);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw await closedOrUnknown(client, name);
    if (!isTimeout(error)) throw error;
    throw new CliError(
      'NoWorker',
      `${name} did not answer within ${answerMs / 1_000} s, so it is not known whether the request was taken. ` +
        `Repeating it with the same id does it once: --request-id ${request.id}`,
      ['tenure doctor', 'tenure worker'],
    );
  }
}

export function unknownIdentity(name: string): CliError {
  return new CliError('NotFound', `no identity is named ${name}`, ['tenure list', 'tenure apply']);
}

/** A message to a closed workflow and to one that never was fail alike; the difference matters to a person. */
async function closedOrUnknown(client: Client, name: string): Promise<CliError> {
  const found = await client.workflow
    .getHandle(identityId(name))
    .describe()
    .catch(() => undefined);
  if (!found) return unknownIdentity(name);
  return new CliError(
    'InvalidRequest',
    `the life of ${name} has ended (${found.status.name.toLowerCase()}); to begin a new one, declare it and apply`,
    [`tenure show ${name}`, 'tenure apply'],
  );
}

/** The state of an identity; `undefined` when no worker answers. Fails with `NotFound` when there is no such identity. */
export async function stateOf(client: Client, name: string): Promise<IdentityState | undefined> {
  try {
    return await query<IdentityState>(client, identityId(name), identityMessages.state);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw unknownIdentity(name);
    if (isNoWorker(error)) return undefined;
    throw error;
  }
}

/** The state of a process; `undefined` when no worker answers or the process is not known yet. */
export async function processOf(
  client: Client,
  operation: string,
  signal?: AbortSignal,
): Promise<ProcessState | undefined> {
  try {
    return await query<ProcessState>(client, operation, processMessages.process, signal);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || isNoWorker(error)) return undefined;
    throw error;
  }
}

async function query<Result>(client: Client, workflowId: string, name: string, signal?: AbortSignal): Promise<Result> {
  const ask = (): Promise<Result> =>
    client.withDeadline(Date.now() + queryMs, () => client.workflow.getHandle(workflowId).query<Result>(name));
  return signal ? untilAborted(client, signal, ask) : ask();
}

/**
 * Calls the server until `signal` fires. Not on the signal itself: the SDK hangs a listener on it for every request and takes
 * none away, which adds up while a process is followed for hours.
 */
export async function untilAborted<Result>(
  client: Client,
  signal: AbortSignal,
  call: () => Promise<Result>,
): Promise<Result> {
  const own = new AbortController();
  // One call may be many requests: a long wait polls again and again.
  setMaxListeners(0, own.signal);
  const abort = (): void => own.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await client.withAbortSignal(own.signal, call);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The name of an identity from what a person typed: a name, its workflow id, or the id of one of its processes. */
export function nameOf(typed: string): string {
  return parseProcessId(typed)?.name ?? typed.replace(/^nhi\//, '');
}

/** The operation that a person means: a process id as typed, or the process that the identity runs now. */
export async function operationOf(client: Client, typed: string): Promise<string> {
  if (parseProcessId(typed)) return typed;
  const name = nameOf(typed);
  const state = await stateOf(client, name);
  if (!state)
    throw new CliError('NoWorker', `${name} did not answer: no worker is running`, ['tenure worker', 'tenure doctor']);
  if (!state.running) {
    throw new CliError('NotFound', `${name} runs no process now (${state.status})`, [
      `tenure show ${name}`,
      'tenure list --parked',
    ]);
  }
  return state.running.operation;
}

const noWorkerPattern = /no poller seen|no worker/i;

function isNoWorker(error: unknown): boolean {
  return isTimeout(error) || (error instanceof Error && noWorkerPattern.test(`${error.message} ${causeText(error)}`));
}

function isTimeout(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  const code =
    (error as { code?: unknown } | null)?.code ?? (error as { cause?: { code?: unknown } } | null)?.cause?.code;
  return code === deadlineExceeded || code === cancelled;
}

/** gRPC status DEADLINE_EXCEEDED. */
const deadlineExceeded = 4;
/** gRPC status CANCELLED: the same deadline, where the server noticed first. Nothing else cancels these calls. */
const cancelled = 1;

function causeText(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : '';
}
