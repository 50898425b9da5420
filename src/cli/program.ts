/** The command line as a function: arguments and surroundings in, exit code out. */
import { Command, CommanderError } from 'commander';
import { complaintOf } from './errors.js';
import { exitCodes, type Io } from './io.js';
import { Output } from './output.js';
import type { Runtime } from './session.js';
import { addAck } from './verbs/ack.js';
import { addApply } from './verbs/apply.js';
import { addApprove, addDeny } from './verbs/approve.js';
import { addCompletion } from './verbs/completion.js';
import { addDev } from './verbs/dev.js';
import { addDoctor } from './verbs/doctor.js';
import { addExec } from './verbs/exec.js';
import { addHistory } from './verbs/history.js';
import { addList } from './verbs/list.js';
import { addOffboard } from './verbs/offboard.js';
import { addPlan } from './verbs/plan.js';
import { addAbandon, addResume } from './verbs/resume.js';
import { addRevoke } from './verbs/revoke.js';
import { addRotate } from './verbs/rotate.js';
import { addSchedule } from './verbs/schedule.js';
import { addSecret } from './verbs/secret.js';
import { addShow } from './verbs/show.js';
import { addValidate } from './verbs/validate.js';
import { addWorker } from './verbs/worker.js';

/** Runs `tenure` with these arguments (without the program's own name). Never throws. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const runtime: Runtime = { io, exitCode: exitCodes.success, session: undefined };
  const program = createProgram(runtime);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return runtime.exitCode;
  } catch (error) {
    return failed(error, runtime, argv);
  } finally {
    await runtime.session?.services.close().catch(() => undefined);
  }
}

function failed(error: unknown, runtime: Runtime, argv: readonly string[]): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.success : exitCodes.usage;
  const complaint = complaintOf(error);
  const out = runtime.session?.out ?? new Output(runtime.io, argv.includes('--json'));
  out.complain(complaint);
  return complaint.exitCode;
}

/** The program with all verbs. */
export function createProgram(runtime: Runtime): Command {
  const program = new Command('tenure')
    .description('Runs the life of non-human identities: provision, rotate, validate, revoke, offboard, with proof.')
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(tenure --help lists the commands)')
    .configureOutput({
      writeOut: (text) => void runtime.io.stdout.write(text),
      writeErr: (text) => void runtime.io.stderr.write(text),
    })
    .helpCommand(false)
    .addHelpText('after', firstSteps);
  addVerbs(program, runtime);
  for (const command of every(program)) command.exitOverride().copyInheritedSettings(program);
  return program;
}

const firstSteps = `
First steps:
  tenure dev                         a Temporal server, a UI and a worker on this machine
  tenure plan manifests/             what would change; touches nothing
  tenure apply manifests/            do it
  tenure revoke payments-db --now    emergency

Exit codes: 0 done, 1 failed, 2 used wrongly. Every verb takes --json and --help.`;

function addVerbs(program: Command, runtime: Runtime): void {
  program.commandsGroup('Start:');
  for (const add of [addDev, addWorker, addDoctor]) add(program, runtime);
  program.commandsGroup('Declare:');
  for (const add of [addPlan, addApply]) add(program, runtime);
  program.commandsGroup('Look:');
  for (const add of [addList, addShow, addHistory]) add(program, runtime);
  program.commandsGroup('Change:');
  for (const add of [addRotate, addValidate, addRevoke, addOffboard, addSchedule]) add(program, runtime);
  program.commandsGroup('Decide:');
  for (const add of [addApprove, addDeny, addAck, addResume, addAbandon]) add(program, runtime);
  program.commandsGroup('Use:');
  for (const add of [addSecret, addExec, addCompletion]) add(program, runtime);
}

function every(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...every(child)]);
}
