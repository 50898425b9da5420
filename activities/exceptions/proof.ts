/** Proves an exception anew from what was signed. Nothing is believed that came with a workflow: anybody in the namespace can start one. */
import { partyNamed, personsBehind, type Attested, type Directory } from '../../src/domain/directory.js';
import { TenureError } from '../../src/domain/errors.js';
import {
  exceptionId,
  type Examined,
  type ExceptionRecord,
  type ExceptionTerms,
  type Withdrawal,
} from '../../src/domain/exception.js';
import type { GateState, Vote, Weighed } from '../../src/domain/process.js';
import { groupsFor, isOf, settled } from '../../src/domain/quorum.js';
import { stillCounting } from '../../src/trust/ballots.js';
import { issuedAt } from '../../src/trust/issued-at.js';
import { refused } from '../../src/trust/refusal.js';
import { verifyWord } from '../../src/trust/requests.js';

/** Who asked for exactly these terms. `taken`: it was verified when it came, so its own times count as of then. */
export async function requesterOf(
  { signed, ...content }: ExceptionTerms,
  directory: Directory,
  now: Date,
  taken: boolean,
): Promise<Attested> {
  const word = { verb: 'except', subject: content.id, content, signed } as const;
  return verifyWord(word, { directory, now, ...(taken && { receivedAt: issuedAt(signed) }) });
}

/** Why the approvals were given for something else; undefined where they were given for this. */
export function whatChanged(gate: GateState, examined: Examined): string | undefined {
  if (gate.planDigest !== examined.planDigest) return 'the terms are others now';
  if (gate.policyDigest !== examined.policyDigest) return 'the policies have changed';
  if (gate.evidenceDigest !== examined.evidenceDigest)
    return 'a control does not say the same any more, or the identity is another than it was';
  return asksMore(gate, examined) ? 'policy asks for more people by now' : undefined;
}

/** The same policies may ask for more: time has passed, and people have other groups. */
function asksMore({ needed, groups, stepUp }: GateState, now: Examined): boolean {
  return now.approvals > needed || (now.stepUp && !stepUp) || now.groups.some((group) => !groups.includes(group));
}

/** Whoever owns the identity may decide against an exception of it, and not for one. */
export function byOthers(weighed: Weighed, owner: string, at: Date): Weighed {
  if (!weighed.counts || weighed.vote.decision === 'deny' || !isFor(weighed.vote, owner)) return weighed;
  const { approver } = weighed.vote;
  const reason = `${owner} owns the identity, and others than the owner approve an exception of it`;
  return { counts: false, refused: { at: at.toISOString(), claimed: approver, reason } };
}

function isFor({ approver, onBehalfOf }: Vote, person: string): boolean {
  return approver === person || onBehalfOf === person;
}

/** The votes that count now, for this run; throws `ApprovalRefused` where they are not enough. */
export async function approvedVotes(
  terms: ExceptionTerms,
  gate: GateState,
  examined: Examined,
  { directory, now, run }: { readonly directory: Directory; readonly now: Date; readonly run: string },
): Promise<readonly Vote[]> {
  if (gate.run !== run) throw refused('other-gate', 'its approvals were given to another run of the workflow');
  const { requester, owner, environment, facts, approvals: needed, groups, stepUp } = examined;
  // What the gate asks for is what policy says now, and not what the workflow says of it.
  const asked = { ...gate, needed, groups, stepUp, requester: requester.name };
  delete asked.escalatedTo;
  const operation = exceptionId(terms.id);
  const votes = await stillCounting(gate.votes, {
    gate: asked,
    plan: facts ?? { owner, environment },
    operation,
    requester,
    directory,
    now,
  });
  const counting = votes.filter(
    (vote, index) =>
      votes.findIndex(({ approver }) => approver === vote.approver) === index &&
      (vote.decision === 'deny' || !isFor(vote, owner)),
  );
  if (settled({ ...asked, votes: counting }) === 'approved') return counting;
  throw refused('other-gate', 'the approvals that count now are not enough');
}

/** Who withdraws it: whoever asked, approved, answers for the identity or for who asked, or is of the groups that were asked to approve. */
export async function withdrawnBy(
  { terms, examined, gate }: Pick<ExceptionRecord, 'terms' | 'examined' | 'gate'>,
  { signed, ...content }: Withdrawal,
  owner: string,
  { directory, now }: { readonly directory: Directory; readonly now: Date },
): Promise<Attested> {
  const who = await verifyWord({ verb: 'withdraw-exception', subject: terms.id, content, signed }, { directory, now });
  const asker = partyNamed(directory, terms.by) ?? examined.requester;
  const may = [terms.by, ...personsBehind(asker), owner, ...gate.votes.map(({ approver }) => approver)];
  const groups = groupsFor(who, { ...examined.facts, owner });
  if (may.includes(who.name) || examined.groups.some((asked) => isOf(groups, asked))) return who;
  throw new TenureError(
    'ApprovalRefused',
    `${who.name} neither asked for the exception ${terms.id} nor approved it, and does not own ${terms.identity}`,
  );
}
