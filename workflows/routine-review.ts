/**
 * The routine review, as its Schedule runs it: looks at how people decide, at what is granted and not used, at owners who left and at
 * exceptions that end. It changes nothing; it tells operators what is worth a second look.
 */
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ReviewOutcome } from '../src/domain/routine-review.js';
import { callerFor } from './lib/activities.js';
import { renderRoutine } from './lib/render-routine.js';

/** Reading a long log takes its time. */
const lookMs = 10 * 60_000;

export async function routineReview(): Promise<ReviewOutcome> {
  const outcome = await callerFor(false)('careful', 'Look at the routine', lookMs).lookAtRoutine();
  setCurrentDetails(renderRoutine(outcome));
  for (const { severity, subject, text } of outcome.lines.filter(({ severity: weight }) => weight !== 'low'))
    await tell(subject, severity === 'high' ? 'alert' : 'warning', text);
  return outcome;
}

/** Best effort: whoever is not told finds it with `tenure review`. */
async function tell(identity: string, level: 'alert' | 'warning', text: string): Promise<void> {
  const { workflowId: operation } = workflowInfo();
  await callerFor(false)('careful', 'Tell the operators')
    .notify({ identity, operation, level, text })
    .catch(() => {});
}
