/** The worker seals what it has published itself; of what was never published, only what people have really signed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEvidenceActivities } from '../../activities/evidence.js';
import type { ExceptionEvidence, ExceptionTold } from '../../src/domain/evidence.js';
import { exceptionId, type ExceptionRecord } from '../../src/domain/exception.js';
import type { GateState, Vote } from '../../src/domain/process.js';
import { openEvidenceWriter, type EvidenceWriter } from '../../src/evidence/open.js';
import { publishedIn, type Published } from '../../src/exceptions/published.js';
import { digestWithoutSignature } from '../../src/trust/statements.js';
import { ada, asked, ballotOf, grace, termsOf, withdrawalOf } from '../support/exceptions.js';
import { directoryOf, person, type TestSigner } from '../support/signers.js';
import { attested } from '../evidence-read/records.js';

let folder: string;
let evidence: EvidenceWriter;
let published: Published;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-seal-exception-'));
  evidence = openEvidenceWriter({
    stateDirectory: folder,
    evidence: { name: 'tenure', log: { directory: join(folder, 'evidence') } },
  });
  published = publishedIn(folder);
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

async function voteOf(signer: TestSigner, operation: string, gate: GateState): Promise<Vote> {
  const ballot = await ballotOf(signer, operation, gate);
  const { iat: at } = JSON.parse(ballot.signed.statement) as { iat: string };
  const common = { decision: 'approve', groups: ['security'], stepUp: false } as const;
  return { ...common, approver: signer.name, planDigest: gate.planDigest, at, key: signer.keyId, ballot };
}

/** Asked by ada, approved by grace, published, unless a test says otherwise. */
async function scene(
  by: TestSigner = grace,
): Promise<{ readonly told: ExceptionTold; readonly record: ExceptionRecord }> {
  const terms = await asked(termsOf());
  const digests = { policyDigest: `sha256:${'2'.repeat(64)}`, evidenceDigest: `sha256:${'4'.repeat(64)}` };
  const planDigest = digestWithoutSignature(terms);
  const open: GateState = {
    ...{ planDigest, ...digests, round: 'nonce', run: 'run-1', number: 1, requester: ada.name },
    ...{ needed: 1, groups: [], stepUp: false, rules: [], votes: [], refused: [], outcome: 'open' },
    ...{ openedAt: new Date().toISOString(), deadline: new Date().toISOString() },
  };
  const gate: GateState = { ...open, votes: [await voteOf(by, exceptionId(terms.id), open)], outcome: 'approved' };
  const examined = {
    ...{ requester: attested(ada.name), owner: 'olga@example.com', environment: 'production', planDigest, ...digests },
    ...{ approvals: 1, groups: [], stepUp: false, gateMs: 1, checks: [] },
  };
  const at = new Date().toISOString();
  const record: ExceptionRecord = {
    ...{ v: 1, terms, run: 'run-1', examined, gate, approvedAt: at, status: 'active', since: at },
    ...{ why: 'approved', checks: [], checkedAt: at, checkEveryMs: 1_000 },
  };
  return { told: { what: 'approved', id: terms.id, terms, examined, gate }, record };
}

async function seal(
  told: ExceptionTold,
  {
    runId = 'run-1',
    workflowId = exceptionId(told.id),
  }: { readonly runId?: string; readonly workflowId?: string } = {},
): Promise<string> {
  const { sealException } = createEvidenceActivities({
    evidence,
    published,
    workflows: 'the code',
    directory: async () => directoryOf(ada, grace),
    log: pino({ level: 'silent' }),
  });
  const quiet = { logger: new DefaultLogger('ERROR', () => {}) };
  const environment = new MockActivityEnvironment({ workflowExecution: { workflowId, runId } }, quiet);
  const { evidence: digest } = (await environment.run(sealException, told)) as Awaited<
    ReturnType<typeof sealException>
  >;
  return digest;
}

const recordsOf = async (id: string): Promise<ExceptionEvidence[]> =>
  (await evidence.reader.under(exceptionId(id))).flatMap((any) => (any.kind === 'exception' ? [any.record] : []));

describe('an approved exception', () => {
  test('is sealed as it was published, once for its run, whoever asks again', async () => {
    const { told, record } = await scene();
    await published.create(record);
    const digest = await seal(told);
    expect(await seal(told)).toBe(digest);
    expect(await recordsOf(told.id)).toMatchObject([
      { what: 'approved', gate: { votes: [{ approver: grace.name }] }, approvedAt: record.approvedAt },
    ]);
    // Of the gate and its votes the workflow has no say.
    await expect(seal({ ...told, rounds: [told.gate] })).rejects.toMatchObject({ code: 'Conflict' });
  });

  test('and its end are two records, and the second names the first', async () => {
    const { told, record } = await scene();
    await published.create(record);
    const approval = await seal(told);
    await expect(seal({ ...told, what: 'ended' })).rejects.toMatchObject({ code: 'Conflict' });
    await published.end(told.id, { since: '2026-03-01T00:00:00.000Z', why: 'withdrawn by ada@example.com: rotated' });
    const word = await withdrawalOf(told.id, ada);
    await seal({ ...told, what: 'ended', word }, { runId: 'run-7' });
    const [, end] = await recordsOf(told.id);
    expect(end).toMatchObject({ what: 'ended', run: 'run-7', approval, end: { at: '2026-03-01T00:00:00.000Z', word } });
    expect((await evidence.reader.under('nhi/payments-db')).map(({ index }) => index)).toEqual([0, 1]);
  });
});

describe('somebody who brings a workflow of their own', () => {
  const mallory = person('mallory@example.com');
  const refusedWith = (code: string) => ({ code });

  test.each<[string, (told: ExceptionTold) => Promise<unknown>, string]>([
    ['as approved, what was never published', (told) => seal(told), 'ApprovalRefused'],
    ['as ended, what was never published', (told) => seal({ ...told, what: 'ended' }), 'ApprovalRefused'],
    ['another exception than theirs', (told) => seal(told, { workflowId: 'exception/another' }), 'InvalidRequest'],
    [
      'as refused, terms that nobody signed',
      ({ terms: { signed: _signed, ...terms }, ...told }) => seal({ ...told, what: 'refused', terms }),
      'ApprovalRefused',
    ],
    [
      'as refused, terms that ada did not sign so',
      (told) =>
        seal({ ...told, what: 'refused', terms: { ...told.terms, signed: { statement: '{}', signature: '' } } }),
      'ApprovalRefused',
    ],
  ])('cannot have sealed %s', async (_, attempt, code) => {
    const { told } = await scene();
    await expect(attempt(told)).rejects.toMatchObject(refusedWith(code));
    expect(await evidence.reader.size()).toBe(0);
  });

  test('cannot have sealed votes of people who are not in the directory', async () => {
    const { told } = await scene(mallory);
    await expect(seal({ ...told, what: 'refused' })).rejects.toMatchObject(refusedWith('ApprovalRefused'));
  });

  test('cannot have sealed an approval for another run, other terms, or as if it had been refused', async () => {
    const { told, record } = await scene();
    await published.create(record);
    await expect(seal(told, { runId: 'run-2' })).rejects.toMatchObject(refusedWith('ApprovalRefused'));
    const rules = ['no-superusers'];
    await expect(seal({ ...told, terms: { ...told.terms, rules } })).rejects.toMatchObject(
      refusedWith('ApprovalRefused'),
    );
    await expect(seal({ ...told, what: 'refused' })).rejects.toMatchObject(refusedWith('Conflict'));
    expect(await evidence.reader.size()).toBe(0);
  });
});
