/** What is overdue gets one exception proposed, on a real server: not two, and not again when it was turned down. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createExceptionActivities } from '../../activities/exceptions.js';
import { othersOf } from '../../activities/exceptions/others.js';
import { exceptionId, exceptionMessages, exceptionWorkflow } from '../../src/domain/exception.js';
import { ruleOf } from '../../src/exceptions/proposals.js';
import { quoted } from '../../src/temporal/visibility-query.js';
import { aroundOf, dependenciesOf, ExceptionEngine, olga, withdrawalOf } from '../support/exceptions.js';
import { eventually } from '../support/engine.js';

let engine: ExceptionEngine;
let folder: string;
beforeAll(async () => {
  engine = await ExceptionEngine.start();
  folder = await mkdtemp(join(tmpdir(), 'tenure-proposals-'));
});
afterAll(async () => {
  await engine?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The activities with Temporal behind them; identities are as the test says. */
function activities(now: () => Date = () => new Date()) {
  const around = aroundOf(folder);
  const own = dependenciesOf(around, engine.folder);
  const { open, proposedSince } = othersOf(engine.client);
  return createExceptionActivities({ ...own, others: { ...own.others, open, proposedSince }, now });
}

const count = async (identity: string): Promise<number> =>
  (
    await engine.client.workflow.count(
      `WorkflowType = ${quoted(exceptionWorkflow)} AND NhiTags = ${quoted(`exception:${identity}`)}`,
    )
  ).count;

describe('what is overdue', () => {
  test('gets one proposal, however many ask at the same time and again', async () => {
    const ask = () => activities().proposeException({ identity: 'overdue', why: 'no window is left' });
    const first = await Promise.all([ask(), ask(), ask()]);
    expect(first.filter(({ opened }) => opened)).toHaveLength(1);
    await eventually(
      () => count('overdue'),
      (many) => many === 1,
    );
    expect(await ask()).toMatchObject({ opened: false });
    // Neither on the next day, while the first one is open.
    const tomorrow = activities(() => new Date(Date.now() + 86_400_000));
    expect(await tomorrow.proposeException({ identity: 'overdue', why: 'no window is left' })).toMatchObject({
      opened: false,
    });
    expect(await count('overdue')).toBe(1);
  });

  test('is proposed to the owner, and excepts from nothing', async () => {
    await activities().proposeException({ identity: 'shown', why: 'no window is left' });
    const id = `shown-rotation-overdue-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
    const { proposal, phase } = await engine.when(id, () => true);
    expect([phase, proposal]).toMatchObject([
      'proposed',
      { owner: olga.name, rules: ['rotation-overdue'], why: 'no window is left' },
    ]);
    expect(await engine.published(id)).toBeUndefined();
  });

  test('is not proposed again for a week where it was turned down, and then it is', async () => {
    const propose = (days: number) =>
      activities(() => new Date(Date.now() + days * 86_400_000)).proposeException({ identity: 'rejected', why: 'w' });
    await propose(0);
    const id = `rejected-rotation-overdue-${new Date().toISOString().slice(0, 10).replaceAll('-', '')}`;
    const handle = engine.client.workflow.getHandle(exceptionId(id));
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(id, olga));
    await handle.result();
    await eventually(
      async () => (await propose(1)).detail,
      (detail) => detail.includes('not taken up'),
    );
    expect(await propose(6)).toMatchObject({ opened: false });
    expect(await propose(8)).toMatchObject({ opened: true });
  });

  test('is not proposed while an exception holds', async () => {
    const { id } = await engine.holding({ identity: 'covered' });
    expect(await activities().proposeException({ identity: 'covered', why: 'w' })).toEqual({
      opened: false,
      detail: expect.stringContaining(`by ${id}`),
    });
  });
});

test('a certificate that has expired is another rule than a rotation that is overdue', () => {
  expect([ruleOf('certificate'), ruleOf('database-role')]).toEqual(['certificate-expired', 'rotation-overdue']);
});
