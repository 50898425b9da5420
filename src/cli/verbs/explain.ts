import type { Command } from 'commander';
import type { ExceptionEvidence } from '../../domain/evidence.js';
import { exceptionId, parseExceptionId } from '../../domain/exception.js';
import { identityId, parseProcessId } from '../../domain/wire.js';
import { openEvidence } from '../../evidence/open.js';
import { explainException } from '../../evidence/read/explain-exception.js';
import { explain, type Explanation } from '../../evidence/read/explain.js';
import type { EvidenceReader, SealedAny, SealedRecord } from '../../evidence/reader.js';
import { CliError } from '../errors.js';
import { nameOf } from '../identities.js';
import type { Output } from '../output.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';

export function addExplain(program: Command, runtime: Runtime): void {
  const command = program
    .command('explain <process>')
    .description(
      'tell a process or an exception in plain words, from its evidence alone: who asked, who approved, what was proven',
    )
    .addHelpText(
      'after',
      '\n<process> is a process, or an identity for its last one, or an exception. It needs the evidence log and neither Temporal nor a worker,\nand says what the record cannot tell.\n\nExamples:\n  tenure explain nhi/payments-db/rotate/3\n  tenure explain payments-db-1f3a9c\n  tenure explain payments-db --json | jq -r ".explanation.unknown[]"',
    );
  verb<CommonOptions>(runtime, command, async ({ out, services }, _options, [typed]) => {
    const { explanation, place } = await explained(openEvidence(await services.config()), typed!);
    const { digest, index } = place;
    out.answer({ explanation, record: { digest, index } });
    tell(out, explanation);
    out.say(`\n${out.paint.dim(`entry ${index} of the log, ${digest}; its signature was verified`)}`);
  });
}

interface Explained {
  readonly explanation: Explanation;
  /** Where the record lies. */
  readonly place: Pick<SealedRecord, 'index' | 'digest'>;
}

async function explained(reader: EvidenceReader, typed: string): Promise<Explained> {
  const process = await processIn(reader, typed);
  if (process) return ofProcess(reader, process);
  const found = await exceptionIn(reader, typed);
  if (found) return found;
  const message = `the evidence log in ${reader.where} holds no record of ${typed}; a process that has not ended has none yet`;
  throw new CliError('NotFound', message, [`tenure show ${nameOf(typed)}`, `tenure history ${typed}`]);
}

async function processIn(reader: EvidenceReader, typed: string): Promise<SealedRecord | undefined> {
  if (parseExceptionId(typed) !== undefined) return undefined;
  const isProcess = parseProcessId(typed) !== undefined;
  return (isProcess ? await reader.runsOf(typed) : await reader.sealedOf(nameOf(typed))).at(-1);
}

async function ofProcess(reader: EvidenceReader, process: SealedRecord): Promise<Explained> {
  const { identity, operation } = process.record;
  const [exceptions, reviews] = await Promise.all([
    reader.under(`${identityId(identity)}/exception`),
    reader.under(`${operation}/review`),
  ]);
  const beside = {
    exceptions: exceptions.flatMap((one) => (one.kind === 'exception' ? [one] : [])),
    reviews: reviews.flatMap((one) => (one.kind === 'review' ? [one] : [])),
  };
  return { explanation: explain(process.record, beside), place: process };
}

async function exceptionIn(reader: EvidenceReader, typed: string): Promise<Explained | undefined> {
  const operation = exceptionId(parseExceptionId(typed) ?? typed);
  const sealed = (await reader.under(operation)).filter(isOfException);
  const [first, ...more] = sealed.map(({ record }) => record);
  if (!first) return undefined;
  const asked = `${operation}/${first.terms.afterwards}`;
  const followed = (await reader.sealedOf(first.identity)).filter(({ record }) => record.request.id === asked);
  const explanation = explainException(
    [first, ...more],
    followed.map(({ record }) => record),
  );
  return { explanation, place: sealed.at(-1)! };
}

function isOfException(
  one: SealedAny,
): one is SealedAny & { readonly kind: 'exception'; readonly record: ExceptionEvidence } {
  return one.kind === 'exception';
}

function tell(out: Output, { operation, summary, sections, unknown }: Explanation): void {
  out.say(out.paint.bold(operation));
  out.say(summary);
  for (const { heading, lines } of [...sections, { heading: 'What this record cannot tell', lines: unknown }]) {
    out.say(`\n${out.paint.bold(heading)}`);
    for (const line of lines) out.say(`  ${line}`);
  }
}
