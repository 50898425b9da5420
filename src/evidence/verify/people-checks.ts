/** Who asked and who approved: every signature again, against the plan, by the directory as it was recorded or as it is given. */
import { canonicalJson } from '../../canonical-json.js';
import type { Attested, Directory } from '../../domain/directory.js';
import type { ProcessRecord, SealedBy } from '../../domain/evidence.js';
import { asDecided } from '../../domain/plan.js';
import type { GateState, Vote } from '../../domain/process.js';
import { missing, settled } from '../../domain/quorum.js';
import { weighBallot, type Weighing } from '../../trust/ballots.js';
import { verifyRequest } from '../../trust/requests.js';
import { attachmentName, digestOfText } from '../attachments.js';
import type { BundleFiles } from '../bundle/files.js';
import { checkAdvance } from './advance-checks.js';
import { broken, check, held, unknown, unless, type Check, type Finding } from './check.js';

/** `given`: a directory that the verifier brings along; else it is the one in the record. */
export async function checkPeople(
  files: BundleFiles,
  record: ProcessRecord,
  subject: string,
  given: Directory | undefined,
): Promise<Check[]> {
  const directory = given ?? { parties: record.signers ?? [], revoked: [] };
  const gates = [...(record.rounds ?? []), ...(record.gate ? [record.gate] : [])];
  return Promise.all([
    ...(given ? [] : [check(subject, 'directory', () => signersAreIn(files, record))]),
    check(subject, 'request', () => askedBy(record, directory, given !== undefined)),
    ...voteChecks(subject, gates, (gate, vote) => isCounted(record, gate, vote, directory)),
    ...checkAdvance(files, record, subject, { requester: requesterOf(record), given }),
    check(subject, 'quorum', () => wasPermitted(record)),
    ...(record.decision?.permitted ? [check(subject, 'permit', () => hadPermit(record))] : []),
  ]);
}

/** The signers in the record are those of the directory that lies beside it. */
export function signersAreIn(files: BundleFiles, { directory, signers = [] }: SealedBy): Finding {
  if (directory === undefined) return unknown('the record does not say which directory was in force');
  const text = files.get(attachmentName('directories', directory));
  if (text === undefined || digestOfText(text) !== directory)
    return broken('the directory that was in force is missing or was changed');
  const { parties } = JSON.parse(text) as Directory;
  const gone = signers.filter(({ name, keys, ...rest }) => {
    const { keys: known, ...now } = parties.find((party) => party.name === name) ?? { name, keys: [], ...rest };
    const isKnown = keys.every((key) => known.some((other) => canonicalJson(other) === canonicalJson(key)));
    return !isKnown || canonicalJson({ name, ...rest }) !== canonicalJson(now);
  });
  if (gone.length > 0)
    return unknown(
      `${gone.map(({ name }) => name).join(', ')} signed with a key, or as somebody, that the directory had no more at the end`,
    );
  return held(`${signers.map(({ name }) => name).join(', ') || 'nobody'} as in ${directory.slice(0, 19)}`);
}

async function askedBy(record: ProcessRecord, directory: Directory, isGiven: boolean): Promise<Finding> {
  const requester = requesterOf(record);
  if (!requester) return broken('who asked was not verified');
  const now = new Date(requester.at);
  const attested = await verifyRequest(record.request, record.identity, {
    directory,
    now,
    receivedAt: signedAt(record) ?? now,
  });
  return unless(
    [
      attested.name !== requester.name && `the record says that ${requester.name} asked, and ${attested.name} signed`,
      attested.key !== requester.key && 'it was signed with another key than the record says',
      attested.statement !== requester.statement && 'another request was verified than the record holds',
      standingOf(attested, isGiven) !== standingOf(requester, isGiven) &&
        'who asked was somebody else at that time than the record says',
    ],
    `${attested.name} (${attested.kind}) asked, with key ${attested.key}`,
  );
}

/** Who asked, as it was verified at first, or when policy decided. */
function requesterOf({ requester, decision }: ProcessRecord): Attested | undefined {
  return requester ?? decision?.requester;
}

/** In the directory that somebody brings along, groups may be others by now. */
function standingOf({ groups, ...standing }: Attested, isGiven: boolean): string {
  return canonicalJson({ ...standing, ...(!isGiven && { groups }) });
}

/** A request may have waited: its own times are judged when it was signed. */
function signedAt({ request }: ProcessRecord): Date | undefined {
  const { iat } = JSON.parse(request.signed?.statement ?? '{}') as { iat?: string };
  return iat === undefined ? undefined : new Date(iat);
}

/** One check for each vote of each round. */
export function voteChecks(
  subject: string,
  gates: readonly GateState[],
  find: (gate: GateState, vote: Vote) => Promise<Finding>,
): Promise<Check>[] {
  return gates.flatMap((gate) =>
    gate.votes.map((vote) =>
      check(subject, `${vote.decision === 'deny' ? 'denial' : 'approval'} of ${vote.approver}`, () => find(gate, vote)),
    ),
  );
}

async function isCounted(record: ProcessRecord, gate: GateState, vote: Vote, directory: Directory): Promise<Finding> {
  const { operation, run } = record;
  const requester = requesterOf(record);
  if (!record.plan || !requester) return broken('there is no plan or no requester that it could be for');
  const plan = asDecided(record.plan, record.decision);
  return countedAgain({ gate, vote, plan, operation, run, requester, directory });
}

/** What a vote is counted against. */
interface Counting extends Omit<Weighing, 'ballot' | 'now'> {
  readonly vote: Vote;
  readonly run: string | undefined;
}

/** Counts the vote once more, and finds the same. */
export async function countedAgain({ vote, run, ...against }: Counting): Promise<Finding> {
  const { gate } = against;
  const at = new Date(vote.at);
  const weighed = await weighBallot({ ...against, ballot: vote.ballot, now: at, receivedAt: at });
  if (!weighed.counts) return broken(weighed.refused.reason);
  return unless(
    [
      gate.run !== run && `it was given to run ${gate.run}, and the record is of run ${run}`,
      canonicalJson(weighed.vote) !== canonicalJson(vote) && 'the record counts it for something else than was signed',
    ],
    `round ${gate.number}, with key ${vote.key}${vote.stepUp ? ', touched and unlocked' : ''}${vote.onBehalfOf === undefined ? '' : `, for ${vote.onBehalfOf}`}`,
  );
}

/** What changed something was allowed, and approved by as many and by whom policy asked for. */
function wasPermitted({ gate, decision, outcome, stages, kind, request }: ProcessRecord): Finding {
  const isAsked = stages.some(({ name }) => name === 'authorize');
  if (!isAsked)
    return unless(
      [
        kind !== 'validate' && `a ${kind} ran without asking policy`,
        request.repair && 'a repair ran without asking policy',
      ],
      'it only looked, so nobody was asked',
    );
  const isDone = outcome === 'succeeded' || outcome === 'unfinished' || decision?.permitted === true;
  if (!isDone) return held(`it was not permitted, and ended ${outcome}`);
  return unless(
    [
      decision?.effect !== 'allow' && 'policy did not allow it',
      decision?.permitted !== true && 'it was never permitted',
      ...(gate ? gateProblems(gate) : []),
      !gate && (decision?.obligations.approvals ?? 0) > 0 && 'policy asked for approvals, and there was no gate',
    ],
    gate
      ? `approved as ${gate.rules.map(({ id }) => id).join(', ') || 'policy'} asked, by ${namesIn(gate).join(', ')}`
      : `policy asked for nobody${decision?.inAdvance?.spared.length ? ' else' : ''}`,
  );
}

/** The worker's own word: a workflow could claim to be permitted, and its worker knows. */
function hadPermit({ permit, run }: ProcessRecord): Finding {
  if (permit === undefined) return unknown('the worker that sealed it did not find that it had permitted this run');
  return held(`run ${run}, by ${permit.slice(0, 19)}`);
}

/** What speaks against a gate that was passed. */
export function gateProblems(gate: GateState): (string | false)[] {
  const names = gate.votes.map(({ approver }) => approver);
  const { rules, needed, groups, stepUp } = gate;
  return [
    new Set(names).size !== names.length && 'somebody is counted twice',
    gate.outcome !== 'approved' && `the gate ended ${gate.outcome}`,
    settled(gate) !== 'approved' && `the gate needed more: ${missing(gate) ?? 'somebody denied it'}`,
    rules.some(({ approvals }) => approvals > needed) && 'a policy asked for more people than the gate did',
    rules.some((rule) => rule.groups.some((group) => !groups.includes(group))) &&
      'a policy asked for a group that the gate did not',
    rules.some((rule) => rule.stepUp && !stepUp) && 'a policy asked for security keys, and the gate did not',
  ];
}

export function namesIn({ votes }: GateState): string[] {
  return votes.filter(({ decision }) => decision === 'approve').map(({ approver }) => approver);
}
