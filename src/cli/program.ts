/** The command line as a function: arguments and surroundings in, exit code out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { packageRoot } from '../package-root.js';
import { complaintOf } from './errors.js';
import { exitCodes, type Io } from './io.js';
import { demandKnown, endingOf, wantsJson, withoutHelpWord } from './misuse.js';
import { Output } from './output.js';
import type { Runtime } from './session.js';

/** Runs `tenure` with these arguments (without the program's own name). Never throws. */
export async function run(typed: readonly string[], io: Io): Promise<number> {
  const argv = withoutHelpWord(typed);
  const runtime: Runtime = { io, typed, exitCode: exitCodes.success, session: undefined };
  try {
    const program = await createProgram(runtime, argv[0]);
    demandKnown(program, argv);
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
  const out = runtime.session?.out ?? new Output(runtime.io, wantsJson(argv));
  out.complain(complaint);
  return complaint.exitCode;
}

/** The program with all verbs, or, where `only` is the name of one, with that one alone: a verb loads what it needs. */
export async function createProgram(runtime: Runtime, only?: string): Promise<Command> {
  const program = new Command('tenure')
    .description('Runs the life of non-human identities: provision, rotate, validate, revoke, offboard, with proof.')
    .version(version(), '-V, --version', 'print the version')
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => void runtime.io.stdout.write(text),
      writeErr: (text) => void runtime.io.stderr.write(text),
      // Told by `run`, as data too.
      outputError: () => undefined,
    })
    .helpCommand(false)
    .addHelpText('after', firstSteps);
  await addVerbs(program, runtime, only);
  for (const command of every(program)) command.copyInheritedSettings(program);
  for (const command of [program, ...every(program)])
    command.exitOverride((error) => {
      throw endingOf(command, error);
    });
  return program;
}

function version(): string {
  const { version: found } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version?: string;
  };
  return found ?? 'unknown';
}

const firstSteps = `
First steps:
  tenure dev                         a Temporal server, a UI and a worker on this machine
  tenure plan manifests/             what would change; touches nothing
  tenure apply manifests/            do it
  tenure revoke payments-db --now    emergency

Exit codes: 0 done, 1 failed, 2 used wrongly. Every verb takes --json and --help.`;

type Add = (program: Command, runtime: Runtime) => void;

const verbs: Readonly<Record<string, Readonly<Record<string, () => Promise<Add>>>>> = {
  'Start:': {
    dev: async () => (await import('./verbs/dev.js')).addDev,
    worker: async () => (await import('./verbs/worker.js')).addWorker,
    doctor: async () => (await import('./verbs/doctor.js')).addDoctor,
    key: async () => (await import('./verbs/key.js')).addKey,
    'codec-server': async () => (await import('./verbs/codec-server.js')).addCodecServer,
  },
  'Declare:': {
    plan: async () => (await import('./verbs/plan.js')).addPlan,
    apply: async () => (await import('./verbs/apply.js')).addApply,
    policy: async () => (await import('./verbs/policy.js')).addPolicy,
  },
  'Look:': {
    list: async () => (await import('./verbs/list.js')).addList,
    show: async () => (await import('./verbs/show.js')).addShow,
    history: async () => (await import('./verbs/history.js')).addHistory,
    explain: async () => (await import('./verbs/explain.js')).addExplain,
    attribute: async () => (await import('./verbs/attribute.js')).addAttribute,
    review: async () => (await import('./verbs/review.js')).addReview,
  },
  'Change:': {
    rotate: async () => (await import('./verbs/rotate.js')).addRotate,
    validate: async () => (await import('./verbs/validate.js')).addValidate,
    revoke: async () => (await import('./verbs/revoke.js')).addRevoke,
    offboard: async () => (await import('./verbs/offboard.js')).addOffboard,
    elevate: async () => (await import('./verbs/elevate.js')).addElevate,
    'give-back': async () => (await import('./verbs/elevate.js')).addGiveBack,
    owners: async () => (await import('./verbs/owners.js')).addOwners,
    schedule: async () => (await import('./verbs/schedule.js')).addSchedule,
  },
  'Decide:': {
    approve: async () => (await import('./verbs/approve.js')).addApprove,
    deny: async () => (await import('./verbs/approve.js')).addDeny,
    withdraw: async () => (await import('./verbs/approve.js')).addWithdraw,
    approvals: async () => (await import('./verbs/approvals.js')).addApprovals,
    delegate: async () => (await import('./verbs/delegate.js')).addDelegate,
    'pre-approve': async () => (await import('./verbs/delegate.js')).addPreApprove,
    except: async () => (await import('./verbs/except.js')).addExcept,
    reviews: async () => (await import('./verbs/reviews.js')).addReviews,
    reviewed: async () => (await import('./verbs/reviews.js')).addReviewed,
    ack: async () => (await import('./verbs/ack.js')).addAck,
    resume: async () => (await import('./verbs/resume.js')).addResume,
    abandon: async () => (await import('./verbs/resume.js')).addAbandon,
    cancel: async () => (await import('./verbs/cancel.js')).addCancel,
  },
  'Prove:': {
    evidence: async () => (await import('./verbs/evidence.js')).addEvidence,
    attest: async () => (await import('./verbs/attest.js')).addAttest,
    drill: async () => (await import('./verbs/drill.js')).addDrill,
  },
  'Use:': {
    secret: async () => (await import('./verbs/secret.js')).addSecret,
    exec: async () => (await import('./verbs/exec.js')).addExec,
    completion: async () => (await import('./verbs/completion.js')).addCompletion,
  },
};

/** Completion is made from all verbs, so it is never alone. */
function standsAlone(name: string | undefined): name is string {
  return (
    name !== undefined && name !== 'completion' && Object.values(verbs).some((group) => Object.hasOwn(group, name))
  );
}

async function addVerbs(program: Command, runtime: Runtime, only: string | undefined): Promise<void> {
  for (const [group, members] of Object.entries(verbs)) {
    program.commandsGroup(group);
    for (const [name, load] of Object.entries(members)) {
      if (!standsAlone(only) || name === only) (await load())(program, runtime);
    }
  }
}

function every(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...every(child)]);
}
