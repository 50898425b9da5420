/** The policies that hold now. */
import type { TenureConfig } from '../config/types.js';
import type { Decision } from '../domain/decision.js';
import { cedarVersion } from './cedar.js';
import { decide } from './decide.js';
import { digestOf } from './digest.js';
import { exceptionsHeard } from './expressions.js';
import { isGate } from './obligations.js';
import { broken, digestOfTexts, parsePack, readPackTexts, shippedPolicies, type Pack, type Rule } from './pack.js';
import type { PolicyQuestion } from './question.js';

export type { PolicyQuestion } from './question.js';

/** Decides on plans. Pure: the same question and the same policy always give the same decision. */
export interface Policy {
  /** `sha256:<hex>` of everything that the decisions depend on besides the question. */
  readonly digest: string;
  decide(question: PolicyQuestion): Decision;
}

export type PolicySettings = Pick<TenureConfig['policy'], 'path' | 'productionEnvironments'>;

/** Gives the policies as they are at the moment of asking. */
export interface PolicySource {
  /** Throws a retryable `StoreUnavailable`, with file and line, where they cannot be read: nothing is allowed meanwhile. */
  current(): Promise<Policy>;
}

/** Reads the folder at every call, and parses it when something in it has changed: policies change without a new worker. */
export function policySource(settings: PolicySettings): PolicySource {
  let last: { readonly digest: string; readonly policy: Policy } | undefined;
  return {
    async current() {
      const texts = await readPackTexts(settings.path ?? shippedPolicies);
      const digest = digestOfTexts(texts);
      if (last?.digest !== digest) last = { digest, policy: policyOf(parsePack(texts), settings) };
      return last.policy;
    },
  };
}

/** The policy that a pack is. Throws where the pack has problems. */
export function policyOf(
  pack: Pack,
  { productionEnvironments }: Pick<PolicySettings, 'productionEnvironments'>,
): Policy {
  if (pack.problems.length > 0) throw broken(pack.problems);
  const settings = { productionEnvironments: productionEnvironments.toSorted() };
  const digest = digestOf({ policy: 'cedar', cedar: cedarVersion, pack: pack.digest, settings });
  const { rules, schema } = pack;
  const engine = {
    rules: new Map(rules.map((rule) => [rule.id, rule])),
    set: {
      digest,
      schema,
      policies: Object.fromEntries(rules.map(({ id, text }) => [id, text])),
      gates: new Set(rules.filter(isGate).map(({ id }) => id)),
    },
    settings: { ...settings, liftable: new Set(rules.filter(isLiftable).map(({ id }) => id)) },
  };
  return { digest, decide: (question) => decide(engine, question) };
}

/** It says itself that an exception lifts it. */
function isLiftable(rule: Rule): boolean {
  return exceptionsHeard(rule).includes(rule.id);
}
