/** The contract of a policy, and the plain one: rules that need nothing but the plan and the operator's file. */
import type { TenureConfig } from '../config/types.js';
import type { Decision, Obligations } from '../domain/decision.js';
import type { ProcessPlan } from '../domain/plan.js';
import { digestOf } from './digest.js';

/** Decides on plans. Pure: the same plan and the same policy always give the same decision. */
export interface Policy {
  /** `sha256:<hex>` of everything that the decisions depend on besides the plan. */
  readonly digest: string;
  decide(plan: ProcessPlan, at: Date): Decision;
}

type Settings = TenureConfig['policy'];
type Denial = { readonly reason: string; readonly message: string };
type Rule = (plan: ProcessPlan) => Denial | undefined;

const noObligations: Obligations = { approvals: 0, gateMs: 0 };

/** Changes where somebody has a say: production, as the operator defines it, and every offboarding. */
export function plainPolicy(settings: Settings): Policy {
  const digest = digestOf({ policy: 'plain', version: 2, settings });
  return {
    digest,
    decide(plan, at) {
      const common = { planDigest: digestOf(plan), policyDigest: digest, at: at.toISOString() };
      const denials = denyRules.map((rule) => rule(plan)).filter((denial) => denial !== undefined);
      if (denials.length > 0) return { ...common, ...denied(denials), obligations: noObligations };
      const reasons = gateReasons(plan, settings);
      if (reasons.length === 0)
        return { ...common, effect: 'allow', reasons: [freePassReason(plan)], obligations: noObligations };
      return {
        ...common,
        effect: 'allow',
        reasons,
        obligations: { approvals: settings.approvals, gateMs: settings.gateMs },
      };
    },
  };
}

const denyRules: readonly Rule[] = [hasNoOwner, hasNoRequester, hasNothingToMake, isEmergencyOfAnotherKind];

function hasNoOwner({ identity, owner }: ProcessPlan): Denial | undefined {
  if (owner.trim() !== '') return undefined;
  return { reason: 'owner-missing', message: `${identity} has no owner: name a person in the manifest.` };
}

function hasNoRequester({ identity, requester }: ProcessPlan): Denial | undefined {
  if (requester.trim() !== '') return undefined;
  return {
    reason: 'requester-missing',
    message: `The request for ${identity} does not say who asks: send it again with a requester.`,
  };
}

function hasNothingToMake({ identity, kind, to }: ProcessPlan): Denial | undefined {
  const makes = kind === 'provision' || kind === 'rotate';
  if (!makes || (to && to.target !== '' && to.deliver.length > 0)) return undefined;
  return {
    reason: 'delivery-missing',
    message: `The plan for ${identity} names no target or no store to deliver to: complete the manifest.`,
  };
}

/** An emergency passes gates and freezes, so it may do one thing only: take access away. */
function isEmergencyOfAnotherKind({ identity, kind, emergency }: ProcessPlan): Denial | undefined {
  if (!emergency || kind === 'revoke') return undefined;
  return {
    reason: 'emergency-only-revokes',
    message: `An emergency may only revoke, and this asks to ${kind} ${identity}: ask without the emergency.`,
  };
}

function denied(denials: readonly Denial[]): Pick<Decision, 'effect' | 'reasons' | 'message' | 'code'> {
  return {
    effect: 'deny',
    reasons: denials.map(({ reason }) => reason).sort(),
    message: denials.map(({ message }) => message).join(' '),
    code: 'PolicyDenied',
  };
}

/** Why people have to approve; none is a free pass. Sorted. */
function gateReasons(plan: GatedBy, settings: Settings): string[] {
  if (settings.approvals === 0 || changesNothing(plan) || plan.emergency) return [];
  const reasons = [];
  if (plan.kind === 'offboard') reasons.push('offboarding-needs-approval');
  // Also where it leaves such an environment: a new label must not be the way around the gate.
  const environments = [plan.environment, ...(plan.before ? [plan.before.environment] : [])];
  if (environments.some((environment) => settings.approvalEnvironments.includes(environment)))
    reasons.push('environment-needs-approval');
  return reasons.sort();
}

type GatedBy = Pick<ProcessPlan, 'kind' | 'emergency' | 'environment'> & {
  readonly before?: { readonly environment: string };
  readonly repair?: true;
};

function changesNothing({ kind, repair }: GatedBy): boolean {
  return kind === 'validate' && repair !== true;
}

function freePassReason(plan: ProcessPlan): string {
  if (changesNothing(plan)) return 'changes-nothing';
  return plan.emergency ? 'emergency-revocation' : 'no-approval-needed';
}

/** Says in advance whether a change will need approval; for `tenure plan`. `before`: the environment that it leaves. */
export function approvalNeededFor(
  settings: Settings,
  kind: ProcessPlan['kind'],
  environment: string,
  before: string = environment,
): boolean {
  return gateReasons({ kind, emergency: false, environment, before: { environment: before } }, settings).length > 0;
}
