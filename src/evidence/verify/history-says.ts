/** That a workflow received, in its history, what its record holds, and asked to seal what the record says. */
import { canonicalJson } from '../../canonical-json.js';
import { reviewMessages, type ReviewRecord, type ReviewStart } from '../../domain/elevation-review.js';
import type { ExceptionEvidence, ExceptionTold, ProcessRecord, ReviewEvidence } from '../../domain/evidence.js';
import {
  exceptionMessages,
  type ExceptionStart,
  type ExceptionTerms,
  type Withdrawal,
} from '../../domain/exception.js';
import type { Ballot, ProcessInput } from '../../domain/process.js';
import type { Signed } from '../../domain/statement.js';
import { processMessages } from '../../domain/wire.js';
import { saidInException, saidInReview, type AnyRecord } from '../kinds.js';
import { recordOf, saidIn, type Told } from '../records.js';
import { held, unless, type Finding } from './check.js';
import type { HistoryReader } from './history-reader.js';

export function saysTheSame(reader: HistoryReader, any: AnyRecord): Promise<Finding> {
  switch (any.kind) {
    case 'process':
      return processSays(reader, any.record);
    case 'exception':
      return exceptionSays(reader, any.record);
    case 'review':
      return reviewSays(reader, any.record);
    case 'routine':
      return Promise.resolve(held('what was found is the worker’s word, and the workflow had no part in it'));
  }
}

const never = 'it never asked for the seal';
const other = 'it asked to seal something else than the record says';

async function processSays(reader: HistoryReader, record: ProcessRecord): Promise<Finding> {
  const [input, told, ballots] = await Promise.all([
    reader.input<ProcessInput>(),
    reader.told<Told>('seal'),
    reader.sent<Ballot>(processMessages.decide),
  ]);
  const votes = [...(record.rounds ?? []), ...(record.gate ? [record.gate] : [])].flatMap((gate) => gate.votes);
  return unless(
    [
      textOf(input?.request) !== textOf(record.request) && 'it began with another request than the record holds',
      !told && never,
      told && !isSame(told, record) && other,
      ...votes.map(({ approver, ballot }) => unlessSent(ballot, ballots, `the decision of ${approver}`)),
    ],
    'it holds the request, the decisions and what was sealed, as the record does',
  );
}

/** What the worker added is not the workflow's to say. */
function isSame(told: Told, record: ProcessRecord): boolean {
  const { code, run = '', signers = [] } = record;
  return textOf(saidIn(recordOf(told, { code, run, signers }))) === textOf(saidIn(record));
}

/** What came before the last run of a long exception is in the state that this run began with. */
async function exceptionSays(reader: HistoryReader, record: ExceptionEvidence): Promise<Finding> {
  const [input, told, signed, ballots, words] = await Promise.all([
    reader.input<ExceptionStart>(),
    reader.told<ExceptionTold>('sealException'),
    reader.sent<ExceptionTerms>(exceptionMessages.sign),
    reader.sent<Ballot>(exceptionMessages.decide),
    reader.sent<Withdrawal>(exceptionMessages.withdraw),
  ]);
  const carried = input?.state?.gate?.votes.map(({ ballot }) => ballot) ?? [];
  const votes = [...(record.rounds ?? []), record.gate].flatMap((gate) => gate.votes);
  const { word } = record.end ?? {};
  return unless(
    [
      unlessSent(record.terms, [input?.terms, input?.state?.terms, ...signed], 'these terms'),
      !told && never,
      told && textOf(saidInException(withTold(record, told))) !== textOf(saidInException(record)) && other,
      ...votes.map(({ approver, ballot }) =>
        unlessSent(ballot, [...ballots, ...carried], `the decision of ${approver}`),
      ),
      word && unlessSent(word, words, `the word of ${word.by}`),
    ],
    'it holds the terms, the decisions and what was sealed, as the record does',
  );
}

/** The record as it would be with what the workflow said. Of what was approved, the gate and the end are the worker's. */
function withTold(record: ExceptionEvidence, told: ExceptionTold): ExceptionEvidence {
  const { what, id, terms, examined, gate, rounds, end, word } = told;
  const isRefused = record.what === 'refused';
  const { rounds: _, ...rest } = record;
  return {
    ...rest,
    ...{ what, id, terms, examined },
    ...(rounds && { rounds }),
    gate: isRefused ? gate : { ...record.gate, round: gate.round },
    ...(record.end && {
      end: { at: record.end.at, why: isRefused ? (end ?? '') : record.end.why, ...(word && { word }) },
    }),
  };
}

async function reviewSays(reader: HistoryReader, record: ReviewEvidence): Promise<Finding> {
  const [input, told, sent] = await Promise.all([
    reader.input<ReviewStart>(),
    reader.told<ReviewRecord>('sealReview'),
    reader.sent<Signed>(reviewMessages.review),
  ]);
  const carried = [...(input?.state?.reviews.map(({ signed }) => signed) ?? []), ...(input?.state?.inbox ?? [])];
  return unless(
    [
      input?.operation !== record.operation && 'it began as the review of something else',
      !told && never,
      told && textOf(told) !== textOf(saidInReview(record)) && other,
      ...record.reviews.map(({ reviewer, signed }) =>
        unlessSent(signed, [...sent.map(bare), ...carried], `the review of ${reviewer}`),
      ),
    ],
    'it holds the reviews and what was sealed, as the record does',
  );
}

/** A signal may hold more than was taken of it. */
function bare({ statement, signature }: Signed): Signed {
  return { statement, signature };
}

function unlessSent(wanted: unknown, sent: readonly unknown[], what: string): string | false {
  return !sent.some((one) => textOf(one) === textOf(wanted)) && `it never received ${what}`;
}

function textOf(value: unknown): string {
  return value === undefined ? '' : canonicalJson(value);
}
