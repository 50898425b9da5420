/**
 * The seal of an exception. Anybody in the namespace can start a workflow that asks for it, so the worker seals what it has published itself,
 * and of one that was never published only what people have really signed.
 */
import { canonicalJson } from '../../src/canonical-json.js';
import { TenureError } from '../../src/domain/errors.js';
import type { ExceptionEvidence, ExceptionTold } from '../../src/domain/evidence.js';
import { exceptionId, type ExceptionRecord } from '../../src/domain/exception.js';
import { anyRecordIn, saidInException, statementOfAny } from '../../src/evidence/kinds.js';
import { signedInException } from '../../src/evidence/signers.js';
import type { Published } from '../../src/exceptions/published.js';
import { digestWithoutSignature } from '../../src/trust/statements.js';
import { appended, executionNow, workerPart, type Execution, type SealDependencies } from './worker-part.js';

export interface ExceptionSealDependencies extends SealDependencies {
  readonly published: Pick<Published, 'read'>;
}

/** Seals it once for each run and for what has become of it. */
export async function sealException(
  told: ExceptionTold,
  deps: ExceptionSealDependencies,
): Promise<{ readonly evidence: string }> {
  const execution = executionNow();
  const operation = exceptionId(told.id);
  if (execution.workflowId !== operation || told.terms.id !== told.id)
    throw new TenureError('InvalidRequest', `${execution.workflowId} is not the exception ${told.terms.id}`);
  const published = await deps.published.read(told.id);
  const found = told.what === 'refused' ? refusal(told, published, execution) : proven(told, published, execution);
  const gate = { ...told, gate: found.gate };
  const { by, nobodys } = await workerPart(signedInException(gate), execution, deps);
  if (nobodys > 0 || !told.terms.signed)
    throw new TenureError('ApprovalRefused', `nobody in the directory signed what the exception ${told.id} rests on`);
  const approval = told.what === 'ended' ? await approvalOf(operation, found.gate.run, deps) : undefined;
  const record: ExceptionEvidence = {
    v: 1,
    what: told.what,
    id: told.id,
    operation,
    identity: told.terms.identity,
    terms: told.terms,
    examined: told.examined,
    ...(told.rounds && told.rounds.length > 0 && { rounds: told.rounds }),
    ...found,
    ...(approval !== undefined && { approval }),
    ...by,
  };
  const { evidence } = await appended(deps, statementOfAny({ kind: 'exception', record }), (there) => {
    const before = anyRecordIn(there);
    return before?.kind === 'exception' && textOf(before.record) === textOf(record);
  });
  return { evidence };
}

const textOf = (record: ExceptionEvidence): string => canonicalJson(saidInException(record));

type Found = Pick<ExceptionEvidence, 'gate' | 'decision' | 'checks' | 'approvedAt' | 'suspensions' | 'end'>;

/** What the worker has published, under every signature, for these terms. */
function proven(told: ExceptionTold, published: ExceptionRecord | undefined, { runId }: Execution): Found {
  const { id, what, terms, examined } = told;
  const isSame =
    published !== undefined &&
    digestWithoutSignature(published.terms) === digestWithoutSignature(terms) &&
    published.examined.evidenceDigest === examined.evidenceDigest &&
    published.examined.policyDigest === examined.policyDigest;
  if (!isSame) throw new TenureError('ApprovalRefused', `no exception ${id} with these terms was ever approved`);
  if (what === 'approved' && published.run !== runId)
    throw new TenureError('ApprovalRefused', `the exception ${id} was approved in another run of its workflow`);
  if (what === 'ended' && published.status !== 'ended')
    throw new TenureError('Conflict', `the exception ${id} has not ended`);
  const { gate, decision, approvedAt, checks, suspensions, since: at, why } = published;
  return {
    gate,
    ...(decision && { decision }),
    checks,
    approvedAt,
    ...(what === 'ended' && suspensions && { suspensions }),
    ...(what === 'ended' && { end: { at, why, ...(told.word && { word: told.word }) } }),
  };
}

/** Of one that its gate refused there is only what the workflow says. Its signatures are verified all the same. */
function refusal(
  { id, gate, examined, end = '', word }: ExceptionTold,
  published: ExceptionRecord | undefined,
  { runId }: Execution,
): Found {
  if (published?.run === runId) throw new TenureError('Conflict', `the exception ${id} was approved in this run`);
  const at = new Date().toISOString();
  return { gate, checks: examined.checks, end: { at, why: end, ...(word && { word }) } };
}

/** The record of its approval, in the run that its approvals were given to. */
async function approvalOf(
  operation: string,
  run: string,
  { evidence: { reader } }: SealDependencies,
): Promise<string | undefined> {
  const records = await reader.under(`${operation}/approved`);
  return records.find(({ kind, record }) => kind === 'exception' && record.run === run)?.digest;
}
