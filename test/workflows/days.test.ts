/** What takes days, on a server whose clock jumps. Its activities do nothing: only waiting is looked at. */
import '../support/quiet.js';
import { readFile } from 'node:fs/promises';
import { temporal } from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Clearance } from '../../src/domain/decision.js';
import type { AuthorizeInput } from '../../activities/contract.js';
import type { ProcessInput, ProcessResult } from '../../src/domain/process.js';
import { processId, processMessages, taskQueue, type CampaignStart } from '../../src/domain/wire.js';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { temporalTestServer } from '../../src/temporal/test-server.js';
import type { CampaignReport } from '../../workflows/lib/render-campaign.js';
import { ballot, decisionFake, weighFake } from '../support/ballots.js';
import { describeUnless, testServerMissing } from '../support/machine.js';
import { specOf } from '../support/spec.js';

const day = 24 * 60 * 60_000;

describeUnless(testServerMissing, 'a process that waits for days', () => {
  let env: TestWorkflowEnvironment;
  let code: string;
  let clearance: () => Promise<Clearance>;
  beforeAll(async () => {
    const executable = { type: 'existing-path', path: await temporalTestServer() } as const;
    env = await vi.waitFor(() => TestWorkflowEnvironment.createTimeSkipping({ server: { executable } }), {
      timeout: 50_000,
    });
    const {
      INDEXED_VALUE_TYPE_KEYWORD: KEYWORD,
      INDEXED_VALUE_TYPE_KEYWORD_LIST: KEYWORD_LIST,
      INDEXED_VALUE_TYPE_DATETIME: DATETIME,
    } = temporal.api.enums.v1.IndexedValueType;
    const types: Record<string, number> = { KEYWORD, KEYWORD_LIST, DATETIME };
    await env.connection.operatorService.addSearchAttributes({
      namespace: 'default',
      searchAttributes: Object.fromEntries(
        Object.values(searchAttributes).map(({ name, type }) => [name, types[type]!]),
      ),
    });
    code = await readFile(await buildWorkflowBundle(), 'utf8');
  });
  afterAll(async () => env?.teardown());

  const inputOf = (name: string, differs: Partial<ProcessInput> = {}): ProcessInput => ({
    kind: 'revoke',
    operation: processId(name, 'revoke', 2),
    epoch: 4,
    identity: name,
    request: { id: 'r', kind: 'revoke', requester: 'ada' },
    spec: specOf(name),
    ...differs,
  });

  /** Runs a revocation whose gate stays open for `gateMs`, among activities that answer at once. */
  async function during<T>(gateMs: number, work: () => Promise<T>): Promise<T> {
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowBundle: { code },
      activities: {
        authorize: async (asked: AuthorizeInput) => decisionFake(asked, { obligations: { approvals: 1, gateMs } }),
        weigh: weighFake,
        clearance: () => clearance(),
        retire: async () => ({ principals: [], at: '', sessionsEnded: 0 }),
        refuse: async () => [],
        purge: async () => undefined,
        seal: async () => ({ evidence: 'sha256:0' }),
        notify: async () => undefined,
        selectDue: async () => ({
          perTarget: 1,
          identities: ['a', 'b'].map((name, n) => ({ name, target: 'db', jitterMs: (n + 1) * 6 * 60 * 60_000 })),
        }),
        rotateOne: async () => ({ outcome: 'succeeded', detail: 'done' }),
      },
    });
    return worker.runUntil(work);
  }

  async function replays(workflowId: string): Promise<void> {
    const history = await env.client.workflow.getHandle(workflowId).fetchHistory();
    await Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId);
  }

  test('I6: closes the gate after thirty days in which nobody decided', async () => {
    clearance = async () => ({ clear: true });
    const input = inputOf('expires');
    const before = await env.currentTimeMs();
    const failure = await during(30 * day, () =>
      env.client.workflow
        .execute('revoke', { workflowId: input.operation, taskQueue, args: [input] })
        .catch((error: Error) => error.cause),
    );
    expect(failure).toMatchObject({ type: 'ApprovalRefused', details: [{ outcome: 'undone' }] });
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(30 * day);
    await replays(input.operation);
  });

  test('I9: waits out a freeze of three days that began while the gate was open, however often it is asked', async () => {
    const from = await env.currentTimeMs();
    let asked = 0;
    clearance = async () => {
      const now = await env.currentTimeMs();
      const isFrozen = (asked += 1) > 1 && now < from + 3 * day;
      return isFrozen
        ? { clear: false, until: new Date(from + 3 * day).toISOString(), reason: 'year end' }
        : { clear: true };
    };
    const input = inputOf('freezes');
    const result = await during(30 * day, async () => {
      const handle = await env.client.workflow.start('revoke', {
        workflowId: input.operation,
        taskQueue,
        args: [input],
      });
      await handle.signal(processMessages.decide, ballot('grace'));
      return (await handle.result()) as ProcessResult;
    });
    expect(result.outcome).toBe('succeeded');
    expect((await env.currentTimeMs()) - from).toBeGreaterThanOrEqual(3 * day);
    await replays(input.operation);
  });

  test('spreads a campaign over its jitter', async () => {
    const before = await env.currentTimeMs();
    const report = await during(0, () =>
      env.client.workflow.execute('campaign', {
        workflowId: 'campaign',
        taskQueue,
        args: [{ policy: 'monthly' } satisfies CampaignStart],
      }),
    );
    expect((report as CampaignReport).items.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(day / 2);
    await replays('campaign');
  });
});
