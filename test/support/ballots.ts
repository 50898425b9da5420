/** Ballots and words for tests that are not about signatures: the fake activities of `Engine` believe what stands in them. */
import type { Decision } from '../../src/domain/decision.js';
import type { AuthorizeInput } from '../../activities/contract.js';
import { noFacts, type Facts } from '../../src/domain/facts.js';
import { digestOf } from '../../src/policy/digest.js';
import type { Ballot, GateState, Weighed } from '../../src/domain/process.js';
import type { Attested } from '../../src/domain/directory.js';

/** What a ballot of a test says. */
export interface Said {
  readonly approver: string;
  readonly decision: 'approve' | 'deny' | 'withdraw';
  /** Absent: for whatever plan the gate asks about. */
  readonly planDigest?: string;
  readonly reason?: string;
  readonly groups: readonly string[];
  readonly stepUp: boolean;
  readonly at: string;
}

export function ballot(approver: string, differs: Partial<Said> = {}): Ballot {
  const said: Said = {
    approver,
    decision: 'approve',
    groups: [],
    stepUp: false,
    at: new Date().toISOString(),
    ...differs,
  };
  return { signed: { statement: JSON.stringify(said), signature: 'as the test says' } };
}

/** Counts every ballot that is for the gate's plan. */
export async function weighFake({ ballot: sent, gate }: { ballot: Ballot; gate: GateState }): Promise<Weighed> {
  const said = JSON.parse(sent.signed.statement) as Partial<Said> &
    Pick<Said, 'approver' | 'decision'> & { plan?: string; iat?: string };
  // The command line signs real statements, which have other names for some of it.
  const { approver, decision, planDigest = said.plan ?? gate.planDigest, reason, groups = [], stepUp = false } = said;
  const at = said.at ?? said.iat ?? '';
  if (planDigest !== gate.planDigest)
    return { counts: false, refused: { at: new Date().toISOString(), claimed: approver, reason: 'another plan' } };
  return {
    counts: true,
    vote: {
      approver,
      decision: decision === 'withdraw' ? 'approve' : decision,
      planDigest,
      ...(reason !== undefined && { reason }),
      at,
      groups,
      stepUp,
      key: `key of ${approver}`,
      ballot: sent,
    },
    ...(decision === 'withdraw' && { withdraws: true }),
  };
}

/** Somebody of whom nothing was verified. */
export function attestedAs(name: string): Attested {
  return {
    name,
    kind: 'person',
    groups: [],
    key: `key of ${name}`,
    presence: 'none',
    at: new Date().toISOString(),
    statement: 'sha256:0',
  };
}

/** How the fake policy decides. */
export interface FakePolicy {
  readonly deny?: string;
  readonly obligations: object;
  readonly policyDigest?: string;
  readonly asks?: Partial<Attested>;
  readonly facts?: Facts;
  /** Whether approvals that a gate counted still count when policy is asked again. */
  readonly stillCount?: () => boolean;
  /** A freeze that the worker finds when it would permit. */
  readonly frozen?: () => Decision['frozen'];
}

/** What the fake policy says: permitted as soon as the gate that it asks for was approved, under what holds now. */
export function decisionFake({ input, plan, gate }: AuthorizeInput, policy: FakePolicy) {
  const { deny, obligations, policyDigest = `sha256:${'0'.repeat(64)}`, asks = {}, facts = noFacts } = policy;
  const { stillCount = () => true, frozen = () => undefined } = policy;
  const { approvals = 0 } = obligations as { approvals?: number };
  const isPassed =
    gate?.outcome === 'approved' &&
    gate.policyDigest === policyDigest &&
    gate.evidenceDigest === digestOf(facts) &&
    stillCount();
  const isPermitted = deny === undefined && (approvals === 0 || isPassed);
  const freeze = isPermitted ? frozen() : undefined;
  return {
    effect: deny === undefined ? 'allow' : 'deny',
    reasons: ['test'],
    ...(deny !== undefined && { message: deny }),
    planDigest: digestOf(plan),
    policyDigest,
    evidenceDigest: digestOf(facts),
    facts,
    obligations,
    requester: { ...attestedAs(input.request.requester), ...asks },
    permitted: isPermitted && !freeze,
    ...(freeze && { frozen: freeze }),
    at: new Date().toISOString(),
  };
}
