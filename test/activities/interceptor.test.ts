import { Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { guardActivities } from '../../activities/interceptor.js';
import { TenureError } from '../../src/domain/errors.js';

/** Runs an activity as a worker would, behind the guard; gives what was logged and every heartbeat. */
async function guarded(work: () => Promise<unknown>, isLocal = false) {
  const lines: string[] = [];
  const beats: unknown[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const environment = new MockActivityEnvironment({ isLocal, heartbeatDetails: { lastUse: 7 } });
  environment.on('heartbeat', (details) => beats.push(details));
  const outcome = await environment
    .run(async () => {
      const { inbound } = guardActivities(log)(Context.current());
      return inbound!.execute!({ args: [], headers: {} }, work);
    })
    .then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
  return { outcome, log: lines.join(''), beats };
}

test('an activity heartbeats by itself, with what it remembered', async () => {
  const { beats } = await guarded(() => new Promise((resolve) => setTimeout(resolve, 1_200)));
  expect(beats).toEqual([{ lastUse: 7 }]);
});

test('a local activity does not, since it cannot', async () => {
  const { beats } = await guarded(() => new Promise((resolve) => setTimeout(resolve, 1_200)), true);
  expect(beats).toEqual([]);
});

test('I1: an unforeseen error is neither sent nor logged in its own words', async () => {
  const { outcome, log } = await guarded(() => Promise.reject(new Error('password hunter2 is wrong')));
  expect(outcome).toMatchObject({ error: { type: 'OutcomeUnknown' } });
  expect(JSON.stringify(outcome)).not.toContain('hunter2');
  expect(log).not.toContain('hunter2');
  expect(log).toContain('interceptor.test');
});

test('a foreseen one is, with its code', async () => {
  const { outcome, log } = await guarded(() => Promise.reject(new TenureError('Fenced', 'app: epoch 2 is over')));
  expect(outcome).toMatchObject({ error: { type: 'Fenced', nonRetryable: true } });
  expect(log).toContain('app: epoch 2 is over');
});
