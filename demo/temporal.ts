/** What Temporal knows of the identity, asked without Tenure's command line: the ground that its answers are checked against. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import type { IdentityState } from '../src/domain/identity.js';
import type { Ballot, ProcessResult, ProcessState, StageName } from '../src/domain/process.js';
import { identityId, identityMessages, parseProcessId, processMessages } from '../src/domain/wire.js';
import { endingOf } from '../src/cli/follow.js';

type Event = temporal.api.history.v1.IHistoryEvent;

/** One execution of the identity or of one of its processes. */
export interface Exported {
  readonly workflowId: string;
  readonly events: number;
  readonly file: string;
  /** Milliseconds; undefined while it runs. */
  readonly took?: number;
  readonly outcome: string;
}

/** Far above what a busy machine needs. */
const patienceMs = 60_000;

export class Facts {
  constructor(
    private readonly client: Client,
    private readonly identity: string,
  ) {}

  async isKnown(): Promise<boolean> {
    return this.client.workflow
      .getHandle(identityId(this.identity))
      .describe()
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      );
  }

  state(): Promise<IdentityState> {
    return this.client.workflow.getHandle(identityId(this.identity)).query<IdentityState>(identityMessages.state);
  }

  process(operation: string): Promise<ProcessState> {
    return this.client.workflow.getHandle(operation).query<ProcessState>(processMessages.process);
  }

  /** Waits until the identity is as asked; tolerates that nobody answers for a while. */
  async stateWhen(what: string, isSo: (state: IdentityState) => boolean): Promise<IdentityState> {
    return until(what, () => this.state(), isSo);
  }

  /** The operation that runs now, once its gate is open. */
  async operationAtGate(): Promise<string> {
    const { running } = await this.stateWhen('a process runs', (state) => state.running !== undefined);
    const { operation } = running!;
    await until(
      `${operation} waits at its gate`,
      () => this.process(operation),
      ({ gate }) => gate?.outcome === 'open',
    );
    return operation;
  }

  /** Waits until a process is as asked. */
  processWhen(operation: string, what: string, isSo: (state: ProcessState) => boolean): Promise<ProcessState> {
    return until(what, () => this.process(operation), isSo);
  }

  /** Sends a decision straight to Temporal, as anybody can who may write there. */
  async decide(operation: string, ballot: Ballot): Promise<void> {
    await this.client.workflow.getHandle(operation).signal(processMessages.decide, ballot);
  }

  async untilStage(operation: string, name: StageName): Promise<void> {
    const isThere = ({ stages }: ProcessState) =>
      stages.some((stage) => stage.name === name && (stage.status === 'running' || stage.status === 'waiting'));
    await until(`${operation} is at ${name}`, () => this.process(operation), isThere);
  }

  /** What a process that has ended gave back; undefined for one that was stopped. */
  async resultOf(operation: string): Promise<ProcessResult | undefined> {
    const ending = await endingOf(this.client, operation, AbortSignal.timeout(patienceMs));
    return ending.how === 'ended' ? ending.result : undefined;
  }

  /** When the first step of an operation was begun by the worker with this process id, milliseconds since 1970. */
  async firstStepOf(operation: string, pid: number): Promise<number | undefined> {
    const { events } = await this.client.workflow.getHandle(operation).fetchHistory();
    const own = (events ?? []).find((event) => workerOf(event)?.startsWith(`${pid}@`));
    return own && timeOf(own);
  }

  /** When the server recorded the request that carries this reason, milliseconds since 1970. */
  async recordedAt(operation: string): Promise<number> {
    const { events } = await this.client.workflow.getHandle(identityId(this.identity)).fetchHistory();
    const started = (events ?? []).find(
      (event) => event.startChildWorkflowExecutionInitiatedEventAttributes?.workflowId === operation,
    );
    const asked = (events ?? []).findLast(
      (event) =>
        event.workflowExecutionSignaledEventAttributes && started && Number(event.eventId) < Number(started.eventId),
    );
    if (!asked) throw new Error(`no request was recorded before ${operation}`);
    return timeOf(asked);
  }

  /** Writes every history of the identity and its processes as JSON, as Temporal's own tools do. */
  async exportTo(folder: string): Promise<Exported[]> {
    await mkdir(folder, { recursive: true });
    const exported: Exported[] = [];
    const id = identityId(this.identity);
    const query = `WorkflowId = '${id}' OR WorkflowId STARTS_WITH '${id}/'`;
    for await (const { workflowId, runId, startTime, closeTime, status } of this.client.workflow.list({ query })) {
      const history = await this.client.workflow.getHandle(workflowId, runId).fetchHistory();
      const file = join(folder, `${workflowId.replaceAll('/', '.')}.${runId}.json`);
      await writeFile(file, historyToJSON(history));
      exported.push({
        ...{ workflowId, file, events: history.events?.length ?? 0 },
        ...(closeTime && { took: closeTime.getTime() - startTime.getTime() }),
        outcome: (await this.#outcomeOf(workflowId)) ?? status.name.toLowerCase(),
      });
    }
    return exported.toSorted((one, other) => orderOf(one.workflowId) - orderOf(other.workflowId));
  }

  async #outcomeOf(workflowId: string): Promise<string | undefined> {
    return parseProcessId(workflowId) && (await this.resultOf(workflowId))?.outcome;
  }
}

async function until<T>(what: string, look: () => Promise<T>, isSo: (seen: T) => boolean): Promise<T> {
  for (const end = Date.now() + patienceMs; ; await sleep(25)) {
    const seen = await look().catch((error: unknown) => {
      if (Date.now() > end) throw error;
      return undefined;
    });
    if (seen !== undefined && isSo(seen)) return seen;
    if (Date.now() > end) throw new Error(`it did not come about within ${patienceMs / 1_000} s: ${what}`);
  }
}

/** Which worker did it, as `pid@host`. */
function workerOf(event: Event): string | null | undefined {
  return (event.activityTaskStartedEventAttributes ?? event.workflowTaskStartedEventAttributes)?.identity;
}

function timeOf({ eventTime }: Event): number {
  return Number(eventTime?.seconds ?? 0) * 1_000 + (eventTime?.nanos ?? 0) / 1e6;
}

/** Processes in their order, then the identity itself. */
function orderOf(workflowId: string): number {
  return parseProcessId(workflowId)?.number ?? Number.POSITIVE_INFINITY;
}
