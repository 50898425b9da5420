import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { canonicalJson } from '../../canonical-json.js';
import { openEvidence } from '../../evidence/open.js';
import { replaceFile } from '../../files/durable.js';
import { attest, type Selection, type Verdict } from '../../evidence/read/attest.js';
import { attestationOf } from '../../evidence/read/attestation.js';
import type { Limits } from '../../evidence/read/checks.js';
import type { EvidenceReader } from '../../evidence/reader.js';
import { durationOption } from '../durations.js';
import { CliError, usage } from '../errors.js';
import { exitCodes } from '../io.js';
import type { Output } from '../output.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';
import { count } from '../words.js';

interface AttestOptions extends CommonOptions {
  readonly identity?: readonly string[];
  readonly owner?: string;
  readonly environment?: string;
  readonly tag?: string;
  readonly maxRotationAge?: number;
  readonly maxValidationAge?: number;
  readonly requireApproval?: number | true;
  readonly output?: string;
}

export function addAttest(program: Command, runtime: Runtime): void {
  const command = program
    .command('attest')
    .description('fail a pipeline unless rotation, validation and approvals of identities are within limits')
    .option('--identity <names...>', 'these identities; one without a record fails')
    .option('--owner <person>', 'all of this owner')
    .option('--environment <name>', 'all in this environment')
    .option('--tag <key:value>', 'all with this tag, e.g. team:payments')
    .option('--max-rotation-age <duration>', 'the credential was made at most so long ago, e.g. 30d', durationOption)
    .option('--max-validation-age <duration>', 'it was tried at most so long ago, and was as declared', durationOption)
    .option('--require-approval [people]', 'so many people (1) approved what made the credential', peopleOption)
    .option('--output <file>', 'also write the in-toto Statement, ready to be signed')
    .addHelpText(
      'after',
      '\nIt reads the evidence log and asks nobody. What --output writes is canonical, so its bytes are\nwhat is signed, e.g. by: ssh-keygen -Y sign -n attestation -f KEY attestation.json\n\nExamples:\n  tenure attest --environment production --max-rotation-age 30d --max-validation-age 7d --require-approval\n  tenure attest --identity payments-db --max-validation-age 1d --output attestation.json',
    );
  verb<AttestOptions>(runtime, command, async ({ io, out, services }, options) => {
    const selection = selectionOf(options);
    const limits = limitsOf(options);
    const now = new Date();
    const reader = openEvidence(await services.config());
    const verdicts = attest(await recordsFor(reader, selection), selection, limits, now);
    const attestation = attestationOf(verdicts, selection, limits, now);
    if (options.output !== undefined) await write(resolve(io.cwd, options.output), canonicalJson(attestation));
    out.answer({ attestation });
    tell(out, verdicts, reader.where);
    return attestation.predicate.holds ? exitCodes.success : exitCodes.failure;
  });
}

function peopleOption(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new InvalidArgumentError('expected a number of people, from 1 to 99');
  return Number(text);
}

function selectionOf({ identity, owner, environment, tag }: AttestOptions): Selection {
  const isNamed = identity !== undefined;
  if (isNamed === (owner !== undefined || environment !== undefined || tag !== undefined)) {
    throw usage(
      'say which identities: either --identity, or any of --owner, --environment and --tag',
      'tenure attest --help',
    );
  }
  if (tag !== undefined && !/^[^:]+:/.test(tag))
    throw usage(`--tag ${tag}: expected key:value`, 'tenure attest --help');
  return {
    ...(identity && { identities: identity }),
    ...(owner !== undefined && { owner }),
    ...(environment !== undefined && { environment }),
    ...(tag !== undefined && { tag }),
  };
}

function limitsOf({ maxRotationAge, maxValidationAge, requireApproval }: AttestOptions): Limits {
  if (maxRotationAge === undefined && maxValidationAge === undefined && requireApproval === undefined) {
    throw usage(
      'say what must hold: --max-rotation-age, --max-validation-age or --require-approval',
      'tenure attest --help',
    );
  }
  return {
    ...(maxRotationAge !== undefined && { maxRotationAgeMs: maxRotationAge }),
    ...(maxValidationAge !== undefined && { maxValidationAgeMs: maxValidationAge }),
    ...(requireApproval !== undefined && { approvals: requireApproval === true ? 1 : requireApproval }),
  };
}

async function recordsFor(reader: EvidenceReader, { identities }: Selection) {
  if (!identities) return reader.sealed();
  return (await Promise.all([...new Set(identities)].map((name) => reader.sealedOf(name)))).flat();
}

async function write(file: string, text: string): Promise<void> {
  try {
    await replaceFile(file, text);
  } catch (error) {
    const message = `${file} could not be written (${(error as NodeJS.ErrnoException).code}); nothing was attested`;
    throw new CliError('Unexpected', message, ['tenure attest --help']);
  }
}

function tell(out: Output, verdicts: readonly Verdict[], where: string): void {
  const all = verdicts.flatMap(({ identity, checks }) => checks.map((check) => ({ identity, ...check })));
  out.table(
    ['IDENTITY', 'CHECK', 'HOLDS', 'FOUND', 'RECORD'],
    all.map(({ identity, check, holds, found, operation }) => [
      identity,
      check,
      holds ? out.paint.green('yes') : out.paint.red('no'),
      found,
      operation ?? '-',
    ]),
  );
  const failing = verdicts.filter(({ holds }) => !holds);
  if (verdicts.length === 0) {
    out.note(`the evidence log in ${where} holds no such identity, so nothing was shown; look with: tenure list`);
  } else if (failing.length === 0) {
    out.say(out.paint.green(`${count(verdicts.length, 'identity', 'identities')} within the limits`));
  } else {
    out.note(
      out.paint.red(`${failing.length} of ${count(verdicts.length, 'identity', 'identities')} not within the limits`),
    );
    for (const next of new Set(all.flatMap((check) => check.next ?? []))) out.note(`  next: ${out.paint.bold(next)}`);
  }
}
