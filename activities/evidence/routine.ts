/** The seal of a routine review: what the worker found, whatever a workflow makes of it. */
import type { RoutineEvidence } from '../../src/domain/evidence.js';
import { anyRecordIn, statementOfAny } from '../../src/evidence/kinds.js';
import { appended, executionNow, workerPart, type SealDependencies } from './worker-part.js';

/** What was found. */
export type RoutineFound = Pick<RoutineEvidence, 'at' | 'lookedAt' | 'findings'>;

/** Seals what a routine review found, and gives it back; a repeated attempt gets what the first one found in the same run. */
export function routineSeal(deps: SealDependencies): (found: RoutineFound) => Promise<RoutineFound> {
  return async (found) => {
    const execution = executionNow();
    const { by } = await workerPart([], execution, deps);
    const record: RoutineEvidence = { v: 1, operation: execution.workflowId, ...found, ...by };
    const { statement } = await appended(deps, statementOfAny({ kind: 'routine', record }), () => true);
    const there = anyRecordIn(statement);
    return there?.kind === 'routine' ? there.record : found;
  };
}
