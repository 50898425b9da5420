/** Everything that is sealed, by kind, and what all of it has in common. */
import {
  exceptionPredicate,
  processPredicate,
  routinePredicate,
  type ExceptionEvidence,
  type ProcessRecord,
  type ReviewEvidence,
  type RoutineEvidence,
  type SealedBy,
} from '../domain/evidence.js';
import { elevationReviewWorkflow, reviewId, reviewPredicate } from '../domain/elevation-review.js';
import { exceptionWorkflow } from '../domain/exception.js';
import { routineReviewWorkflow } from '../domain/routine-review.js';
import { digestOf } from '../policy/digest.js';
import { digestWithoutSignature } from '../trust/statements.js';
import { subjectsOf } from './records.js';
import { parseStatement, statementText } from './statement.js';

/** A record of any kind. */
export type AnyRecord =
  | { readonly kind: 'process'; readonly record: ProcessRecord }
  | { readonly kind: 'exception'; readonly record: ExceptionEvidence }
  | { readonly kind: 'review'; readonly record: ReviewEvidence }
  | { readonly kind: 'routine'; readonly record: RoutineEvidence };

const predicates = {
  process: processPredicate,
  exception: exceptionPredicate,
  review: reviewPredicate,
  routine: routinePredicate,
} as const satisfies Record<AnyRecord['kind'], string>;

/** The record in a statement, of whatever kind; undefined where it is about something else. */
export function anyRecordIn(statement: string): AnyRecord | undefined {
  const parsed = parseStatement(statement);
  const kinds = Object.keys(predicates) as AnyRecord['kind'][];
  const kind = kinds.find((each) => predicates[each] === parsed?.predicateType);
  return kind && ({ kind, record: parsed!.predicate } as unknown as AnyRecord);
}

/** What every record says of where it comes from. */
export interface About {
  /** What it is found under, and what its first subject is called. */
  readonly name: string;
  readonly identity?: string;
  /** The instant that it tells of, ISO 8601. */
  readonly at: string;
  /** The workflow that asked for the seal. */
  readonly workflow: { readonly id: string; readonly type: string };
  readonly run: string | undefined;
  readonly by: SealedBy;
  /** The directories that it leans on, `sha256:<hex>` each: that of the seal, and that by which policy decided. */
  readonly directories: readonly string[];
}

export function aboutOf({ kind, record }: AnyRecord): About {
  const decided = kind === 'process' ? record.decision?.inAdvance?.directory : undefined;
  const directories = [record.directory, decided].filter((digest) => digest !== undefined);
  const common = { run: record.run, by: record, directories } as const;
  switch (kind) {
    case 'process': {
      const { operation: name, identity, endedAt: at, kind: type } = record;
      return { ...common, name, identity, at, workflow: { id: name, type } };
    }
    case 'exception': {
      const { identity, operation: id, end, approvedAt = '' } = record;
      const at = end?.at ?? approvedAt;
      return { ...common, name: nameOfException(record), identity, at, workflow: { id, type: exceptionWorkflow } };
    }
    case 'review': {
      const { identity, operation, closedAt: at } = record;
      const name = reviewId(operation);
      return { ...common, name, identity, at, workflow: { id: name, type: elevationReviewWorkflow } };
    }
    case 'routine': {
      const { operation: name, at } = record;
      return { ...common, name, at, workflow: { id: name, type: routineReviewWorkflow } };
    }
  }
}

/** An exception is sealed twice, so each record has a name of its own: the same run appends each once. */
export function nameOfException({ operation, what }: Pick<ExceptionEvidence, 'operation' | 'what'>): string {
  return `${operation}/${what}`;
}

/** What a record is about: its subjects, each with `sha256:<hex>`. */
export function subjectsOfAny(any: AnyRecord): { readonly name: string; readonly digest: string }[] {
  const { kind, record } = any;
  if (kind === 'process') return subjectsOf(record);
  const { name, by } = aboutOf(any);
  return [
    { name, digest: digestOfContent(any) },
    ...otherSubjects(any),
    ...(by.history ? [{ name: 'history', digest: by.history.digest }] : []),
  ];
}

function digestOfContent({ kind, record }: Exclude<AnyRecord, { kind: 'process' }>): string {
  if (kind === 'exception') return digestWithoutSignature(record.terms);
  return digestOf(kind === 'review' ? saidInReview(record) : record.findings);
}

/** Other records that this one rests on. */
function otherSubjects({ kind, record }: AnyRecord): { readonly name: string; readonly digest: string }[] {
  if (kind === 'exception' && record.approval !== undefined)
    return [{ name: `${record.operation}/approved`, digest: record.approval }];
  if (kind === 'review' && record.evidence !== undefined) return [{ name: record.operation, digest: record.evidence }];
  return [];
}

/** The statement of a record that is none of a process. */
export function statementOfAny(any: Exclude<AnyRecord, { kind: 'process' }>): string {
  return statementText(subjectsOfAny(any), predicates[any.kind], any.record);
}

/** Of a review, what its workflow said, and nothing that the worker added. */
export function saidInReview(record: ReviewEvidence): unknown {
  const { v: _v, run: _r, code: _c, history: _h, signers: _s, directory: _d, ...said } = record;
  return said;
}

/** Of an exception, what its workflow said. What was approved is as the worker published it, so there the gate's votes alone are. */
export function saidInException(record: ExceptionEvidence): unknown {
  const { what, id, terms, examined, gate, rounds, end } = record;
  const ballots = gate.votes.map(({ ballot }) => ballot);
  const said = { what, id, terms, examined, round: gate.round, ballots, rounds: rounds ?? [], word: end?.word ?? null };
  return what === 'refused' ? { ...said, gate, why: end?.why ?? '' } : said;
}
