/** Following a request until its process has ended, parked, or been left to itself. */
import { WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { isErrorCode } from '../domain/errors.js';
import type { ProcessResult, ProcessState, ProcessSummary } from '../domain/process.js';
import type { IdentityState } from '../domain/identity.js';
import { CliError, nextCommands } from './errors.js';
import { processOf, stateOf, untilAborted } from './identities.js';

/** What the follower tells of what it sees. */
export interface View {
  /** Called with each look at the process. */
  look(state: ProcessState): void;
  /** Something else than a stage, e.g. that nobody works. Called once for each text. */
  aside(text: string): void;
  /** Called once at the end; nothing is drawn afterwards. */
  close(): void;
}

/** How following ended. `state` is the last look, where there was one. */
export type Followed =
  | { readonly how: 'ended'; readonly operation: string; readonly result: ProcessResult; readonly state?: ProcessState }
  /** Cancelled, pre-empted or terminated: there is no result. */
  | {
      readonly how: 'stopped';
      readonly operation: string;
      readonly message: string;
      /** It was cancelled, and has taken everything back. */
      readonly cancelled: boolean;
      readonly state?: ProcessState;
    }
  /** Done or refused when its turn came, without a process: an amendment, or what no longer fitted. */
  | { readonly how: 'settled'; readonly operation?: never; readonly summary: ProcessSummary }
  | { readonly how: 'parked'; readonly operation: string; readonly state: ProcessState }
  | {
      readonly how: 'left';
      readonly operation?: string;
      readonly why: 'interrupted' | 'timeout';
      readonly state?: ProcessState;
    };

export interface Patience {
  /** Fires when the person has had enough; the process goes on. */
  readonly signal: AbortSignal;
  readonly timeoutMs?: number;
  readonly pollMs?: number;
  /** Start of the park that was answered just now; only another one ends following. */
  readonly answeredPark?: string;
}

const defaultPollMs = 200;
/** After this long without an answer from a worker the person is told. */
const silenceMs = 4_000;
/** A request whose turn it is begins within moments. */
const lateMs = 5_000;

/** What became of a request once its turn had come. */
export type Turn = { readonly operation: string } | { readonly summary: ProcessSummary };

/** Waits until it is the request's turn; `undefined` when patience ended first. */
export async function turnOf(
  client: Client,
  name: string,
  requestId: string,
  view: View,
  patience: Patience,
): Promise<Turn | undefined> {
  const deadline = deadlineOf(patience);
  const begun = Date.now();
  for (;;) {
    const state = await stateOf(client, name);
    const turn = state && turnIn(state, requestId);
    if (turn) return turn;
    const why = holdUp(state, Date.now() - begun);
    if (why !== undefined) view.aside(why);
    if (await pause(patience, deadline)) return undefined;
  }
}

/** Why it is not the request's turn yet, as far as that is known. */
export function holdUp(state: IdentityState | undefined, waitedMs: number): string | undefined {
  if (!state) return 'no worker answers; the request is kept and goes on when one runs: tenure worker';
  if (state.running) return `waiting for ${state.running.operation} to end`;
  return waitedMs > lateMs ? 'it was taken and has not begun; what is in its way says: tenure doctor' : undefined;
}

/** Fails with the refusal of a request that was not accepted. */
export function turnIn(state: IdentityState, requestId: string): Turn | undefined {
  const { running, recent, handled, name } = state;
  if (running?.requestId === requestId) return { operation: running.operation };
  const summary = recent.find((process) => process.requestId === requestId);
  if (summary) return summary.operation === undefined ? { summary } : { operation: summary.operation };
  const answer = handled.find(({ id }) => id === requestId)?.answer;
  if (answer?.accepted === false) throw new CliError(answer.code, answer.reason, nextCommands(answer.code, name));
  // An emergency that joins one that runs already is answered with that one's operation.
  return answer?.operation === undefined ? undefined : { operation: answer.operation };
}

/** Polls the process and tells the view, until it closes, parks, or patience ends. */
export async function followProcess(
  client: Client,
  operation: string,
  view: View,
  patience: Patience,
): Promise<Followed> {
  const end = new AbortController();
  const closing = closed(client, operation, end.signal);
  // Ending the wait rejects it; whoever still races it hears of real failures.
  closing.catch(() => undefined);
  const deadline = deadlineOf(patience);
  let looking: Promise<ProcessState | undefined> = Promise.resolve(undefined);
  let state: ProcessState | undefined;
  let heardAt = Date.now();
  try {
    for (;;) {
      looking = processOf(client, operation, end.signal);
      const seen = await Promise.race([closing, looking]);
      if (seen && 'ending' in seen) {
        state = await lastLook(client, operation, view, state);
        return { ...seen.ending, operation, ...(state && { state }) };
      }
      if (seen) {
        state = seen;
        heardAt = Date.now();
        view.look(seen);
        if (seen.parked && seen.parked.since !== patience.answeredPark)
          return { how: 'parked', operation, state: seen };
      } else if (Date.now() - heardAt > silenceMs) {
        view.aside('no worker answers; the process goes on when one runs: tenure worker');
      }
      const why = await Promise.race([closing.then(() => undefined), pause(patience, deadline)]);
      if (why) return { how: 'left', operation, why, ...(state && { state }) };
    }
  } finally {
    view.close();
    end.abort();
    // A call that is still open when its connection closes is tried again by the SDK, and that throws where nobody can catch it.
    await Promise.allSettled([looking, closing]);
  }
}

/** One more look after the end, so that the last stages are shown as they ended. */
async function lastLook(
  client: Client,
  operation: string,
  view: View,
  before?: ProcessState,
): Promise<ProcessState | undefined> {
  const last = await processOf(client, operation).catch(() => undefined);
  if (last) view.look(last);
  return last ?? before;
}

type Ending =
  | { readonly how: 'ended'; readonly result: ProcessResult }
  | { readonly how: 'stopped'; readonly message: string; readonly cancelled: boolean };

async function closed(client: Client, operation: string, signal: AbortSignal): Promise<{ readonly ending: Ending }> {
  for (;;) {
    try {
      return { ending: await endingOf(client, operation, signal) };
    } catch (error) {
      // The identity names a process a moment before its child workflow exists.
      if (signal.aborted || !(error instanceof WorkflowNotFoundError)) throw error;
      await sleep(defaultPollMs, signal);
    }
  }
}

/** How a process ended, waiting for it where it still runs. A failed one carries its result in the failure's details. */
export async function endingOf(client: Client, operation: string, signal: AbortSignal): Promise<Ending> {
  try {
    const handle = client.workflow.getHandle(operation);
    const result = (await untilAborted(client, signal, () => handle.result())) as ProcessResult;
    return { how: 'ended', result };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return endingOfFailure(error.cause);
  }
}

/** The ending that a failure tells of. */
export function endingOfFailure(cause: unknown): Ending {
  if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
    const result = cause.details?.[0] as ProcessResult | undefined;
    if (result?.operation !== undefined) {
      return {
        how: 'ended',
        result: result.failure ? result : { ...result, failure: { code: cause.type, message: cause.message } },
      };
    }
  }
  const message = cause instanceof Error ? cause.message : 'it ended without a result';
  return { how: 'stopped', message, cancelled: cause instanceof CancelledFailure };
}

function deadlineOf(patience: Patience): number {
  return patience.timeoutMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + patience.timeoutMs;
}

async function pause(patience: Patience, deadline: number): Promise<'interrupted' | 'timeout' | undefined> {
  await sleep(patience.pollMs ?? defaultPollMs, patience.signal);
  if (patience.signal.aborted) return 'interrupted';
  return Date.now() > deadline ? 'timeout' : undefined;
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
