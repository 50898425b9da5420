/** What happened at a target to the roles of one identity, and which of it no process of ours explains. Pure. */
import { instant } from '../../../cli/words.js';
import type { ProcessRecord } from '../../../domain/evidence.js';
import type { Coverage, TargetEvent } from './events.js';
import { judge, type Expectations, type Judged } from './judge.js';
import { ourRecordOf } from './tenancy.js';

export interface Attribution {
  readonly identity: string;
  readonly from: string;
  readonly to: string;
  readonly unexplained: readonly Judged[];
  readonly explained: readonly Judged[];
  /** What could have happened and would not be seen in what was read: one sentence each. */
  readonly gaps: readonly string[];
  /** What was read cannot answer at all, so that finding nothing means nothing. */
  readonly blind: boolean;
  /** What no log can tell. */
  readonly cannotTell: readonly string[];
}

export interface Material {
  readonly identity: string;
  readonly from: string;
  readonly to: string;
  readonly records: readonly ProcessRecord[];
  readonly events: readonly TargetEvent[];
  /** Of the logs; absent where only samples were read. */
  readonly coverage?: Coverage;
  /** When samples were taken. */
  readonly samples: readonly string[];
}

/** Judges all events of the interval. */
export function attribute(material: Material, expected: Expectations): Attribution {
  const { identity, from, to, records, events } = material;
  const within = events
    .filter(({ at }) => Date.parse(at) >= Date.parse(from) && Date.parse(at) <= Date.parse(to))
    .toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at));
  const judged = judge(within, ourRecordOf(records), expected);
  return {
    identity,
    from,
    to,
    unexplained: judged.filter(({ explained }) => !explained),
    explained: judged.filter(({ explained }) => explained),
    gaps: gapsOf(material),
    blind: isBlind(material),
    cannotTell,
  };
}

function isBlind({ coverage, samples }: Material): boolean {
  const isLogBlind = coverage === undefined || (!coverage.connections && !coverage.statements);
  return isLogBlind && samples.length === 0;
}

function gapsOf({ from, to, records, coverage, samples, identity }: Material): string[] {
  return [
    ...(records.length === 0
      ? [`The evidence log holds no record of ${identity}, so nothing can be explained by one.`]
      : []),
    ...(coverage
      ? logGaps(coverage, from, to)
      : ['No log was read, so no change of a role and no refused login can be seen.']),
    ...(samples.length > 0 && !coverage
      ? ['Samples were read, so what came and went between two of them is not seen.']
      : []),
  ];
}

function logGaps(
  { first, last, lines, unread, unreadCount, connections, statements, anonymous }: Coverage,
  from: string,
  to: string,
): string[] {
  return [
    ...(first === undefined || last === undefined ? ['The log holds no line that could be read.'] : []),
    ...(first !== undefined && Date.parse(first) > Date.parse(from)
      ? [`The log begins at ${instant(first)}: what was before is not seen.`]
      : []),
    ...(last !== undefined && Date.parse(last) < Date.parse(to)
      ? [`The log ends at ${instant(last)}: what came after is not seen.`]
      : []),
    ...(lines > 0 && !connections ? ['The log holds no line about a connection: switch log_connections on.'] : []),
    ...(lines > 0 && !statements ? ['The log holds no statement: set log_statement to ddl, or to all.'] : []),
    ...(anonymous > 0
      ? [
          `${anonymous} changes are without their author: write csvlog or jsonlog, or put %u and %a into log_line_prefix.`,
        ]
      : []),
    ...(unreadCount > 0 ? [`${unreadCount} lines could not be read: ${unread.join('; ')}`] : []),
  ];
}

const cannotTell: readonly string[] = [
  'What was done by a block, a function or an extension of the server: log_statement = ddl logs only what a client sends.',
  'Whether an administrator changed the log, or switched it off for a while.',
  'Who is behind a login: the name of an application is whatever the client says.',
  'What a process that has not ended did: it has no record yet.',
];
