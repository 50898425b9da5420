/** What policy is asked, and on what approvals of it are given. */
import type { Attested, Directory } from '../domain/directory.js';
import type { ExceptionPlan } from '../domain/exception.js';
import type { Facts } from '../domain/facts.js';
import type { ProcessPlan, Until } from '../domain/plan.js';
import type { Vote } from '../domain/process.js';
import { digestOf } from './digest.js';

/** An approval given in advance for this very task, verified. */
export interface AdvanceApproval {
  readonly approver: string;
  readonly groups: readonly string[];
}

/** Everything that a decision is made from. */
export interface PolicyQuestion {
  readonly plan: ProcessPlan | ExceptionPlan;
  /** What was declared before, where the plan that people sign does not say so. */
  readonly before?: Until | undefined;
  /** Verified. */
  readonly requester: Attested;
  readonly facts: Facts;
  /** Verified ones only. */
  readonly votes: readonly Vote[];
  readonly advance: readonly AdvanceApproval[];
  readonly directory: Directory;
  readonly frozen: boolean;
  readonly now: Date;
  /** How long a gate stays open, milliseconds. */
  readonly gateMs: number;
}

/** The part of the operator's settings that a question depends on. */
export interface QuestionSettings {
  readonly productionEnvironments: readonly string[];
  /** Ids of the policies that say themselves that an exception lifts them. */
  readonly liftable: ReadonlySet<string>;
}

/** What people sign: a plan as a whole, of an exception its terms. */
export function planDigestOf(plan: PolicyQuestion['plan']): string {
  if (plan.kind !== 'except') return digestOf(plan);
  const { signed: _, ...terms } = plan.terms;
  return digestOf(terms);
}
