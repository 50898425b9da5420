import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { ProcessRecord } from '../../domain/evidence.js';
import { openEvidence } from '../../evidence/open.js';
import { attribute, type Attribution } from '../../evidence/read/attribution/attribute.js';
import { readTargetLogs } from '../../evidence/read/attribution/files.js';
import type { Judged } from '../../evidence/read/attribution/judge.js';
import { ourRecordOf } from '../../evidence/read/attribution/tenancy.js';
import { groupOf, loginsOf } from '../../targets/postgresql/names.js';
import { instantOption } from '../evidence-report.js';
import { durationOption } from '../durations.js';
import { CliError, usage } from '../errors.js';
import { exitCodes } from '../io.js';
import { nameOf } from '../identities.js';
import type { Output } from '../output.js';
import type { Services } from '../services.js';
import { verb, type CommonOptions, type Runtime } from '../session.js';
import { count, instant } from '../words.js';

interface AttributeOptions extends CommonOptions {
  readonly identity: string;
  readonly from?: string;
  readonly to?: string;
  readonly log?: readonly string[];
  readonly samples?: readonly string[];
  readonly logLinePrefix: string;
  readonly administrator?: readonly string[];
  readonly expectAddress?: readonly string[];
  readonly expectApplication?: readonly string[];
  readonly tolerance: number;
}

export function addAttribute(program: Command, runtime: Runtime): void {
  const command = program
    .command('attribute')
    .description("set a target's own log against the evidence, and list what no process of ours explains")
    .requiredOption('--identity <name>', 'whose logins and rights')
    .option('--from <instant>', 'from then on, e.g. 2026-01-01 (default: where the log begins)', instantOption)
    .option('--to <instant>', 'until then (default: where it ends)', instantOption)
    .option('--log <files...>', "PostgreSQL's log: csvlog, jsonlog or stderr, in UTC")
    .option('--samples <files...>', 'samples of pg_stat_activity, one JSON object a line')
    .option('--log-line-prefix <prefix>', "the server's setting, for a stderr log", '%m [%p] ')
    .option('--administrator <names...>', "Tenure's login at the target (default: that of tenure.yaml)")
    .option('--expect-address <networks...>', 'list logins from elsewhere, e.g. 10.1.0.0/16', networkOption)
    .option('--expect-application <names...>', 'list logins of other applications')
    .option('--tolerance <duration>', 'how far apart the clocks may be', durationOption, 2_000)
    .addHelpText(
      'after',
      '\nExit code 1 where something is not explained, or where what was read cannot tell. The settings that the server needs\nare in docs/attribution.md.\n\nExamples:\n  tenure attribute --identity payments-db --log /var/log/postgresql/*.csv\n  tenure attribute --identity payments-db --from 2026-03-01 --to 2026-04-01 --log march.json --expect-address 10.1.0.0/16',
    );
  verb<AttributeOptions>(runtime, command, async ({ io, out, services }, options) => {
    const files = (names: readonly string[] | undefined): string[] =>
      (names ?? []).map((name) => resolve(io.cwd, name));
    if (!options.log && !options.samples)
      throw usage('say what to read: --log or --samples', 'tenure attribute --help');
    const identity = nameOf(options.identity);
    const records = await openEvidence(await services.config()).recordsOf(identity);
    const roles = new Set([groupOf(identity), ...loginsOf(identity), ...ourRecordOf(records).principals]);
    const read = await readTargetLogs(
      { logs: files(options.log), samples: files(options.samples), prefix: options.logLinePrefix },
      roles,
    );
    const seen = [...read.samples, read.coverage?.first, read.coverage?.last].filter((at) => at !== undefined).sort();
    const [from, to] = [options.from ?? seen[0], options.to ?? seen.at(-1)];
    if (from === undefined || to === undefined) throw nothingRead(read.coverage?.unread ?? []);
    if (from > to) throw usage('--from is after --to', 'tenure attribute --help');
    const expected = {
      administrators: options.administrator ?? (await administratorsOf(services, identity, records)),
      addresses: options.expectAddress ?? [],
      applications: options.expectApplication ?? [],
      toleranceMs: options.tolerance,
    };
    const attribution = attribute({ identity, from, to, records, ...read }, expected);
    out.answer({ attribution });
    tell(out, attribution);
    return attribution.blind || attribution.unexplained.length > 0 ? exitCodes.failure : exitCodes.success;
  });
}

/** `--expect-address` takes several; commander hands over one at a time. */
function networkOption(text: string, before: readonly string[] | undefined): string[] {
  if (!isNetwork(text)) {
    throw new InvalidArgumentError('expected an address or a network, such as 10.1.0.0/16, or [local]');
  }
  return [...(before ?? []), text];
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  return text === '[local]' || (family !== 0 && Number(bits ?? 0) <= (family === 6 ? 128 : 32));
}

function nothingRead(unread: readonly string[]): CliError {
  const why = unread.length > 0 ? `: ${unread.join('; ')}` : ', as they are empty';
  return new CliError('InvalidRequest', `nothing could be read in these files${why}`, ['tenure attribute --help']);
}

/** The login in the operator's file of the target that the identity was made at last. */
async function administratorsOf(
  services: Services,
  identity: string,
  records: readonly ProcessRecord[],
): Promise<readonly string[]> {
  if (records.length === 0)
    throw new CliError('NotFound', `the evidence log holds no record of ${identity}: is the name right?`, [
      'tenure list',
    ]);
  const { targets } = await services.config();
  const name =
    records.findLast(({ after }) => after.current)?.after.current?.target ?? records.at(-1)?.plan?.from?.target;
  const target = name === undefined ? undefined : targets[name];
  if (target && target.type !== 'postgresql') {
    const message = `the identity is at ${name}, which is a ${target.type}; only the log of a PostgreSQL can be read`;
    throw new CliError('InvalidRequest', message, ['tenure attribute --help']);
  }
  const user = target?.['user'];
  if (typeof user === 'string') return [user];
  throw usage('say with which login Tenure works at the target: --administrator', 'tenure attribute --help');
}

function tell(out: Output, { identity, from, to, unexplained, explained, gaps, blind, cannotTell }: Attribution): void {
  out.say(`${out.paint.bold(identity)}, ${instant(from)} to ${instant(to)}`);
  if (unexplained.length > 0) {
    out.say(`\n${out.paint.red('Explained by no process of ours')}`);
    for (const one of unexplained) out.say(`  ${lineOf(one)}`);
  }
  if (explained.length > 0) out.say(`\nExplained: ${count(explained.length, 'event')}; --json names them`);
  for (const gap of gaps) out.note(out.paint.yellow(`gap: ${gap}`));
  if (blind)
    out.note(out.paint.red('what was read cannot tell who logged in or what was changed, so nothing was shown'));
  else if (unexplained.length === 0) out.say(out.paint.green('\nNothing that the log shows is left unexplained.'));
  out.say('\nWhat no log can tell');
  for (const line of cannotTell) out.say(`  ${line}`);
}

function lineOf({ event, why }: Judged): string {
  const who = [
    event.user ?? 'somebody',
    event.address && `from ${event.address}`,
    event.application && `as ${event.application}`,
  ];
  const by = who.filter(Boolean).join(' ');
  const what = {
    login: 'login',
    session: 'session',
    change: event.what === 'change' ? `${event.failed ? 'tried: ' : ''}${event.statement}` : '',
  }[event.what];
  return `${instant(event.at)}  ${what}, ${by}: ${why} (${event.source})`;
}
