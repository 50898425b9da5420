/** Full rotations: asked of the identity, run by Tenure, ended with both proofs. */
import { WithStartWorkflowOperation, type Client } from '@temporalio/client';
import type { IdentitySpec } from '../src/domain/identity.js';
import type { ProcessInput, ProcessKind, ProcessResult } from '../src/domain/process.js';
import type { Answer, ChangeRequest } from '../src/domain/request.js';
import { identityId, identityMessages, identityWorkflow, taskQueue, type IdentityStart } from '../src/domain/wire.js';
import { requestSigned } from '../src/trust/statements.js';
import { measure, type Measured } from './load.js';
import { asker } from './people.js';

/** Provisions `count` identities; needed before they can be rotated. */
export async function provisionMany(
  client: Client,
  prefix: string,
  count: number,
  concurrency: number,
): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`);
  await measure(names, concurrency, async (name) => expectSuccess(await ask(client, name, 'provision', specOf(name))));
  return names;
}

/** Provisions one in this environment; `whileItRuns` is where a gate is passed. */
export async function provision(
  client: Client,
  name: string,
  environment: string,
  whileItRuns: (operation: string) => Promise<void> | undefined,
): Promise<void> {
  const operation = await start(client, name, 'provision', { ...specOf(name), environment });
  await whileItRuns(operation);
  expectSuccess((await client.workflow.getHandle(operation).result()) as ProcessResult);
}

/** Rotates the identities in turn; each latency is from the request to the result. */
export async function measureRotations(
  client: Client,
  names: readonly string[],
  rotations: number,
  concurrency: number,
): Promise<Measured> {
  const free = [...names];
  return measure(Array.from({ length: rotations }), concurrency, async () => {
    const name = free.shift()!;
    expectSuccess(await ask(client, name, 'rotate'));
    free.push(name);
  });
}

/** What one rotation looks like to the engine: its events, its activities, and an input of its activities. */
export async function anatomy(
  client: Client,
  name: string,
): Promise<{ events: number; remote: number; local: number; input: unknown }> {
  const operation = await start(client, name, 'rotate');
  const handle = client.workflow.getHandle(operation);
  await handle.result();
  const { events = [] } = await handle.fetchHistory();
  const remote = events!.filter((event) => event.activityTaskScheduledEventAttributes).length;
  const local = events!.filter(
    (event) => event.markerRecordedEventAttributes?.markerName === 'core_local_activity',
  ).length;
  const payload = events![0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
  const { spec, specBefore, current, ...rest } = JSON.parse(new TextDecoder().decode(payload!)) as ProcessInput;
  return { events: events!.length, remote, local, input: { ...rest, spec, specBefore, current } };
}

async function ask(client: Client, name: string, kind: ProcessKind, spec?: IdentitySpec): Promise<ProcessResult> {
  return (await client.workflow.getHandle(await start(client, name, kind, spec)).result()) as ProcessResult;
}

/** Asks, and gives the operation that began. */
export async function start(client: Client, name: string, kind: ProcessKind, spec?: IdentitySpec): Promise<string> {
  const asked: ChangeRequest = { id: crypto.randomUUID(), kind, requester: asker.name, ...(spec && { spec }) };
  const request = await requestSigned(asked, name, asker);
  const answer = (await client.workflow.executeUpdateWithStart(identityMessages.request, {
    args: [request],
    startWorkflowOperation: new WithStartWorkflowOperation(identityWorkflow, {
      workflowId: identityId(name),
      taskQueue,
      args: [{ name } satisfies IdentityStart],
      workflowIdConflictPolicy: 'USE_EXISTING',
    }),
  })) as Answer;
  if (!answer.accepted || answer.operation === undefined)
    throw new Error(`${kind} of ${name} was not started: ${JSON.stringify(answer)}`);
  return answer.operation;
}

function expectSuccess({ outcome, operation, proofs }: ProcessResult): void {
  if (outcome !== 'succeeded' || !proofs.accepted) throw new Error(`${operation} ended ${outcome}`);
}

function specOf(name: string): IdentitySpec {
  return {
    name,
    kind: 'database-role',
    owner: { person: asker.name },
    purpose: 'is measured',
    environment: 'development',
    dataClass: 'internal',
    target: { name: 'ledger-db', scope: { grants: [{ on: 'ledger', may: ['select'] }] } },
    deliver: [{ store: 'local', path: `bench/${name}` }],
    consumers: [],
    rotation: {
      name: 'bench',
      strategy: 'alternate',
      graceMs: 0,
      whenInUse: 'go-on',
      jitterMs: 0,
      freeze: [],
      whenNoWindow: 'skip',
      whenNotTaken: 'unwind',
    },
    tags: {},
  };
}
