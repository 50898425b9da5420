/** What an exception is judged by, collected anew each time: who asks, what the identity is, what policy says, what the controls say. */
import type { Decision } from '../../src/domain/decision.js';
import type { Attested } from '../../src/domain/directory.js';
import { TenureError } from '../../src/domain/errors.js';
import {
  exceptionId,
  type ControlResult,
  type Examined,
  type ExceptionFacts,
  type ExceptionTerms,
} from '../../src/domain/exception.js';
import type { IdentitySpec } from '../../src/domain/identity.js';
import type { Vote } from '../../src/domain/process.js';
import { checkControls } from '../../src/exceptions/controls.js';
import { evidenceOf } from '../../src/exceptions/evidence.js';
import { isLive } from '../../src/exceptions/live.js';
import { exceptionFactsOf, exceptionQuestion } from '../../src/exceptions/question.js';
import { demandPossible } from '../../src/exceptions/terms.js';
import type { Policy, PolicyQuestion } from '../../src/policy/policy.js';
import { mayChange } from '../../src/schedule/due.js';
import { refused } from '../../src/trust/refusal.js';
import { isOnRecord } from '../../src/trust/specs.js';
import type { ExceptionDependencies } from './dependencies.js';
import { sessionsOf, validated } from './identity.js';
import { requesterOf } from './proof.js';

/** Everything that an exception is judged by. */
export interface Grounds {
  readonly requester: Attested;
  readonly facts: ExceptionFacts;
  readonly policy: Policy;
  readonly question: PolicyQuestion;
  /** With nobody's approval. */
  readonly decision: Decision;
  readonly checks: readonly ControlResult[];
}

/** Collects it. Throws where nobody should be asked to approve: `InvalidRequest`, `ApprovalRefused`, `PolicyDenied`. */
export async function groundsOf(deps: ExceptionDependencies, terms: ExceptionTerms, taken: boolean): Promise<Grounds> {
  const { settings, loadDirectory, loadPolicy } = deps;
  const now = (deps.now ?? (() => new Date()))();
  const directory = await loadDirectory();
  const requester = await requesterOf(terms, directory, now, taken);
  demandPossible(terms, settings, now);
  const spec = await declared(deps, terms.identity);
  const facts = exceptionFactsOf(spec, terms, settings);
  const { clear } = mayChange({
    freezes: [...(await deps.loadFreezes()), ...spec.rotation.freeze],
    emergency: false,
    now,
  });
  const lifted = await liftedFor(deps, terms, now);
  const asking = { requester, directory, lifted, frozen: !clear, now, gateMs: settings.gate };
  const question = exceptionQuestion(terms, facts, asking);
  const policy = await loadPolicy();
  // Before anything is run for it.
  const decision = demandAllowed(policy.decide(question));
  const checks = await checked(deps, terms);
  return { requester, facts, policy, question, decision, checks };
}

/** What the identity is: what decides who has to approve is proven like everything else. */
async function declared({ others, onRecord }: ExceptionDependencies, identity: string): Promise<IdentitySpec> {
  const { spec } = await others.state(identity);
  if (!spec) throw new TenureError('InvalidRequest', `${identity} is not declared; see: tenure list`);
  if (isOnRecord(spec, await onRecord(identity))) return spec;
  throw refused('other-content', `${identity} says it is something else than it was declared as; nobody is asked`);
}

/** Rules that other exceptions lift for the identity now. */
async function liftedFor(
  { published }: Pick<ExceptionDependencies, 'published'>,
  { id, identity }: ExceptionTerms,
  now: Date,
): Promise<string[]> {
  const holding = (await published.all()).filter((record) => record.terms.identity === identity && isLive(record, now));
  return [...new Set(holding.filter(({ terms }) => terms.id !== id).flatMap(({ terms }) => terms.rules))];
}

/** What policy says where enough people have signed. Throws `PolicyDenied` where that does not open its gates. */
export function decisionWith({ policy, question }: Grounds, votes: readonly Vote[]): Decision {
  const decision = demandAllowed(policy.decide({ ...question, votes }));
  if (decision.obligations.approvals === 0) return decision;
  throw new TenureError(
    'PolicyDenied',
    `${decision.reasons.join(', ')} stays shut with what its @require asks for; check the policies: tenure policy check`,
  );
}

function demandAllowed(decision: Decision): Decision {
  if (decision.effect === 'allow') return decision;
  throw new TenureError(decision.code ?? 'PolicyDenied', decision.message ?? 'no policy allows it');
}

/** What approvals are bound to, and what they need. */
export function examinedIn({ requester, facts, decision, checks, question }: Grounds): Examined {
  const { approvals, groups = [], stepUp = false } = decision.obligations;
  const { owner, environment } = facts;
  const { planDigest, policyDigest } = decision;
  const evidenceDigest = evidenceOf(checks, facts);
  const bound = { planDigest, policyDigest, evidenceDigest };
  const { gateMs } = question;
  return { requester, owner, environment, facts, decision, ...bound, approvals, groups, stepUp, gateMs, checks };
}

/** Runs the controls. */
export function checked(deps: ExceptionDependencies, terms: ExceptionTerms): Promise<ControlResult[]> {
  const { settings, now = () => new Date() } = deps;
  const id = `${exceptionId(terms.id)}/check/${now().toISOString()}`;
  return checkControls(terms, {
    settings,
    validate: (identity) => validated(deps, identity, id),
    sessions: (identity) => sessionsOf(deps, identity),
    now,
  });
}
