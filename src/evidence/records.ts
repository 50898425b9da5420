/** Records of processes as statements, and back. */
import type { Party } from '../domain/directory.js';
import { processPredicate, type ProcessRecord, type SealedBy } from '../domain/evidence.js';
import type { Attested } from '../domain/directory.js';
import type { ProcessResult, ProcessState } from '../domain/process.js';
import type { ChangeRequest } from '../domain/request.js';
import { digestOf } from '../policy/digest.js';
import { parseStatement, statementText } from './statement.js';

/** What the workflow says of itself when it asks for the seal. */
export interface Told {
  readonly state: ProcessState;
  readonly result: ProcessResult;
  readonly request: ChangeRequest;
  readonly requester?: Attested;
}

/** What the worker adds that seals it. */
export interface Added extends SealedBy {
  readonly run: string;
  readonly signers: readonly Party[];
  readonly permit?: string;
}

/** The record of a process. The stage that seals is not in it, since it has not ended. */
export function recordOf({ state, result, request, requester }: Told, added: Added): ProcessRecord {
  const { identity, plan, decision, gate, rounds, stages } = state;
  return {
    v: 1,
    ...result,
    identity,
    request,
    ...(requester && { requester }),
    ...(plan && { plan }),
    ...(decision && { decision }),
    ...(gate && { gate }),
    ...(rounds && { rounds }),
    stages: stages.filter(({ name }) => name !== 'seal'),
    ...added,
  };
}

/** What two records of one run have to agree in: everything that the workflow said, and nothing that the worker found out which sealed it. */
export function saidIn(record: ProcessRecord): unknown {
  const { code: _c, history: _h, signers: _s, directory: _d, permit: _p, requester: _r, ...said } = record;
  return said;
}

/** The statement of a record: about the plan, named by the operation, and about the history. What was never planned is named by its request. */
export function statementOf(record: ProcessRecord): string {
  return statementText(subjectsOf(record), processPredicate, record);
}

export function subjectsOf(record: ProcessRecord): { readonly name: string; readonly digest: string }[] {
  const { operation, plan, request, history } = record;
  return [
    { name: operation, digest: digestOf(plan ?? request) },
    ...(history ? [{ name: 'history', digest: history.digest }] : []),
  ];
}

/** The record in a statement; undefined where it is about something else. */
export function recordIn(statement: string): ProcessRecord | undefined {
  const parsed = parseStatement(statement);
  return parsed?.predicateType === processPredicate ? (parsed.predicate as unknown as ProcessRecord) : undefined;
}
