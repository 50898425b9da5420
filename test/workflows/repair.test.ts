/** A validation that repairs changes the target, so it is allowed, frozen and gated like every change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Drift } from '../../src/domain/credential.js';
import { processMessages } from '../../src/domain/wire.js';
import { ballot } from '../support/ballots.js';
import { Engine } from '../support/engine.js';
import { activitiesOf, begun, failureResult, provisioned } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

const drift: Drift[] = [{ what: 'right', problem: 'excess', detail: 'it may delete from ledger' }];
const namesOf = ({ stages }: { stages: readonly { name: string }[] }): string[] => stages.map(({ name }) => name);

async function repairing(name: string, around: Parameters<Engine['around']['only']['set']>[1] = {}) {
  await provisioned(engine, name);
  engine.around.target.drift = drift;
  engine.around.only.set(name, around);
  return begun(engine, { kind: 'validate', repair: true }, name);
}

test('a repair is a stage of its own, and what it put right is in the result', async () => {
  const handle = await repairing('repaired');
  expect(await handle.result()).toMatchObject({
    outcome: 'succeeded',
    proofs: { repaired: ['it may delete from ledger'], drift: [], accepted: {} },
  });
  const state = await engine.processWhen(handle.operation, () => true);
  expect(namesOf(state)).toEqual(['plan', 'authorize', 'gate', 'repair', 'verify', 'refuse', 'seal']);
  expect(state.stages.find(({ name }) => name === 'repair')).toMatchObject({
    status: 'done',
    note: 'it may delete from ledger',
  });
  expect(state.plan).toMatchObject({ kind: 'validate', repair: true });
  await engine.replays('repaired');
});

test('a validation that only looks asks nobody, also where changes are gated and frozen', async () => {
  await provisioned(engine, 'looks');
  engine.around.target.drift = [];
  engine.around.only.set('looks', {
    obligations: { approvals: 1, gateMs: 60_000 },
    clearance: () => ({ clear: false, until: '2099-01-01T00:00:00.000Z', reason: 'the year end' }),
  });
  const handle = await begun(engine, { kind: 'validate' }, 'looks');
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
  expect(namesOf(await engine.processWhen(handle.operation, () => true))).toEqual(['plan', 'verify', 'refuse', 'seal']);
  await engine.replays('looks');
});

test('I9: a freeze holds for a repair', async () => {
  const clearance = () => ({ clear: false, until: '2099-01-01T00:00:00.000Z', reason: 'the year end' }) as const;
  const handle = await repairing('frozen', { clearance });
  expect(await failureResult(handle)).toMatchObject({
    outcome: 'undone',
    failure: { code: 'PolicyDenied', message: expect.stringContaining('the year end') },
  });
  expect(await activitiesOf(handle)).not.toContain('repair');
  expect(engine.around.target.drift).toEqual(drift);
  await engine.replays('frozen');
});

test('what policy denies is not repaired', async () => {
  const handle = await repairing('denied', { deny: 'not here' });
  expect(await failureResult(handle)).toMatchObject({ failure: { code: 'PolicyDenied', message: 'not here' } });
  expect(engine.around.target.drift).toEqual(drift);
});

test('I6: a repair waits at the gate, and a denial leaves everything as it was', async () => {
  const gate = { obligations: { approvals: 1, gateMs: 600_000 } };
  const denied = await repairing('gated', gate);
  await engine.processWhen(denied.operation, ({ gate: open }) => open?.outcome === 'open');
  expect(engine.around.target.drift).toEqual(drift);
  await denied.signal(processMessages.decide, ballot('grace', { decision: 'deny' }));
  expect(await failureResult(denied)).toMatchObject({ failure: { code: 'ApprovalRefused' } });
  expect(await activitiesOf(denied)).not.toContain('repair');

  await engine.stateWhen('gated', ({ running }) => !running);
  const approved = await begun(engine, { kind: 'validate', repair: true }, 'gated');
  await engine.processWhen(approved.operation, ({ gate: open }) => open?.outcome === 'open');
  await approved.signal(processMessages.decide, ballot('grace'));
  expect(await approved.result()).toMatchObject({ outcome: 'succeeded' });
  expect(engine.around.target.drift).toEqual([]);
  await engine.replays('gated');
});
