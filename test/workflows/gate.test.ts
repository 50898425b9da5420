import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Clearance } from '../../src/domain/decision.js';
import type { Vote } from '../../src/domain/process.js';
import { processMessages } from '../../src/domain/wire.js';
import { Engine, eventually } from '../support/engine.js';
import { activitiesOf, begun, failureResult, provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

const vote = (approver: string, differs: Partial<Vote> = {}): Vote => ({
  approver,
  decision: 'approve',
  planDigest: 'sha256:plan',
  at: '2026-01-01T00:00:00.000Z',
  ...differs,
});

/** A rotation that waits at its gate. */
async function gated(name: string, approvals = 1, gateMs = 3_600_000): ReturnType<typeof begun> {
  await provisioned(engine, name);
  engine.around.only.set(name, { obligations: { approvals, gateMs } });
  const handle = await begun(engine, { kind: 'rotate' }, name);
  await engine.processWhen(handle.operation, ({ gate }) => gate?.outcome === 'open');
  return handle;
}

describe.concurrent('I6: a gate', () => {
  test('opens for an approval of exactly its plan', async ({ expect }) => {
    const handle = await gated('approved');
    await handle.signal(processMessages.decide, vote('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const { gate } = await engine.processWhen(handle.operation, () => true);
    expect(gate).toMatchObject({ outcome: 'approved', votes: [{ approver: 'grace' }] });
    await engine.replays('approved');
  });

  test('ends the process at a denial, with nothing touched', async ({ expect }) => {
    const handle = await gated('denied', 2);
    await handle.signal(processMessages.decide, vote('grace'));
    await handle.signal(processMessages.decide, vote('ada', { decision: 'deny', reason: 'not today' }));
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { code: 'ApprovalRefused', message: expect.stringContaining('denied by ada: not today') },
    });
    expect(await activitiesOf(handle)).toEqual([]);
    expect((await engine.state('denied')).status).toBe('active');
    await engine.replays('denied');
  });

  test('expires, with nothing touched', async ({ expect }) => {
    const handle = await gated('expired', 1, 1_500);
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'ApprovalRefused' } });
    expect(await activitiesOf(handle)).toEqual([]);
    await engine.replays('expired');
  });

  test('counts a person once, and only votes on its own plan', async ({ expect }) => {
    const handle = await gated('counted', 2);
    await handle.signal(processMessages.decide, vote('grace'));
    await handle.signal(processMessages.decide, vote('grace'));
    await handle.signal(processMessages.decide, vote('ada', { planDigest: 'sha256:another' }));
    await handle.signal(processMessages.decide, vote('eve', { planDigest: 'sha256:another', decision: 'deny' }));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await engine.processWhen(handle.operation, () => true)).gate?.outcome).toBe('open');
    await handle.signal(processMessages.decide, vote('ada'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('counted');
  });

  test('shows the votes that it has while it waits', async ({ expect }) => {
    const handle = await gated('shown', 2);
    await handle.signal(processMessages.decide, vote('grace'));
    const { gate } = await engine.processWhen(handle.operation, (state) => (state.gate?.votes.length ?? 0) > 0);
    expect(gate).toMatchObject({ outcome: 'open', needed: 2, votes: [{ approver: 'grace' }] });
    await handle.signal(processMessages.decide, vote('ada'));
    await handle.result();
  });

  test('is not harmed by votes, words and acknowledgements that are malformed', async ({ expect }) => {
    const handle = await gated('garbage');
    const garbage = [
      null,
      undefined,
      'approve',
      42,
      [],
      {},
      { approver: 'x'.repeat(50_000) },
      vote(''),
      { ...vote('x'), decision: 'maybe' },
      { ...vote('x'), planDigest: 7 },
    ];
    for (const signal of ['decide', 'acknowledge', 'resume', 'abandon'] as const)
      for (const argument of garbage) await handle.signal(processMessages[signal], argument);
    await handle.signal('a-signal-that-nobody-knows', {});
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await engine.processWhen(handle.operation, () => true)).gate).toMatchObject({ outcome: 'open', votes: [] });
    await handle.signal(processMessages.decide, vote('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('garbage');
  });

  test('counts a vote that came before it opened', async ({ expect }) => {
    await provisioned(engine, 'early');
    engine.around.only.set('early', { obligations: { approvals: 1, gateMs: 3_600_000 } });
    const handle = await begun(engine, { kind: 'rotate' }, 'early');
    await handle.signal(processMessages.decide, vote('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
  });
});

describe.concurrent('I9: a freeze', () => {
  const frozenUntil = (ms: number): Clearance => ({
    clear: false,
    until: new Date(Date.now() + ms).toISOString(),
    reason: 'year end',
  });

  test('refuses a rotation before anything is touched', async ({ expect }) => {
    await provisioned(engine, 'frozen');
    engine.around.only.set('frozen', { clearance: () => frozenUntil(60_000) });
    const handle = await begun(engine, { kind: 'rotate' }, 'frozen');
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { code: 'PolicyDenied', message: expect.stringContaining('year end') },
    });
    expect(await activitiesOf(handle)).toEqual([]);
  });

  test('that begins while a gate is open holds what was approved, until it ends', async ({ expect }) => {
    const handle = await gated('freezes');
    const end = Date.now() + 4_000;
    engine.around.only.get('freezes')!.clearance = () =>
      Date.now() < end ? frozenUntil(end - Date.now()) : { clear: true };
    await handle.signal(processMessages.decide, vote('grace'));
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ note }) => note?.includes('frozen until')),
    );
    expect(await activitiesOf(handle)).toEqual([]);
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    await engine.replays('freezes');
  });

  test('that begins after the hand-over holds the retirement of the old credential', async ({ expect }) => {
    await provisioned(engine, 'late-freeze');
    let asked = 0;
    const end = Date.now() + 8_000;
    engine.around.only.set('late-freeze', {
      clearance: () => (asked++ === 0 || Date.now() > end ? { clear: true } : frozenUntil(end - Date.now())),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'late-freeze');
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ name, status }) => name === 'retire' && status === 'waiting'),
    );
    expect(Object.keys((await worldOf(engine, 'late-freeze')).logins)).toHaveLength(2);
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('late-freeze');
  });

  test('and a denial of policy hold for nobody but an emergency', async ({ expect }) => {
    await provisioned(engine, 'emergency');
    engine.around.only.set('emergency', {
      obligations: { approvals: 0, gateMs: 0 },
      clearance: () => frozenUntil(60_000),
    });
    const state = await engine.do({ kind: 'revoke', emergency: true }, 'emergency');
    expect(state.status).toBe('revoked');
  });
});

test('policy denies: nothing is touched, and the reason is told', async ({ expect }) => {
  await provisioned(engine, 'not-allowed');
  engine.around.only.set('not-allowed', { deny: 'name an owner in the manifest' });
  const state = await engine.do({ kind: 'rotate' }, 'not-allowed');
  expect(state.recent.at(-1)).toMatchObject({
    outcome: 'undone',
    code: 'PolicyDenied',
    message: 'name an owner in the manifest',
  });
  await eventually(
    () => engine.replays('not-allowed'),
    (count) => count === 3,
  );
});
