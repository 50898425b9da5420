/** `tenure policy explain`: what a change would take, for an identity or for what a manifest declares. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Control } from '../domain/exception.js';
import type { IdentitySpec, IdentityState } from '../domain/identity.js';
import type { ProcessKind } from '../domain/process.js';
import { formatDuration, parseDuration } from '../manifest/duration.js';
import { explain, type ExplainedGate, type Explanation } from '../policy/explain.js';
import { imagine, imagineException, type Foresight, type Imagined } from '../policy/foresee.js';
import type { PolicyQuestion } from '../policy/policy.js';
import { asks } from '../policy/table-schema.js';
import { controlOption } from './controls.js';
import { usage } from './errors.js';
import { nameOf } from './identities.js';
import { declaredIn, foresightOf } from './manifests.js';
import type { Output } from './output.js';
import { verb, type CommonOptions, type Runtime, type Session } from './session.js';
import { standingOf, standingsOf } from './standing.js';
import { count } from './words.js';

interface ExplainOptions extends CommonOptions {
  readonly action: string;
  readonly as?: string;
  readonly for: string;
  readonly incident?: string;
  readonly rule?: readonly string[];
  readonly control?: readonly Control[];
}

type Subject = { readonly spec: IdentitySpec; readonly state?: IdentityState | undefined };

export function addPolicyExplain(policy: Command, runtime: Runtime): void {
  const command = policy
    .command('explain <identity-or-manifest>')
    .description('say what a change would take: which policies decide, who could approve, what is missing')
    .requiredOption('--action <action>', `what would be asked for: ${asks.join(', ')}`, 'rotate')
    .option('--as <person>', "who would ask (default: git's user.email, or the system's user)")
    .option('--for <duration>', 'with elevate and except: for how long', '1h')
    .option('--incident <id>', 'with elevate: for which incident')
    .option('--rule <id...>', 'with except: what need not be met')
    .option(
      '--control <check>',
      'with except: what holds instead; may be given again (default: kind=validate)',
      controlOption,
    )
    .addHelpText(
      'after',
      '\nAsks for nothing and touches nothing. What only a worker knows (exceptions, drift, recorded use) is not looked at.\n\nExamples:\n  tenure policy explain payments-db --action offboard\n  tenure policy explain manifests/payments.yaml --action provision --as ada@example.com\n  tenure policy explain payments-db --action except --rule nothing-lives-for-ever --for 14d',
    );
  verb<ExplainOptions>(runtime, command, async (session, options, [given]) => {
    const ask = askedWith(options);
    const subjects = await subjectsOf(session, given!);
    const foresight = await foresightOf(session, options.as);
    const explanations = subjects.map((subject) => explain(foresight.policy, ask(foresight, subject)));
    session.out.answer({ action: options.action, explanations });
    for (const explanation of explanations) tell(session.out, options.action, explanation);
  });
}

type Asking = (foresight: Foresight, subject: Subject) => PolicyQuestion;

function askedWith(options: ExplainOptions): Asking {
  if (options.action === 'except') return exceptedWith(options);
  const asked = changeWith(options);
  return (foresight, subject) => imagine(foresight, { ...asked, ...subject });
}

function exceptedWith({
  rule: rules = [],
  control: controls = [{ kind: 'validate' }],
  ...lasting
}: ExplainOptions): Asking {
  if (rules.length === 0) throw usage('--rule: name what need not be met', 'tenure policy explain --help');
  const forMs = lastingOf(lasting);
  return (foresight, { spec }) => {
    const until = new Date(foresight.now.getTime() + forMs).toISOString();
    const asked = {
      id: 'not asked yet',
      reason: 'not asked yet',
      until,
      afterwards: 'rotate',
      by: foresight.requester,
    } as const;
    const terms = { v: 1, ...asked, identity: spec.name, rules, controls } as const;
    return imagineException(foresight, spec, terms, { commands: {} });
  };
}

function changeWith({ action, incident = '', ...lasting }: ExplainOptions): Omit<Imagined, 'spec' | 'state'> {
  if (!(asks as readonly string[]).includes(action))
    throw usage(`there is no action ${action}: one of ${asks.join(', ')}`, 'tenure policy explain --help');
  if (action === 'emergency-revoke') return { kind: 'revoke', emergency: true };
  if (action === 'repair') return { kind: 'validate', repair: true };
  if (action !== 'elevate') return { kind: action as ProcessKind };
  return { kind: 'elevate', elevation: { scope: {}, forMs: lastingOf(lasting), incident } };
}

function lastingOf({ for: lasting }: Pick<ExplainOptions, 'for'>): number {
  const forMs = parseDuration(lasting);
  if (forMs === undefined) throw usage(`--for: expected a duration such as 1h or 30m, found ${lasting}`);
  return forMs;
}

async function subjectsOf(session: Session, given: string): Promise<readonly Subject[]> {
  const { services, io } = session;
  if (/\.ya?ml$|[/\\]/.test(given)) {
    const declared = await declaredIn(session, [resolve(io.cwd, given)]);
    const states = await statesOf(session, declared);
    return declared.map((spec) => ({ spec, state: states.get(spec.name) }));
  }
  const { state } = await standingOf(await services.client(), await services.namespace(), nameOf(given));
  if (!state.spec) throw usage(`${given} was never provisioned: explain its manifest instead`);
  return [{ spec: state.spec, state }];
}

/** A manifest can be looked at without a server: everything in it is new then. */
async function statesOf(
  { services, out }: Session,
  declared: readonly IdentitySpec[],
): Promise<ReadonlyMap<string, IdentityState>> {
  const names = declared.map(({ name }) => name);
  try {
    return (await standingsOf(await services.client(), await services.namespace(), names)).states;
  } catch {
    out.note('Temporal cannot be reached: this is explained as if nothing of it were there yet');
    return new Map();
  }
}

function tell(out: Output, action: string, explanation: Explanation): void {
  const { identity, requester, outcome, reasons, message, approvals, gates, review } = explanation;
  const { bold, green, yellow, red } = out.paint;
  const colours = { allowed: green, 'needs people': yellow, denied: red };
  out.say(`${bold(identity)}  ${action}, asked by ${requester}: ${colours[outcome](outcome)}`);
  if (message !== undefined) out.say(`  ${message}`);
  out.say(`  decided by: ${reasons.join(', ')}`);
  if (approvals > 0) out.say(`  takes ${count(approvals, 'person', 'people')} besides ${requester}`);
  for (const gate of gates) for (const line of gateWords(gate)) out.say(`  ${line}`);
  if (review)
    out.say(
      `  afterwards ${count(review.people, 'other person looks', 'other people look')} at it within ${formatDuration(review.withinMs)}`,
    );
}

function gateWords({ id, why, controls, approvals, stepUp, people, of, hopeless }: ExplainedGate): string[] {
  const with_ = stepUp ? ' with a security key' : '';
  return [
    `${id}: ${why}${controls.length === 0 ? '' : ` [${controls.join(', ')}]`}`,
    `  ${count(approvals, 'approval')}${with_}; could come from ${people.join(', ') || 'nobody'}`,
    ...of.map(
      ({ group, people: some }) => `  one from ${group.replaceAll('|', ' or ')}: ${some.join(', ') || 'nobody'}`,
    ),
    ...(hopeless ? ['  nobody can give this now: add people to these groups in the directory'] : []),
  ];
}
