/** An exception: that people signed exactly these terms, under these rules and with these controls, and that it ended as it says. */
import { exceptionId } from '../../domain/exception.js';
import type { Directory } from '../../domain/directory.js';
import type { ExceptionEvidence } from '../../domain/evidence.js';
import { evidenceOf } from '../../exceptions/evidence.js';
import { issuedAt } from '../../trust/issued-at.js';
import { verifyWord } from '../../trust/requests.js';
import { digestWithoutSignature } from '../../trust/statements.js';
import type { BundleFiles } from '../bundle/files.js';
import { check, held, unknown, unless, type Check, type Finding } from './check.js';
import { countedAgain, gateProblems, namesIn, signersAreIn, voteChecks } from './people-checks.js';

/** Every check of it that is about people. */
export async function checkException(
  files: BundleFiles,
  record: ExceptionEvidence,
  subject: string,
  given: Directory | undefined,
): Promise<Check[]> {
  const directory = given ?? { parties: record.signers ?? [], revoked: [] };
  const { gate, rounds = [], end } = record;
  return Promise.all([
    check(subject, 'terms', () => termsFit(record)),
    ...(given ? [] : [check(subject, 'directory', () => signersAreIn(files, record))]),
    check(subject, 'request', () => askedBy(record, directory)),
    ...voteChecks(subject, [...rounds, gate], async (each, vote) => isCounted(record, each, vote, directory)),
    check(subject, 'quorum', () => wasApproved(record)),
    ...(end ? [check(subject, 'end', () => endedSo(record, directory))] : []),
  ]);
}

/** What was approved is the terms, the rules and the controls in the record. */
function termsFit({ id, operation, identity, terms, examined, decision, gate }: ExceptionEvidence): Finding {
  const digest = digestWithoutSignature(terms);
  const decisions = [examined.decision, decision].filter((each) => each !== undefined);
  const shown = evidenceOf(examined.checks, examined.facts);
  return unless(
    [
      (terms.id !== id || operation !== exceptionId(id)) && `the terms are those of ${terms.id}`,
      terms.identity !== identity && `the terms are for ${terms.identity}`,
      gate.planDigest !== digest && 'what was voted on is other terms',
      gate.policyDigest !== examined.policyDigest && 'what was voted on was asked for by other policies',
      (gate.evidenceDigest !== examined.evidenceDigest || gate.evidenceDigest !== shown) &&
        'what was voted on was shown with other controls',
      decisions.some(({ planDigest }) => planDigest !== digest) && 'policy decided on other terms',
      decisions.some(({ policyDigest }) => policyDigest !== gate.policyDigest) && 'other policies decided',
    ],
    `${digest.slice(0, 19)}: ${terms.rules.join(', ')} until ${terms.until}`,
  );
}

async function askedBy({ id, terms, examined }: ExceptionEvidence, directory: Directory): Promise<Finding> {
  const { signed, ...content } = terms;
  const now = issuedAt(signed);
  const attested = await verifyWord({ verb: 'except', subject: id, content, signed }, { directory, now });
  const { requester } = examined;
  return unless(
    [
      attested.name !== requester.name && `the record says that ${requester.name} asked, and ${attested.name} signed`,
      attested.key !== requester.key && 'it was signed with another key than the record says',
      attested.statement !== requester.statement && 'other terms were verified than the record holds',
    ],
    `${attested.name} (${attested.kind}) asked, with key ${attested.key}`,
  );
}

async function isCounted(
  { examined, operation, run, what }: ExceptionEvidence,
  gate: ExceptionEvidence['gate'],
  vote: ExceptionEvidence['gate']['votes'][number],
  directory: Directory,
): Promise<Finding> {
  const { owner, environment, facts, requester } = examined;
  if (vote.decision === 'approve' && [vote.approver, vote.onBehalfOf].includes(owner))
    return unless([`${owner} owns the identity, and cannot approve an exception of it`], '');
  // What ended may have gone on in other runs than the one that was approved.
  const votedIn = what === 'ended' ? gate.run : run;
  const plan = facts ?? { owner, environment };
  return countedAgain({ gate, vote, plan, operation, run: votedIn, requester, directory });
}

/** As many people, of the groups and with the keys, as policy asked for. */
function wasApproved({ what, gate, examined, decision }: ExceptionEvidence): Finding {
  if (what === 'refused') return held(`it was not approved: its gate ended ${gate.outcome}`);
  const { needed, groups, stepUp, rules } = gate;
  return unless(
    [
      ...gateProblems(gate),
      examined.approvals > needed && 'policy asked for more people than the gate did',
      examined.groups.some((group) => !groups.includes(group)) && 'policy asked for a group that the gate did not',
      examined.stepUp && !stepUp && 'policy asked for security keys, and the gate did not',
      decision && decision.effect !== 'allow' && 'policy did not allow it',
      (decision?.obligations.approvals ?? 0) > 0 && 'policy asked for more approvals than there are',
    ],
    `approved as ${rules.map(({ id }) => id).join(', ') || 'policy'} asked, by ${namesIn(gate).join(', ') || 'nobody'}`,
  );
}

async function endedSo({ id, what, terms, end }: ExceptionEvidence, directory: Directory): Promise<Finding> {
  const { at, why, word } = end!;
  if (!word) {
    if (what === 'refused') return held(why);
    if (Date.parse(at) >= Date.parse(terms.until)) return held(`${why}, at ${at}`);
    return unknown(`it ended before its time (${why}), and the signed word for that is not in the record`);
  }
  const { signed, ...content } = word;
  const about = { verb: 'withdraw-exception', subject: id, content, signed } as const;
  const { name, key } = await verifyWord(about, { directory, now: issuedAt(signed) });
  return unless(
    [!why.startsWith(`withdrawn by ${name}`) && `the record says something else: ${why}`],
    `${name} withdrew it, with key ${key}`,
  );
}
