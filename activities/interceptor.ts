/** What wraps every activity: a heartbeat, and errors made fit for the wire. */
import type { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { Logger } from 'pino';
import { type ErrorCode, TenureError } from '../src/domain/errors.js';
import { demandPermit, noteBack, type Doorway } from './effects.js';
import { framesOf, toFailure } from './failures.js';

/** Well below every heartbeat timeout; the SDK thins out what is sent. */
const heartbeatEveryMs = 1_000;

/** Called at both edges of every activity. Tests make faults with it; nothing else does. */
export type ActivityProbe = (moment: 'before' | 'after', context: Context, args: readonly unknown[]) => Promise<void>;

/** Makes the interceptor for a worker. Without a door no effect is refused: for tests of what happens once one is there. */
export function guardActivities(log: Logger, door?: Doorway, probe?: ActivityProbe): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        const beat = context.info.isLocal
          ? undefined
          : setInterval(() => context.heartbeat(context.info.heartbeatDetails), heartbeatEveryMs);
        try {
          await probe?.('before', context, input.args);
          if (door) await demandPermit(door, context.info, input.args);
          const result = await next(input).catch(async (error: unknown) => {
            // Fenced off by something later, and found to be gone.
            if (door && isCode(error, 'Fenced') && context.info.activityType === 'restore')
              await noteBack(door.loans, 'restore', input.args);
            throw error;
          });
          if (door) await noteBack(door.loans, context.info.activityType, input.args);
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

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof TenureError && error.code === code;
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
