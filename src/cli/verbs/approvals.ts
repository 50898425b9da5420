import type { Command } from 'commander';
import { exceptionId, type ExceptionState } from '../../domain/exception.js';
import { gateLines } from '../../domain/gate-lines.js';
import { asDecided } from '../../domain/plan.js';
import type { ProcessState } from '../../domain/process.js';
import type { Directory } from '../../domain/directory.js';
import { directorySource } from '../../trust/directory-file.js';
import { whoMayDecide } from '../../trust/ballots.js';
import { listExceptions } from '../exceptions.js';
import { processOf } from '../identities.js';
import { personOf } from '../person.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { listGates } from '../visible.js';
import { tellException } from './except-decide.js';

interface ApprovalsOptions extends CommonOptions {
  readonly mine?: boolean;
  readonly as?: string;
}

/** A gate that is open, and who may decide on it. */
interface Open {
  readonly mayDecide: readonly string[];
  readonly document: object;
  /** Says what it is about, up to who may decide. */
  tell(session: Session): void;
  readonly next: string;
}

export function addApprovals(program: Command, runtime: Runtime): void {
  const command = program
    .command('approvals')
    .description('list what waits for an approval, exceptions too: who may decide, who has, what is missing')
    .option('--mine', 'only what you may decide on')
    .option('--as <person>', "who asks (default: git's user.email, or the system's user)")
    .addHelpText('after', '\nExamples:\n  tenure approvals\n  tenure approvals --mine --json');
  verb<ApprovalsOptions>(runtime, command, async (session, options) => {
    const me = personOf(session.io, options.as);
    const directory = await directorySource(await session.services.config()).current();
    const all = [...(await openGates(session, directory)), ...(await openExceptions(session, directory))];
    const shown = options.mine ? all.filter(({ mayDecide }) => mayDecide.includes(me)) : all;
    session.out.answer({ approvals: shown.map(({ document, mayDecide }) => ({ ...document, mayDecide })) });
    if (shown.length === 0)
      return session.out.say(options.mine ? `nothing waits for ${me}` : 'nothing waits for an approval');
    for (const open of shown) tell(session, open);
  });
}

async function openGates({ services }: Session, directory: Directory): Promise<Open[]> {
  const client = await services.client();
  const states = await Promise.all((await listGates(client)).map(({ operation }) => processOf(client, operation)));
  return states.flatMap((state) => (state ? openGate(state, directory) : []));
}

function openGate({ operation, identity, plan, gate, decision }: ProcessState, directory: Directory): Open[] {
  if (!plan || gate?.outcome !== 'open') return [];
  const decided = asDecided(plan, decision);
  return [
    {
      mayDecide: whoMayDecide(directory, gate, decided, new Date()),
      document: { operation, identity, plan, gate, facts: decision?.facts ?? null },
      tell: ({ out }) => {
        out.say(out.paint.bold(operation));
        for (const { label, text } of gateLines(decided, gate, decision?.facts)) out.say(`  ${label}: ${text}`);
      },
      next: `tenure approve ${identity}   or   tenure deny ${identity} --reason …`,
    },
  ];
}

async function openExceptions({ services, out }: Session, directory: Directory): Promise<Open[]> {
  const { exceptions, silent } = await listExceptions(await services.client(), { gated: true });
  if (silent > 0) out.note(`${silent} exception(s) did not answer, and are not in this list`);
  return exceptions.flatMap((state) => openException(state, directory));
}

function openException(state: ExceptionState, directory: Directory): Open[] {
  const { id, identity, phase, terms, gate, checks, examined } = state;
  if (!terms || !examined || phase !== 'gate' || gate?.outcome !== 'open') return [];
  const { facts = null, owner } = examined;
  return [
    {
      mayDecide: whoMayDecide(directory, gate, facts ?? { owner }, new Date()),
      document: { operation: exceptionId(id), identity, exception: id, terms, checks, gate, facts },
      tell: (session) => tellException(session, state),
      next: `tenure except approve ${id}   or   tenure except deny ${id} --reason …`,
    },
  ];
}

function tell(session: Session, { mayDecide, tell: tellOf, next }: Open): void {
  tellOf(session);
  const { out } = session;
  out.say(`  In the directory now: ${mayDecide.join(', ') || 'nobody who may decide; add somebody to tenure.yaml'}`);
  out.say(`  next: ${next}`);
}
