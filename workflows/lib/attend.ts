/**
 * Starting a process for an identity and attending to it until it ends. A process is a child that outlives its parent's run
 * (`ABANDON`), so that the identity may continue as new, or be terminated by hand, and a rotation in the middle still ends properly.
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  condition,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  patched,
  startChild,
} from '@temporalio/workflow';
import { mayStart, type Refusal } from '../../src/domain/admission.js';
import { epochOf, numbersTaken, processNumberAfter } from '../../src/domain/epoch.js';
import type { IdentitySpec, IdentityState, RunningProcess } from '../../src/domain/identity.js';
import type { ProcessInput, ProcessKind, ProcessResult, Timing } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { emergencyTaskQueue, processId, processMessages, taskQueue, type Preempt } from '../../src/domain/wire.js';
import { callerFor, here, hereFirst, waiterFor } from './activities.js';
import { asText } from './as-text.js';
import { cancelledInWords, unheard } from './cancelled.js';
import { now } from './clock.js';
import { specFor, type Aggregate } from './aggregate.js';
import { failureOf } from './failure.js';
import { attributesOf } from './show.js';

/** A process that runs, and what will come of it. */
export interface Attended {
  readonly running: RunningProcess;
  readonly result: Promise<ProcessResult>;
}

/** Takes up the process that an earlier run of this identity started, or starts the next request. Undefined where none was started. */
export async function begin(aggregate: Aggregate, timing: Timing | undefined): Promise<Attended | undefined> {
  const { running } = aggregate.state;
  if (running) return { running, result: awaitFromAfar(running) };
  const asked = aggregate.shift();
  const refusal = mayStart(aggregate.state, asked);
  if (refusal) return void aggregate.refuse(asked, refusal);
  try {
    const early = await isTooEarly(aggregate, asked);
    if (early) return void aggregate.refuse(asked, early);
    if (asked.kind === 'amend') return void (await amend(aggregate, asked));
    return await start(aggregate, await inputFor(aggregate, asked, asked.kind, timing));
  } catch (error) {
    return void aggregate.refuse(asked, inWords(error));
  }
}

/** Until the process ends, an emergency pre-empts it, or the run has become too long. */
export async function attend(
  aggregate: Aggregate,
  { running, result }: Attended,
  isRunTooLong: () => boolean,
): Promise<void> {
  const end: { record?: () => void } = {};
  void result.then(
    (given) => (end.record = () => aggregate.finished(running, given)),
    (error: unknown) => (end.record = () => recordFailure(aggregate, running, error)),
  );
  await condition(() => end.record !== undefined || aggregate.mustPreempt() || isRunTooLong());
  if (end.record) end.record();
  else if (aggregate.mustPreempt()) preempt(aggregate, running);
}

/** A scheduled request may have waited behind a rotation by hand. */
async function isTooEarly({ state }: Aggregate, { onlyIfDue }: ChangeRequest): Promise<Refusal | undefined> {
  if (!onlyIfDue || !state.spec) return undefined;
  const { spec, lastRotatedAt } = state;
  const verdict = await here('Ask again whether it is due').due({
    spec,
    ...(lastRotatedAt !== undefined && { lastRotatedAt }),
  });
  return verdict.due ? undefined : { code: 'Conflict', reason: `it is not due any more: ${verdict.detail}` };
}

/** An amendment waits at no gate: what policy does not let pass at once is refused. */
async function amend(aggregate: Aggregate, asked: ChangeRequest): Promise<void> {
  const { name, spec } = aggregate.state;
  const verdict = await here('Ask policy about the amendment').amendment({ asked, identity: name, before: spec! });
  const { policies } = verdict;
  if (verdict.allowed) aggregate.amend(asked, policies);
  else aggregate.refuse(asked, { code: 'PolicyDenied', reason: verdict.reason, policies });
}

async function inputFor(
  aggregate: Aggregate,
  request: ChangeRequest,
  kind: ProcessKind,
  timing: Timing | undefined,
): Promise<ProcessInput> {
  const { state } = aggregate;
  const { name, current, previous } = state;
  const spec = specFor(state, request)!;
  const next = state.processNumber + 1;
  const isUnsure = state.processNumber === 0 || (wasFencedOff(state) && patched('look-after-fence'));
  const number = isUnsure ? Math.max(next, processNumberAfter(await lastEpoch(spec, timing))) : next;
  state.processNumber = number + numbersTaken(kind) - 1;
  return {
    kind,
    operation: processId(name, kind, number),
    epoch: epochOf(number),
    identity: name,
    request,
    spec,
    ...(state.spec && { specBefore: state.spec }),
    ...(current && { current }),
    ...(previous && { previous }),
    ...(timing && { timing }),
  };
}

/** Something of a higher number has changed the identity, and keeps out all that is lower: one that was started by hand. */
function wasFencedOff({ recent }: IdentityState): boolean {
  const last = recent.at(-1);
  return last?.code === 'Fenced' && last.outcome !== 'pre-empted';
}

async function start(aggregate: Aggregate, input: ProcessInput): Promise<Attended> {
  const { kind, operation, request, identity, spec } = input;
  const beginning = () =>
    startChild<(input: ProcessInput) => Promise<ProcessResult>>(kind, {
      workflowId: operation,
      args: [input],
      taskQueue: request.emergency ? emergencyTaskQueue : taskQueue,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      cancellationType: ChildWorkflowCancellationType.ABANDON,
      staticSummary: `${kind} ${identity} at ${spec.target.name}, asked by ${request.requester}`.slice(0, 200),
      staticDetails: detailsOf(input),
      typedSearchAttributes: attributesOf(spec, 'running', request.emergency ? ['emergency:true'] : []),
    });
  const child = await unheard(beginning);
  return { running: aggregate.started(input), result: child.result() };
}

/** What the Temporal UI shows of a process from its start on. Markdown. */
function detailsOf({ spec, request }: ProcessInput): string {
  const { owner, purpose, environment, dataClass } = spec;
  return [
    `**Owner** ${asText(owner.person)}${owner.team === undefined ? '' : ` (${asText(owner.team)})`}`,
    `**Purpose** ${asText(purpose)}`,
    `**Environment** ${asText(environment)}, ${dataClass} data`,
    `**Reason** ${asText(request.reason ?? 'none given')}`,
  ].join(' · ');
}

/** In a later run the child is no child any more: an activity waits for it. */
function awaitFromAfar(running: RunningProcess): Promise<ProcessResult> {
  return waiterFor(`Wait for ${running.operation}`).awaitProcess(running.operation);
}

/** Tells the process to stop and does not wait for it: its epoch is over, and the revocation fences it off. */
function preempt(aggregate: Aggregate, running: RunningProcess): void {
  const request = aggregate.state.queue[0]!;
  const by: Preempt = { by: `an emergency revocation asked by ${request.requester}`, request };
  getExternalWorkflowHandle(running.operation)
    .signal(processMessages.preempt, by)
    .catch(() =>
      aggregate.problem(`${running.operation} could not be told that it is pre-empted; it is fenced all the same`),
    );
  aggregate.ended(running, 'pre-empted', `pre-empted by ${by.by}`);
}

function recordFailure(aggregate: Aggregate, running: RunningProcess, error: unknown): void {
  const cause = error instanceof ChildWorkflowFailure || error instanceof ActivityFailure ? error.cause : error;
  const result = cause instanceof ApplicationFailure ? (cause.details?.[0] as ProcessResult | undefined) : undefined;
  if (result?.after) return aggregate.finished(running, result);
  if (cause instanceof CancelledFailure || failedAs(cause, 'Cancelled'))
    return aggregate.ended(running, 'undone', cancelledInWords(running.emergency));
  aggregate.ended(
    running,
    'unfinished',
    `it ended without a result (${(cause as Error).message}); compare with: tenure validate ${aggregate.state.name}`,
  );
}

/** The fence that earlier lives of this identity have left, or what somebody has started in its name. */
function lastEpoch(spec: IdentitySpec, timing: Timing | undefined): Promise<number> {
  return hereFirst(
    'Look for earlier lives of this identity',
    (activities) => activities.lastEpoch(spec),
    (told) => callerFor(false, timing)('careful', told),
  );
}

function failedAs(error: unknown, type: string): boolean {
  return error instanceof ApplicationFailure && error.type === type;
}

/**
 * Works out when the identity is next due. Nobody waits for this: an emergency must not stand behind a calendar that cannot be read. What fails
 * is recorded.
 */
export async function planNextRotation(aggregate: Aggregate): Promise<void> {
  const { spec, current, lastRotatedAt, nextRotationAt } = aggregate.state;
  const isLatest = aggregate.beginReckoning();
  // Better looked at too early, by a campaign that asks again, than never.
  const meanwhile = (): void => void (isLatest() && aggregate.isNextDue(nextRotationAt ?? now()));
  if (!spec || !current) return aggregate.isNextDue(undefined);
  const input = { spec, ...(lastRotatedAt !== undefined && { lastRotatedAt }) };
  try {
    const next = await hereFirst(
      'Work out when it is due next',
      ({ nextRotation }) => nextRotation(input),
      (told) => (meanwhile(), callerFor(false)('stubborn', told)),
    );
    if (isLatest()) aggregate.isNextDue(next);
  } catch (error) {
    meanwhile();
    aggregate.problem(`when it is due next could not be worked out: ${inWords(error).reason}`);
  }
}

function inWords(error: unknown): { code: 'InvalidRequest' | ReturnType<typeof failureOf>['code']; reason: string } {
  try {
    const { code, message } = failureOf(error);
    return { code, reason: message };
  } catch {
    return { code: 'InvalidRequest', reason: error instanceof Error ? error.message : String(error) };
  }
}
