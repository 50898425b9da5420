/** `tenure evidence`: takes records out of the log, and verifies what was taken out, without a server and without us. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DataConverter } from '@temporalio/common';
import { Option, type Command } from 'commander';
import { identityId } from '../../domain/wire.js';
import type { Shelf } from '../../evidence/shelf.js';
import type { VerifyOptions } from '../../evidence/verify.js';
import type { Check } from '../../evidence/verify/check.js';
import { TenureError } from '../../domain/errors.js';
import { CliError, usage } from '../errors.js';
import { addReport, instantOption } from '../evidence-report.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { count } from '../words.js';

export function addEvidence(program: Command, runtime: Runtime): void {
  const evidence = program
    .command('evidence')
    .description('export what was sealed, verify such an export by itself, report on it');
  addExport(evidence, runtime);
  addVerify(evidence, runtime);
  addReport(evidence, runtime);
}

interface ExportOptions extends CommonOptions {
  readonly identity?: string;
  readonly operation?: string;
  readonly all?: boolean;
  readonly since?: string;
  readonly out: string;
}

function addExport(evidence: Command, runtime: Runtime): void {
  const command = evidence
    .command('export')
    .description('write records, with everything that it needs to verify them elsewhere, to a folder or a file')
    .addOption(new Option('--identity <name>', 'the records of one identity').conflicts(['operation', 'all']))
    .addOption(new Option('--operation <id>', 'those of one process, e.g. nhi/payments-db/rotate/3').conflicts('all'))
    .option('--all', 'the whole log: only this shows that none was left out')
    .option('--since <instant>', 'only processes that ended from then on', instantOption)
    .requiredOption('--out <place>', 'a new folder, or a file that ends with .json or .json.gz')
    .addHelpText(
      'after',
      '\nCopies what is there, also where that is damaged; verify finds it.\n\nExamples:\n  tenure evidence export --all --out evidence-2026\n  tenure evidence export --identity payments-db --out payments-db.json.gz',
    );
  verb<ExportOptions>(runtime, command, async ({ io, out, services }, options) => {
    const { identity, operation, all, since } = options;
    if (identity === undefined && operation === undefined && all === undefined && since === undefined)
      throw usage(
        'say which records: --identity NAME, --operation ID, --since INSTANT, or --all',
        'tenure evidence export --help',
      );
    const [{ openEvidence }, { exportBundle }, { writeBundle }, { manifestOf }] = await Promise.all([
      import('../../evidence/open.js'),
      import('../../evidence/bundle/export.js'),
      import('../../evidence/bundle/files.js'),
      import('../../evidence/bundle/manifest.js'),
    ]);
    const { shelf } = openEvidence(await services.config());
    const wanted = operation ?? (identity === undefined ? undefined : identityId(identity));
    if (wanted !== undefined) await demandRecords(shelf, wanted, operation ?? identity!);
    const selection = { ...(identity && { identity }), ...(operation && { operation }), ...(since && { since }) };
    const files = await exportBundle(shelf, selection);
    const place = resolve(io.cwd, options.out);
    await writeBundle(place, files);
    const records = manifestOf(files)!.entries.length;
    out.answer({ out: place, records, files: files.size, checkpoint: files.get('checkpoint') });
    out.say(`${count(records, 'record')} of ${shelf.where} in ${options.out}`);
    if (records === 0) out.note(`nothing was selected: no such record was sealed${since ? ` since ${since}` : ''}`);
    else out.say(`verify it anywhere with: tenure evidence verify ${options.out}`);
  });
}

/** An export without a record looks like one of somebody who did nothing, and more often the name is wrong. */
async function demandRecords(shelf: Shelf, prefix: string, name: string): Promise<void> {
  const { indexesUnder } = await import('../../evidence/under-operation.js');
  if ((await indexesUnder(shelf, prefix)).length > 0) return;
  const message = `the evidence log in ${shelf.where} holds no record of ${name}, so nothing was written: is the name right? A process that has not ended has none yet`;
  throw new CliError('NotFound', message, ['tenure list', 'tenure evidence export --all --out FOLDER']);
}

interface VerifyVerbOptions extends CommonOptions {
  readonly checkpoint?: string;
  readonly logKey?: string;
  readonly directory?: string;
  readonly replay: boolean;
  readonly strict?: boolean;
}

function addVerify(evidence: Command, runtime: Runtime): void {
  const command = evidence
    .command('verify <bundle>')
    .description('verify an export by itself: no server, no log; a configuration only for encrypted histories')
    .option('--checkpoint <file>', 'an earlier checkpoint of the log: nothing before it was changed or taken away')
    .option('--log-key <key>', 'the log’s public key, <name>+<id>+<base64>, or a file that holds it')
    .option('--directory <file>', 'whose keys count, instead of the directory as it was recorded')
    .option('--strict', 'exit with 1 also where something is unknown, e.g. whose log it is')
    .option('--no-replay', 'leave out the replays of histories, which take most of the time')
    .addHelpText(
      'after',
      '\nOne line for each check: held, broken, or unknown. Exits with 1 when one is broken, with --strict also when one is unknown.\n\nExamples:\n  tenure evidence verify evidence-2026 --log-key log.vkey --checkpoint january.checkpoint\n  tenure evidence verify payments-db.json.gz --json | jq \'.checks[] | select(.verdict == "broken")\'',
    );
  verb<VerifyVerbOptions>(runtime, command, async (session, options, [bundle]) => {
    const [{ readBundle }, { verifyBundle }] = await Promise.all([
      import('../../evidence/bundle/files.js'),
      import('../../evidence/verify.js'),
    ]);
    const files = await readBundle(resolve(session.io.cwd, bundle!));
    const checks = await verifyBundle(files, await broughtAlong(session, options));
    return tell(session, checks, options.strict ?? false);
  });
}

async function broughtAlong(
  { io }: Session,
  { checkpoint, logKey, directory, replay, config }: VerifyVerbOptions,
): Promise<VerifyOptions> {
  const read = async (file: string): Promise<string> =>
    readFile(resolve(io.cwd, file), 'utf8').catch((error: NodeJS.ErrnoException) => {
      throw new TenureError(
        'InvalidRequest',
        `${file} cannot be read (${error.code ?? 'unknown error'}); name another file`,
        { next: ['tenure evidence verify --help'] },
      );
    });
  const isKey = /^[^\s+]+\+[0-9a-f]{8}\+/.test(logKey ?? '');
  return {
    ownCode: await ownCode(),
    noReplay: !replay,
    ...(config !== undefined && { dataConverter: await converterOf(resolve(io.cwd, config)) }),
    ...(checkpoint !== undefined && { checkpoint: await read(checkpoint) }),
    ...(logKey !== undefined && { logKey: (isKey ? logKey : await read(logKey)).trim() }),
    ...(directory !== undefined && {
      directory: await (await import('../../trust/directory-file.js')).readDirectory(resolve(io.cwd, directory)),
    }),
  };
}

/** Only where it is asked for: a stranger has no keys, and needs none where nothing is encrypted. */
async function converterOf(file: string): Promise<DataConverter> {
  const { loadEncryption } = await import('../../config/encryption.js');
  const { dataConverterFor } = await import('../../temporal/codec/converter.js');
  return dataConverterFor(await loadEncryption(file));
}

/** The workflows of this installation, where they were built, as workers run them with and without encryption. */
async function ownCode(): Promise<string[]> {
  const { workflowBundlePath } = await import('../../temporal/bundle.js');
  const { digestOfText } = await import('../../evidence/attachments.js');
  const { encodingFailures } = await import('../../temporal/codec/converter.js');
  try {
    const code = await readFile(workflowBundlePath(), 'utf8');
    return [code, encodingFailures(code)].map(digestOfText);
  } catch {
    return [];
  }
}

function tell({ out }: Session, checks: readonly Check[], isStrict: boolean): number {
  const ofVerdict = (verdict: Check['verdict']): number => checks.filter((check) => check.verdict === verdict).length;
  const [held, broken, unknown] = [ofVerdict('held'), ofVerdict('broken'), ofVerdict('unknown')];
  const ok = broken === 0 && !(isStrict && unknown > 0);
  out.answer({ ok, held, broken, unknown, checks });
  const marks = {
    held: out.paint.green('held   '),
    broken: out.paint.red('broken '),
    unknown: out.paint.yellow('unknown'),
  };
  for (const { subject, check, verdict, detail } of checks)
    out.say(`${marks[verdict]}  ${subject}: ${check}: ${detail}`);
  if (broken > 0) out.say(`${count(broken, 'check')} of ${checks.length} broken`);
  else out.say(`${ok ? 'it holds' : 'not shown'}: ${held} checks held, ${unknown} not to be known from it`);
  if (checks.some(({ subject, check, verdict }) => subject === 'log' && check === 'key' && verdict === 'unknown'))
    out.note('not tied to a log that you know, anybody could have made it: name the key that you know with --log-key');
  return ok ? exitCodes.success : exitCodes.failure;
}
