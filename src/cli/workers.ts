import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';
import { emergencyTaskQueue, taskQueue } from '../domain/wire.js';

const queueTypes = proto.temporal.api.enums.v1.TaskQueueType;

/** A poller that was last heard of longer ago than this is gone: a long poll lasts a minute. */
const staleMs = 75_000;

/** Who works on a task queue, as Temporal knows it. */
export interface Pollers {
  readonly queue: string;
  readonly work: 'workflows' | 'activities';
  readonly identities: readonly string[];
}

/** The live pollers of everything that Tenure needs polled. */
export async function pollers(client: Client, namespace: string, now = Date.now()): Promise<Pollers[]> {
  const needed = [
    [taskQueue, 'workflows'],
    [taskQueue, 'activities'],
    [emergencyTaskQueue, 'activities'],
  ] as const;
  return Promise.all(needed.map(([queue, work]) => pollersOf(client, namespace, queue, work, now)));
}

/** Whether somebody polls for workflow tasks. A worker that was killed less than a minute ago still looks alive. */
export async function isWorked(client: Client, namespace: string): Promise<boolean> {
  return (await pollersOf(client, namespace, taskQueue, 'workflows', Date.now())).identities.length > 0;
}

async function pollersOf(
  client: Client,
  namespace: string,
  queue: string,
  work: Pollers['work'],
  now: number,
): Promise<Pollers> {
  const response = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: work === 'workflows' ? queueTypes.TASK_QUEUE_TYPE_WORKFLOW : queueTypes.TASK_QUEUE_TYPE_ACTIVITY,
  });
  const live = (response.pollers ?? []).filter(
    ({ lastAccessTime }) => now - Number(lastAccessTime?.seconds ?? 0) * 1_000 < staleMs,
  );
  return { queue, work, identities: [...new Set(live.map(({ identity }) => identity ?? 'unknown'))] };
}
