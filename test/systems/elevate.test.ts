/** Break-glass against a real server: the login can do what it could not, until its time is over; then nothing of it is left. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reviewId, reviewMessages, type ReviewState } from '../../src/domain/elevation-review.js';
import type { ProcessResult } from '../../src/domain/process.js';
import type { Material } from '../../src/stores/store.js';
import { describeOn } from '../support/machine.js';
import { Engine, eventually } from '../support/engine.js';
import { begun, failureResult, provisioned } from '../support/world.js';
import { type Fixture, ledgerScope, startFixture } from '../targets/postgresql-fixture.js';

const deleting = { grants: [{ on: 'ledger', may: ['delete'] }] };

const fixture = await startFixture({ version: 18 });
describeOn(fixture, 'an elevation at PostgreSQL', elevations);

function elevations(server: Fixture): void {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.start();
    engine.around.targets.set('ledger-db', server.target);
  });
  afterAll(async () => {
    await engine?.stop();
    await server.close();
  });

  const materialOf = async (name: string): Promise<Material> =>
    (await engine.around.store.read(name, { slot: 'current' })).material;
  const mayDelete = async (material: Material): Promise<boolean> => {
    const client = await server.logIn(material);
    try {
      return await allows(client);
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const elevated = async (name: string, forMs: number) => {
    await provisioned(engine, name, { target: { name: 'ledger-db', scope: ledgerScope } });
    const before = await materialOf(name);
    expect(await mayDelete(before)).toBe(false);
    const elevation = { scope: deleting, forMs, incident: 'INC-1' };
    const handle = await begun(engine, { kind: 'elevate', reason: 'a wrong booking', elevation }, name);
    await engine.processWhen(handle.operation, ({ heldUntil }) => heldUntil !== undefined);
    return { before, handle };
  };

  test('lets the login do more until the timer ends it, ends its sessions, and replaces the credential', async () => {
    const { before, handle } = await elevated('timed', 5_000);
    const session = await server.logIn(before);
    expect(await allows(session)).toBe(true);
    const { until } = await engine
      .processWhen(handle.operation, ({ heldUntil }) => heldUntil !== undefined)
      .then((state) => ({ until: state.heldUntil! }));

    const result = (await handle.result()) as ProcessResult;
    expect(Date.parse(result.proofs.elevated!.endedAt!) - Date.parse(until)).toBeLessThan(5_000);
    await expect(session.query('SELECT 1')).rejects.toThrow();
    await expect(server.logIn(before)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
    const after = await materialOf('timed');
    expect(after.username).not.toBe(before.username);
    expect(await mayDelete(after)).toBe(false);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      proofs: {
        elevated: { granted: { missing: [] }, restored: { excess: [], missing: [] }, endedBy: 'its time was over' },
        refused: [{ principal: before.username }],
        accepted: { principal: after.username, excess: [] },
      },
    });
    await engine.replays('timed');
  });

  test('ends when no worker runs as soon as one does, and not later', async () => {
    const { before, handle } = await elevated('unattended', 2_000);
    await engine.stopWorker();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    const back = Date.now();
    await engine.startWorker();
    await eventually(
      () => mayDelete(before).catch(() => false),
      (may) => !may,
    );
    expect(Date.now() - back).toBeLessThan(20_000);
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('unattended');
  });

  test('I8: ends when its process is terminated: its guard takes the rights back', async () => {
    const { before, handle } = await elevated('terminated', 3_600_000);
    const session = await server.logIn(before);
    expect(await allows(session)).toBe(true);
    await handle.terminate('somebody wants to keep them');
    const review = engine.process(reviewId(handle.operation));
    await eventually(
      () => review.query<ReviewState>(reviewMessages.state),
      ({ status }) => status === 'due',
    );
    await expect(session.query('SELECT 1')).rejects.toThrow();
    expect(await mayDelete(before)).toBe(false);
    await engine.replays('terminated');
  });

  test('is pre-empted by an emergency', async () => {
    const { before, handle } = await elevated('emergency', 3_600_000);
    await engine.do({ kind: 'revoke', emergency: true }, 'emergency');
    await expect(server.logIn(before)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
    // The emergency does not wait until what it has pre-empted has sealed its record.
    expect(await failureResult(handle)).toMatchObject({ outcome: 'pre-empted' });
    await engine.replays('emergency');
  });
}

async function allows(client: pg.Client): Promise<boolean> {
  return client.query('DELETE FROM ledger WHERE false').then(
    () => true,
    (error: { code?: string }) => {
      if (error.code === '42501') return false;
      throw error;
    },
  );
}
