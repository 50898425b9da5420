/** Asks a query again that came too early. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QueryNotRegisteredError, type WorkflowClientInterceptor } from '@temporalio/client';
import { aheadOfItsTask } from '../domain/wire.js';

/** From then on the server has a query wait for the task; once more is for a worker that dies meanwhile. */
const mostAgain = 5;
const pauseMs = 100;

/** What the SDK puts in the place of a message that it encrypts. */
const encrypted = 'Encoded failure';

/** For `interceptors.workflow` of every client. */
export const askingAgain: WorkflowClientInterceptor = {
  async query(input, next) {
    for (let again = 0; ; again += 1) {
      try {
        return await next(input);
      } catch (error) {
        if (again === mostAgain || !isTooEarly(error)) throw error;
        await sleep(pauseMs);
      }
    }
  },
};

/** The client calls every query that failed in the workflow one that is not registered. Where payloads are encrypted it is not told why it failed. */
function isTooEarly(error: unknown): boolean {
  return (
    error instanceof QueryNotRegisteredError && (error.message.includes(aheadOfItsTask) || error.message === encrypted)
  );
}
