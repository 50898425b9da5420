/** Whether a decision that was sent to a gate counts: for this plan, this round, this run, by a person who may. */
import {
  isValidAt,
  mayApprove,
  partyNamed,
  personsBehind,
  type Attested,
  type Directory,
} from '../domain/directory.js';
import { TenureError } from '../domain/errors.js';
import type { ProcessPlan } from '../domain/plan.js';
import type { Ballot, GateState, Vote, Weighed } from '../domain/process.js';
import type { DecisionStatement, DelegationStatement } from '../domain/statement.js';
import { clip } from '../domain/clip.js';
import { groupsFor, isOf, ownerUntilNow } from '../domain/quorum.js';
import { refused } from './refusal.js';
import type { Circumstances } from './requests.js';
import { verifySigned } from './verify.js';

/** What a ballot is weighed against. */
export interface Weighing extends Circumstances {
  readonly ballot: Ballot;
  readonly gate: GateState;
  /** Of the plan, what says who may decide. */
  readonly plan: Pick<ProcessPlan, 'owner' | 'environment' | 'declared' | 'before'>;
  readonly operation: string;
  readonly requester: Attested;
}

/** Weighs a ballot. Whatever was sent, the answer says why it does not count; only what cannot be known is thrown. */
export async function weighBallot(weighing: Weighing): Promise<Weighed> {
  try {
    return await counted(weighing);
  } catch (error) {
    if (!(error instanceof TenureError) || error.code !== 'ApprovalRefused') throw error;
    const at = weighing.now.toISOString();
    return { counts: false, refused: { at, claimed: claimedBy(weighing.ballot), reason: error.message } };
  }
}

async function counted(weighing: Weighing): Promise<Weighed> {
  const { ballot, gate } = weighing;
  const { statement, attested } = await verifySigned(ballot.signed, {
    typ: 'tenure/decision@v1',
    ...momentOf(weighing),
  });
  demandBound(statement, weighing);
  demandPerson(attested);
  if (statement.decision !== 'deny') demandNotOwn(attested, weighing.requester);
  const groups = await groupsOf(weighing, statement, attested);
  const stepUp = attested.presence === 'pin';
  if (statement.decision === 'approve') demandFits(groups, stepUp, gate);
  if (statement.decision === 'deny') demandMayDeny(attested, groups, weighing);
  const { approver, onBehalfOf, decision, reason, iat } = statement;
  const vote: Vote = {
    approver,
    ...(onBehalfOf !== undefined && { onBehalfOf }),
    decision: decision === 'withdraw' ? 'approve' : decision,
    planDigest: gate.planDigest,
    ...(reason !== '' && { reason: clip(reason) }),
    at: iat,
    groups,
    stepUp,
    key: attested.key,
    ballot,
  };
  return { counts: true, vote, ...(decision === 'withdraw' && { withdraws: true }) };
}

/** To this plan, these policies and facts, this round of this run. An older round and a reset run have other nonces and ids. */
function demandBound(statement: DecisionStatement, { gate, operation, requester }: Weighing): void {
  const bound = [
    ['process', statement.operation, operation],
    ['run', statement.run, gate.run],
    ['round', statement.round, gate.round],
    ['plan', statement.plan, gate.planDigest],
    ['policies', statement.policy, gate.policyDigest],
    ['facts', statement.evidence, gate.evidenceDigest],
    ['requester', statement.requester, requester.name],
  ] as const;
  const other = bound.find(([, signedFor, asked]) => signedFor !== asked);
  if (other) throw refused('other-gate', `it was signed for another ${other[0]} than this gate asks about`);
  if (Date.parse(statement.iat) < Date.parse(gate.openedAt) - earlierMs)
    throw refused('other-gate', 'it was signed before this gate was open');
}

/** Clocks differ; the round's nonce is what binds. Milliseconds. */
const earlierMs = 30_000;

function demandPerson({ name, kind }: Attested): void {
  if (!mayApprove({ kind })) throw refused('no-person', `${name} is no person (${kind}): it can ask and never approve`);
}

function demandNotOwn({ name }: Attested, requester: Attested): void {
  if (requester.name === name)
    throw refused('own-request', `${name} asked for this, and nobody approves their own request`);
  if (requester.behind?.includes(name))
    throw refused('own-request', `this was asked on behalf of ${name}, and nobody approves what is asked for them`);
  if (personsBehind(requester).includes(name))
    throw refused('own-request', `${name} answers for ${requester.name}, which asked for this`);
}

/** For which groups this vote stands: a person's own, or what an absent person lent. */
async function groupsOf(
  weighing: Weighing,
  statement: DecisionStatement,
  attested: Attested,
): Promise<readonly string[]> {
  const { plan, ballot } = weighing;
  if (statement.onBehalfOf === undefined) return groupsFor(attested, plan);
  if (!ballot.delegation)
    throw refused('delegation', `it is made for ${statement.onBehalfOf}, and no delegation came with it`);
  const { statement: lent, attested: from } = await verifySigned(ballot.delegation, {
    typ: 'tenure/delegation@v1',
    ...momentOf(weighing),
  });
  demandDelegated(lent, statement, weighing);
  demandPerson(from);
  demandNotOwn(from, weighing.requester);
  const roles = groupsFor(from, plan);
  return lent.groups.filter((group) => roles.includes(group));
}

function demandDelegated(lent: DelegationStatement, statement: DecisionStatement, { plan, directory }: Weighing): void {
  const no = (why: string): never => {
    throw refused('delegation', `the delegation of ${lent.from} ${why}`);
  };
  if (lent.from !== statement.onBehalfOf) no(`is not one of ${statement.onBehalfOf}`);
  if (lent.to !== statement.approver) no(`is for ${lent.to}, and a delegation cannot be passed on`);
  if (directory.revoked.includes(lent.id)) no('was revoked');
  if (lent.environments.length > 0 && !lent.environments.includes(plan.environment))
    no(`does not hold for ${plan.environment}`);
}

function demandFits(groups: readonly string[], stepUp: boolean, gate: GateState): void {
  if (gate.stepUp && !stepUp)
    throw refused('step-up', 'this gate asks for a security key that is touched and unlocked (PIN or fingerprint)');
  if (!isAsked(groups, gate)) throw refused('wrong-group', `this gate asks for people of ${askedInWords(gate)}`);
}

/**
 * One denial stops a process, also the rotation of a credential that leaked, so it takes as much standing as an approval: people whom the
 * gate asks, or who answer for the identity or for the request. No security key is asked for, since a stop opens nothing.
 */
function demandMayDeny({ name }: Attested, groups: readonly string[], { gate, plan, requester }: Weighing): void {
  if (
    isAsked(groups, gate) ||
    [plan.owner, ownerUntilNow(plan)].includes(name) ||
    personsBehind(requester).includes(name)
  )
    return;
  const who = `people of ${askedInWords(gate)}, the owner of the identity, and whoever asked`;
  throw refused('wrong-group', `this gate is only stopped by ${who}`);
}

function isAsked(groups: readonly string[], gate: Asking): boolean {
  const asked = askedBy(gate);
  return asked.length === 0 || asked.some((group) => isOf(groups, group));
}

type Asking = Pick<GateState, 'groups' | 'escalatedTo'>;

function askedBy({ groups, escalatedTo }: Asking): readonly string[] {
  return [...groups, ...(escalatedTo === undefined ? [] : [escalatedTo])];
}

function askedInWords(gate: Asking): string {
  return askedBy(gate)
    .map((group) => group.replaceAll('|', ' or '))
    .join(', ');
}

/**
 * Whether votes that were counted before still count: keys, people and groups as they are now, each ballot as of when it was signed.
 */
export async function stillCounting(
  votes: readonly Vote[],
  weighing: Omit<Weighing, 'ballot' | 'receivedAt'>,
): Promise<Vote[]> {
  const weighed = await Promise.all(
    votes.map((vote) => weighBallot({ ...weighing, ballot: vote.ballot, receivedAt: new Date(vote.at) })),
  );
  return weighed.flatMap((one) => (one.counts && !one.withdraws ? [one.vote] : []));
}

function momentOf({ directory, now, receivedAt }: Weighing): Circumstances {
  return { directory, now, ...(receivedAt && { receivedAt }) };
}

/** Whom it claims to be from, which nobody has proven. */
function claimedBy({ signed }: Ballot): string {
  try {
    const { approver } = JSON.parse(signed.statement) as { approver?: unknown };
    return typeof approver === 'string' ? clip(approver).slice(0, 200) : 'nobody';
  } catch {
    return 'nobody';
  }
}

/** The people of the directory who could decide at a gate now. */
export function whoMayDecide(
  directory: Directory,
  gate: Pick<GateState, 'groups' | 'escalatedTo' | 'requester' | 'behind'>,
  plan: Pick<ProcessPlan, 'owner' | 'declared' | 'before'>,
  now: Date,
): string[] {
  const requester = partyNamed(directory, gate.requester);
  const behind = [...(requester ? personsBehind(requester) : [gate.requester]), ...(gate.behind ?? [])];
  return directory.parties
    .filter((party) => mayApprove(party) && isValidAt(party, now) && !behind.includes(party.name))
    .filter((party) => isAsked(groupsFor(party, plan), gate))
    .map(({ name }) => name)
    .toSorted();
}
