import type { Command } from 'commander';
import { parseProcessId } from '../../domain/wire.js';
import { openEvidence } from '../../evidence/open.js';
import { explain, type Explanation } from '../../evidence/read/explain.js';
import type { EvidenceReader, SealedRecord } from '../../evidence/reader.js';
import { CliError } from '../errors.js';
import { nameOf } from '../identities.js';
import type { Output } from '../output.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';

export function addExplain(program: Command, runtime: Runtime): void {
  const command = program
    .command('explain <process>')
    .description('tell a process in plain words, from its evidence alone: who asked, who approved, what was proven')
    .addHelpText(
      'after',
      '\n<process> is a process, or an identity for its last one. It needs the evidence log and neither Temporal nor a worker,\nand says what the record cannot tell.\n\nExamples:\n  tenure explain nhi/payments-db/rotate/3\n  tenure explain payments-db --json | jq -r ".explanation.unknown[]"',
    );
  verb<CommonOptions>(runtime, command, async ({ out, services }, _options, [typed]) => {
    const { record, digest, index } = await find(openEvidence(await services.config()), typed!);
    const explanation = explain(record);
    out.answer({ explanation, record: { digest, index } });
    tell(out, explanation);
    out.say(`\n${out.paint.dim(`entry ${index} of the log, ${digest}; its signature was verified`)}`);
  });
}

async function find(reader: EvidenceReader, typed: string): Promise<SealedRecord> {
  const isProcess = parseProcessId(typed) !== undefined;
  const found = isProcess ? await reader.runsOf(typed) : await reader.sealedOf(nameOf(typed));
  const last = found.at(-1);
  if (last) return last;
  const message = `the evidence log in ${reader.where} holds no record of ${typed}; a process that has not ended has none yet`;
  throw new CliError('NotFound', message, [`tenure show ${nameOf(typed)}`, `tenure history ${typed}`]);
}

function tell(out: Output, { operation, summary, sections, unknown }: Explanation): void {
  out.say(out.paint.bold(operation));
  out.say(summary);
  for (const { heading, lines } of [...sections, { heading: 'What this record cannot tell', lines: unknown }]) {
    out.say(`\n${out.paint.bold(heading)}`);
    for (const line of lines) out.say(`  ${line}`);
  }
}
