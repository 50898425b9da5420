/** Approvals given in advance: each signature again, by the directory that policy decided by, for this very task, and that they were enough. */
import { canonicalJson } from '../../canonical-json.js';
import type { AdvanceApproval, GateRule, InAdvance } from '../../domain/decision.js';
import type { Attested, Directory } from '../../domain/directory.js';
import type { ProcessRecord } from '../../domain/evidence.js';
import { asDecided } from '../../domain/plan.js';
import { countedOnce, isOf } from '../../domain/quorum.js';
import type { Signed } from '../../domain/statement.js';
import { verifyAdvance } from '../../trust/advance.js';
import { attachmentName, digestOfText } from '../attachments.js';
import type { BundleFiles } from '../bundle/files.js';
import { statementIn } from '../read/statements.js';
import { broken, check, held, unknown, unless, type Check, type Finding } from './check.js';

/** Who asked, and a directory that the verifier brings along. */
interface Against {
  readonly requester: Attested | undefined;
  readonly given: Directory | undefined;
}

/** One check for each that was handed in, one for the directory, one for what they stood in for. */
export function checkAdvance(
  files: BundleFiles,
  record: ProcessRecord,
  subject: string,
  { requester, given }: Against,
): Promise<Check>[] {
  const { request, decision } = record;
  const handedIn = request.advance ?? [];
  const counted = decision?.inAdvance;
  if (handedIn.length === 0 && !counted) return [];
  const directory = given ?? directoryIn(files, counted) ?? { parties: record.signers ?? [], revoked: [] };
  return [
    ...(given || !counted ? [] : [check(subject, 'directory in advance', () => isThere(files, counted))]),
    ...handedIn.map((signed) =>
      check(subject, `approval in advance of ${claimedBy(signed)}`, () =>
        isCounted(record, signed, requester, directory),
      ),
    ),
    ...(counted ? [check(subject, 'in advance', () => wereEnough(record, counted))] : []),
  ];
}

/** The directory that policy decided by, where the bundle has it as it was. */
function directoryIn(files: BundleFiles, counted: InAdvance | undefined): Directory | undefined {
  const text = counted && files.get(attachmentName('directories', counted.directory));
  return text !== undefined && digestOfText(text) === counted!.directory ? (JSON.parse(text) as Directory) : undefined;
}

function isThere(files: BundleFiles, { directory }: InAdvance): Finding {
  const text = files.get(attachmentName('directories', directory));
  if (text === undefined)
    return unknown('the directory that policy decided by was not kept, so what was revoked then is not known');
  return unless(
    [digestOfText(text) !== directory && 'the directory that policy decided by was changed'],
    directory.slice(0, 19),
  );
}

function claimedBy(signed: Signed): string {
  return statementIn(signed, 'tenure/advance@v1')?.approver ?? 'nobody';
}

/** What counted holds again, as the record says; what did not count needs not hold. */
async function isCounted(
  { plan, decision }: ProcessRecord,
  signed: Signed,
  requester: Attested | undefined,
  directory: Directory,
): Promise<Finding> {
  const approvals = decision?.inAdvance?.approvals ?? [];
  const { id, exp } = statementIn(signed, 'tenure/advance@v1') ?? {};
  const counted = approvals.find((one) => one.id === id && one.approver === claimedBy(signed));
  if (!counted) return held('it was handed in, and did not count');
  if (!plan || !decision || !requester) return broken('there is no plan or no requester that it could be for');
  const task = { plan: asDecided(plan, decision), requester, directory, now: new Date(decision.at) };
  const found = await verifyAdvance(signed, task);
  return unless(
    [canonicalJson(found) !== canonicalJson(counted) && 'the record counts it for something else than was signed'],
    `${id}, until ${exp}, with key ${found.key}`,
  );
}

/** Together with the votes at the gate they are what each policy asks for that they stood in for. */
function wereEnough({ request, decision, gate }: ProcessRecord, { approvals, spared }: InAdvance): Finding {
  const handedIn = (request.advance ?? []).map((signed) => statementIn(signed, 'tenure/advance@v1'));
  const unsigned = approvals.filter(
    ({ id, approver }) => !handedIn.some((one) => one?.id === id && one.approver === approver),
  );
  const votes = gate?.outcome === 'approved' ? gate.votes.filter((vote) => vote.decision === 'approve') : [];
  const people = countedOnce([...votes, ...approvals]);
  const problems = [
    ...unsigned.map(({ id }) => `${id} is counted, and was not handed in`),
    isTwice(approvals, 'id') && 'one of them is counted twice',
    isTwice(approvals, 'approver') && 'somebody is counted twice',
  ].filter((problem) => typeof problem === 'string');
  if (problems.length > 0) return broken(problems.join('; '));
  const names = approvals.map(({ approver }) => approver).join(', ');
  if (!decision?.permitted) return held(`${names}; nothing was permitted`);
  const short = spared.filter((rule) => !isEnough(rule, people));
  // A policy may be content with less in advance than at its gate, and its text is not here.
  if (short.length > 0)
    return unknown(`policy let ${names} pass for less than ${short.map(({ id }) => id).join(', ')} asks for at a gate`);
  const rules = spared.map(({ id }) => id).join(', ');
  return held(rules === '' ? `${names}; no policy needed them` : `approved as ${rules} asked, by ${names}`);
}

function isTwice(approvals: readonly AdvanceApproval[], what: 'id' | 'approver'): boolean {
  return new Set(approvals.map((one) => one[what])).size !== approvals.length;
}

function isEnough(
  { approvals, groups, stepUp }: GateRule,
  people: readonly Pick<AdvanceApproval, 'groups' | 'stepUp'>[],
): boolean {
  const fit = people.filter((one) => !stepUp || one.stepUp);
  return fit.length >= approvals && groups.every((group) => fit.some((one) => isOf(one.groups, group)));
}
