/** Campaigns: against identities that run, and, where it is about time and number alone, among activities that a test steers. */
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect as check, test } from 'vitest';
import type { DueSelection, FleetActivities, RecordActivities, ScheduledOutcome } from '../../activities/contract.js';
import { TenureError } from '../../src/domain/errors.js';
import {
  campaignWorkflow,
  identityId,
  identityWorkflow,
  taskQueue,
  type CampaignStart,
} from '../../src/domain/wire.js';
import { connectClient, connectWorker } from '../../src/temporal/connection.js';
import { scheduleId, startCampaign, syncSchedules } from '../../src/temporal/schedules.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import type { CampaignReport } from '../../workflows/lib/render-campaign.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { directoryOf, person } from '../support/signers.js';
import { provisioned } from '../support/world.js';
import { wordSigned } from '../../src/trust/statements.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

async function replayed(engineOf: Pick<Engine, 'client' | 'bundle'>, workflowId: string): Promise<void> {
  const history = await engineOf.client.workflow.getHandle(workflowId).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: engineOf.bundle }, history, workflowId);
}

function run(policy: string, differs: Partial<CampaignStart> = {}): Promise<CampaignReport> {
  return engine.client.workflow.execute(campaignWorkflow, {
    workflowId: `campaign/${policy}`,
    taskQueue,
    args: [{ policy, lookAgainMs: 60_000, ...differs } satisfies CampaignStart],
  });
}

const statusesOf = ({ items }: CampaignReport): Record<string, string> =>
  Object.fromEntries(items.map(({ name, status }) => [name, status]));

/** Identities of one policy that are due since long ago, as visibility tells it. */
async function due(policy: string, identities: Readonly<Record<string, 'db' | 'db-2'>>): Promise<void> {
  const names = Object.keys(identities);
  for (const name of names)
    engine.around.only.set(name, { nextRotation: () => Promise.resolve('2020-01-01T00:00:00.000Z') });
  await Promise.all(
    names.map((name) =>
      provisioned(engine, name, { rotation: { name: policy }, target: { name: identities[name]!, scope: {} } }),
    ),
  );
  await seen(policy, names.length);
}

async function seen(policy: string, number: number): Promise<void> {
  const query = `NhiTags = 'policy:${policy}' AND ${searchAttributes.nextRotation.name} < '2021-01-01T00:00:00Z' AND WorkflowType = '${identityWorkflow}'`;
  await eventually(
    async () => (await engine.client.workflow.count(query)).count,
    (count) => count === number,
  );
}

describe('I10: a campaign', () => {
  test('goes on when one fails, and tells operators which', async () => {
    await due('failing', { 'f-1': 'db', 'f-2': 'db', 'f-3': 'db', 'f-4': 'db' });
    const error = new TenureError('RejectedUnchanged', 'no');
    engine.around.target.faults.set('install f-2', { when: 'before', times: 9, error });
    check(statusesOf(await run('failing'))).toEqual({
      'f-1': 'succeeded',
      'f-2': 'failed',
      'f-3': 'succeeded',
      'f-4': 'succeeded',
    });
    check(engine.around.notices.filter((text) => text.includes('scheduled rotation of f-'))).toEqual([
      check.stringMatching(/^the scheduled rotation of f-2 did not succeed: .*no/),
    ]);
    await replayed(engine, 'campaign/failing');
    await engine.replays('f-');
  });

  test('goes on when one cannot answer any more, and names it', async () => {
    await due('wedged', { 'w-1': 'db', 'w-2': 'db' });
    // No code of ours can read this state, so that its workflow tasks fail for ever.
    await engine.client.workflow.start(identityWorkflow, {
      workflowId: identityId('w-0'),
      taskQueue,
      args: [{ name: 'w-0', state: { v: 1, name: 'w-0', spec: {} } }],
      typedSearchAttributes: [
        { key: searchAttributes.status, value: 'active' },
        { key: searchAttributes.tags, value: ['policy:wedged'] },
        { key: searchAttributes.nextRotation, value: new Date('2020-01-01') },
      ],
    });
    await seen('wedged', 3);
    const report = await run('wedged');
    check(statusesOf(report)).toEqual({ 'w-1': 'succeeded', 'w-2': 'succeeded' });
    check(report.leftOut).toEqual([{ name: 'w-0', detail: check.stringContaining('no answer') }]);
    check(engine.around.notices).toContainEqual(check.stringMatching(/^whether w-0 is due is not known/));
    await engine.client.workflow.getHandle(identityId('w-0')).terminate('the test is over');
  });

  test('is not held up by a parked one, whose place goes to the next', async () => {
    await due('parking', { 'p-1': 'db', 'p-2': 'db', 'p-3': 'db', 'p-4': 'db' });
    const error = new TenureError('RejectedUnchanged', 'no');
    for (const name of ['p-1', 'p-2'])
      engine.around.target.faults.set(`retire ${name}`, { when: 'before', times: 1, error });
    const report = await run('parking');
    check(statusesOf(report)).toEqual({
      'p-1': 'handed over',
      'p-2': 'handed over',
      'p-3': 'succeeded',
      'p-4': 'succeeded',
    });
    check(report.items.find(({ name }) => name === 'p-1')?.detail).toContain('parked at retire');
    await replayed(engine, 'campaign/parking');
    for (const name of ['p-1', 'p-2']) {
      const { running } = await engine.state(name);
      await engine.answerPark(running!.operation, { how: 'again' });
      await engine.stateWhen(name, (state) => !state.running && state.recent.at(-1)?.outcome === 'succeeded');
    }
  });

  test('is not held up by one that waits at its gate', async () => {
    await due('gated', { 'g-1': 'db', 'g-2': 'db' });
    engine.around.only.set('g-1', { obligations: { approvals: 1, gateMs: 3_600_000 } });
    const report = await run('gated');
    check(statusesOf(report)).toEqual({ 'g-1': 'handed over', 'g-2': 'succeeded' });
    check(engine.around.notices).toContainEqual(check.stringMatching(/g-1 goes on.*tenure approve g-1/));
  });

  test('rotates what is healthy while another target hangs, and ends', async () => {
    await due('hanging', { 'h-1': 'db', 'h-2': 'db', 'h-3': 'db', 'h-4': 'db-2', 'h-5': 'db-2', 'h-6': 'db-2' });
    for (const name of ['h-1', 'h-2', 'h-3'])
      engine.around.target.faults.set(`install ${name}`, { when: 'hang', times: 9 });
    const { items } = await run('hanging', { lookAgainMs: 20_000, looks: 1 });
    const on = (target: string): (string | undefined)[] =>
      items.filter((item) => item.target === target).map(({ status }) => status);
    check(on('db-2')).toEqual(['succeeded', 'succeeded', 'succeeded']);
    check(on('db').toSorted()).toEqual(['handed over', 'handed over', 'skipped']);
    engine.around.target.faults.clear();
    engine.around.target.faults.letGo();
  });
});

test('a Temporal Schedule, once triggered, rotates what is due of its policy', async () => {
  await due('scheduled', { 's-1': 'db' });
  const { rotation } = specOf('s-1', { rotation: { name: 'scheduled', everyMs: 2_592_000_000 } });
  check(await syncSchedules(engine.client, [rotation])).toMatchObject({ create: ['scheduled'] });
  const before = await engine.state('s-1');
  await engine.client.schedule.getHandle(scheduleId('scheduled')).trigger(ScheduleOverlapPolicy.SKIP);
  const after = await engine.stateWhen('s-1', ({ recent }) => recent.some(({ kind }) => kind === 'rotate'));
  check(after.recent.at(-1)).toMatchObject({ kind: 'rotate', outcome: 'succeeded' });
  check(after.current?.version).not.toBe(before.current?.version);
  const { info } = await engine.client.schedule.getHandle(scheduleId('scheduled')).describe();
  const { action } = info.recentActions.at(-1)!;
  check(action.workflow.workflowId).toMatch(/^campaign\/scheduled/);
  const report = await engine.client.workflow.getHandle(action.workflow.workflowId).result();
  check(statusesOf(report as CampaignReport)).toEqual({ 's-1': 'succeeded' });
  await replayed(engine, action.workflow.workflowId);
  await engine.client.schedule.getHandle(scheduleId('scheduled')).delete();
});

describe('a campaign that somebody starts', () => {
  const grace = person('grace@example.com');
  const start = (policy: string, says: { by: string; policy: string } = { by: grace.name, policy }) =>
    startCampaign(engine.client, policy, (subject) => wordSigned(says, { verb: 'trigger', subject, id: 't-1' }, grace));
  const reported = async (policy: string): Promise<CampaignReport> => {
    for await (const { workflowId } of engine.client.workflow.list({
      query: `WorkflowId STARTS_WITH 'campaign/${policy}/'`,
    }))
      return (await engine.client.workflow.getHandle(workflowId).result()) as CampaignReport;
    throw new Error('not yet');
  };

  async function scheduled(policy: string, name: string): Promise<void> {
    await due(policy, { [name]: 'db' });
    const { rotation } = specOf(name, { rotation: { name: policy, everyMs: 2_592_000_000 } });
    await syncSchedules(engine.client, [rotation]);
  }

  test('asks on their behalf, as their signature proves, and only where none is at work', async () => {
    engine.around.directory = directoryOf(grace);
    await scheduled('by-hand', 'b-1');
    engine.around.target.faults.set('install b-1', { when: 'hang', times: 1 });
    check(await start('by-hand')).toBe('started');
    await engine.stateWhen('b-1', ({ running }) => running !== undefined);
    await eventually(
      () => start('by-hand'),
      (again) => again === 'at work',
    );
    engine.around.target.faults.clear();
    engine.around.target.faults.letGo();
    const { recent } = await engine.stateWhen('b-1', (state) => state.recent.at(-1)?.kind === 'rotate');
    const { operation } = recent.at(-1)!;
    const { events } = await engine.client.workflow.getHandle(operation!).fetchHistory();
    const [{ data } = {}] = events![0]!.workflowExecutionStartedEventAttributes!.input!.payloads!;
    check(JSON.parse(Buffer.from(data!).toString())).toMatchObject({
      request: { requester: 'automation/tenure', onBehalfOf: grace.name },
    });
    check(
      statusesOf(
        await eventually(
          () => reported('by-hand'),
          () => true,
        ),
      ),
    ).toEqual({ 'b-1': 'succeeded' });
  });

  test('asks for nothing where what was signed is for another one, and where there is no schedule', async () => {
    engine.around.directory = directoryOf(grace);
    await scheduled('forged', 'b-2');
    check(await start('forged', { by: grace.name, policy: 'by-hand' })).toBe('started');
    const { items } = await eventually(
      () => reported('forged'),
      () => true,
    );
    check(items).toMatchObject([{ name: 'b-2', status: 'failed', detail: check.stringContaining('another campaign') }]);
    check((await engine.state('b-2')).recent.map(({ kind }) => kind)).toEqual(['provision']);
    check(await start('nowhere')).toBe('absent');
  });
});

describe('a campaign among activities that a test steers', () => {
  let server: DevServer;
  let mocked: Awaited<ReturnType<typeof connectClient>>;
  let connection: Awaited<ReturnType<typeof connectWorker>>;
  beforeAll(async () => {
    server = await startDevServer({ headless: true });
    const { address, namespace } = server;
    [mocked, connection] = await Promise.all([
      connectClient({ address, namespace }),
      connectWorker({ address, namespace }),
    ]);
  });
  afterAll(async () => {
    await connection?.connection.close();
    await mocked?.connection.close();
    await server?.stop();
  });

  interface Steered {
    readonly selectDue: (input: Parameters<FleetActivities['selectDue']>[0], look: number) => DueSelection;
    readonly rotateOne?: (name: string, requestId: string) => Promise<ScheduledOutcome>;
  }

  /** Runs a campaign, replays it and gives what it reported, whom it told what and for what it asked. */
  async function steered(
    policy: string,
    { selectDue, rotateOne = succeed }: Steered,
    differs: Partial<CampaignStart> = {},
  ) {
    const asked: Parameters<FleetActivities['selectDue']>[0][] = [];
    const told: string[] = [];
    const worker = await Worker.create({
      connection: connection.connection,
      taskQueue,
      workflowBundle: engine.bundle,
      activities: {
        selectDue: async (input: (typeof asked)[number]) => (asked.push(input), selectDue(input, asked.length)),
        rotateOne: async ({ name, requestId }: { name: string; requestId: string }) => rotateOne(name, requestId),
        proposeException: async () => ({ detail: 'an exception is proposed' }),
        notify: async ({ identity, operation, level, text }: Parameters<RecordActivities['notify']>[0]) =>
          void told.push([level, identity, operation, text].join(' | ')),
      },
    });
    const report = await worker.runUntil(() =>
      mocked.client.workflow.execute(campaignWorkflow, {
        workflowId: `campaign/${policy}`,
        taskQueue,
        args: [{ policy, ...differs } satisfies CampaignStart],
      }),
    );
    await replayed({ client: mocked.client, bundle: engine.bundle }, `campaign/${policy}`);
    return { report: report as CampaignReport, asked, told };
  }

  const succeed = async (): Promise<ScheduledOutcome> => ({ outcome: 'succeeded', detail: '' });
  const stillRunning = (): ApplicationFailure =>
    ApplicationFailure.create({ type: 'StillRunning', nextRetryDelay: 300, category: 'BENIGN' });
  const found = (names: readonly string[], differs: Partial<DueSelection> = {}): DueSelection => ({
    perTarget: 2,
    identities: names.map((name) => ({ name, target: name.split('-')[0]!, jitterMs: 0 })),
    ...differs,
  });
  const numbered = (target: string, number: number): string[] =>
    Array.from({ length: number }, (_, index) => `${target}-${index}`);

  test('never exceeds the budget of a target, also when several places become free at the same moment', async () => {
    const running = new Map<string, number>();
    const most = new Map<string, number>();
    const ends: (() => void)[] = [];
    const rotateOne = async (name: string): Promise<ScheduledOutcome> => {
      const target = name.split('-')[0]!;
      const now = (running.get(target) ?? 0) + 1;
      running.set(target, now);
      most.set(target, Math.max(most.get(target) ?? 0, now));
      // Those that run at the same time end at the same moment.
      await new Promise<void>((end) => {
        ends.push(end);
        if (ends.length === 1) setTimeout(() => ends.splice(0).forEach((each) => each()), 150);
      });
      running.set(target, running.get(target)! - 1);
      return { outcome: 'succeeded', detail: '' };
    };
    const names = [...numbered('x', 9), ...numbered('y', 9)];
    const { report } = await steered('budget', { selectDue: (_, look) => found(look === 1 ? names : []), rotateOne });
    check(new Set(report.items.map(({ status }) => status))).toEqual(new Set(['succeeded']));
    check(Object.fromEntries(most)).toEqual({ x: 2, y: 2 });
  });

  test('tells operators for whom no window is left, once, and lists them', async () => {
    const asking = [{ name: 'a-1', detail: 'no window is left: rotate it by hand' }];
    const selection = (look: number): DueSelection => found(look === 1 ? ['a-2'] : [], { asking });
    const { report, asked, told } = await steered('asks', { selectDue: (_, look) => selection(look) }, { asks: true });
    check(asked.map(({ asks }) => asks)).toEqual([true, true]);
    check(report.asking).toEqual(asking);
    const what = 'a-1 is due: no window is left: rotate it by hand; an exception is proposed';
    check(told).toEqual([`warning | a-1 | nhi/a-1 | ${what}`]);
  });

  test('looks again until nothing new is due, and does not try at once again what failed', async () => {
    const queue = [['a-1', 'a-2'], ['a-3'], []];
    const { report, asked } = await steered('again', {
      selectDue: (_, look) => found(queue[look - 1]!),
      rotateOne: async (name) => (name === 'a-1' ? { outcome: 'undone', detail: 'no' } : succeed()),
    });
    check(statusesOf(report)).toEqual({ 'a-1': 'failed', 'a-2': 'succeeded', 'a-3': 'succeeded' });
    check(asked.map(({ except }) => except)).toEqual([[], ['a-1', 'a-2'], ['a-1', 'a-2', 'a-3']]);
  });

  test('finds what became due while it is at work, tries again what failed, and ends though one hangs for ever', async () => {
    const requests = new Set<string>();
    const { report, asked } = await steered(
      'meanwhile',
      {
        selectDue: ({ except = [] }, look) =>
          found(['x-1', 'y-1', ...(look > 1 ? ['y-2'] : [])].filter((name) => !except.includes(name))),
        rotateOne: async (name, requestId) => {
          requests.add(requestId);
          if (name === 'x-1') throw stillRunning();
          return requestId.includes('/1/y-1') ? { outcome: 'undone', detail: 'no' } : succeed();
        },
      },
      { lookAgainMs: 1_500, looks: 2 },
    );
    check(asked.map(({ except }) => except)).toEqual([[], ['x-1']]);
    check([...requests].toSorted()).toEqual(
      ['1/x-1', '1/y-1', '2/y-1', '2/y-2'].map((request) => `campaign/meanwhile/${request}`),
    );
    check(statusesOf(report)).toEqual({ 'x-1': 'handed over', 'y-1': 'succeeded', 'y-2': 'succeeded' });
  });
});
