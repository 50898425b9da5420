import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { partyNamed, type Directory } from '../../domain/directory.js';
import { processKinds } from '../../domain/process.js';
import { longestLifeMs, type Signed } from '../../domain/statement.js';
import { directorySource } from '../../trust/directory-file.js';
import { advanceSigned, delegationSigned } from '../../trust/statements.js';
import { formatDuration } from '../../manifest/duration.js';
import { slug } from '../../manifest/schema.js';
import { durationUpTo } from '../durations.js';
import { usage } from '../errors.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';

interface SignedOptions extends CommonOptions, SigningOptions {
  readonly for: number;
  readonly reason: string;
  readonly out?: string;
}

interface DelegateOptions extends SignedOptions {
  readonly to: string;
  readonly group: readonly string[];
  readonly environment: readonly string[];
  readonly from?: string;
}

interface AdvanceOptions extends SignedOptions {
  readonly kind: readonly string[];
  readonly identity: readonly string[];
}

/** For an absence: signed by whoever will be absent, bounded in time and groups, and never passed on. */
export function addDelegate(program: Command, runtime: Runtime): void {
  const command = signing(
    program.command('delegate').description('let one other person decide for you while you are absent'),
  )
    .requiredOption('--to <person>', 'who may decide for you')
    .requiredOption('--group <name...>', 'the groups of yours that it lends, and no others')
    .requiredOption(
      '--for <duration>',
      'for how long, at most 31d',
      durationUpTo(longestLifeMs['tenure/delegation@v1']),
    )
    .requiredOption('--reason <text>', 'why; kept in the record')
    .option('--environment <name...>', 'only for these environments (default: all)', [])
    .option('--from <instant>', 'from when on, ISO 8601 (default: now)')
    .option('--out <file>', 'write it here (default: print it)')
    .addHelpText(
      'after',
      '\nGive the file to that person: tenure approve NAME --delegation FILE. To end it early, put its id under directory.revoked in tenure.yaml.\n\n' +
        'Examples:\n  tenure delegate --to grace@example.com --group security --for 7d --reason "leave" --out leave.json',
    );
  verb<DelegateOptions>(runtime, command, async (session, options) => {
    const { to, group: groups, environment: environments, reason } = options;
    const id = randomUUID();
    const nbf = instantOf(options.from);
    demandSoon(nbf, options.for);
    const signer = await signerOf(session, options);
    demandLendable(await directorySource(await session.services.config()).current(), signer.name, options);
    const signed = await delegationSigned({ id, to, groups, environments, nbf, reason }, options.for, signer);
    await deliver(session, signed, options.out, `${signer.name} lets ${to} decide for ${groups.join(', ')}`, id);
  });
}

/** What could never count is not signed. The roles `owner` and `team` depend on the identity, so they are judged at its gate. */
function demandLendable(directory: Directory, from: string, { to, group }: DelegateOptions): void {
  if (to === from) throw usage('--to: that is you; name somebody else who decides for you');
  const party = partyNamed(directory, to);
  if (!party) throw usage(`--to: ${to} is not in the directory; look for the name in tenure.yaml`);
  if (party.kind !== 'person') throw usage(`--to: ${to} is of kind ${party.kind}, and only a person can approve`);
  const own = ['owner', 'team', ...(partyNamed(directory, from)?.groups ?? [])];
  const lacking = group.filter((one) => !own.includes(one));
  if (lacking.length > 0)
    throw usage(`--group: ${from} is not in ${lacking.join(', ')}; what is lent has to be your own: ${own.join(', ')}`);
}

/** How long a signature holds is counted from now, also for an absence that begins later. */
function demandSoon(nbf: string, forMs: number): void {
  const longestMs = longestLifeMs['tenure/delegation@v1'];
  if (Date.parse(nbf) + forMs <= Date.now() + longestMs) return;
  throw usage(
    `--from and --for: a delegation ends ${formatDuration(longestMs)} from now at the latest; begin sooner, or ask for less`,
    'tenure delegate --help',
  );
}

/** A task of so many identities, until then. It counts only where a policy allows approvals in advance. */
export function addPreApprove(program: Command, runtime: Runtime): void {
  const command = signing(
    program
      .command('pre-approve')
      .description('approve a bounded task in advance; counts only where a policy allows that in so many words'),
  )
    .addOption(new Option('--kind <kind...>', 'what may be done').choices(processKinds).makeOptionMandatory())
    .requiredOption(
      '--identity <name...>',
      'to which identities, each once; also such as are not declared yet',
      nameOption,
    )
    .requiredOption('--for <duration>', 'for how long, at most 7d', durationUpTo(longestLifeMs['tenure/advance@v1']))
    .requiredOption('--reason <text>', 'why; kept in the record')
    .option('--out <file>', 'write it here (default: print it)')
    .addHelpText(
      'after',
      '\nWhoever does the task hands it in: tenure rotate NAME --advance FILE\n' +
        'Nobody is asked whether there are such identities: they may be approved before they are declared, and a mistyped name counts for nothing.\n\n' +
        'Examples:\n  tenure pre-approve --kind rotate --identity a-db b-db --for 1d --reason "move of the week" --out task.json',
    );
  verb<AdvanceOptions>(runtime, command, async (session, options) => {
    const { kind: kinds, identity: identities, reason } = options;
    const id = randomUUID();
    const signer = await signerOf(session, options);
    const signed = await advanceSigned({ id, kinds, identities, reason }, options.for, signer);
    session.out.note(`for ${identities.join(', ')} as written: nobody was asked whether there are such identities`);
    await deliver(
      session,
      signed,
      options.out,
      `${signer.name} approves ${kinds.join(', ')} of ${identities.join(', ')}`,
      id,
    );
  });
}

/** Names are not looked up, so what no identity can be called is refused at least. */
function nameOption(text: string, before: readonly string[] = []): readonly string[] {
  const { success } = slug().safeParse(text);
  if (!success)
    throw new InvalidArgumentError('no identity can be called so: lower-case letters, digits, dots and dashes');
  return [...before, text];
}

async function deliver(
  session: Session,
  signed: Signed,
  file: string | undefined,
  what: string,
  id: string,
): Promise<void> {
  session.out.answer({ id, ...signed });
  if (file === undefined) return session.out.say(JSON.stringify(signed));
  await writeFile(resolve(session.io.cwd, file), `${JSON.stringify(signed, undefined, 2)}\n`, { flag: 'wx' }).catch(
    () => {
      throw usage(`--out: ${file} cannot be written, or is there already; name another file`);
    },
  );
  session.out.say(`${what}; id ${id}; written to ${file}`);
}

function instantOf(text: string | undefined): string {
  const at = text === undefined ? new Date() : new Date(text);
  if (Number.isNaN(at.getTime())) throw usage(`--from: ${text} is no instant; write it like 2030-01-31T08:00:00Z`);
  return at.toISOString();
}
