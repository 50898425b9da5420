/** What wraps every activity: a heartbeat, and errors made fit for the wire. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import { TenureError } from '../src/domain/errors.js';
import type { Permits } from '../src/trust/permits.js';
import { demandPermit } from './effects.js';
import { framesOf, toFailure } from './failures.js';

/** Well below every heartbeat timeout; the SDK thins out what is sent. */
const heartbeatEveryMs = 1_000;

/** Called at both edges of every activity. Tests make faults with it; nothing else does. */
export type ActivityProbe = (moment: 'before' | 'after', context: Context, args: readonly unknown[]) => Promise<void>;

/** Makes the interceptor for a worker. Without permits no effect is refused: for tests of what happens once one is there. */
export function guardActivities(log: Logger, permits?: Permits, probe?: ActivityProbe): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const beat = context.info.isLocal
          ? undefined
          : setInterval(() => context.heartbeat(context.info.heartbeatDetails), heartbeatEveryMs);
        try {
          await probe?.('before', context, input.args);
          if (permits) await demandPermit(permits, context.info, input.args);
          const result = await next(input);
          await probe?.('after', context, input.args);
          return result;
        } catch (error) {
          note(log, context, error);
          throw toFailure(error);
        } finally {
          clearInterval(beat);
        }
      },
    },
  });
}

function note(log: Logger, { info }: Context, error: unknown): void {
  const where = { activity: info.activityType, workflow: info.workflowExecution?.workflowId, attempt: info.attempt };
  if (error instanceof TenureError) log.warn({ ...where, code: error.code }, error.message);
  else
    log.debug(
      { ...where, error: error instanceof Error ? error.name : typeof error, frames: framesOf(error) },
      'an activity did not complete',
    );
}
