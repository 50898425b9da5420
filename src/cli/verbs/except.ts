import { randomBytes } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { InvalidArgumentError, type Command } from 'commander';
import {
  afterwards,
  exceptionId,
  exceptionMessages,
  type Afterwards,
  type Control,
  type ExceptionState,
  type ExceptionTerms,
  type Withdrawal,
} from '../../domain/exception.js';
import { TenureError } from '../../domain/errors.js';
import type { IdentitySpec } from '../../domain/identity.js';
import { demandPossible, readTerms } from '../../exceptions/terms.js';
import { wordSigned } from '../../trust/statements.js';
import { controlOption } from '../controls.js';
import { durationOption } from '../durations.js';
import { CliError, noWorker, usage } from '../errors.js';
import { exceptionOf, listExceptions, startException } from '../exceptions.js';
import { nameOf, newRequestId, stateOf } from '../identities.js';
import { foresightOf } from '../manifests.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';
import { relative } from '../words.js';
import { isWorked } from '../workers.js';
import { addExceptDecisions, tellException } from './except-decide.js';

interface AskOptions extends CommonOptions, SigningOptions {
  readonly rule: readonly string[];
  readonly reason: string;
  readonly control: readonly Control[];
  readonly until?: number;
  readonly afterwards: Afterwards;
  readonly ticket?: string;
}

export function addExcept(program: Command, runtime: Runtime): void {
  const command = program
    .command('except')
    .description('exceptions: ask for one, sign one that was proposed, decide, list, withdraw')
    .addHelpText(
      'after',
      '\nAn exception lets an identity leave a rule unmet for a time, under controls that are checked by running them.\n\nExamples:\n' +
        '  tenure except ask payments-db --rule rotation-overdue --reason "the vendor changes its driver in May" \\\n' +
        '    --control "kind=validate" --control "kind=sessions at-most=5" --until 14d\n' +
        '  tenure except list\n  tenure except approve payments-db-1f3a9c\n  tenure except withdraw payments-db-1f3a9c --reason "rotated"',
    );
  addAsk(command, runtime);
  addSign(command, runtime);
  addExceptDecisions(command, runtime);
  addList(command, runtime);
  addWithdraw(command, runtime);
}

function asking(command: Command): Command {
  return signing(command)
    .requiredOption('--reason <text>', 'why; what approvers read')
    .requiredOption(
      '--control <check>',
      'what holds instead, as a check that runs: "kind=validate", "kind=command name=…", "kind=http url=… status=200", "kind=sessions at-most=…"; may be given again',
      controlOption,
    )
    .option('--until <duration>', 'for how long, e.g. 14d (default: `exceptions.life` in tenure.yaml)', durationOption)
    .option('--afterwards <what>', 'what the identity is asked for then: rotate, validate or revoke', what, 'rotate')
    .option('--ticket <id>', 'the ticket that it belongs to');
}

function what(text: string): Afterwards {
  const found = afterwards.find((one) => one === text);
  if (!found) throw new InvalidArgumentError(`expected one of ${afterwards.join(', ')}`);
  return found;
}

function addAsk(except: Command, runtime: Runtime): void {
  const command = asking(
    except.command('ask <name>').description('ask for an exception of an identity'),
  ).requiredOption('--rule <id...>', 'the id of each policy that need not be met');
  verb<AskOptions>(runtime, command, async (session, options, [typed]) => {
    const identity = nameOf(typed!);
    const client = await session.services.client();
    const state = await stateOf(client, identity);
    if (!state) throw noWorker(`an exception of ${identity} was not asked for`);
    const id = `${identity.slice(0, 80)}-${randomBytes(3).toString('hex')}`;
    const terms = await signedTerms(session, { id, identity, rules: options.rule }, state.spec, options);
    await startException(client, terms);
    told(session, terms, 'asked for');
  });
}

function addSign(except: Command, runtime: Runtime): void {
  const command = asking(except.command('sign <id>').description('take up an exception that was proposed to you'));
  verb<AskOptions>(runtime, command, async (session, options, [typed]) => {
    const client = await session.services.client();
    const { id, identity, phase, proposal } = await exceptionOf(client, typed!);
    if (phase !== 'proposed' || !proposal)
      throw new CliError('NotFound', `${id} is no open proposal (${phase})`, ['tenure except list']);
    const state = await stateOf(client, identity);
    const terms = await signedTerms(session, { id, identity, rules: proposal.rules }, state?.spec, options);
    await client.workflow.getHandle(exceptionId(id)).signal(exceptionMessages.sign, terms);
    told(session, terms, 'signed');
  });
}

/** Checked here as the worker will check it, so that a mistake is told at once. */
async function signedTerms(
  session: Session,
  about: Pick<ExceptionTerms, 'id' | 'identity' | 'rules'>,
  spec: IdentitySpec | undefined,
  { reason, control, until, afterwards: then, ticket, ...options }: AskOptions,
): Promise<ExceptionTerms> {
  const { exceptions: settings } = await session.services.config();
  const signer = await signerOf(session, options);
  const terms: ExceptionTerms = {
    v: 1,
    ...about,
    reason,
    controls: control,
    until: new Date(Date.now() + (until ?? settings.life)).toISOString(),
    afterwards: then,
    ...(ticket !== undefined && { ticket }),
    by: signer.name,
  };
  demandTyped(() => demandPossible(readTerms(terms), settings, new Date()));
  if (spec) await demandForeseen(session, spec, terms);
  return wordSigned(terms, { verb: 'except', subject: terms.id, id: newRequestId() }, signer);
}

/** What is wrong with terms is wrong with the command line that says them. */
function demandTyped(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof TenureError ? usage(error.message, 'tenure except ask --help') : error;
  }
}

/** Policy is asked again where it counts. */
async function demandForeseen(session: Session, spec: IdentitySpec, terms: ExceptionTerms): Promise<void> {
  const { exceptions: settings } = await session.services.config();
  const foresight = await foresightOf(session, terms.by);
  const { imagineException } = await import('../../policy/foresee.js');
  const { effect, code, message } = foresight.policy.decide(imagineException(foresight, spec, terms, settings));
  if (effect !== 'deny') return;
  const explained = terms.rules.map((rule) => `--rule ${rule}`).join(' ');
  throw new CliError(code ?? 'PolicyDenied', message ?? 'no policy allows it', [
    `tenure policy explain ${spec.name} --action except ${explained}`,
  ]);
}

function told({ out }: Session, { id, identity, until, by }: ExceptionTerms, done: string): void {
  out.say(
    `${by} ${done} the exception ${id} of ${identity}, until ${until}. It excepts from nothing before it is approved`,
  );
  out.say(`  next, by somebody else: tenure except approve ${id}`);
  out.answer({ exception: id, identity, until, by });
}

function addList(except: Command, runtime: Runtime): void {
  const command = except
    .command('list')
    .description('list what is proposed, waits for approval, holds or is suspended')
    .option('--identity <name>', 'only of this identity')
    .option('--all', 'also those that have ended, for as long as Temporal keeps them');
  verb<CommonOptions & { identity?: string; all?: boolean }>(runtime, command, async (session, options) => {
    const { out, services } = session;
    const client = await services.client();
    const { exceptions, silent } = await listExceptions(client, options);
    if (silent > 0) await tellSilent(session, client, silent);
    out.answer({ exceptions, silent });
    if (exceptions.length === 0 && silent === 0) return out.say('there is no exception');
    out.table(['EXCEPTION', 'IDENTITY', 'STANDS', 'RULES', 'UNTIL', 'NEXT'], exceptions.map(rowOf));
  });
}

async function tellSilent({ out, services }: Session, client: Client, silent: number): Promise<void> {
  const why = (await isWorked(client, await services.namespace()))
    ? 'did not answer'
    : 'did not answer: no worker is running';
  out.note(`${silent} exception(s) ${why}, and are not in this list`);
}

function rowOf({ id, identity, phase, terms, proposal }: ExceptionState): string[] {
  const until = terms?.until ?? proposal?.closes;
  const rules = (terms ?? proposal)?.rules.join(', ') ?? '';
  const isOpen = until !== undefined && phase !== 'ended';
  return [id, identity, phase, rules, isOpen ? relative(until, Date.now()) : '-', nextOf[phase]?.(id) ?? ''];
}

const nextOf: Partial<Record<ExceptionState['phase'], (id: string) => string>> = {
  proposed: (id) => `tenure except sign ${id}`,
  gate: (id) => `tenure except approve ${id}`,
  ended: (id) => `tenure explain ${id}`,
};

function addWithdraw(except: Command, runtime: Runtime): void {
  const command = signing(
    except.command('withdraw <id>').description('end an exception before its time, or turn a proposal down'),
    'who says so',
  ).requiredOption('--reason <text>', 'why; kept in the record');
  verb<CommonOptions & SigningOptions & { reason: string }>(runtime, command, async (session, options, [typed]) => {
    const client = await session.services.client();
    const state = await exceptionOf(client, typed!);
    if (state.phase === 'ended')
      throw new CliError('Conflict', `${state.id} has ended: ${state.end}`, ['tenure except list']);
    tellException(session, state);
    const signer = await signerOf(session, options);
    const word: Withdrawal = { by: signer.name, reason: options.reason };
    const signed = await wordSigned(
      word,
      { verb: 'withdraw-exception', subject: state.id, id: newRequestId() },
      signer,
    );
    await client.workflow.getHandle(exceptionId(state.id)).signal(exceptionMessages.withdraw, signed);
    session.out.say(`${signer.name} withdraws ${state.id}; see what came of it: tenure except list --all`);
    session.out.answer({ exception: state.id, by: signer.name, withdrawn: 'sent' });
  });
}
