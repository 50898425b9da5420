import { ServiceError, WorkflowFailedError, type Client } from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  TerminatedFailure,
  TimeoutFailure,
  WorkflowNotFoundError,
} from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import type { DueSelection, FleetActivities, PolicyActivities } from '../../activities/contract.js';
import { createFleetActivities, type FleetDependencies } from '../../activities/fleet.js';
import { TenureError } from '../../src/domain/errors.js';
import { newIdentity, type IdentityState } from '../../src/domain/identity.js';
import type { ProcessState } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import type { Trigger } from '../../src/domain/wire.js';
import { verifyRequest } from '../../src/trust/requests.js';
import type { EvidenceReader, SealedRecord } from '../../src/evidence/reader.js';
import { wordSigned, type Signer } from '../../src/trust/statements.js';
import { automation, directoryOf, person } from '../support/signers.js';
import { specOf } from '../support/spec.js';

/** How one workflow answers: its state, or what the client throws. */
interface Others {
  readonly status?: string;
  readonly describe?: () => Promise<never>;
  readonly query?: (id: string) => Promise<unknown>;
  readonly update?: (request: ChangeRequest) => Promise<unknown>;
  readonly result?: () => Promise<unknown>;
}

/** A client that knows these identities, and remembers what it was asked. Its deadlines are shorter than they say. */
function clientOf(states: readonly IdentityState[], others: Others = {}) {
  const asked: string[] = [];
  let updates = 0;
  const workflow = {
    async *list({ query }: { query: string }) {
      asked.push(query);
      for (const { name } of states) yield { workflowId: `nhi/${name}` };
    },
    getHandle: (id: string) => ({
      describe: others.describe ?? (async () => ({ status: { name: others.status ?? 'RUNNING' } })),
      query: () => (others.query ?? (async () => states.find(({ name }) => id === `nhi/${name}`)))(id),
      executeUpdate: (_: string, { args }: { args: [ChangeRequest] }) => ((updates += 1), others.update?.(...args)),
      result: others.result,
    }),
  };
  const withDeadline = <T>(_: number, ask: () => Promise<T>): Promise<T> =>
    Promise.race([ask(), new Promise<T>((_resolve, reject) => setTimeout(() => reject(lost()), 300))]);
  return { client: { workflow, withDeadline } as unknown as Client, asked, updates: () => updates };
}

/** As the client throws it: every service error has a cause. */
const lost = (): ServiceError =>
  new ServiceError('Failed to query Workflow', {
    cause: Object.assign(new Error('14 UNAVAILABLE: secret-host'), { code: 14, details: '', metadata: {} }),
  });

const dueNow = () => Promise.resolve({ due: true, reason: 'age', detail: 'it is old' });
const stateOf = (name: string, differs: Partial<IdentityState> = {}): IdentityState => ({
  ...newIdentity(name),
  status: 'active',
  spec: specOf(name),
  ...differs,
});
const worker = automation('automation/tenure', 'ada@example.com');
const grace = person('grace@example.com');
const loadDirectory = async () => directoryOf(worker, grace);
const activitiesOf = (
  client: Client,
  due: PolicyActivities['due'] = dueNow,
  signer = async (): Promise<Signer> => worker,
  runsOf: EvidenceReader['runsOf'] = async () => [],
  onRecord: FleetDependencies['onRecord'] = async (name) => ({ specs: [specOf(name)] }),
) =>
  createFleetActivities({
    client,
    perTarget: 3,
    due,
    signer,
    loadDirectory,
    runsOf,
    onRecord,
    delayOf: async () => 70,
  });
const envAfter = (waitedMs: number, heartbeatDetails?: unknown) =>
  new MockActivityEnvironment({ scheduledTimestampMs: Date.now() - waitedMs, heartbeatDetails });

describe('selectDue', () => {
  const select = (fleet: FleetActivities, differs: Partial<Parameters<FleetActivities['selectDue']>[0]> = {}) =>
    envAfter(0).run(fleet.selectDue, { policy: 'monthly', limit: 10, ...differs }) as Promise<DueSelection>;
  const namesIn = ({ identities }: DueSelection) => identities.map(({ name }) => name);

  test('gives what is due with its target and its delay, at most as many as asked for', async () => {
    const { client } = clientOf(['a', 'b', 'c', 'd'].map((name) => stateOf(name)));
    const fleet = activitiesOf(client, async ({ spec }) => ({ ...(await dueNow()), due: spec.name !== 'b' }));
    expect(await select(fleet, { limit: 2 })).toEqual({
      perTarget: 3,
      identities: [
        { name: 'a', target: 'db', jitterMs: 70 },
        { name: 'c', target: 'db', jitterMs: 70 },
      ],
      asking: [],
      leftOut: [],
    });
  });

  test('passes over what the campaign has already, and what has a process or a request already', async () => {
    const running = {
      operation: 'nhi/c/rotate/2',
      kind: 'rotate',
      requestId: 'x',
      startedAt: '',
      emergency: false,
    } as const;
    const queue = [{ id: 'x', kind: 'rotate', requester: 'ada' } as const];
    const { client } = clientOf([stateOf('a'), stateOf('b'), stateOf('c', { running }), stateOf('d', { queue })]);
    expect(namesIn(await select(activitiesOf(client), { except: ['a'] }))).toEqual(['b']);
  });

  test('I10: an identity that answers with an error, or not at all, is left out and named; all others are found', async () => {
    const states = ['a', 'broken', 'b', 'mute', 'c'].map((name) => stateOf(name));
    const { client } = clientOf(states, {
      query: async (id) => {
        if (id === 'nhi/broken') throw lost();
        if (id === 'nhi/mute') return new Promise(() => {});
        return states.find(({ name }) => id === `nhi/${name}`);
      },
    });
    const found = await select(activitiesOf(client));
    expect(namesIn(found)).toEqual(['a', 'b', 'c']);
    expect(found.leftOut).toEqual([
      { name: 'broken', detail: 'no answer (ServiceError)' },
      { name: 'mute', detail: 'no answer (ServiceError)' },
    ]);
  });

  test('I10: an identity whose calendar cannot be read is left out and says why', async () => {
    const { client } = clientOf([stateOf('a'), stateOf('b')]);
    const fleet = activitiesOf(client, async ({ spec }) => {
      if (spec.name === 'a') throw new TenureError('InvalidRequest', 'window: not understood');
      return dueNow();
    });
    const found = await select(fleet);
    expect(namesIn(found)).toEqual(['b']);
    expect(found.leftOut).toEqual([{ name: 'a', detail: 'window: not understood' }]);
  });

  test('tells for whom no window is left, looking beyond what is due by the calendar only where the policy asks', async () => {
    const { client, asked } = clientOf([stateOf('a'), stateOf('b')]);
    const fleet = activitiesOf(client, async ({ spec }) =>
      spec.name === 'b' ? dueNow() : { due: false, reason: 'no-window-left', detail: 'rotate it by hand' },
    );
    const found = await select(fleet, { asks: true });
    expect(found.asking).toEqual([{ name: 'a', detail: 'rotate it by hand' }]);
    expect(namesIn(found)).toEqual(['b']);
    await select(fleet);
    expect(asked.map((query) => query.includes('NhiNextRotation'))).toEqual([false, true]);
  });

  test('quotes the name of the policy, so that it cannot widen the selection', async () => {
    const { client, asked } = clientOf([]);
    await select(activitiesOf(client), { policy: `x\\' OR NhiStatus = 'active` });
    expect(asked[0]).toContain(`NhiTags = 'policy:x\\\\\\' OR NhiStatus = \\'active'`);
  });
});

describe('rotateOne', () => {
  const input = { name: 'a', requestId: 'c/a', requester: 'schedule/monthly' };
  const look = (client: Client, env = envAfter(0)): Promise<unknown> => env.run(activitiesOf(client).rotateOne, input);
  const taken = { handled: [{ id: 'c/a', answer: { accepted: true, queued: 0, note: '' } }] } as const;
  const running = {
    kind: 'rotate',
    operation: 'nhi/a/rotate/2',
    requestId: 'c/a',
    startedAt: '',
    emergency: false,
  } as const;
  const processOf = (differs: Partial<ProcessState>): ProcessState => ({
    operation: running.operation,
    kind: 'rotate',
    identity: 'a',
    requester: 'x',
    emergency: false,
    stages: [],
    forwardOnly: false,
    leftovers: [],
    ...differs,
  });

  test('asks as the automation of the worker, on behalf of the schedule, signed', async () => {
    let asked: ChangeRequest | undefined;
    const update = async (request: ChangeRequest) => ((asked = request), { accepted: false, reason: 'seen' });
    await look(clientOf([stateOf('a')], { update }).client);
    expect(asked).toMatchObject({ requester: 'automation/tenure', onBehalfOf: 'schedule/monthly', onlyIfDue: true });
    const attested = await verifyRequest(asked!, 'a', { directory: directoryOf(worker), now: new Date() });
    expect(attested).toMatchObject({ name: 'automation/tenure', kind: 'automation', owner: 'ada@example.com' });
  });

  test('signs for nothing that is not due by what is on record here, whatever a workflow says of it', async () => {
    const lastRotatedAt = '2030-01-01T00:00:00.000Z';
    const asked: unknown[] = [];
    const signs = async (...declared: string[]): Promise<unknown> => {
      const { client } = clientOf([stateOf('a')], {
        update: async () => (asked.push(declared), { accepted: false, reason: 'seen' }),
      });
      const monthly: PolicyActivities['due'] = async ({ spec, lastRotatedAt: rotated }) => ({
        ...(await dueNow()),
        due: spec.purpose === 'due' && rotated === lastRotatedAt,
      });
      const specs = declared.map((purpose) => specOf('a', { purpose }));
      const fleet = activitiesOf(client, monthly, undefined, undefined, async () => ({ specs, lastRotatedAt }));
      return envAfter(0).run(fleet.rotateOne, input);
    };
    expect(await signs('not yet')).toMatchObject({ outcome: 'not due', detail: expect.stringContaining('on record') });
    expect(asked).toEqual([]);
    // Of what nothing is on record it would be the workflow's word alone.
    expect(await signs()).toMatchObject({
      outcome: 'refused',
      detail: expect.stringContaining('tenure apply --rotate'),
    });
    expect(asked).toEqual([]);
    // A change of when it is rotated may be under way.
    expect(await signs('not yet', 'due')).toEqual({ outcome: 'refused', detail: 'seen' });
  });

  test('asks on behalf of whoever signed that exactly this campaign starts, and of nobody else', async () => {
    const campaign = 'campaign/monthly/by-hand/1';
    const said = { by: grace.name, policy: 'monthly' };
    const sign = (word: typeof said, subject = campaign, signs = grace, at = new Date()): Promise<Trigger> =>
      wordSigned(word, { verb: 'trigger', subject, id: 't-1' }, signs, at);
    const seen: ChangeRequest[] = [];
    const update = async (request: ChangeRequest) => (seen.push(request), { accepted: false, reason: 'seen' });
    const { client } = clientOf([stateOf('a')], { update });
    const workflowExecution = { workflowId: campaign, runId: 'run-1' };
    const rotate = (differs: object): Promise<unknown> =>
      new MockActivityEnvironment({ scheduledTimestampMs: Date.now(), workflowExecution }).run(
        activitiesOf(client).rotateOne,
        { ...input, ...differs },
      );

    expect(await rotate({ asked: await sign(said) })).toEqual({ outcome: 'refused', detail: 'seen' });
    expect(seen).toMatchObject([{ requester: worker.name, onBehalfOf: grace.name, onlyIfDue: true }]);
    const good = await sign(said);
    const days = new Date(Date.now() - 3 * 86_400_000);
    for (const differs of [
      { asked: said },
      { asked: { ...good, by: worker.name } },
      { asked: await sign(said, 'campaign/monthly/by-hand/2') },
      { asked: await sign({ ...said, policy: 'weekly' }) },
      { asked: await sign(said, campaign, grace, days) },
      { asked: await sign(said, campaign, person(grace.name)) },
      { requester: grace.name },
    ])
      expect(await rotate(differs)).toMatchObject({ outcome: 'refused', detail: expect.not.stringMatching('seen') });
    expect(seen).toHaveLength(1);
  });

  test('asks for nothing without a key, and says what to do', async () => {
    const { client, updates } = clientOf([stateOf('a')]);
    const noKey = async () => Promise.reject(new TenureError('InvalidRequest', 'make a key'));
    const outcome: unknown = await envAfter(0).run(activitiesOf(client, dueNow, noKey).rotateOne, input);
    expect(outcome).toEqual({ outcome: 'refused', detail: 'make a key' });
    expect(updates()).toBe(0);
  });

  test('tells why an identity refused', async () => {
    const { client } = clientOf([stateOf('a')], {
      update: async () => ({ accepted: false, code: 'Conflict', reason: 'full' }),
    });
    expect(await look(client)).toEqual({ outcome: 'refused', detail: 'full' });
  });

  test('asks once and then only looks, without holding its slot', async () => {
    const state = stateOf('a');
    const { client, updates } = clientOf([state], {
      update: async () => (Object.assign(state, taken), { accepted: true, queued: 0, note: '' }),
    });
    for (const _ of [1, 2, 3])
      await expect(look(client)).rejects.toMatchObject({
        type: 'StillRunning',
        category: 'BENIGN',
        nonRetryable: false,
      });
    expect(updates()).toBe(1);
  });

  test('looks soon at first, and less often at what has lasted long', async () => {
    const { client } = clientOf([stateOf('a', { ...taken, handled: [...taken.handled] })]);
    await expect(look(client)).rejects.toMatchObject({ nextRetryDelay: 500 });
    await expect(look(client, envAfter(3_600_000))).rejects.toMatchObject({ nextRetryDelay: 30_000 });
  });

  test('gives the outcome of its own request', async () => {
    const done = {
      kind: 'rotate',
      requestId: 'c/a',
      outcome: 'undone',
      operation: 'nhi/a/rotate/2',
      startedAt: '',
      endedAt: '',
      message: 'no',
    } as const;
    const recent = [{ ...done, requestId: 'another', outcome: 'succeeded' as const }, done];
    const { client } = clientOf([stateOf('a', { handled: [...taken.handled], recent })]);
    expect(await look(client)).toEqual({
      outcome: 'undone',
      detail: 'nhi/a/rotate/2: no',
      operation: 'nhi/a/rotate/2',
    });
  });

  test('of an identity that somebody rotated meanwhile is no failure', async () => {
    const refused = {
      kind: 'rotate',
      requestId: 'c/a',
      outcome: 'refused',
      code: 'Conflict',
      startedAt: '',
      endedAt: '',
      message: 'it is not due any more',
    } as const;
    const { client } = clientOf([stateOf('a', { handled: [...taken.handled], recent: [refused] })]);
    expect(await look(client)).toMatchObject({ outcome: 'not due' });
  });

  test.for([
    ['has ended', { status: 'TERMINATED' }],
    ['is not there', { describe: () => Promise.reject(new WorkflowNotFoundError('gone', 'nhi/a', undefined)) }],
    ['ends while it is asked', { update: () => Promise.reject(new WorkflowNotFoundError('gone', 'nhi/a', undefined)) }],
  ] as const)('of an identity that %s is over', async ([, others]) => {
    const { client } = clientOf([stateOf('a')], others);
    expect(await look(client)).toMatchObject({ outcome: 'gone' });
  });

  test('of an identity that does not answer is tried again some times, and then gives its place to others', async () => {
    const { client } = clientOf([stateOf('a')], { query: () => Promise.reject(lost()) });
    let remembered: unknown;
    for (let looks = 1; looks < 8; looks += 1) {
      const env = envAfter(0, remembered);
      env.on('heartbeat', (details: unknown) => (remembered = details));
      await expect(look(client, env)).rejects.toThrow(ServiceError);
    }
    expect(await look(client, envAfter(0, remembered))).toMatchObject({ outcome: 'silent' });
  });

  test.for([
    [
      'is parked',
      { parked: { since: '', stage: 'retire', why: 'no right', commands: [] } },
      'parked at retire: no right',
    ],
    [
      'waits at its gate',
      { gate: { planDigest: '', needed: 2, deadline: 'noon', votes: [], outcome: 'open' } },
      'waits for 2 approval(s)',
    ],
    [
      'has been draining for long',
      { stages: [{ name: 'drain', status: 'waiting', startedAt: '2020-01-01T00:00:00Z', note: 'watches a_a' }] },
      'waits at drain: watches a_a',
    ],
  ] as const)('tells that it waits for something outside when the rotation %s', async ([, differs, detail]) => {
    const state = stateOf('a', { handled: [...taken.handled], running });
    const query = async (id: string) =>
      id === 'nhi/a' ? state : processOf(differs as unknown as Partial<ProcessState>);
    expect(await look(clientOf([state], { query }).client)).toMatchObject({
      outcome: 'waits',
      detail: expect.stringContaining(detail),
      operation: running.operation,
    });
    const queued = { ...state, running: { ...running, requestId: 'another' } };
    const behind = async (id: string) => (id === 'nhi/a' ? queued : query(id));
    expect(await look(clientOf([queued], { query: behind }).client)).toMatchObject({
      outcome: 'waits',
      detail: expect.stringContaining(`queued behind ${running.operation}`),
    });
  });

  test.for([
    ['is at work', { stages: [{ name: 'install', status: 'running' }] }],
    [
      'has just begun to drain',
      { stages: [{ name: 'drain', status: 'waiting', startedAt: new Date().toISOString() }] },
    ],
    ['has passed its gate', { gate: { planDigest: '', needed: 1, deadline: '', votes: [], outcome: 'approved' } }],
  ] as const)('keeps its place while the rotation %s', async ([, differs]) => {
    const state = stateOf('a', { handled: [...taken.handled], running });
    const query = async (id: string) =>
      id === 'nhi/a' ? state : processOf(differs as unknown as Partial<ProcessState>);
    await expect(look(clientOf([state], { query }).client)).rejects.toMatchObject({ type: 'StillRunning' });
  });
});

describe('awaitProcess', () => {
  const waitFor = (others: Others): Promise<unknown> =>
    envAfter(0).run(
      activitiesOf(clientOf([], { status: 'COMPLETED', ...others }).client).awaitProcess,
      'nhi/a/rotate/2',
    );
  const failedWith = (cause: Error): Others => ({
    result: () => Promise.reject(new WorkflowFailedError('Workflow execution failed', cause, 'NON_RETRYABLE_FAILURE')),
  });

  test('gives the result of a process', async () => {
    expect(await waitFor({ result: async () => ({ outcome: 'succeeded' }) })).toEqual({ outcome: 'succeeded' });
  });

  test('of one that is still at work looks again later, without holding its slot', async () => {
    const result = () => new Promise<never>(() => {});
    await expect(waitFor({ status: 'RUNNING', result })).rejects.toMatchObject({
      type: 'StillRunning',
      category: 'BENIGN',
      nextRetryDelay: 500,
      nonRetryable: false,
    });
  });

  test('gives the failure with the result in it, and is not tried again', async () => {
    const failure = ApplicationFailure.create({
      type: 'TargetUnavailable',
      message: 'away',
      details: [{ outcome: 'undone' }],
    });
    await expect(waitFor(failedWith(failure))).rejects.toMatchObject({
      type: 'TargetUnavailable',
      nonRetryable: true,
      details: [{ outcome: 'undone' }],
    });
  });

  test('of a cancelled process gives what its own run has sealed, since Temporal keeps no details of a cancel', async () => {
    const sealed = (run: string, outcome: string) => ({ index: 0, digest: `sha256:${run}`, record: { run, outcome } });
    const { awaitProcess } = activitiesOf(
      clientOf([], { status: 'CANCELED', ...failedWith(new CancelledFailure('stop')) }).client,
      dueNow,
      undefined,
      async () => [sealed('first', 'undone'), sealed('reset', 'succeeded')] as unknown as SealedRecord[],
    );
    await expect(envAfter(0).run(awaitProcess, 'nhi/a/rotate/2', 'first')).rejects.toMatchObject({
      type: 'Cancelled',
      nonRetryable: true,
      details: [{ outcome: 'undone', evidence: 'sha256:first' }],
    });
  });

  const notFound = (): Promise<never> => Promise.reject(new WorkflowNotFoundError('gone', 'nhi/a/rotate/2', undefined));
  test.for([
    ['a cancelled process', failedWith(new CancelledFailure('stop')), 'Cancelled'],
    ['a terminated one', failedWith(new TerminatedFailure('by hand')), 'OutcomeUnknown'],
    ['one that ran out of time', failedWith(new TimeoutFailure('late', undefined, 'START_TO_CLOSE')), 'OutcomeUnknown'],
    ['one that is gone', { describe: notFound }, 'OutcomeUnknown'],
    ['one that goes while it is asked', { result: notFound }, 'OutcomeUnknown'],
  ] as const)('of %s is final', async ([, others, type]) => {
    await expect(waitFor(others)).rejects.toMatchObject({ type, nonRetryable: true });
  });

  test.for([
    ['is asked how it is', { describe: () => Promise.reject(lost()) }],
    ['gives its result', { result: () => Promise.reject(lost()) }],
  ] as const)('of a connection that is lost while a process %s is tried again', async ([, others]) => {
    await expect(waitFor(others)).rejects.toThrow(ServiceError);
  });
});
