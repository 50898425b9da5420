/** Deciding at a gate: what is shown is what is signed. The digests are computed here, from what the process shows. */
import type { Command } from 'commander';
import { TenureError } from '../../domain/errors.js';
import { gateLines } from '../../domain/gate-lines.js';
import { asDecided, type ProcessPlan } from '../../domain/plan.js';
import { isBeforeChange, type GateState, type ProcessState } from '../../domain/process.js';
import type { DecisionStatement } from '../../domain/statement.js';
import { parseProcessId, processMessages } from '../../domain/wire.js';
import { digestOf, evidenceDigestOf } from '../../policy/digest.js';
import { ballotFor } from '../../trust/ballot.js';
import { followOperation, following, type FollowOptions } from '../change.js';
import { confirm } from '../confirm.js';
import { demandCounted } from '../decided.js';
import { CliError, noWorker } from '../errors.js';
import { operationOf, processOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { untilLent } from '../lent.js';
import { verb, type Runtime, type Session } from '../session.js';
import { readSigned } from '../signed-files.js';
import { signerOf, signing, type SigningOptions } from '../signing.js';

type Decision = DecisionStatement['decision'];

interface DecideOptions extends FollowOptions, SigningOptions {
  readonly reason?: string;
  readonly digest?: string;
  readonly delegation?: string;
  readonly yes?: boolean;
}

export function addApprove(program: Command, runtime: Runtime): void {
  addDecision(program, runtime, 'approve', 'sign the plan of a process that waits at its gate');
}

export function addDeny(program: Command, runtime: Runtime): void {
  addDecision(program, runtime, 'deny', 'deny the plan of a process that waits at its gate; nothing is touched then');
}

export function addWithdraw(program: Command, runtime: Runtime): void {
  addDecision(program, runtime, 'withdraw', 'take back your approval, while nothing has changed yet');
}

function addDecision(program: Command, runtime: Runtime, decision: Decision, description: string): void {
  const command = signing(program.command(`${decision} <name>`).description(description))
    .option('--reason <text>', 'why; signed, and kept in the record')
    .option('--digest <digest>', 'decide only on the plan of this digest, as shown by an earlier look')
    .option('--delegation <file>', 'decide for an absent person, with what they signed: tenure delegate')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `\n<name> is an identity, or a process such as nhi/payments-db/rotate/3. What waits for you: tenure approvals\n\nExamples:\n` +
        `  tenure ${decision} payments-db\n  tenure ${decision} payments-db --as grace@example.com --digest sha256:… --yes`,
    );
  verb<DecideOptions>(runtime, following(command), (session, options, [typed]) =>
    decide(session, typed!, decision, options),
  );
}

async function decide(session: Session, typed: string, decision: Decision, options: DecideOptions): Promise<number> {
  const client = await session.services.client();
  const operation = await operationOf(client, typed);
  const state = await processOf(client, operation);
  if (!state) throw noWorker(`${operation} did not answer`);
  const { plan, gate } = openGate(state, decision);
  demandSame(state, plan, gate, options.digest);
  for (const { label, text } of gateLines(asDecided(plan, state.decision), gate, state.decision?.facts))
    session.out.say(`${session.out.paint.bold(`${label}:`)} ${text}`);
  if (!(await confirm(session, `${capitalised(decision)} this plan?`, options.yes))) {
    session.out.note('nothing was decided');
    return exitCodes.failure;
  }
  const signer = await signerOf(session, options);
  const delegation =
    options.delegation === undefined ? undefined : await readSigned(session, options.delegation, delegationFile);
  const ballot = await ballotFor(signer, decision, operation, gate, options.reason ?? '', delegation);
  await client.workflow.getHandle(operation).signal(processMessages.decide, ballot);
  const sent = { ballot, by: signer.name, isWithdrawal: decision === 'withdraw', before: state };
  if (options.wait) await demandCounted(sent, () => processOf(client, operation));
  session.out.say(`${signer.name} ${pastOf[decision]} ${gate.planDigest}`);
  const { name } = parseProcessId(operation)!;
  const enough = plan.elevation && untilLent(session, name, plan.elevation);
  if (decision === 'approve') return followOperation(session, name, operation, options, enough);
  session.out.answer({ identity: state.identity, operation, decision, by: signer.name, planDigest: gate.planDigest });
  return exitCodes.success;
}

const pastOf: Readonly<Record<Decision, string>> = { approve: 'approved', deny: 'denied', withdraw: 'withdrew from' };

function capitalised(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

/** What is approved and held up, by a freeze, may still be stopped. */
function openGate(state: ProcessState, decision: Decision): { readonly plan: ProcessPlan; readonly gate: GateState } {
  const { plan, gate, identity, operation } = state;
  const isHeld = gate?.outcome === 'approved' && decision !== 'approve' && !hasChangedAnything(state);
  if (plan && (gate?.outcome === 'open' || isHeld)) return { plan, gate: gate! };
  const late = gate?.outcome === 'approved' && decision !== 'approve';
  if (late)
    throw new CliError('Conflict', `${operation} is past its gate and has begun: no decision counts any more`, [
      state.kind === 'elevate' ? `tenure give-back ${identity}` : `tenure cancel ${identity} --reason …`,
    ]);
  const why = gate ? `its gate is ${gate.outcome}` : 'it waits at no gate';
  throw new CliError('NotFound', `there is nothing to decide on ${operation}: ${why}`, [`tenure show ${identity}`]);
}

function hasChangedAnything({ stages }: ProcessState): boolean {
  return stages.some(({ name, startedAt }) => !isBeforeChange(name) && startedAt !== undefined);
}

/** The workflow that answers may be anybody's: nobody signs a digest of something else than what they are shown. */
function demandSame(state: ProcessState, plan: ProcessPlan, gate: GateState, digest: string | undefined): void {
  const { operation, identity, decision } = state;
  if (digest !== undefined && digest !== gate.planDigest) {
    throw new CliError('Conflict', `the plan of ${operation} is ${gate.planDigest}, not ${digest}`, [
      `tenure approvals`,
      `tenure show ${identity}`,
    ]);
  }
  if (digestOf(plan) === gate.planDigest && evidenceDigestOf(decision ?? {}) === gate.evidenceDigest) return;
  throw new TenureError(
    'ApprovalRefused',
    `what ${operation} shows is not what it asks a signature for; nothing was signed. Tell those who run Temporal, and look: tenure history ${operation}`,
  );
}

const delegationFile = { option: '--delegation', what: 'delegation', maker: 'tenure delegate' };
