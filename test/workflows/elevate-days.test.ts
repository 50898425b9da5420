/** What an elevation and its review do over hours and days, on a server whose clock jumps. */
import '../support/quiet.js';
import { readFile } from 'node:fs/promises';
import { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Change } from '../../activities/contract.js';
import { reviewId, reviewMessages, type ReviewState } from '../../src/domain/elevation-review.js';
import { TenureError } from '../../src/domain/errors.js';
import type { ProcessInput, ProcessResult } from '../../src/domain/process.js';
import { processId, taskQueue } from '../../src/domain/wire.js';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { temporalTestServer } from '../../src/temporal/test-server.js';
import { toFailure } from '../../activities/failures.js';
import { describeUnless, testServerMissing } from '../support/machine.js';
import { specOf } from '../support/spec.js';

const hour = 60 * 60_000;
const day = 24 * hour;
const declared = '{"grants":["select"]}';

/** What the activities of one test do, and what was seen of them. Instants are the server's, milliseconds. */
interface Scene {
  /** Its record is refused. */
  readonly unsealed?: boolean;
  readonly lent: { readonly at: number; readonly scope: unknown }[];
  readonly alerts: { readonly at: number; readonly text: string }[];
  readonly reviewed: string[];
  restore: (change: Change) => Promise<void>;
}

describeUnless(testServerMissing, 'over hours and days', () => {
  let env: TestWorkflowEnvironment;
  let code: string;
  // A server for each test: what one leaves behind can hold the clock of the next.
  beforeEach(async () => {
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
  });
  afterEach(async () => env?.teardown());
  beforeAll(async () => {
    code = await readFile(await buildWorkflowBundle(), 'utf8');
  });

  const credential = {
    version: 'v',
    target: 'db',
    principal: 'app_a',
    fingerprint: '0123456789abcdef',
    deliveries: [{ store: 'local', path: 'app' }],
    createdAt: '2026-01-01T00:00:00.000Z',
  };
  const inputOf = (name: string, forMs: number): ProcessInput => ({
    kind: 'elevate',
    operation: processId(name, 'elevate', 2),
    epoch: 4,
    identity: name,
    request: {
      id: 'r',
      kind: 'elevate',
      requester: 'ada',
      reason: 'by hand',
      elevation: { scope: { grants: ['delete'] }, forMs, incident: 'INC-1' },
    },
    spec: specOf(name, { target: { name: 'db', scope: { grants: ['select'] } } }),
    current: credential,
  });
  const proof = { principal: 'app_a', at: '', answer: 'logged in', excess: [], missing: [] };

  async function during<T>(scene: Scene, work: () => Promise<T>): Promise<T> {
    const noted = async (change: Change): Promise<void> => {
      scene.lent.push({ at: await env.currentTimeMs(), scope: change.spec.target.scope });
    };
    const worker = await Worker.create({
      connection: env.nativeConnection,
      taskQueue,
      workflowBundle: { code },
      activities: {
        authorize: async () => ({
          effect: 'allow',
          reasons: ['test'],
          planDigest: 'sha256:plan',
          policyDigest: 'sha256:policy',
          obligations: { approvals: 0, gateMs: 0 },
          permitted: true,
          at: '',
        }),
        clearance: async () => ({ clear: true }),
        elevate: async (change: Change) => (await noted(change), { changed: [] }),
        restore: async (change: Change) => {
          await scene.restore(change).catch((error: unknown) => Promise.reject(toFailure(error) as Error));
          await noted(change);
          return { changed: ['REVOKE'], sessionsEnded: 0 };
        },
        verify: async () => proof,
        stage: async () => ({ ...credential, version: 'w', principal: 'app_b' }),
        install: async () => ({ changed: [] }),
        publish: async () => undefined,
        drain: async () => ({ ...proof, sessions: 0, who: [], drained: true, waitedMs: 0 }),
        retire: async () => ({ principals: ['app_a'], at: '', sessionsEnded: 0 }),
        refuse: async () => [],
        purge: async () => undefined,
        seal: async () => ({ evidence: `sha256:${'a'.repeat(64)}` }),
        notify: async ({ level, text }: { level: string; text: string }) => {
          if (level === 'alert') scene.alerts.push({ at: await env.currentTimeMs(), text });
        },
        awaitProcess: async (operation: string) => {
          // Not the client of the environment: waiting for a result with it is what makes the clock jump.
          const handle = new Client({ connection: env.connection }).workflow.getHandle(operation);
          if ((await handle.describe()).status.name === 'RUNNING')
            throw ApplicationFailure.create({ message: 'still running', nextRetryDelay: 60_000 });
          return handle.result();
        },
        lookAtElevation: async () => ({ isRestored: JSON.stringify(scene.lent.at(-1)?.scope) === declared }),
        weighReview: async ({ signed }: { signed: { statement: string } }) => {
          scene.reviewed.push(signed.statement);
          const at = new Date(await env.currentTimeMs()).toISOString();
          return {
            counts: true,
            review: { reviewer: signed.statement, verdict: 'justified', notes: '', at, key: 'k', signed },
          };
        },
        sealReview: async () => {
          if (scene.unsealed) throw toFailure(new TenureError('ApprovalRefused', 'nobody signed it'));
          return { evidence: 'sha256:0' };
        },
      },
    });
    return worker.runUntil(work);
  }

  const scene = (differs: Partial<Scene> = {}): Scene => ({
    lent: [],
    alerts: [],
    reviewed: [],
    restore: async () => undefined,
    ...differs,
  });
  const start = (input: ProcessInput) =>
    env.client.workflow.start('elevate', { workflowId: input.operation, taskQueue, args: [input] });
  const review = (operation: string) => env.client.workflow.getHandle(reviewId(operation));

  /** Its result, once its review knows of its end too: an activity whose worker has gone would hold the clock. */
  async function ended(input: ProcessInput): Promise<ProcessResult> {
    const result = (await (await start(input)).result()) as ProcessResult;
    const look = (): Promise<ReviewState> => review(input.operation).query<ReviewState>(reviewMessages.state);
    for (let state = await look(); state.endedAt === undefined; state = await look()) await env.sleep(1_000);
    await review(input.operation).terminate();
    return result;
  }

  async function replays(...ids: string[]): Promise<void> {
    for (const id of ids)
      await Worker.runReplayHistory(
        { workflowBundle: { code } },
        await env.client.workflow.getHandle(id).fetchHistory(),
        id,
      );
  }

  test('I8: rights that were lent for four hours are gone after four hours, and nobody was needed', async () => {
    const seen = scene();
    const input = inputOf('timed', 4 * hour);
    const result = await during(seen, () => ended(input));
    expect(result).toMatchObject({ outcome: 'succeeded', proofs: { elevated: { endedBy: 'its time was over' } } });
    const [lent, back] = seen.lent;
    expect(lent!.scope).toEqual({ grants: ['select', 'delete'] });
    expect(back!.scope).toEqual({ grants: ['select'] });
    expect(back!.at - lent!.at).toBeGreaterThan(4 * hour - 30_000);
    expect(back!.at - lent!.at).toBeLessThan(4 * hour + 60_000);
    await replays(input.operation);
  });

  test('a review that nobody signs is overdue after a day, alerts then and every day after, and ends when it is signed', async () => {
    const seen = scene();
    const input = inputOf('overdue', hour);
    await during(seen, async () => {
      await (await start(input)).result();
      const over = await env.currentTimeMs();
      await env.sleep(3 * day + hour);
      const state = await review(input.operation).query<ReviewState>(reviewMessages.state);
      expect(state).toMatchObject({ status: 'overdue', reviews: [] });
      expect(Date.parse(state.due!) - over).toBeLessThan(day + hour);
      const overdue = seen.alerts.filter(
        ({ text }) => text.startsWith('overdue since') && text.includes('lent to overdue'),
      );
      expect(overdue).toHaveLength(3);
      expect(overdue[0]!.at - Date.parse(state.due!)).toBeLessThan(60_000);
      expect(overdue[1]!.at - overdue[0]!.at).toBeGreaterThan(day - 60_000);
      for (const name of ['grace', 'joan'])
        await review(input.operation).signal(reviewMessages.review, { statement: name, signature: 's' });
      expect(await review(input.operation).result()).toMatchObject({ status: 'closed', reviews: [{}, {}] });
    });
    expect(seen.reviewed).toEqual(['grace', 'joan']);
    await replays(input.operation, reviewId(input.operation));
  });

  test('a review whose record is refused says so to operators, and ends all the same', async () => {
    const seen = scene({ unsealed: true });
    const input = inputOf('unsealed', hour);
    await during(seen, async () => {
      await (await start(input)).result();
      for (const name of ['grace', 'joan'])
        await review(input.operation).signal(reviewMessages.review, { statement: name, signature: 's' });
      expect(await review(input.operation).result()).toMatchObject({ status: 'closed' });
    });
    const text = expect.stringMatching(/left no record in the evidence log: nobody signed it/);
    expect(seen.alerts).toContainEqual(expect.objectContaining({ text }));
    await replays(input.operation, reviewId(input.operation));
  });

  test('I8: when taking back does not work it is tried again and again, operators hear of it, and it works in the end', async () => {
    const begin = await env.currentTimeMs();
    const seen = scene({
      restore: async () => {
        if ((await env.currentTimeMs()) < begin + 5 * hour) throw new TenureError('UnwindFailed', 'it owns a table');
      },
    });
    const input = inputOf('stuck', hour);
    const result = await during(seen, () => ended(input));
    expect(result).toMatchObject({ outcome: 'succeeded', proofs: { elevated: { restored: {} } } });
    const back = seen.lent.find(({ scope }) => JSON.stringify(scope) === declared)!;
    expect(back.at - begin).toBeGreaterThan(5 * hour - 60_000);
    expect(back.at - begin).toBeLessThan(6 * hour + 5 * 60_000);
    expect(seen.alerts.filter(({ text }) => text.includes('parked at restore')).length).toBeGreaterThan(5);
    expect(seen.alerts.filter(({ text }) => text.includes('have outlived their time')).length).toBeGreaterThan(2);
    await replays(input.operation);
  });
});
