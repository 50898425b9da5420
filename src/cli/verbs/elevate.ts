import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import { longestElevationMs } from '../../domain/elevation.js';
import type { Elevation } from '../../domain/request.js';
import { span } from '../../domain/span.js';
import { parseProcessId, processMessages, type GiveBack } from '../../domain/wire.js';
import { readYaml } from '../../manifest/yaml.js';
import { asking, change, followOperation, following, type ChangeOptions, type FollowOptions } from '../change.js';
import { durationUpTo } from '../durations.js';
import { CliError, noWorker, usage } from '../errors.js';
import { nameOf, newRequestId, operationOf, processOf } from '../identities.js';
import { untilLent } from '../lent.js';
import { verb, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';

interface ElevateOptions extends ChangeOptions {
  readonly scope: string;
  readonly for: number;
  readonly incident: string;
}

interface GiveBackOptions extends FollowOptions, SigningOptions {
  readonly note?: string;
}

export function addElevate(program: Command, runtime: Runtime): void {
  const command = program
    .command('elevate <name>')
    .description('break-glass: lend an identity more rights for a time; they end by themselves, and it is rotated')
    .requiredOption(
      '--scope <yaml>',
      'the rights to lend, as under `scope` in a manifest; @FILE reads them from a file',
    )
    .requiredOption('--for <duration>', 'for how long, e.g. 1h; at most 4h', durationUpTo(longestElevationMs))
    .requiredOption('--incident <id>', 'the incident that makes it necessary')
    .addHelpText(
      'after',
      '\nIt is followed until the rights are there. They end after their time, or earlier with: tenure give-back <name>\n' +
        '\nExamples:\n  tenure elevate payments-db --scope "grants: [{ on: ledger, may: [delete] }]" --for 30m --incident INC-7 --reason "wrong booking of today"',
    );
  verb<ElevateOptions>(runtime, asking(command), (session, options, [typed]) =>
    elevate(session, nameOf(typed!), options),
  );
}

export function addGiveBack(program: Command, runtime: Runtime): void {
  const command = program
    .command('give-back <name>')
    .description('end an elevation before its time is over')
    .option('--note <text>', 'what was done; kept in the record')
    .addHelpText('after', '\nExamples:\n  tenure give-back payments-db --note "the booking is corrected"');
  verb<GiveBackOptions>(runtime, signing(following(command), 'who gives back'), (session, options, [typed]) =>
    giveBack(session, typed!, options),
  );
}

async function elevate(session: Session, name: string, options: ElevateOptions): Promise<number> {
  if (!options.reason?.trim()) throw usage('--reason: say why; other people review it afterwards');
  const elevation: Elevation = {
    scope: await scopeOf(session, options.scope),
    forMs: options.for,
    incident: options.incident,
  };
  return change(session, name, options, 'elevate', { elevation }, untilLent(session, name, elevation));
}

async function scopeOf({ io }: Session, typed: string): Promise<Elevation['scope']> {
  const file = typed.startsWith('@') ? typed.slice(1) : undefined;
  const text = file === undefined ? typed : await readText(isAbsolute(file) ? file : join(io.cwd, file));
  const { documents, problems } = readYaml(file ?? '--scope', text);
  const value = documents[0]?.value;
  if (problems.length === 0 && documents.length === 1 && isMapping(value)) return value;
  const why = problems[0]?.problem ?? 'it is no mapping';
  throw usage(
    `--scope: ${why}; write it as under \`scope\` in a manifest, e.g. "grants: [{ on: ledger, may: [delete] }]"`,
  );
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usage(`--scope: ${file} could not be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function giveBack(session: Session, typed: string, options: GiveBackOptions): Promise<number> {
  const client = await session.services.client();
  const operation = await operationOf(client, typed);
  const { name, kind } = parseProcessId(operation)!;
  if (kind !== 'elevate')
    throw new CliError('NotFound', `nothing is lent to ${name}: ${operation} is no elevation`, [`tenure show ${name}`]);
  const state = await processOf(client, operation);
  if (!state) throw noWorker(`${operation} did not answer`);
  const signer = await signerOf(session, options);
  const word: GiveBack = { by: signer.name, ...(options.note !== undefined && { note: options.note }) };
  const { wordSigned } = await import('../../trust/statements.js');
  const signed = await wordSigned(word, { verb: 'give-back', subject: operation, id: newRequestId() }, signer);
  await client.workflow.getHandle(operation).signal(processMessages.giveBack, signed);
  session.out.say(`${name}: ${signer.name} gives back what was lent for ${span(state.plan?.elevation?.forMs ?? 0)}`);
  return followOperation(session, name, operation, options);
}
