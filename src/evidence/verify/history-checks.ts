/** The history beside a record: that it is the one, that it is of this run, and that the workflow said there what the record says. */
import { defaultDataConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { canonicalJson } from '../../canonical-json.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import type { Ballot, ProcessInput } from '../../domain/process.js';
import { processMessages } from '../../domain/wire.js';
import { attachmentName, digestOfText } from '../attachments.js';
import type { BundleFiles } from '../bundle/files.js';
import { recordOf, saidIn, type Told } from '../records.js';
import { broken, check, unknown, unless, type Check, type Finding } from './check.js';
import { decodedHistory } from './decoded-history.js';

type Event = NonNullable<History['events']>[number];
type Payloads = { readonly payloads?: readonly Payload[] | null } | null | undefined;

/** A record whose history can be read. */
export interface Replayable {
  readonly subject: string;
  readonly record: ProcessRecord;
  readonly history: History;
}

/** The history of a record; undefined where there is none that can be read. */
export function historyOf(files: BundleFiles, { history }: ProcessRecord): History | undefined {
  const text = history && files.get(attachmentName('histories', history.digest));
  try {
    return text === undefined ? undefined : historyFromJSON(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** `codecs` decode the payloads where they are encoded. */
export async function checkHistory(
  files: BundleFiles,
  record: ProcessRecord,
  subject: string,
  codecs: readonly PayloadCodec[] = [],
): Promise<Check[]> {
  if (!record.history)
    return [
      {
        subject,
        check: 'history',
        ...unknown('it could not be read when the record was sealed, so nothing is replayed'),
      },
    ];
  const history = historyOf(files, record);
  return Promise.all([
    check(subject, 'history', () => isTheOne(files, record, history)),
    ...(history ? [check(subject, 'history says', () => saysTheSame(history, record, codecs))] : []),
  ]);
}

function isTheOne(files: BundleFiles, record: ProcessRecord, history: History | undefined): Finding {
  const { digest, events, run } = record.history!;
  const text = files.get(attachmentName('histories', digest));
  if (text === undefined) return broken('the history is missing');
  const found = history?.events ?? [];
  const started = found[0]?.workflowExecutionStartedEventAttributes;
  return unless(
    [
      digestOfText(text) !== digest && 'the history is not that which the record names',
      found.length !== events && `it has ${found.length} events, and the record says ${events}`,
      found.some(({ eventId }, index) => Number(eventId) !== index + 1) &&
        'its events are not in order, or one is missing',
      !started && 'it does not begin with the start of a workflow',
      started?.workflowId !== record.operation && `it is of ${started?.workflowId ?? 'nothing'}`,
      started?.workflowType?.name !== record.kind &&
        `it is of a workflow ${started?.workflowType?.name ?? 'without a type'}`,
      run !== record.run && 'the record names two runs',
      !runsIn(found).includes(run) && `it is of another run than ${run}`,
    ],
    `${events} events of run ${run}`,
  );
}

/** The run that began with it, and those that it was reset to. */
function runsIn(events: readonly Event[]): string[] {
  const first = events[0]?.workflowExecutionStartedEventAttributes;
  const resets = events.map(({ workflowTaskFailedEventAttributes: failed }) => failed?.newRunId);
  return [first?.originalExecutionRunId, ...resets].filter((run) => typeof run === 'string' && run !== '') as string[];
}

async function saysTheSame(encoded: History, record: ProcessRecord, codecs: readonly PayloadCodec[]): Promise<Finding> {
  const found = await decodedHistory(encoded, codecs);
  if ('unreadable' in found) return unknown(found.unreadable);
  const reader = new HistoryReader(found.history.events ?? []);
  const [input, told, ballots] = await Promise.all([reader.input(), reader.told(), reader.ballots()]);
  const votes = [...(record.rounds ?? []), ...(record.gate ? [record.gate] : [])].flatMap((gate) => gate.votes);
  const sent = new Set(ballots.map(textOf));
  return unless(
    [
      textOf(input?.request) !== textOf(record.request) && 'it began with another request than the record holds',
      !told && 'it never asked for the seal',
      told && !isSame(told, record) && 'it asked to seal something else than the record says',
      ...votes.map(
        ({ approver, ballot }) => !sent.has(textOf(ballot)) && `it never received the decision of ${approver}`,
      ),
    ],
    'it holds the request, the decisions and what was sealed, as the record does',
  );
}

/** What the worker added is not the workflow's to say. */
function isSame(told: Told, record: ProcessRecord): boolean {
  const { code, run = '', signers = [] } = record;
  return textOf(saidIn(recordOf(told, { code, run, signers }))) === textOf(saidIn(record));
}

function textOf(value: unknown): string {
  return value === undefined ? '' : canonicalJson(value);
}

class HistoryReader {
  constructor(private readonly events: readonly Event[]) {}

  async input(): Promise<ProcessInput | undefined> {
    return this.#first<ProcessInput>(this.#inputOfStart());
  }

  /** What the last seal that was asked for is of. */
  async told(): Promise<Told | undefined> {
    const asked = this.events.findLast(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === 'seal',
    );
    return this.#first<Told>(asked?.activityTaskScheduledEventAttributes?.input as Payloads);
  }

  /** Every ballot that was sent, by whomever. */
  async ballots(): Promise<Ballot[]> {
    const signals = this.events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal?.signalName === processMessages.decide ? [signal] : [],
    );
    // Anybody can send anything, also what cannot be read.
    const read = await Promise.all(
      signals.map(({ input }) => this.#first<Ballot>(input as Payloads).catch(() => undefined)),
    );
    return read.filter((ballot) => ballot !== undefined);
  }

  #inputOfStart(): Payloads {
    return this.events[0]?.workflowExecutionStartedEventAttributes?.input as Payloads;
  }

  async #first<T>(payloads: Payloads): Promise<T | undefined> {
    return (await decodeArrayFromPayloads(defaultDataConverter, [...(payloads?.payloads ?? [])]))[0] as T | undefined;
  }
}
