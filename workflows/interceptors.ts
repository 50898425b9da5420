/**
 * Keeps a query from running ahead of the workflow.
 *
 * A worker that has a workflow not at hand is given its whole history with a query, and applies all of that: also what has happened since the last
 * workflow task, whose own task has not begun, or has begun at another worker. It runs local activities for it, answers, and keeps the workflow as
 * it then is. What arrives before that task is done comes after it; a replay applies both at once, signals first, and gives other commands.
 * Nobody could take such a workflow over any more. So the query fails, the worker forgets the workflow, and who asked asks again
 * (`src/temporal/ask-again.ts`): by then the server has the query wait for the task. `docs/adr/0010`.
 */
import { workflowInfo, type ActivateInput, type Next, type WorkflowInternalsInterceptor } from '@temporalio/workflow';
import { aheadOfItsTask } from '../src/domain/wire.js';

export const interceptors = (): { internals: WorkflowInternalsInterceptor[] } => ({ internals: [new NothingAhead()] });

/** The id that the core gives to a query that comes by itself, and not with a workflow task. */
const byItself = 'legacy_query';

class NothingAhead implements WorkflowInternalsInterceptor {
  /** What is known of the worker's copy: replayed up to what has been done; gone on from there, for a task or for a query; or gone on for a task. */
  private copy: 'new' | 'replayed' | 'unsure' | 'sure' = 'new';
  private seen = { length: 0, size: 0, time: 0 };

  activate(input: ActivateInput, next: Next<WorkflowInternalsInterceptor, 'activate'>): void {
    const query = input.activation.jobs?.[0]?.queryWorkflow;
    if (query) this.asked(query.queryId === byItself);
    else this.wentOn();
    next(input);
  }

  private asked(isByItself: boolean): void {
    if (isByItself && this.copy === 'unsure') throw new Error(aheadOfItsTask);
    this.copy = 'sure';
  }

  private wentOn(): void {
    const { historyLength: length, historySize: size, unsafe } = workflowInfo();
    const { seen, copy } = this;
    const now = { length, size, time: Date.now() };
    this.seen = now;
    if (unsafe.isReplaying) {
      if (copy === 'new') this.copy = 'replayed';
      return;
    }
    // When a task begins, the time goes on, and mostly the size is told anew: nothing of that, and yet there is more in the history.
    if (length > seen.length && size > 0 && size === seen.size && now.time === seen.time)
      throw new Error(aheadOfItsTask);
    if (copy === 'new' || (copy === 'unsure' && length > seen.length)) this.copy = 'sure';
    else if (copy === 'replayed') this.copy = 'unsure';
  }
}
