/**
 * What a campaign and an identity need of other workflows. Waiting is done by retry: each look is a short attempt, so that
 * however many wait, no slot of the worker is held by them.
 */
import { Context } from '@temporalio/activity';
import {
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  type Client,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, WorkflowNotFoundError } from '@temporalio/common';
import type { Directory } from '../src/domain/directory.js';
import { TenureError } from '../src/domain/errors.js';
import type { IdentitySpec, IdentityState } from '../src/domain/identity.js';
import type { ProcessResult, ProcessState, ProcessSummary } from '../src/domain/process.js';
import type { Answer, ChangeRequest } from '../src/domain/request.js';
import { identityId, identityMessages, identityWorkflow, processMessages, type Trigger } from '../src/domain/wire.js';
import { quoted } from '../src/temporal/visibility-query.js';
import { issuedAt } from '../src/trust/issued-at.js';
import { verifyWord } from '../src/trust/requests.js';
import { nothingOn } from '../src/trust/specs.js';
import { requestSigned, type Signer } from '../src/trust/statements.js';
import type { EvidenceReader, SealedRecord } from '../src/evidence/reader.js';
import type { DueSelection, FleetActivities, PolicyActivities, Remark, ScheduledOutcome } from './contract.js';
import { waitOf } from './waits.js';

export interface FleetDependencies {
  readonly client: Client;
  readonly perTarget: number;
  readonly due: PolicyActivities['due'];
  /** As whom this worker asks. Throws `InvalidRequest` where it has no key for that. */
  signer(): Promise<Signer>;
  loadDirectory(): Promise<Directory>;
  /** The records of one operation, one for each run of its workflow, oldest first. */
  runsOf: EvidenceReader['runsOf'];
  /** What this worker itself has on record of an identity; no specs where that is nothing. */
  onRecord(identity: string): Promise<DeclaredAs>;
  /** How long one identity waits before it starts, out of the jitter of its policy; never past the end of its window. */
  delayOf(spec: IdentitySpec, lastRotatedAt: string | undefined): Promise<number>;
}

/** As what an identity is declared: any of these, where a change of it was permitted or amended and not yet carried out. */
export interface DeclaredAs {
  readonly specs: readonly IdentitySpec[];
  /** ISO 8601. */
  readonly lastRotatedAt?: string;
}

/** How long one identity has for its answer, milliseconds. */
const answerMs = 5_000;
/** The same for one look at a rotation or a process, which asks several questions. */
const lookMs = 20_000;
/** Identities asked at the same time, and for how long in all. */
const askedAtOnce = 10;
const longestSelectionMs = 5 * 60_000;
/** So many identities that do not answer are named. */
const mostLeftOut = 100;
/** Longer than a campaign with its jitter lasts: somebody kept its start to use it again. */
const longestCampaignMs = 2 * 86_400_000;
/** So many looks in a row without an answer, and the identity counts as silent. */
const patience = 8;

export function createFleetActivities(deps: FleetDependencies): FleetActivities {
  const { client, perTarget, due, signer, loadDirectory, runsOf, onRecord, delayOf } = deps;
  return {
    async selectDue({ policy, limit, asks = false, except = [] }) {
      const found: Found[] = [];
      const end = Date.now() + longestSelectionMs;
      const passedOver = new Set(except);
      for await (const some of batches(client.workflow.list({ query: candidates(policy, asks) }))) {
        Context.current().heartbeat();
        const names = some.map(nameIn).filter((name) => !passedOver.has(name));
        found.push(...(await Promise.all(names.map(look))));
        if (found.filter(({ due: isDue }) => isDue).length >= limit || Date.now() > end) break;
      }
      return {
        perTarget,
        identities: found.flatMap(({ due: isDue }) => isDue ?? []).slice(0, limit),
        asking: found.flatMap(({ asks: isAsking }) => isAsking ?? []),
        leftOut: found.flatMap(({ leftOut }) => leftOut ?? []).slice(0, mostLeftOut),
      };
    },

    async rotateOne(input) {
      const outcome = await outcomeNow(input).catch((error: unknown) => withoutAnswer(error, input.name));
      if (outcome) return outcome;
      throw lookAgain(`${input.name} has not been rotated yet`);
    },

    async awaitProcess(operation, run) {
      try {
        return await within(lookMs, () => resultOf(operation, run));
      } catch (error) {
        const isCancelled = error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure;
        if (!isCancelled) throw asSeenByParent(error, operation);
        const sealed = await runsOf(operation);
        throw cancelledAs(sealed.findLast(({ record }) => run === undefined || record.run === run));
      }
    },
  };

  /** Whatever goes wrong with one identity leaves that one out, and stops no other. */
  async function look(name: string): Promise<Found> {
    try {
      const { spec, lastRotatedAt, running, queue } = await within(answerMs, () => stateOf(name));
      if (!spec || running || queue.length > 0) return {};
      const verdict = await due({ spec, ...(lastRotatedAt !== undefined && { lastRotatedAt }) });
      if (verdict.due) return { due: { name, target: spec.target.name, jitterMs: await delayOf(spec, lastRotatedAt) } };
      return verdict.reason === 'no-window-left' ? { asks: { name, detail: verdict.detail } } : {};
    } catch (error) {
      return { leftOut: { name, detail: reasonOf(error) } };
    }
  }

  /** Undefined while it goes on. Asks only where it has not asked yet: each request is events in the history of the identity. */
  function outcomeNow(input: Parameters<FleetActivities['rotateOne']>[0]): Promise<ScheduledOutcome | undefined> {
    const { name, requestId } = input;
    return within(lookMs, async () => {
      const handle = client.workflow.getHandle(identityId(name));
      // A workflow that has ended still answers queries, for ever with the same state.
      const { status } = await handle.describe();
      if (status.name !== 'RUNNING') return gone(name);
      let state = await stateOf(name);
      if (!state.handled.some(({ id }) => id === requestId)) {
        const why = await whyNotOnRecord(name);
        if (why) return why;
        const request = await scheduledRequest(input);
        const answer = await handle.executeUpdate<Answer, [ChangeRequest]>(identityMessages.request, {
          args: [request],
        });
        if (!answer.accepted) return { outcome: 'refused', detail: answer.reason };
        state = await stateOf(name);
      }
      Context.current().heartbeat({ unanswered: 0 } satisfies Memory);
      const done = state.recent.find((process) => process.requestId === requestId);
      return done ? inShort(done) : waitsFor(state, requestId);
    });
  }

  /** Whoever runs workflow code can ask for a rotation of anything; what this worker signs for it has looked at itself. */
  async function whyNotOnRecord(name: string): Promise<ScheduledOutcome | undefined> {
    const { specs, lastRotatedAt } = await onRecord(name);
    if (specs.length === 0) return { outcome: 'refused', detail: nothingOn(name) };
    const rotated = lastRotatedAt === undefined ? {} : { lastRotatedAt };
    const verdicts = await Promise.all(specs.map((spec) => due({ spec, ...rotated })));
    return verdicts.some((verdict) => verdict.due) ? undefined : notDueOnRecord(name);
  }

  /** In the name of this worker's automation, on behalf of the schedule or of whoever started the campaign. */
  async function scheduledRequest({ name, requestId, requester, asked }: Scheduled): Promise<ChangeRequest> {
    const policy = policyIn(requester);
    const onBehalfOf = asked ? await whoStarted(asked, policy) : requester;
    const signs = await signer();
    const request = {
      id: requestId,
      kind: 'rotate',
      requester: signs.name,
      onBehalfOf,
      reason: asked ? `it is due, and a campaign of ${policy} was started by hand` : 'it is due',
      onlyIfDue: true,
    } as const;
    return requestSigned(request, name, signs);
  }

  /** Whose signature it is, over this campaign: anybody can start one in the name of somebody. */
  async function whoStarted({ signed, ...content }: Trigger, policy: string): Promise<string> {
    const subject = Context.current().info.workflowExecution?.workflowId ?? '';
    const moment = { directory: await loadDirectory(), now: new Date(), receivedAt: issuedAt(signed) };
    const { name } = await verifyWord({ verb: 'trigger', subject, content, signed }, moment);
    const isOld = Date.now() - moment.receivedAt.getTime() > longestCampaignMs;
    if (content.policy !== policy || isOld)
      throw new TenureError('ApprovalRefused', `what ${name} signed was to start another campaign than this`);
    return name;
  }

  async function waitsFor({ running }: IdentityState, requestId: string): Promise<ScheduledOutcome | undefined> {
    if (!running) return undefined;
    const { operation } = running;
    const state = await client.workflow
      .getHandle(operation)
      .query<ProcessState>(processMessages.process)
      // It has just ended, or is about to begin: the next look tells.
      .catch(() => undefined);
    const wait = state && waitOf(state, Date.now());
    if (wait === undefined) return undefined;
    if (running.requestId === requestId) return { outcome: 'waits', detail: wait, operation };
    return { outcome: 'waits', detail: `is queued behind ${operation}: ${wait}` };
  }

  async function resultOf(operation: string, run: string | undefined): Promise<ProcessResult> {
    const handle = client.workflow.getHandle(operation, run, { followRuns: run === undefined });
    const { status } = await handle.describe();
    if (status.name === 'RUNNING') throw lookAgain(`${operation} is still at work`);
    return (await handle.result()) as ProcessResult;
  }

  function stateOf(name: string): Promise<IdentityState> {
    return client.workflow.getHandle(identityId(name)).query<IdentityState>(identityMessages.state);
  }

  function within<T>(ms: number, ask: () => Promise<T>): Promise<T> {
    return client.withDeadline(Date.now() + ms, ask);
  }
}

type Scheduled = Parameters<FleetActivities['rotateOne']>[0];

/** On behalf of whom it is asked stands in records, so nobody's name is taken without their signature. */
function policyIn(requester: string): string {
  const [, policy] = /^schedule\/(.+)$/u.exec(requester) ?? [];
  if (policy !== undefined) return policy;
  throw new TenureError('ApprovalRefused', 'a campaign asks for a schedule, or for whoever signed that it starts');
}

/** What came of looking at one identity; nothing where it is not due. */
interface Found {
  readonly due?: DueSelection['identities'][number];
  readonly asks?: Remark;
  readonly leftOut?: Remark;
}

/** Carried from look to look in the heartbeat. */
interface Memory {
  readonly unanswered: number;
}

/** The next start that an identity tells is in a window; whoever is to be asked where none is left is not found by it. */
function candidates(policy: string, asks: boolean): string {
  return [
    `WorkflowType = ${quoted(identityWorkflow)}`,
    "ExecutionStatus = 'Running'",
    "NhiStatus = 'active'",
    `NhiTags = ${quoted(`policy:${policy}`)}`,
    ...(asks ? [] : [`NhiNextRotation <= ${quoted(new Date().toISOString())}`]),
  ].join(' AND ');
}

function nameIn({ workflowId }: WorkflowExecutionInfo): string {
  return workflowId.slice(identityId('').length);
}

async function* batches<T>(all: AsyncIterable<T>): AsyncIterable<T[]> {
  let some: T[] = [];
  for await (const one of all) {
    some.push(one);
    if (some.length < askedAtOnce) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}

/** Somebody else rotated while this request waited for its turn. */
function isNotDue({ outcome, code }: ProcessSummary): boolean {
  return outcome === 'refused' && code === 'Conflict';
}

function inShort(summary: ProcessSummary): ScheduledOutcome {
  const { outcome, operation, message } = summary;
  return {
    outcome: isNotDue(summary) ? 'not due' : outcome,
    detail: [operation, message].filter((part) => part !== undefined).join(': '),
    ...(operation !== undefined && { operation }),
  };
}

function notDueOnRecord(name: string): ScheduledOutcome {
  return { outcome: 'not due', detail: `${name} is not due by what is on record here; nothing was asked` };
}

function gone(name: string): ScheduledOutcome {
  return { outcome: 'gone', detail: `the workflow of ${name} has ended; see: tenure show ${name}` };
}

/** Looked at again a few times; then it gives its place to others. */
function withoutAnswer(error: unknown, name: string): ScheduledOutcome {
  if (error instanceof WorkflowNotFoundError) return gone(name);
  // No key to ask with, none that the directory knows, or nobody who proves to have started it: the next campaign asks again.
  if (error instanceof TenureError && (error.code === 'InvalidRequest' || error.code === 'ApprovalRefused'))
    return { outcome: 'refused', detail: error.message };
  if (error instanceof WorkflowUpdateFailedError) return { outcome: 'refused', detail: reasonOf(error.cause) };
  const { heartbeatDetails } = Context.current().info;
  const unanswered = ((heartbeatDetails as Memory | undefined)?.unanswered ?? 0) + 1;
  if (unanswered >= patience) return { outcome: 'silent', detail: `nhi/${name} does not answer: ${reasonOf(error)}` };
  Context.current().heartbeat({ unanswered } satisfies Memory);
  throw error;
}

/** The process failed for good: its failure, with the result in the details, is the answer. A lost connection is tried again. */
function asSeenByParent(error: unknown, operation: string): unknown {
  if (error instanceof WorkflowNotFoundError)
    return ApplicationFailure.nonRetryable(`${operation} is not there any more`, 'OutcomeUnknown');
  if (!(error instanceof WorkflowFailedError)) return error;
  const { cause } = error;
  if (cause instanceof ApplicationFailure)
    return ApplicationFailure.nonRetryable(cause.message, cause.type, ...(cause.details ?? []));
  return ApplicationFailure.nonRetryable(`${operation} ended without a result`, 'OutcomeUnknown');
}

/** Temporal keeps no details of a cancel: what came of the process says its record. */
function cancelledAs(sealed: SealedRecord | undefined): ApplicationFailure {
  if (!sealed) return ApplicationFailure.nonRetryable('cancelled', 'Cancelled');
  const { kind, operation, outcome, startedAt, endedAt, after, proofs, failure, leftovers } = sealed.record;
  const ended = { kind, operation, outcome, startedAt, endedAt, after, proofs, leftovers, evidence: sealed.digest };
  return ApplicationFailure.nonRetryable('cancelled', 'Cancelled', { ...ended, ...(failure && { failure }) });
}

/** Soon at first; what has lasted long is looked at less often, since attempts are billed on Temporal Cloud. */
function lookAgain(message: string): ApplicationFailure {
  const waitedMs = Date.now() - Context.current().info.scheduledTimestampMs;
  return ApplicationFailure.create({
    type: 'StillRunning',
    message,
    nextRetryDelay: Math.min(Math.max(waitedMs / 10, 500), 30_000),
    category: 'BENIGN',
  });
}

/** Of an unforeseen error its name alone: its message may hold anything. */
function reasonOf(error: unknown): string {
  if (error instanceof TenureError || error instanceof ApplicationFailure) return error.message;
  return `no answer (${error instanceof Error ? error.name : typeof error})`;
}
