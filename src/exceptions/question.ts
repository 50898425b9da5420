/** What policy is asked about an exception. */
import { type Attested, type Directory } from '../domain/directory.js';
import type { ExceptionFacts, ExceptionPlan, ExceptionTerms } from '../domain/exception.js';
import { noFacts } from '../domain/facts.js';
import type { IdentitySpec } from '../domain/identity.js';
import { clockSkewMs } from '../domain/statement.js';
import { declaredIn } from '../domain/plan.js';
import { digestOf } from '../policy/digest.js';
import type { PolicyQuestion } from '../policy/question.js';
import { issuedAt } from '../trust/issued-at.js';
import type { ExceptionSettings } from './options.js';

/** What the identity is, and which programs the terms would have run. */
export function exceptionFactsOf(
  spec: IdentitySpec,
  { controls }: Pick<ExceptionTerms, 'controls'>,
  { commands }: Pick<ExceptionSettings, 'commands'>,
): ExceptionFacts {
  const { owner, environment, dataClass, rotation, target } = spec;
  const named = controls.flatMap((control) => (control.kind === 'command' ? [control.name] : []));
  const programs = Object.fromEntries(named.map((name) => [name, commands[name] ?? []]));
  return {
    environment,
    dataClass,
    owner: owner.person,
    declared: declaredIn(spec),
    strategy: rotation.strategy,
    target: target.name,
    programs: digestOf(programs),
  };
}

/** Everything else that the answer depends on. */
export interface Asking extends Pick<PolicyQuestion, 'directory' | 'frozen' | 'now' | 'gateMs'> {
  readonly requester: Attested;
  readonly directory: Directory;
  /** Rules that other exceptions lift for the identity now. */
  readonly lifted: readonly string[];
}

/** The question, with nobody's approval. */
export function exceptionQuestion(
  terms: ExceptionTerms,
  facts: ExceptionFacts,
  { lifted, ...asking }: Asking,
): PolicyQuestion {
  const { identity } = terms;
  const plan: ExceptionPlan = { kind: 'except', identity, terms, lastsMs: lastsMs(terms, asking.now), ...facts };
  return { ...asking, plan, facts: { ...noFacts, exceptions: lifted.toSorted() }, votes: [], advance: [] };
}

/** From when it was asked for, so that it does not become shorter while it waits. What is asked for in advance lasts from now. */
function lastsMs({ until, signed }: ExceptionTerms, now: Date): number {
  const asked = issuedAt(signed).getTime();
  const from = asked <= now.getTime() + clockSkewMs ? asked : now.getTime();
  return Date.parse(until) - from;
}
