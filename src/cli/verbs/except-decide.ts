/** Deciding on exceptions: what is shown is what is signed. The digests are computed here, from what the workflow shows. */
import type { Command } from 'commander';
import { TenureError } from '../../domain/errors.js';
import {
  controlInWords,
  exceptionId,
  exceptionMessages,
  type ExceptionFacts,
  type ExceptionState,
  type ExceptionTerms,
} from '../../domain/exception.js';
import { mayDecide } from '../../domain/gate-lines.js';
import type { GateState } from '../../domain/process.js';
import { missingInWords } from '../../domain/quorum.js';
import { evidenceOf } from '../../exceptions/evidence.js';
import { digestWithoutSignature } from '../../trust/statements.js';
import { confirm } from '../confirm.js';
import { demandCounted } from '../decided.js';
import { CliError } from '../errors.js';
import { exceptionOf } from '../exceptions.js';
import { exitCodes } from '../io.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';
import { ballotFor } from '../../trust/ballot.js';

interface DecideOptions extends CommonOptions, SigningOptions {
  readonly reason?: string;
  readonly yes?: boolean;
}

/** Adds `approve` and `deny`. */
export function addExceptDecisions(except: Command, runtime: Runtime): void {
  for (const decision of ['approve', 'deny'] as const) {
    const command = signing(
      except.command(`${decision} <id>`).description(`${decision} an exception that waits for it`),
      'who decides',
    )
      .option('--reason <text>', 'why; signed, and kept in the record')
      .option('--yes', 'do not ask');
    verb<DecideOptions>(runtime, command, (session, options, [typed]) => decide(session, typed!, decision, options));
  }
}

async function decide(
  session: Session,
  typed: string,
  decision: 'approve' | 'deny',
  options: DecideOptions,
): Promise<number> {
  const client = await session.services.client();
  const state = await exceptionOf(client, typed);
  const { terms, gate } = openGate(state);
  demandSame(state, terms, gate);
  tellException(session, state);
  if (!(await confirm(session, decision === 'approve' ? 'Approve this exception?' : 'Deny it?', options.yes))) {
    session.out.note('nothing was decided');
    return exitCodes.failure;
  }
  const signer = await signerOf(session, options);
  const operation = exceptionId(state.id);
  const ballot = await ballotFor(signer, decision, operation, gate, options.reason ?? '');
  await client.workflow.getHandle(operation).signal(exceptionMessages.decide, ballot);
  await demandCounted({ ballot, by: signer.name, isWithdrawal: false, before: state }, () =>
    exceptionOf(client, typed),
  );
  session.out.say(`${signer.name} ${decision === 'approve' ? 'approved' : 'denied'} ${state.id}`);
  session.out.answer({ exception: state.id, decision, by: signer.name, planDigest: gate.planDigest });
  return exitCodes.success;
}

/** Everything that somebody has to know before they sign. */
export function tellException(
  { out }: Session,
  { id, identity, phase, terms, checks, gate, examined }: ExceptionState,
): void {
  out.say(`${out.paint.bold(id)} of ${identity}: ${phase}`);
  if (!terms) return;
  if (examined?.facts) out.say(`  Identity: ${factsInWords(examined.facts)}`);
  out.say(`  Asked by: ${terms.by}${terms.ticket === undefined ? '' : `, ${terms.ticket}`}: ${terms.reason}`);
  out.say(`  Leaves unmet: ${terms.rules.join(', ')}`);
  out.say(`  Until: ${terms.until}; then ${identity} is asked to ${terms.afterwards}`);
  if (checks.length === 0)
    for (const control of terms.controls) out.say(`  Control, not checked yet: ${controlInWords(control)}`);
  for (const { control, holds, detail } of checks)
    out.say(`  Control ${holds ? out.paint.green('holds') : out.paint.red('does not hold')}: ${control} (${detail})`);
  if (!gate || phase !== 'gate') return;
  for (const { id: rule, why } of gate.rules) out.say(`  Because of: ${rule} (${why})`);
  out.say(`  May decide: ${mayDecide(gate)}`);
  if (gate.number > 1) out.say(`  Round: ${gate.number}: ${gate.reopened ?? 'opened again'}`);
  out.say(`  Missing: ${missingInWords(gate)}; closes ${gate.deadline}`);
}

function factsInWords({ declared, environment, dataClass, owner, target }: ExceptionFacts): string {
  return `${declared.kind} in ${environment}, ${dataClass} data, of ${owner}, at ${target}`;
}

function openGate(state: ExceptionState): { readonly terms: ExceptionTerms; readonly gate: GateState } {
  const { id, phase, terms, gate } = state;
  if (terms && phase === 'gate' && gate?.outcome === 'open') return { terms, gate };
  throw new CliError('NotFound', `there is nothing to decide on ${id}: it is ${phase}`, ['tenure except list']);
}

/** The workflow that answers may be anybody's: nobody signs a digest of something else than what they are shown. */
export function demandSame(
  { id, checks, examined }: Pick<ExceptionState, 'id' | 'checks' | 'examined'>,
  terms: ExceptionTerms,
  gate: GateState,
): void {
  const isWhole = terms.id === id && digestWithoutSignature(terms) === gate.planDigest;
  if (isWhole && evidenceOf(checks, examined?.facts) === gate.evidenceDigest && terms.by === gate.requester) return;
  throw new TenureError(
    'ApprovalRefused',
    `what ${id} shows is not what it asks a signature for; nothing was signed. Tell those who run Temporal`,
  );
}
