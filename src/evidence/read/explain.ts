/** A process in plain words, from its record alone. Pure: it reads no clock, no directory and no target. */
import { count, instant } from '../../cli/words.js';
import type { ProcessRecord, SealedBy } from '../../domain/evidence.js';
import { span } from '../../domain/span.js';
import { reliedLines, reviewLines, type Beside } from './explain-beside.js';
import { decided, gateLines, requestLines } from './explain-gate.js';
import { changeLines, proofSentences } from './explain-proof.js';
import { unknownLines } from './explain-unknown.js';

/** One question and the sentences that answer it. */
export interface Section {
  readonly heading: string;
  readonly lines: readonly string[];
}

export interface Explanation {
  readonly operation: string;
  readonly identity: string;
  /** One sentence: what it was and how it ended. */
  readonly summary: string;
  readonly sections: readonly Section[];
  /** What no record can tell, and what this one does not. Never empty. */
  readonly unknown: readonly string[];
}

/** Tells who asked, what was decided, who approved, what was refused, proven and changed. `beside`: what else the log holds about it. */
export function explain(record: ProcessRecord, beside?: Beside): Explanation {
  const sections: Section[] = [
    { heading: 'Who asked', lines: requestLines(record) },
    { heading: 'What policy decided', lines: decided(record) },
    { heading: 'Which exceptions it leaned on', lines: beside ? reliedLines(record, beside) : [] },
    { heading: 'Who decided at the gate', lines: gateLines(record) },
    { heading: 'What happened', lines: stageLines(record) },
    { heading: 'What was proven', lines: proofSentences(record) },
    { heading: 'What changed', lines: changeLines(record) },
    { heading: 'Who reviewed it', lines: beside ? reviewLines(record, beside) : [] },
    { heading: 'What ran', lines: [...codeLines(record), ...permitLines(record)] },
  ];
  return {
    operation: record.operation,
    identity: record.identity,
    summary: summaryOf(record),
    sections: sections.filter(({ lines }) => lines.length > 0),
    unknown: unknownLines(record),
  };
}

const endings: Readonly<Record<ProcessRecord['outcome'], string>> = {
  succeeded: 'and succeeded',
  undone: 'failed, and was undone: everything was put back',
  unfinished: 'failed, and left something',
  'pre-empted': 'and was stopped by an emergency',
};

function summaryOf(record: ProcessRecord): string {
  const { kind, identity, startedAt, endedAt, outcome, plan } = record;
  const what = `${kind}${plan?.repair ? ' with repair' : ''} of ${identity}`;
  const took = span(Date.parse(endedAt) - Date.parse(startedAt));
  const where = plan ? ` (${plan.environment}, ${plan.dataClass} data, owned by ${plan.owner})` : '';
  return `The ${what}${where} began at ${instant(startedAt)}, took ${took}, ${endings[outcome]}.`;
}

function stageLines({ stages, failure, leftovers }: ProcessRecord): string[] {
  const done = stages.filter(({ status }) => status === 'done').map(({ name }) => name);
  const other = stages.filter(({ status }) => status !== 'done' && status !== 'to do' && status !== 'skipped');
  return [
    ...(done.length > 0 ? [`Stages that were done, in this order: ${done.join(', ')}.`] : []),
    ...other.map(({ name, status, note }) => `The stage "${name}" ended as ${status}${note ? `: ${note}` : '.'}`),
    ...(failure ? [`It failed with ${failure.code}: ${failure.message}`] : []),
    ...leftovers.map((leftover) => `Left behind: ${leftover}`),
  ];
}

/** Which code sealed a record, and the history that lies beside it. */
export function codeLines({ code, history }: SealedBy): string[] {
  return [
    `Tenure ${code.version} on Node ${code.node}, with the workflows ${code.workflows}.`,
    ...(history
      ? [`Its history up to the sealing has ${count(history.events, 'event')} (run ${history.run}, ${history.digest}).`]
      : []),
  ];
}

function permitLines({ permit, run }: ProcessRecord): string[] {
  return permit === undefined
    ? []
    : [`Policy had permitted this run${run === undefined ? '' : ` (${run})`}: ${permit}.`];
}
