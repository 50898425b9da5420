import type { Command } from 'commander';
import type { ProcessPlan } from '../../domain/plan.js';
import type { GateState, ProcessState, Vote } from '../../domain/process.js';
import { parseProcessId, processMessages } from '../../domain/wire.js';
import { followOperation, following, type FollowOptions } from '../change.js';
import { confirm } from '../confirm.js';
import { CliError, noWorker } from '../errors.js';
import { operationOf, processOf } from '../identities.js';
import { exitCodes } from '../io.js';
import { personOf } from '../person.js';
import { verb, type Runtime, type Session } from '../session.js';
import { relative } from '../words.js';
import { planInWords } from '../../domain/plan-words.js';

interface DecideOptions extends FollowOptions {
  readonly as?: string;
  readonly reason?: string;
  readonly digest?: string;
  readonly yes?: boolean;
}

export function addApprove(program: Command, runtime: Runtime): void {
  addDecision(program, runtime, 'approve', 'approve the plan of a process that waits at its gate');
}

export function addDeny(program: Command, runtime: Runtime): void {
  addDecision(program, runtime, 'deny', 'deny the plan of a process that waits at its gate; nothing is touched then');
}

function addDecision(program: Command, runtime: Runtime, decision: Vote['decision'], description: string): void {
  const command = program
    .command(`${decision} <name>`)
    .description(description)
    .option('--as <person>', "who decides (default: git's user.email, or the system's user)")
    .option('--reason <text>', 'why; kept in the record')
    .option('--digest <digest>', 'decide only on the plan of this digest, as shown by an earlier look')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `\n<name> is an identity, or a process such as nhi/payments-db/rotate/3.\n\nExamples:\n  tenure ${decision} payments-db\n` +
        `  tenure ${decision} payments-db --as grace@example.com --digest sha256:… --yes`,
    );
  verb<DecideOptions>(runtime, following(command), (session, options, [typed]) =>
    decide(session, typed!, decision, options),
  );
}

async function decide(
  session: Session,
  typed: string,
  decision: Vote['decision'],
  options: DecideOptions,
): Promise<number> {
  const client = await session.services.client();
  const operation = await operationOf(client, typed);
  const state = await processOf(client, operation);
  if (!state) throw noWorker(`${operation} did not answer`);
  const { plan, gate } = openGate(state);
  if (options.digest !== undefined && options.digest !== gate.planDigest) {
    throw new CliError('Conflict', `the plan of ${operation} is ${gate.planDigest}, not ${options.digest}`, [
      `tenure ${decision} ${state.identity}`,
    ]);
  }
  show(session, plan, gate);
  if (!(await confirm(session, `${decision === 'approve' ? 'Approve' : 'Deny'} this plan?`, options.yes))) {
    session.out.note('nothing was decided');
    return exitCodes.failure;
  }
  const vote: Vote = {
    approver: personOf(session.io, options.as),
    decision,
    planDigest: gate.planDigest,
    ...(options.reason !== undefined && { reason: options.reason }),
    at: new Date().toISOString(),
  };
  await client.workflow.getHandle(operation).signal(processMessages.decide, vote);
  session.out.say(`${vote.approver} ${decision === 'approve' ? 'approved' : 'denied'} ${gate.planDigest}`);
  if (decision === 'approve') return followOperation(session, parseProcessId(operation)!.name, operation, options);
  session.out.answer({ identity: state.identity, operation, vote });
  return exitCodes.success;
}

function openGate(state: ProcessState): { readonly plan: ProcessPlan; readonly gate: GateState } {
  const { plan, gate, identity, operation } = state;
  if (plan && gate?.outcome === 'open') return { plan, gate };
  const why = gate ? `its gate is ${gate.outcome}` : 'it waits at no gate';
  throw new CliError('NotFound', `there is nothing to decide on ${operation}: ${why}`, [`tenure show ${identity}`]);
}

function show(session: Session, plan: ProcessPlan, gate: GateState): void {
  const { out } = session;
  for (const line of planInWords(plan)) out.say(line);
  out.say(`plan digest: ${out.paint.bold(gate.planDigest)}`);
  const approved = gate.votes.filter(({ decision }) => decision === 'approve').map(({ approver }) => approver);
  out.say(
    `needs ${gate.needed}, approved by ${approved.join(', ') || 'nobody yet'}; closes ${relative(gate.deadline, Date.now())}`,
  );
}
