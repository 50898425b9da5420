/** Proves an exception anew from what was signed. Nothing is believed that came with a workflow: anybody in the namespace can start one. */
import { partyNamed, personsBehind, type Attested, type Directory } from '../../src/domain/directory.js';
import { TenureError } from '../../src/domain/errors.js';
import {
  exceptionId,
  type ControlResult,
  type Examined,
  type ExceptionRecord,
  type ExceptionTerms,
  type Withdrawal,
} from '../../src/domain/exception.js';
import type { GateState, Vote } from '../../src/domain/process.js';
import { settled } from '../../src/domain/quorum.js';
import { evidenceOf } from '../../src/exceptions/evidence.js';
import type { ExceptionSettings } from '../../src/exceptions/options.js';
import { digestOf } from '../../src/policy/digest.js';
import { stillCounting } from '../../src/trust/ballots.js';
import { issuedAt } from '../../src/trust/issued-at.js';
import { refused } from '../../src/trust/refusal.js';
import { verifyWord } from '../../src/trust/requests.js';
import { digestWithoutSignature } from '../../src/trust/statements.js';

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

/** What approvals of these terms are bound to, and what they need. */
export function boundTo(
  terms: ExceptionTerms,
  settings: ExceptionSettings,
  checks: readonly ControlResult[],
): Omit<Examined, 'requester' | 'owner' | 'environment'> {
  const { approvals, groups, stepUp, gate: gateMs } = settings;
  return {
    planDigest: digestWithoutSignature(terms),
    policyDigest: digestOf({ policy: 'exceptions', version: 1, settings }),
    evidenceDigest: evidenceOf(checks),
    approvals,
    groups,
    stepUp,
    gateMs,
    checks,
  };
}

/** Why the approvals were given for something else; undefined where they were given for this. */
export function whatChanged(gate: GateState, examined: Examined): string | undefined {
  if (gate.planDigest !== examined.planDigest) return 'the terms are others now';
  if (gate.policyDigest !== examined.policyDigest) return "the operator's rules for exceptions have changed";
  if (gate.evidenceDigest !== examined.evidenceDigest) return 'a control does not say the same any more';
  return undefined;
}

/** The votes that count now, for this run; throws `ApprovalRefused` where they are not enough. */
export async function approvedVotes(
  terms: ExceptionTerms,
  gate: GateState,
  examined: Examined,
  { directory, now, run }: { readonly directory: Directory; readonly now: Date; readonly run: string },
): Promise<readonly Vote[]> {
  if (gate.run !== run) throw refused('other-gate', 'its approvals were given to another run of the workflow');
  const { requester, owner, environment, approvals: needed, groups, stepUp } = examined;
  // What the gate asks for is taken from the operator's file, and not from what the workflow says of it.
  const asked = { ...gate, needed, groups, stepUp, requester: requester.name };
  delete asked.escalatedTo;
  const operation = exceptionId(terms.id);
  const votes = await stillCounting(gate.votes, {
    gate: asked,
    plan: { owner, environment },
    operation,
    requester,
    directory,
    now,
  });
  const counting = votes.filter(
    (vote, index) => votes.findIndex(({ approver }) => approver === vote.approver) === index,
  );
  if (settled({ ...asked, votes: counting }) === 'approved') return counting;
  throw refused('other-gate', 'the approvals that count now are not enough');
}

/** Who withdraws it: whoever asked, approved, answers for the identity or for who asked, or is of the groups that approve. */
export async function withdrawnBy(
  { terms, examined, gate }: Pick<ExceptionRecord, 'terms' | 'examined' | 'gate'>,
  { signed, ...content }: Withdrawal,
  owner: string,
  { directory, now, groups }: { readonly directory: Directory; readonly now: Date; readonly groups: readonly string[] },
): Promise<Attested> {
  const who = await verifyWord({ verb: 'withdraw-exception', subject: terms.id, content, signed }, { directory, now });
  const asker = partyNamed(directory, terms.by) ?? examined.requester;
  const may = [terms.by, ...personsBehind(asker), owner, ...gate.votes.map(({ approver }) => approver)];
  if (may.includes(who.name) || groups.some((group) => who.groups.includes(group))) return who;
  throw new TenureError(
    'ApprovalRefused',
    `${who.name} neither asked for the exception ${terms.id} nor approved it, and does not own ${terms.identity}`,
  );
}
