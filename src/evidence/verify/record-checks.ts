/** One entry: that it is signed, where it lies in the tree, and that what it says of itself fits together. */
import type { ProcessRecord, SealedBy } from '../../domain/evidence.js';
import { digestOf, evidenceDigestOf } from '../../policy/digest.js';
import { digestOfText } from '../attachments.js';
import { checkpointFile, proofName } from '../bundle/export.js';
import { openCheckpoint, parseProof } from '../checkpoint.js';
import { openEnvelope, parseEnvelope } from '../dsse.js';
import { anyRecordIn, subjectsOfAny, type AnyRecord } from '../kinds.js';
import { entryName } from '../log.js';
import { isIncluded, leafHash } from '../merkle.js';
import { parseStatement } from '../statement.js';
import { broken, check, held, unless, type Check, type Finding } from './check.js';
import type { LogUnderTest } from './log-checks.js';

/** An entry as it is in the bundle, as far as it can be read. */
export interface EntryUnderTest {
  readonly index: number;
  readonly subject: string;
  readonly text: string | undefined;
  /** Of an envelope that the log's key signed, or of any where it did not: what is wrong is named below. */
  readonly statement: string | undefined;
  readonly any: AnyRecord | undefined;
}

export function entryUnderTest({ files }: LogUnderTest, index: number): EntryUnderTest {
  const text = files.get(entryName(index));
  const envelope = text === undefined ? undefined : parseEnvelope(text);
  const statement = envelope && Buffer.from(envelope.payload, 'base64').toString();
  const any = statement === undefined ? undefined : anyRecordIn(statement);
  const name = statement === undefined ? undefined : parseStatement(statement)?.subject[0]?.name;
  return {
    index,
    subject: name === undefined ? `entry ${index}` : `${name} (entry ${index})`,
    text,
    statement,
    any,
  };
}

export async function checkEntry(log: LogUnderTest, entry: EntryUnderTest): Promise<Check[]> {
  const { subject, any } = entry;
  return Promise.all([
    check(subject, 'signature', () => isSigned(log, entry)),
    check(subject, 'inclusion', () => isInTree(log, entry)),
    check(subject, 'statement', () => isStatement(entry)),
    ...(any?.kind === 'process' ? [check(subject, 'plan', () => planFits(any.record))] : []),
    ...(any ? [check(subject, 'code', () => codeIsThere(log, any.record))] : []),
  ]);
}

function isSigned({ key }: LogUnderTest, { text, statement }: EntryUnderTest): Finding {
  const envelope = text === undefined ? undefined : parseEnvelope(text);
  if (!envelope)
    return broken(text === undefined ? 'the entry is missing' : 'the entry is no envelope in its canonical form');
  if (!key || openEnvelope(envelope, key) !== statement)
    return broken('it was not signed with the log’s key, or was changed afterwards');
  return held(`signed by ${key.name}+${key.id}`);
}

function isInTree({ files, key, leaves }: LogUnderTest, { index, text }: EntryUnderTest): Finding {
  const proof = parseProof(files.get(proofName(index)) ?? '');
  const checkpoint = key && proof && openCheckpoint(proof.checkpoint, key);
  if (!proof || !checkpoint) return broken('its proof of inclusion is missing, unreadable, or not signed by the log');
  const leaf = leafHash(text ?? '');
  return unless(
    [
      proof.index !== index && `its proof is for entry ${proof.index}`,
      proof.checkpoint !== files.get(checkpointFile) && 'its proof leads to another checkpoint',
      !leaves[index]?.equals(leaf) && `it is not entry ${index} of the log: changed, or moved from another place`,
      !isIncluded(leaf, index, checkpoint.size, proof.hashes, checkpoint.root) &&
        'its proof does not lead to the root of the checkpoint',
    ],
    `entry ${index} of ${checkpoint.size}`,
  );
}

function isStatement({ statement, any }: EntryUnderTest): Finding {
  const parsed = statement === undefined ? undefined : parseStatement(statement);
  if (!parsed) return broken('it holds no in-toto Statement in its canonical form');
  if (!any) return held(`an in-toto Statement of type ${parsed.predicateType}`);
  const subjects = parsed.subject.map(({ name, digest }) => ({ name, digest: `sha256:${digest.sha256}` }));
  return unless(
    [digestOf(subjects) !== digestOf(subjectsOfAny(any)) && `it is about another ${contentOf[any.kind]} than it holds`],
    `${digestOfText(statement!).slice(0, 19)}: ${inWords(any)}`,
  );
}

const contentOf: Readonly<Record<AnyRecord['kind'], string>> = {
  process: 'plan or history',
  exception: 'exception, approval or history',
  review: 'review, elevation or history',
  routine: 'review or history',
};

function inWords({ kind, record }: AnyRecord): string {
  switch (kind) {
    case 'process':
      return `${record.kind} of ${record.identity}, ${record.outcome}`;
    case 'exception':
      return `exception of ${record.identity} from ${record.terms.rules.join(', ')}, ${record.what}`;
    case 'review':
      return `review of ${record.operation}`;
    case 'routine':
      return `routine review, ${record.findings.length} ${record.findings.length === 1 ? 'finding' : 'findings'}`;
  }
}

/** What was decided on, and what was voted on, is the plan in the record. */
function planFits(record: ProcessRecord): Finding {
  const { plan, decision, gate, operation, identity, request } = record;
  if (!plan)
    return unless(
      [
        decision && 'something was decided, and there is no plan',
        record.outcome === 'succeeded' && 'it succeeded without a plan',
      ],
      'it ended before there was a plan',
    );
  const digest = digestOf(plan);
  return unless(
    [
      plan.operation !== operation && `the plan is that of ${plan.operation}`,
      plan.identity !== identity && `the plan is for ${plan.identity}`,
      plan.requester !== request.requester && `the plan was asked for by ${plan.requester}`,
      decision && decision.planDigest !== digest && 'policy decided on another plan',
      decision?.facts &&
        decision.evidenceDigest !== evidenceDigestOf(decision) &&
        'the facts that policy saw are not those in the record',
      gate?.outcome === 'approved' && gate.planDigest !== digest && 'what was approved is another plan',
      gate?.outcome === 'approved' &&
        decision?.policyDigest !== gate.policyDigest &&
        'what was approved was asked for by other policies',
      gate?.outcome === 'approved' &&
        decision?.evidenceDigest !== gate.evidenceDigest &&
        'what was approved was shown with other facts',
    ],
    digest.slice(0, 19),
  );
}

function codeIsThere({ files }: LogUnderTest, { code }: SealedBy): Finding {
  const text = files.get(`bundles/${code.workflows.replace(/^sha256:/, '')}.js`);
  if (text === undefined) return broken('the code of its workflows is missing');
  return unless(
    [digestOfText(text) !== code.workflows && 'the code is not that which the record names'],
    `version ${code.version}, ${code.workflows.slice(0, 19)}`,
  );
}
