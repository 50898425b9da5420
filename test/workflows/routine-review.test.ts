/** The routine review as its schedule runs it, on a server, over what visibility lists and what was sealed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { routineSeal } from '../../activities/evidence/routine.js';
import { createRoutineReviewActivities } from '../../activities/routine-review.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { ReviewOutcome } from '../../src/domain/routine-review.js';
import { identityWorkflow, taskQueue } from '../../src/domain/wire.js';
import { openEvidenceWriter, type EvidenceWriter } from '../../src/evidence/open.js';
import { exportBundle } from '../../src/evidence/bundle/export.js';
import { verifyBundle } from '../../src/evidence/verify.js';
import { buildWorkflowBundle } from '../../src/temporal/bundle.js';
import { connectClient, connectWorker, type ConnectedClient } from '../../src/temporal/connection.js';
import { startDevServer, type DevServer } from '../../src/temporal/dev-server.js';
import { ensureReviewSchedule, reviewScheduleId } from '../../src/temporal/review-schedule.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { commandLineAt } from '../cli/support/command-line.js';
import { eventually } from '../support/engine.js';
import { directoryWith, personIn, records, settings } from '../review/records.js';

let server: DevServer;
let connected: ConnectedClient;
let stop: () => Promise<void>;
let code: string;
let folder: string;
let evidence: EvidenceWriter;
const sealed: ProcessRecord[] = records(5, { by: 'ada', approver: 'grace' });
const notices: { level: string; text: string }[] = [];

beforeAll(async () => {
  server = await startDevServer({ headless: true });
  const { address, namespace } = server;
  connected = await connectClient({ address, namespace });
  const own = await connectWorker({ address, namespace });
  code = await readFile(await buildWorkflowBundle(), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'tenure-routine-'));
  evidence = openEvidenceWriter({
    stateDirectory: folder,
    evidence: { name: 'tenure', log: { directory: join(folder, 'evidence') } },
  });
  const worker = await Worker.create({
    connection: own.connection,
    taskQueue,
    workflowBundle: { code },
    activities: {
      ...createRoutineReviewActivities({
        client: connected.client,
        evidence: { all: async () => sealed },
        published: { all: async () => [] },
        loadDirectory: async () => directoryWith(personIn('ada'), personIn('left', { to: '2026-01-01T00:00:00.000Z' })),
        settings,
        keep: routineSeal({ evidence, client: connected.client, workflows: code, log: pino({ level: 'silent' }) }),
        now: () => new Date('2026-06-10T12:00:00.000Z'),
      }),
      notify: async (notice: (typeof notices)[number]) => void notices.push(notice),
    },
  });
  const running = worker.run();
  stop = async () => {
    worker.shutdown();
    await running;
    await own.connection.close();
    await connected.connection.close();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  };
});
afterAll(async () => stop?.());

async function identityOf(name: string, owner: string): Promise<void> {
  await connected.client.workflow.start(identityWorkflow, {
    workflowId: `nhi/${name}`,
    taskQueue: 'nobody-works-here',
    args: [{ name }],
    typedSearchAttributes: [
      { key: searchAttributes.owner, value: owner },
      { key: searchAttributes.status, value: 'active' },
    ],
  });
}

describe('the schedule of the review', () => {
  test('runs it, alerts about owners whose date has passed, and only warns about habits', async () => {
    await identityOf('orphaned', 'left');
    await identityOf('looked-after', 'ada');
    await eventually(
      async () => (await connected.client.workflow.count(`WorkflowType = '${identityWorkflow}'`)).count,
      (count) => count === 2,
    );
    await ensureReviewSchedule(connected.client, 3_600_000);
    await connected.client.schedule.getHandle(reviewScheduleId).trigger();
    const { workflowId, runId } = await eventually(
      async () => {
        for await (const info of connected.client.workflow.list({
          query: "WorkflowType = 'routineReview' AND ExecutionStatus = 'Completed'",
        }))
          return info;
        throw new Error('not yet');
      },
      () => true,
    );
    const handle = connected.client.workflow.getHandle(workflowId, runId);
    const outcome = (await handle.result()) as ReviewOutcome;
    expect(outcome.counts).toEqual({ high: 1, medium: 1, low: 0 });
    expect(notices.map(({ level, text }) => [level, text])).toEqual([
      ['alert', expect.stringMatching(/identity orphaned, left on 2026-01-01; next: tenure owners departed left/)],
      ['warning', expect.stringContaining('same-pair')],
    ]);
    await Worker.runReplayHistory({ workflowBundle: { code } }, await handle.fetchHistory(), workflowId);
    // What it found is in the log, as it was found, and the bundle proves it.
    const [found] = await evidence.reader.under();
    expect(found).toMatchObject({
      kind: 'routine',
      record: {
        run: runId,
        lookedAt: { records: 5, identities: 2, exceptions: 0 },
        findings: [{ rule: 'owner-left', subject: 'orphaned' }, { rule: 'same-pair' }],
      },
    });
    const checks = await verifyBundle(await exportBundle(evidence.shelf, {}), {
      logKey: (await evidence.reader.key())!.text,
    });
    expect(checks.filter(({ verdict }) => verdict === 'broken')).toEqual([]);
    expect(checks.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['signature', 'inclusion', 'statement', 'code', 'history', 'replay']),
    );
  });

  test('is made once, follows the configuration, and stays paused where somebody paused it', async () => {
    const handle = connected.client.schedule.getHandle(reviewScheduleId);
    await handle.pause('a test');
    await ensureReviewSchedule(connected.client, 7_200_000);
    const { spec, state } = await handle.describe();
    expect([spec.intervals?.[0]?.every, state.paused]).toEqual([7_200_000, true]);
  });
});

describe('tenure review, with Temporal', () => {
  const { tenure } = commandLineAt(() => server.address);

  test('fails a pipeline for an owner who is not in the directory, and only from that severity on', async () => {
    // The directory of this command line has neither of the two owners.
    const { code: exit, stdout } = await tenure('review', '--fail-on', 'high');
    expect([exit, stdout]).toEqual([
      1,
      expect.stringContaining('owner-left: left, who answers for the identity orphaned'),
    ]);
    expect((await tenure('review', '--fail-on', 'high', '--rule', 'same-pair')).code).toBe(0);
    expect((await tenure('review')).code).toBe(0);
  });
});
