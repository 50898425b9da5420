/** The history beside a record: that it is the one, that it is of this run, and that the workflow said there what the record says. */
import type { PayloadCodec } from '@temporalio/common';
import { historyFromJSON, type History } from '@temporalio/common/lib/proto-utils.js';
import { attachmentName, digestOfText } from '../attachments.js';
import type { BundleFiles } from '../bundle/files.js';
import { aboutOf, type About, type AnyRecord } from '../kinds.js';
import { broken, check, unknown, unless, type Check, type Finding } from './check.js';
import { decodedHistory } from './decoded-history.js';
import { HistoryReader, type Event } from './history-reader.js';
import { saysTheSame } from './history-says.js';

/** A record whose history can be read. */
export interface Replayable {
  readonly subject: string;
  readonly workflowId: string;
  /** `sha256:<hex>` of the code that its record names. */
  readonly code: string;
  readonly history: History;
}

/** The history of a record; undefined where there is none that can be read. */
export function historyOf(files: BundleFiles, { history }: About['by']): History | undefined {
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
  any: AnyRecord,
  subject: string,
  codecs: readonly PayloadCodec[] = [],
): Promise<Check[]> {
  const about = aboutOf(any);
  if (!about.by.history)
    return [
      {
        subject,
        check: 'history',
        ...unknown('it could not be read when the record was sealed, so nothing is replayed'),
      },
    ];
  const history = historyOf(files, about.by);
  return Promise.all([
    check(subject, 'history', () => isTheOne(files, about, history)),
    ...(history ? [check(subject, 'history says', () => decodedSays(history, any, codecs))] : []),
  ]);
}

function isTheOne(files: BundleFiles, { by, workflow, run: own }: About, history: History | undefined): Finding {
  const { digest, events, run } = by.history!;
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
      started?.workflowId !== workflow.id && `it is of ${started?.workflowId ?? 'nothing'}`,
      started?.workflowType?.name !== workflow.type &&
        `it is of a workflow ${started?.workflowType?.name ?? 'without a type'}`,
      run !== own && 'the record names two runs',
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

async function decodedSays(encoded: History, any: AnyRecord, codecs: readonly PayloadCodec[]): Promise<Finding> {
  const found = await decodedHistory(encoded, codecs);
  if ('unreadable' in found) return unknown(found.unreadable);
  return saysTheSame(new HistoryReader(found.history.events ?? []), any);
}
