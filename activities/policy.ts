/** Policy on plans, and the calendar. The one place where a run of a workflow is permitted to change something. */
import { Context } from '@temporalio/activity';
import type { AdvanceApproval, Clearance, Decision } from '../src/domain/decision.js';
import type { Attested, Directory } from '../src/domain/directory.js';
import { TenureError } from '../src/domain/errors.js';
import type { Facts } from '../src/domain/facts.js';
import type { Freeze } from '../src/domain/identity.js';
import { asDecided, planOf, type ProcessPlan, type Until } from '../src/domain/plan.js';
import { makesCredential, type GateState, type ProcessInput, type Vote } from '../src/domain/process.js';
import { digestOf, evidenceDigestOf } from '../src/policy/digest.js';
import type { Policy } from '../src/policy/policy.js';
import { evaluateDue, mayChange, nextRotation } from '../src/schedule/due.js';
import { advanceFor, inAdvance } from '../src/trust/advance.js';
import { boundBy } from '../src/trust/binding.js';
import { stillCounting } from '../src/trust/ballots.js';
import { deniedBy, standing, type Gates, type KnownGate } from '../src/trust/gates.js';
import type { Decided, Decisions } from '../src/trust/decided.js';
import { demandMade } from '../src/trust/made.js';
import { demandNumber, type Numbers } from '../src/trust/numbers.js';
import { onRecordOf } from '../src/trust/on-record.js';
import { demandOurRun, type LookAtRun, type Run } from '../src/trust/our-run.js';
import type { Permits } from '../src/trust/permits.js';
import { issuedAt } from '../src/trust/issued-at.js';
import { demandRecent, verifyRequest } from '../src/trust/requests.js';
import type { Declarations, Declared } from '../src/trust/declared.js';
import { demandDeclared, leftOut, specsOf, type OnRecord } from '../src/trust/specs.js';
import { decideAmendment } from './amendment.js';
import type { AuthorizeInput, PolicyActivities } from './contract.js';

/** What deciding needs from outside. */
export interface PolicyDependencies {
  /** The policies as they are now: a change holds without a new worker. Throws retryably when they cannot be read. */
  loadPolicy(): Promise<Policy>;
  loadDirectory(): Promise<Directory>;
  /** The operator's freezes as they are now: one that is added later holds for what was queued before. Throws retryably when they cannot be read. */
  loadFreezes(): Promise<readonly Freeze[]>;
  /** What is known about the identity besides the plan. `isGated`: people will be shown it, so the target is looked at too. */
  factsOf(input: ProcessInput, plan: ProcessPlan, isGated: boolean): Promise<Facts>;
  readonly permits: Permits;
  /** What Temporal says of the run that asks. */
  readonly lookAtRun: LookAtRun;
  /** What identities were declared as, by what was verified here. */
  readonly declarations: Declarations;
  /** What was verified here of the gates that people were asked at. */
  readonly gates: Gates;
  /** The numbers of what was permitted. */
  readonly numbers: Numbers;
  /** What was decided here where a run was permitted. */
  readonly decisions: Pick<Decisions, 'note'>;
  /** How long a gate stays open, milliseconds. */
  readonly gateMs: number;
  readonly now?: () => Date;
}

/** Everything that a decision is made from. */
interface Grounds {
  readonly input: ProcessInput;
  readonly plan: ProcessPlan;
  /** What was declared before, where the plan does not say so. */
  readonly before: Until | undefined;
  readonly policy: Policy;
  readonly requester: Attested;
  readonly directory: Directory;
  readonly facts: Facts;
  readonly votes: readonly Vote[];
  readonly advance: readonly AdvanceApproval[];
  readonly onRecord: OnRecord;
  /** Whether a freeze holds, which an emergency passes. */
  readonly clearance: Clearance;
  readonly now: Date;
}

export function createPolicyActivities(dependencies: PolicyDependencies): PolicyActivities {
  const {
    loadFreezes,
    permits,
    lookAtRun,
    declarations,
    gates,
    decisions,
    numbers,
    gateMs,
    now = () => new Date(),
  } = dependencies;
  return {
    async authorize(question) {
      const grounds = await groundsOf(dependencies, question, now());
      const decision = { ...decide(grounds, gateMs), ...boundTo(grounds), ...sparedBy(grounds) };
      if (!isPermitted(decision, question.gate)) {
        return { ...decision, permitted: false, ...(await deadlineOf(question.input, decision)) };
      }
      // Whoever asks waits until it is over, or gives up.
      if (!grounds.clearance.clear) return { ...decision, permitted: false, frozen: grounds.clearance };
      await demandOurRun(question.input, thisRun(), lookAtRun);
      await demandNumber(question.input.operation, numbers);
      const permitted = { ...decision, permitted: true };
      // The permit comes last: without it a note says nothing, and it without a note could not be sealed.
      await decisions.note(runOf(question.input), { decision: permitted, ...votesIn(grounds, question.gate) });
      await numbers.note(question.input.operation);
      await permits.grant(permitFor(grounds, decision));
      if (isNews(grounds)) await declarations.note(declaredIn(grounds));
      return permitted;
    },

    async amendment(asked) {
      return decideAmendment(dependencies, asked, now());
    },

    async clearance({ spec, emergency }) {
      return clearanceOf(dependencies, spec.rotation.freeze, emergency, now());
    },

    async nextRotation({ spec, lastRotatedAt }) {
      return nextRotation({ policy: spec.rotation, lastRotatedAt, freezes: await loadFreezes(), now: now() });
    },

    async due({ spec, lastRotatedAt }) {
      return evaluateDue({ policy: spec.rotation, lastRotatedAt, freezes: await loadFreezes(), now: now() });
    },
  };

  /** From now on people can decide: until then, and not until whenever a workflow says. */
  async function deadlineOf(
    { operation }: ProcessInput,
    { effect, obligations, at }: Decision,
  ): Promise<Pick<Decision, 'deadline'>> {
    if (effect !== 'allow' || obligations.approvals === 0) return {};
    const deadline = new Date(Date.parse(at) + obligations.gateMs).toISOString();
    return { deadline: await gates.open({ operation, run: thisRun().runId }, deadline) };
  }
}

/** An emergency does not wait for a file. */
async function clearanceOf(
  { loadFreezes }: Pick<PolicyDependencies, 'loadFreezes'>,
  own: readonly Freeze[],
  emergency: boolean,
  now: Date,
): Promise<Clearance> {
  const freezes = emergency ? [] : await loadFreezes();
  return mayChange({ freezes: [...freezes, ...own], emergency, now });
}

/** Collected anew each time. Nothing is believed that came with the workflow: who asked and who approved is in their signatures. */
async function groundsOf(
  dependencies: PolicyDependencies,
  { input, plan, gate }: AuthorizeInput,
  now: Date,
): Promise<Grounds> {
  const { loadPolicy, loadDirectory, factsOf, gates } = dependencies;
  demandSamePlan(input, plan);
  const [policy, directory] = await Promise.all([loadPolicy(), loadDirectory()]);
  const receivedAt = issuedAt(input.request.signed);
  demandRecent(input.operation, receivedAt, now);
  const requester = await verifyRequest(input.request, input.identity, { directory, now, receivedAt });
  const facts = await factsOf(input, plan, gate !== undefined);
  const onRecord = await onRecordOf(dependencies, input.identity, facts.lastApproved?.operation);
  demandDeclared(input, onRecord);
  await demandMade(input, onRecord, dependencies.permits);
  const { spec, request } = input;
  const clearance = await clearanceOf(dependencies, spec.rotation.freeze, request.emergency ?? false, now);
  const before = leftOut(input, onRecord);
  const decided = asDecided(plan, { ...(before && { before }) });
  const asked = { operation: input.operation, run: thisRun().runId };
  const holding = await advanceFor(input.request.advance ?? [], { plan: decided, requester, directory, now });
  // What was used up spares nobody: people are asked as always.
  const unused = await dependencies.permits.unused(
    holding.map(({ id }) => id),
    { ...asked, identity: input.identity },
  );
  const advance = holding.filter(({ id }) => unused.includes(id));
  const common = { input, plan, before, policy, requester, directory, onRecord, clearance, now, votes: [], advance };
  const isGated = policy.decide(questionOf({ ...common, facts }, 0)).obligations.approvals > 0;
  const known = isGated && gate === undefined ? await factsOf(input, plan, true) : facts;
  const grounds = { ...common, facts: known };
  const told = await gates.of(asked);
  const votes = gate ? await votesOf(grounds, gate, told) : [];
  demandNotDenied(asked.operation, votes, told);
  return { ...grounds, votes };
}

/** Also where whoever asks says nothing of it. */
function demandNotDenied(operation: string, votes: readonly Vote[], told: KnownGate): void {
  const by = deniedBy(votes, told);
  if (by !== undefined)
    throw new TenureError('ApprovalRefused', `${operation} was denied by ${by}; nothing was touched`);
}

/** What makes a credential names what the identity shall be; or that is not on record yet, and from now on it is. */
function isNews({ input: { kind, request, spec }, onRecord: { noted } }: Grounds): boolean {
  return (
    (request.spec !== undefined && makesCredential(kind)) || !noted.some((one) => digestOf(one.spec) === digestOf(spec))
  );
}

function declaredIn({ input: { identity, request, spec }, requester, now }: Grounds): Declared {
  return {
    v: 1,
    identity,
    request: request.id,
    by: requester.name,
    how: 'permitted',
    spec,
    at: now.toISOString(),
  };
}

/** The plan that is decided on is what follows from the input, whatever was shown. */
function demandSamePlan(input: ProcessInput, plan: ProcessPlan): void {
  if (digestOf(planOf(input)) === digestOf(plan)) return;
  throw new TenureError(
    'ApprovalRefused',
    `the plan of ${input.operation} is not what follows from its input; nothing was touched`,
  );
}

/** Votes count for the gate as it was shown: another plan, other policies or facts, and none of them does. */
async function votesOf(grounds: Grounds, gate: GateState, told: KnownGate): Promise<readonly Vote[]> {
  const { input, before, requester, directory, now } = grounds;
  const plan = asDecided(grounds.plan, { ...(before && { before }) });
  if (!isSame(gate, boundTo(grounds)) || gate.run !== thisRun().runId) return [];
  const counting = await stillCounting(gate.votes, {
    gate,
    plan,
    operation: input.operation,
    requester,
    directory,
    now,
  });
  const approvals = counting.filter(({ decision }) => decision === 'approve');
  return standing(approvals, told, gate.round);
}

function decide(grounds: Grounds, gateMs: number): Decision {
  return grounds.policy.decide(questionOf(grounds, gateMs));
}

function questionOf(grounds: Grounds, gateMs: number) {
  const { plan, before, requester, directory, facts, votes, advance, clearance, now } = grounds;
  return { plan, before, requester, directory, facts, votes, advance, now, gateMs, frozen: !clearance.clear };
}

/** Without votes, since those are for what people were asked for all the same. */
function sparedBy(grounds: Grounds): Pick<Decision, 'inAdvance'> {
  const asking = (advance: Grounds['advance']) => decide({ ...grounds, votes: [], advance }, 0).obligations;
  return inAdvance(grounds.advance, grounds.directory, (advance) => asking(advance).gates ?? []);
}

function boundTo({ plan, before, policy, facts, requester }: Grounds): {
  planDigest: string;
  policyDigest: string;
  evidenceDigest: string;
  facts: Facts;
  requester: Attested;
  before?: Until;
} {
  return {
    ...(before && { before }),
    planDigest: digestOf(plan),
    policyDigest: policy.digest,
    evidenceDigest: evidenceDigestOf({ facts, before }),
    facts,
    requester,
  };
}

/** Nothing is owed any more. What waited at a gate passes only under what its approvals were given for, also where less is owed now. */
function isPermitted({ effect, obligations, ...decision }: Decision, gate: GateState | undefined): boolean {
  if (effect !== 'allow' || obligations.approvals > 0) return false;
  return gate === undefined || (gate.outcome === 'approved' && isSame(gate, decision));
}

/** Votes are bound to these. */
type Bound = Pick<Decision, 'planDigest' | 'policyDigest' | 'evidenceDigest'>;

function isSame(gate: Bound, now: Bound): boolean {
  return (
    gate.planDigest === now.planDigest &&
    gate.policyDigest === now.policyDigest &&
    gate.evidenceDigest === now.evidenceDigest
  );
}

function permitFor({ input, plan, requester, advance, now }: Grounds, { planDigest, policyDigest }: Decision) {
  return {
    v: 1,
    operation: input.operation,
    run: thisRun().runId,
    identity: input.identity,
    request: input.request.id,
    requester: requester.name,
    plan: planDigest,
    policy: policyDigest,
    specs: specsOf(input).map(digestOf),
    ...(plan.from && { from: { principal: plan.from.principal, version: plan.from.version } }),
    ...boundBy(input, now),
    advance: advance.map(({ id }) => id),
    at: now.toISOString(),
  } as const;
}

function runOf({ operation }: ProcessInput): { readonly operation: string; readonly run: string } {
  return { operation, run: thisRun().runId };
}

function votesIn({ votes }: Grounds, gate: GateState | undefined): Omit<Decided, 'decision'> {
  return { votes, ...(gate && { round: gate.round }) };
}

/** The run that asks, as Temporal itself says: nothing that the workflow could claim. */
function thisRun(): Run {
  return Context.current().info.workflowExecution!;
}
