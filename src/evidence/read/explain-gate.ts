/** Who asked, what policy said, and who decided at the gate. Pure. */
import { count, instant } from '../../cli/words.js';
import type { Attested } from '../../domain/directory.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import type { GateState, Vote } from '../../domain/process.js';
import type { Decision, GateRule, Obligations } from '../../domain/decision.js';
import { planInWords } from '../../domain/plan-words.js';
import { span } from '../../domain/span.js';
import type { AdvanceStatement } from '../../domain/statement.js';
import { statementIn } from './statements.js';

/** Who asked, on whose behalf, and what shows that it was them. */
export function requestLines({ request, requester, kind, plan }: ProcessRecord): string[] {
  const reason = request.reason === undefined ? '' : `, because: ${request.reason}`;
  const onBehalfOf = request.onBehalfOf ?? statementIn(request.signed, 'tenure/request@v1')?.onBehalfOf;
  return [
    `${request.requester} asked for it (request ${request.id})${reason}${ended(reason)}`,
    ...(onBehalfOf === undefined ? [] : [`It was asked on behalf of ${onBehalfOf}.`]),
    ...(request.ticket === undefined ? [] : [`It belongs to ${request.ticket}.`]),
    ...(request.emergency ? ['It was asked as an emergency, which passes gates and freezes.'] : []),
    ...(request.onlyIfDue ? ['A schedule asked: it was to be done only if it was due.'] : []),
    ...(request.elevation
      ? [`It gave more rights for ${span(request.elevation.forMs)}, for ${request.elevation.incident}.`]
      : []),
    ...(request.kind === kind ? [] : [`What was asked for was ${request.kind}; what ran was ${kind}.`]),
    ...attestedLines(request.requester, requester),
    ...(plan ? planInWords(plan).map((line) => `Plan: ${line.trim()}`) : []),
  ];
}

/** What ends a sentence that somebody wrote, where they have not. */
export function ended(text: string): string {
  return /[.!?]$/.test(text) ? '' : '.';
}

/** Whose signature shows who asked. */
export function attestedLines(claimed: string, attested: Attested | undefined): string[] {
  if (!attested) return ['No verified signature of the requester is in the record: the name is what was claimed.'];
  const answers = attested.owner === undefined ? '' : `, for which ${attested.owner} answers`;
  const groups = attested.groups.length > 0 ? ` in ${attested.groups.join(', ')}` : ' in no group';
  return [
    `The signature was verified at ${instant(attested.at)}: ${attested.name}, ${article(attested.kind)}${groups}${answers}, with the key ${attested.key}, ${presence(attested.presence)}.`,
    ...(attested.name === claimed ? [] : [`The request names ${claimed}, but ${attested.name} signed it.`]),
  ];
}

function article(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}

function presence(seen: Attested['presence']): string {
  return {
    none: 'a key in software: nothing shows that a person was present',
    touch: 'a security key that was touched',
    pin: 'a security key that was touched and unlocked',
  }[seen];
}

/** What policy decided on this plan, by which rules, and what it asked for. */
export function decided({ decision }: ProcessRecord): string[] {
  if (decision) return decisionLines(decision);
  return ['The record holds no decision: this process asks policy for nothing, or ended before it did.'];
}

/** A decision, by which rules, and what it asks for. */
export function decisionLines(decision: Decision | undefined): string[] {
  if (!decision) return [];
  const by = decision.reasons.length > 0 ? decision.reasons.join(', ') : 'no rule by name';
  const { facts } = decision;
  return [
    `Policy said ${decision.effect} at ${instant(decision.at)}, by ${by}.`,
    ...(decision.message === undefined ? [] : [`Its reason: ${decision.message}`]),
    `It decided on the plan ${decision.planDigest} under the policies ${decision.policyDigest}.`,
    ...obligationLines(decision.obligations),
    ...(facts?.growth ?? []).map((line) => `More rights than were approved last: ${line}`),
    ...(facts?.unused ?? []).map((line) => `Granted, and no recorded use explains it: ${line}`),
    ...(facts?.there ?? []).map((line) => `Found at the target: ${line}`),
    ...(facts?.exceptions ?? []).map((id) => `An exception held: ${id}`),
    ...(facts?.lastApproved
      ? [`The last approved plan was that of ${facts.lastApproved.operation}, at ${instant(facts.lastApproved.at)}.`]
      : []),
  ];
}

function obligationLines({ approvals, gates, review }: Obligations): string[] {
  return [
    ...(gates ?? []).map(ruleLine),
    ...(approvals > 0 && !gates?.length ? [`It asked for ${count(approvals, 'approval')}.`] : []),
    ...(approvals === 0 ? ['It asked for no approval.'] : []),
    ...(review
      ? [
          `It asked for a review afterwards, by ${count(review.people, 'person', 'people')} within ${span(review.withinMs)}.`,
        ]
      : []),
  ];
}

function ruleLine({ id, why, controls, approvals, groups, stepUp }: GateRule): string {
  const from = groups.length > 0 ? `, from ${groups.join(' and ')}` : '';
  const how = stepUp ? ', each with a security key that is touched and unlocked' : '';
  const cited = controls.length > 0 ? ` [${controls.join(', ')}]` : '';
  return `${id} asked for ${count(approvals, 'approval')}${from}${how}: ${why}${cited}`;
}

/** Every round of the gate: who approved or denied and how, and what did not count. */
export function gateLines({ gate, rounds, request, decision }: ProcessRecord): string[] {
  const all = [...(rounds ?? []), ...(gate ? [gate] : [])];
  const before = (request.advance ?? []).flatMap((signed) => statementIn(signed, 'tenure/advance@v1') ?? []);
  return [
    ...before.map((statement) => advanceLine(statement, decision)),
    ...(all.length === 0 ? ['No gate was opened.'] : roundsLines(all)),
  ];
}

function advanceLine({ id, approver, iat, exp, reason }: AdvanceStatement, decision: Decision | undefined): string {
  const { approvals = [], spared = [] } = decision?.inAdvance ?? {};
  const hasHeld = approvals.some((one) => one.id === id && one.approver === approver);
  const stoodFor = spared.length > 0 ? ` for ${spared.map((rule) => rule.id).join(', ')}` : '';
  const what = hasHeld ? `It held, and policy counted it${stoodFor}.` : 'It did not hold for this, and did not count.';
  return `${approver} had approved in advance (${id}, from ${instant(iat)} to ${instant(exp)}): ${reason}${ended(reason)} ${what}`;
}

/** Rounds of one gate, oldest first. */
export function roundsLines(all: readonly GateState[]): string[] {
  return all.flatMap((round) => roundLines(round, all.length > 1));
}

function roundLines(gate: GateState, isOneOfMany: boolean): string[] {
  const name = isOneOfMany ? `Round ${gate.number}` : 'The gate';
  const why = gate.reopened === undefined ? '' : ` It was opened anew because ${gate.reopened}`;
  const asked = `${name} opened at ${instant(gate.openedAt)}, needed ${count(gate.needed, 'approval')} and ended as ${gate.outcome}.${why}`;
  return [
    asked,
    ...(gate.escalatedTo === undefined ? [] : [`${gate.escalatedTo} was asked too, since the deadline came near.`]),
    ...gate.votes.map((vote) => voteLine(vote, gate)),
    ...gate.refused.map(
      ({ at, claimed, reason }) =>
        `Did not count, at ${instant(at)}: a vote that claims to be of ${claimed}: ${reason}`,
    ),
  ];
}

function voteLine(vote: Vote, gate: GateState): string {
  const verb = vote.decision === 'approve' ? 'approved' : 'denied';
  const after = span(Date.parse(vote.at) - Date.parse(gate.openedAt));
  const key = vote.stepUp ? 'a security key, touched and unlocked' : 'a key that proves no step-up';
  const reason = vote.reason === undefined ? '' : `: ${vote.reason}`;
  const groups = vote.groups.length > 0 ? `, for ${vote.groups.join(', ')}` : '';
  return `${vote.approver} ${verb} at ${instant(vote.at)}, ${after} after it opened, with ${key} (${vote.key})${groups}${delegated(vote)}${reason}`;
}

function delegated({ onBehalfOf, ballot }: Vote): string {
  if (onBehalfOf === undefined) return '';
  const delegation = statementIn(ballot.delegation, 'tenure/delegation@v1');
  if (!delegation) return `, on behalf of ${onBehalfOf} by a delegation that is not in the record`;
  return `, on behalf of ${onBehalfOf}, whose delegation ${delegation.id} holds from ${instant(delegation.nbf)} to ${instant(delegation.exp)} (${delegation.reason})`;
}
