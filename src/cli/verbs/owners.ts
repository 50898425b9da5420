import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { isValidAt, mayApprove, partyNamed, type Directory } from '../../domain/directory.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import type { Answer } from '../../domain/request.js';
import { openEvidence } from '../../evidence/open.js';
import { directorySource } from '../../trust/directory-file.js';
import type { Signer } from '../../trust/statements.js';
import { requestOf } from '../change.js';
import { confirm } from '../confirm.js';
import { CliError, complaintOf, noWorker, usage } from '../errors.js';
import { holdingsOf, type Holdings } from '../holdings.js';
import { ask, stateOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';
import { isWorked } from '../workers.js';

interface DepartedOptions extends CommonOptions, SigningOptions {
  readonly reassignTo?: string;
  readonly suspend?: boolean;
  readonly reason?: string;
  readonly yes?: boolean;
}

export function addOwners(program: Command, runtime: Runtime): void {
  const owners = program.command('owners').description('people who answer for identities');
  const command = signing(
    owners
      .command('departed <person>')
      .description('list everything that depends on somebody who left, and hand it over or suspend it'),
  )
    .option(
      '--reassign-to <person>',
      'ask that this person of the directory own their identities; each is rotated with it',
    )
    .option('--suspend', 'revoke the credentials of their identities instead')
    .option('--reason <text>', 'why; kept in the record')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nWithout --reassign-to and --suspend it changes nothing. What is handed over has to be changed in the manifests too.\n\nExamples:\n' +
        '  tenure owners departed ada@example.com\n  tenure owners departed ada@example.com --reassign-to grace@example.com',
    );
  verb<DepartedOptions>(runtime, command, (session, options, [person]) => departed(session, person!, options));
}

async function departed(session: Session, person: string, options: DepartedOptions): Promise<number> {
  const { services, out } = session;
  if (options.reassignTo !== undefined && options.suspend) throw usage('say either --reassign-to or --suspend');
  const config = await services.config();
  const [client, directory] = [await services.client(), await directorySource(config).current()];
  if (options.reassignTo !== undefined) demandOwner(directory, options.reassignTo, person);
  const records = await openEvidence(config).all();
  const holdings = await holdingsOf(client, person, directory, records, new Date());
  if (isNobody(holdings, records)) throw nobody(person);
  tell(session, holdings);
  const isAsked = options.reassignTo !== undefined || options.suspend === true;
  if (!isAsked || holdings.identities.length === 0) {
    out.answer({ holdings, results: [] });
    return holdings.unknown.length > 0 ? exitCodes.failure : exitCodes.success;
  }
  if (!(await isWorked(client, await services.namespace()))) throw noWorker('nothing was handed over');
  if (!(await confirm(session, question(holdings, options), options.yes))) {
    out.note('nothing was asked for');
    return exitCodes.failure;
  }
  const results = await askEach(session, client, holdings, options);
  out.answer({ holdings, results });
  return results.every(({ accepted }) => accepted) && holdings.unknown.length === 0
    ? exitCodes.success
    : exitCodes.failure;
}

/** Who is neither in the directory nor in any record, and on whom nothing depends: more often a name with a mistake than somebody who left. */
function isNobody(holdings: Holdings, records: readonly ProcessRecord[]): boolean {
  const { person, inDirectory, unknown } = holdings;
  return !inDirectory && unknown.length === 0 && !hasHoldings(holdings) && !records.some((one) => names(one, person));
}

function names({ request, plan, gate, rounds = [] }: ProcessRecord, person: string): boolean {
  const votes = [...rounds, ...(gate ? [gate] : [])].flatMap((each) => each.votes);
  const all = [request.requester, request.onBehalfOf, plan?.owner, plan?.before?.owner];
  return all.includes(person) || votes.some(({ approver, onBehalfOf }) => [approver, onBehalfOf].includes(person));
}

function nobody(person: string): CliError {
  const message = `nobody is named ${person}: the directory has no such person, no record names them, and nothing depends on them. Write the name as it is in \`directory\` of tenure.yaml, or as \`tenure show IDENTITY\` has the owner`;
  return new CliError('NotFound', message, ['tenure list']);
}

function hasHoldings({ identities, automations, gates, elevations, exceptions, delegations }: Holdings): boolean {
  return [identities, automations, gates, elevations, exceptions, delegations].some(({ length }) => length > 0);
}

/** Whoever takes over has to be there. */
function demandOwner(directory: Directory, name: string, person: string): void {
  const party = partyNamed(directory, name);
  if (name !== person && party && mayApprove(party) && isValidAt(party, new Date())) return;
  throw new CliError(
    'InvalidRequest',
    `${name} cannot take over: expected another person who is in the directory now`,
    ['tenure owners departed --help'],
  );
}

function question({ person, identities }: Holdings, { reassignTo }: DepartedOptions): string {
  const what = `${identities.length} ${identities.length === 1 ? 'identity' : 'identities'} of ${person}`;
  return reassignTo === undefined
    ? `Revoke the credentials of ${what}? What uses them stops working.`
    : `Hand ${what} over to ${reassignTo}? Each is rotated with it, as policy allows.`;
}

interface Result {
  readonly identity: string;
  readonly accepted: boolean;
  readonly detail: string;
}

/** One that cannot be asked does not stop the others. */
async function askEach(
  session: Session,
  client: Client,
  { identities, person }: Holdings,
  options: DepartedOptions,
): Promise<Result[]> {
  const signer = await signerOf(session, options);
  const results: Result[] = [];
  for (const { name } of identities) {
    const result = await askOne(session, client, name, person, signer, options).catch((error: unknown) => ({
      identity: name,
      accepted: false,
      detail: complaintOf(error).message,
    }));
    const paint = result.accepted ? session.out.paint.green : session.out.paint.red;
    session.out.say(`${paint(result.accepted ? 'asked' : 'not taken')} ${name}: ${result.detail}`);
    results.push(result);
  }
  return results;
}

async function askOne(
  session: Session,
  client: Client,
  name: string,
  person: string,
  signer: Signer,
  { reassignTo, reason = `${person} has left` }: DepartedOptions,
): Promise<Result> {
  const answer = reassignTo === undefined ? await revoke() : await reassign(reassignTo);
  return { identity: name, accepted: answer.accepted, detail: answer.accepted ? answer.note : answer.reason };

  async function revoke(): Promise<Answer> {
    return ask(client, name, await requestOf(session, { wait: false, reason }, name, 'revoke', { signer }));
  }

  async function reassign(owner: string): Promise<Answer> {
    const spec = (await stateOf(client, name))?.spec;
    if (!spec) throw noWorker(`${name} did not say how it is declared`);
    // Visibility may be a moment behind: what somebody else owns by now is not taken from them.
    if (spec.owner.person !== person)
      return { accepted: false, code: 'Conflict', reason: `it is owned by ${spec.owner.person} by now` };
    // With a rotation, which policy decides on: who owns an identity may approve what is done with it.
    const changed = { ...spec, owner: { ...spec.owner, person: owner } };
    return ask(
      client,
      name,
      await requestOf(session, { wait: false, reason }, name, 'rotate', { spec: changed, signer }),
    );
  }
}

function tell({ out }: Session, holdings: Holdings): void {
  const { person, inDirectory, identities, automations, gates, elevations, exceptions, delegations, unknown } =
    holdings;
  const line = (what: string, all: readonly string[]): void => {
    if (all.length > 0) out.say(`${out.paint.bold(what)}: ${all.join(', ')}`);
  };
  if (inDirectory?.holds)
    out.note(
      `${person} is in the directory still, with ${inDirectory.keys.length} key(s): end that first, with \`to\` in tenure.yaml; it holds at once`,
    );
  line(
    'Owns',
    identities.map(({ name, status }) => `${name} (${status})`),
  );
  line('Answers for the automations', automations);
  line(
    'Asked for, and it waits',
    gates.filter(({ asked }) => asked).map(({ operation }) => operation),
  );
  line(
    'May decide',
    gates
      .filter(({ mayDecide }) => mayDecide)
      .map(({ operation, others }) => `${operation} (${others === 0 ? 'nobody else can' : `${others} other(s) can`})`),
  );
  line('Has lent rights', elevations);
  line(
    'Exceptions',
    exceptions.map(({ id, as }) => `${id} (${as.join(', ')})`),
  );
  line(
    'Delegations that were used',
    delegations.map(({ id, from, to, exp }) => `${id} (${from} to ${to}, until ${exp})`),
  );
  line('Groups', inDirectory?.groups ?? []);
  if (unknown.length > 0) out.note(`did not answer, so it is not known: ${unknown.join(', ')}`);
  if (!hasHoldings(holdings)) out.say(`nothing depends on ${person}`);
}
