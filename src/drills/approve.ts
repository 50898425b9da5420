import { ballotFor } from '../trust/ballot.js';
import { decide, processOf, processWhen, type Range } from './range.js';

/** Approves what waits, as somebody else than who asked. */
export async function approve(range: Range, operation: string): Promise<void> {
  const { gate } = await processOf(range, operation);
  await decide(range, operation, await ballotFor(range.approver, 'approve', operation, gate!, 'a drill'));
  const after = await processWhen(
    range,
    operation,
    'the approval was looked at',
    (state) => state.gate?.outcome !== 'open' || state.gate.votes.length > 0 || state.gate.refused.length > 0,
  );
  if (after.gate?.outcome === 'open')
    throw new Error(
      `one approval by ${range.approver.name} does not open this gate: ${after.gate.refused.at(-1)?.reason ?? 'it asks for more'}`,
    );
}
