import type { Command } from 'commander';
import { gateLines } from '../../domain/gate-lines.js';
import type { ProcessState } from '../../domain/process.js';
import { directorySource } from '../../trust/directory-file.js';
import { whoMayDecide } from '../../trust/ballots.js';
import { processOf } from '../identities.js';
import { personOf } from '../person.js';
import { verb, type CommonOptions, type Runtime, type Session } from '../session.js';
import { listGates } from '../visible.js';

interface ApprovalsOptions extends CommonOptions {
  readonly mine?: boolean;
  readonly as?: string;
}

/** A gate that is open, and who may decide on it. */
interface Open {
  readonly state: ProcessState;
  readonly mayDecide: readonly string[];
}

export function addApprovals(program: Command, runtime: Runtime): void {
  const command = program
    .command('approvals')
    .description('list what waits for an approval: the plan in words, who may decide, who has, what is missing')
    .option('--mine', 'only what you may decide on')
    .option('--as <person>', "who asks (default: git's user.email, or the system's user)")
    .addHelpText('after', '\nExamples:\n  tenure approvals\n  tenure approvals --mine --json');
  verb<ApprovalsOptions>(runtime, command, async (session, options) => {
    const me = personOf(session.io, options.as);
    const all = await openGates(session);
    const shown = options.mine ? all.filter(({ mayDecide }) => mayDecide.includes(me)) : all;
    session.out.answer({ approvals: shown.map(asDocument) });
    if (shown.length === 0)
      return session.out.say(options.mine ? `nothing waits for ${me}` : 'nothing waits for an approval');
    for (const open of shown) tell(session, open);
  });
}

async function openGates({ services }: Session): Promise<Open[]> {
  const client = await services.client();
  const directory = await directorySource(await services.config()).current();
  const states = await Promise.all((await listGates(client)).map(({ operation }) => processOf(client, operation)));
  return states.flatMap((state) => {
    if (!state?.plan || state.gate?.outcome !== 'open') return [];
    return [{ state, mayDecide: whoMayDecide(directory, state.gate, state.plan, new Date()) }];
  });
}

function tell({ out }: Session, { state, mayDecide }: Open): void {
  const { operation, identity, plan, gate, decision } = state;
  out.say(out.paint.bold(operation));
  for (const { label, text } of gateLines(plan!, gate!, decision?.facts)) out.say(`  ${label}: ${text}`);
  out.say(`  In the directory now: ${mayDecide.join(', ') || 'nobody who may decide; add somebody to tenure.yaml'}`);
  out.say(`  next: tenure approve ${identity}   or   tenure deny ${identity} --reason …`);
}

function asDocument({ state, mayDecide }: Open): object {
  const { operation, identity, plan, gate, decision } = state;
  return { operation, identity, plan, gate, facts: decision?.facts ?? null, mayDecide };
}
