/** What `tenure doctor` looks at. Each check gives one line; none throws. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { TenureConfig } from '../config/types.js';
import { searchAttributes } from '../temporal/search-attributes.js';
import { complaintOf } from './errors.js';
import { span } from '../domain/span.js';
import { pollers } from './workers.js';

export interface Finding {
  readonly check: string;
  readonly ok: boolean;
  readonly detail: string;
  /** With a problem: the command or the change that puts it right. */
  readonly todo?: string;
}

/** Runs a check; what it throws is its problem. */
export async function finding(check: string, look: () => Promise<string | Problem>): Promise<Finding> {
  try {
    const found = await look();
    return typeof found === 'string' ? { check, ok: true, detail: found } : { check, ok: false, ...found };
  } catch (error) {
    const { message, next } = complaintOf(error);
    const todo = next.find((command) => !command.includes('doctor'));
    return { check, ok: false, detail: message, ...(todo !== undefined && { todo }) };
  }
}

interface Problem {
  readonly detail: string;
  readonly todo: string;
}

/** Every secret of the operator's file: files exist and are nobody else's, variables are set. */
export function checkSecrets(
  config: TenureConfig,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Finding>[] {
  return sourcesIn(config).map(({ where, source }) =>
    finding(`secret ${where}`, async () => {
      if ('env' in source) {
        if (env[source.env]) return `variable ${source.env} is set`;
        return { detail: `variable ${source.env} is not set`, todo: `export ${source.env}=…` };
      }
      const file = resolve(dirname(config.file), source.file);
      const found = await stat(file).catch(() => undefined);
      if (!found)
        return { detail: `${file} does not exist`, todo: `make it, mode 0600, or name another file in ${config.file}` };
      if ((found.mode & 0o077) !== 0) return { detail: `others can read ${file}`, todo: `chmod 600 '${file}'` };
      return `${file} is readable by its owner only`;
    }),
  );
}

interface Source {
  readonly where: string;
  readonly source: { readonly env: string } | { readonly file: string };
}

/** Every `{ env }` and `{ file }` of targets, stores, consumers and encryption, with its place. */
export function sourcesIn({
  targets,
  stores,
  consumers,
  encryption,
}: Pick<TenureConfig, 'targets' | 'stores' | 'consumers' | 'encryption'>): Source[] {
  return collect({ targets, stores, consumers, encryption }, '');
}

function collect(value: unknown, where: string): Source[] {
  if (typeof value !== 'object' || value === null) return [];
  const keys = Object.keys(value);
  if (keys.length === 1 && (keys[0] === 'env' || keys[0] === 'file')) {
    const place = (value as Record<string, unknown>)[keys[0]];
    if (typeof place === 'string') return [{ where, source: value as Source['source'] }];
  }
  return Object.entries(value).flatMap(([key, child]) => collect(child, where === '' ? key : `${where}.${key}`));
}

export function checkNamespace(client: Client, namespace: string): Promise<Finding> {
  return finding('namespace', async () => {
    const { config } = await client.workflowService.describeNamespace({ namespace });
    const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
    return `${namespace} keeps histories for ${days} d`;
  });
}

export function checkSearchAttributes(client: Client, namespace: string): Promise<Finding> {
  return finding('search attributes', async () => {
    const { customAttributes } = await (client.connection as Connection).operatorService.listSearchAttributes({
      namespace,
    });
    const wanted = Object.values(searchAttributes).map(({ name }) => name);
    const missing = wanted.filter((name) => !Object.hasOwn(customAttributes ?? {}, name));
    if (missing.length === 0) return `all ${wanted.length} are registered`;
    return {
      detail: `not registered: ${missing.join(', ')}`,
      todo: 'tenure worker   (registers them at its start where it may)',
    };
  });
}

export function checkWorkers(client: Client, namespace: string): Promise<Finding> {
  return finding('worker', async () => {
    const all = await pollers(client, namespace);
    const idle = all.filter(({ identities }) => identities.length === 0);
    if (idle.length === 0)
      return `${[...new Set(all.flatMap(({ identities }) => identities))].join(', ')} polls both queues`;
    const what = idle.map(({ queue, work }) => `${work} of ${queue}`).join(', ');
    return { detail: `nobody polls for ${what}`, todo: 'tenure worker' };
  });
}

/** More than this and gates, windows and freezes are off by it. */
const skewMs = 2_000;

export function checkClock(client: Client, namespace: string): Promise<Finding> {
  return finding('clock', async () => {
    const asked = Date.now();
    const server = await serverTime(client, namespace);
    if (server === undefined) return 'the Temporal server does not tell its time';
    const skew = server - asked;
    if (Math.abs(skew) <= skewMs) return `within ${span(skewMs)} of the Temporal server`;
    return {
      detail: `the Temporal server is ${span(Math.abs(skew))} ${skew > 0 ? 'ahead' : 'behind'}`,
      todo: 'synchronise the clocks (NTP) of both machines',
    };
  });
}

/**
 * The server's clock: Temporal tells its time nowhere, but it notes when somebody last polled a queue. So this polls a queue
 * that nobody else uses, and leaves nothing behind.
 */
async function serverTime(client: Client, namespace: string): Promise<number | undefined> {
  const taskQueue = { name: `tenure-doctor-${randomUUID()}` };
  const stop = new AbortController();
  const poll = client.withAbortSignal(stop.signal, () =>
    // The server polls for nobody who does not say how long.
    client.withDeadline(Date.now() + pollMs, () =>
      client.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue, identity: 'tenure doctor' }),
    ),
  );
  poll.catch(() => undefined);
  try {
    await sleep(pollNotedMs);
    const { pollers: seen } = await client.workflowService.describeTaskQueue({
      namespace,
      taskQueue,
      taskQueueType: workflowTasks,
    });
    const noted = seen?.[0]?.lastAccessTime;
    return noted ? Number(noted.seconds ?? 0) * 1_000 + (noted.nanos ?? 0) / 1_000_000 : undefined;
  } finally {
    stop.abort();
    // A call that is still open when its connection closes is tried again by the SDK, and that throws where nobody can catch it.
    await poll.catch(() => undefined);
  }
}

const pollMs = 15_000;
const pollNotedMs = 150;
const workflowTasks = proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW;
