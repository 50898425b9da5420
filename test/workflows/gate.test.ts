import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Clearance } from '../../src/domain/decision.js';
import { identityMessages, processMessages } from '../../src/domain/wire.js';
import { ballot } from '../support/ballots.js';
import { Engine, eventually } from '../support/engine.js';
import { activitiesOf, begun, failureResult, provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

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
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const { gate } = await engine.processWhen(handle.operation, () => true);
    expect(gate).toMatchObject({ outcome: 'approved', votes: [{ approver: 'grace' }] });
    await engine.replays('approved');
  });

  test('ends the process at a denial, with nothing touched', async ({ expect }) => {
    const handle = await gated('denied', 2);
    await handle.signal(processMessages.decide, ballot('grace'));
    await handle.signal(processMessages.decide, ballot('ada', { decision: 'deny', reason: 'not today' }));
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { code: 'ApprovalRefused', message: expect.stringContaining('denied by ada: not today') },
    });
    expect(await activitiesOf(handle)).toEqual(['seal']);
    expect((await engine.state('denied')).status).toBe('active');
    await engine.replays('denied');
  });

  test('expires, with nothing touched', async ({ expect }) => {
    const handle = await gated('expired', 1, 1_500);
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'ApprovalRefused' } });
    expect(await activitiesOf(handle)).toEqual(['seal']);
    await engine.replays('expired');
  });

  test('counts a person once, and only votes on its own plan', async ({ expect }) => {
    const handle = await gated('counted', 2);
    const first = ballot('grace');
    await handle.signal(processMessages.decide, first);
    await handle.signal(processMessages.decide, first);
    await handle.signal(processMessages.decide, ballot('ada', { planDigest: 'sha256:another' }));
    await handle.signal(processMessages.decide, ballot('eve', { planDigest: 'sha256:another', decision: 'deny' }));
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.refused.length === 3);
    expect(gate).toMatchObject({
      outcome: 'open',
      votes: [{ approver: 'grace' }],
      refused: [
        { claimed: 'grace', reason: 'a decision of this person is counted already' },
        { claimed: 'ada', reason: 'another plan' },
        { claimed: 'eve', reason: 'another plan' },
      ],
    });
    await handle.signal(processMessages.decide, ballot('ada'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('counted');
  });

  test('shows the votes that it has while it waits', async ({ expect }) => {
    const handle = await gated('shown', 2);
    await handle.signal(processMessages.decide, ballot('grace'));
    const { gate } = await engine.processWhen(handle.operation, (state) => (state.gate?.votes.length ?? 0) > 0);
    expect(gate).toMatchObject({ outcome: 'open', needed: 2, votes: [{ approver: 'grace' }] });
    await handle.signal(processMessages.decide, ballot('ada'));
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
      { signed: 'approve' },
      { signed: { statement: 'x'.repeat(50_000), signature: 'x' } },
      { signed: { statement: '', signature: 'x' } },
      { ...ballot('x'), delegation: 7 },
      { by: 'x', since: 7 },
      { by: 'x'.repeat(50_000), request: {} },
    ];
    for (const signal of ['decide', 'acknowledge', 'resume', 'abandon', 'preempt'] as const)
      for (const argument of garbage) await handle.signal(processMessages[signal], argument);
    await handle.signal('a-signal-that-nobody-knows', {});
    const { gate } = await engine.processWhen(handle.operation, ({ inert }) => (inert?.length ?? 0) > 0);
    expect(gate).toMatchObject({ outcome: 'open', votes: [], refused: [] });
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('garbage');
  });

  test('counts a vote that came before it opened', async ({ expect }) => {
    await provisioned(engine, 'early');
    engine.around.only.set('early', { obligations: { approvals: 1, gateMs: 3_600_000 } });
    const handle = await begun(engine, { kind: 'rotate' }, 'early');
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
  });
});

describe.concurrent('I6: what changes while a gate is open', () => {
  test('a decision that was taken back does not count, also when somebody sends it again', async ({ expect }) => {
    const handle = await gated('withdrawn', 2);
    const first = ballot('grace');
    await handle.signal(processMessages.decide, first);
    await engine.processWhen(handle.operation, ({ gate }) => gate?.votes.length === 1);
    await handle.signal(processMessages.decide, ballot('grace', { decision: 'withdraw' }));
    await engine.processWhen(handle.operation, ({ gate }) => gate?.votes.length === 0);
    await handle.signal(processMessages.decide, first);
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.refused.length === 1);
    expect(gate).toMatchObject({ outcome: 'open', votes: [] });
    await handle.signal(processMessages.decide, ballot('grace'));
    await handle.signal(processMessages.decide, ballot('ada'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('withdrawn');
  });

  test('other policies open another round, which says why, keeps the deadline and asks everybody again', async ({
    expect,
  }) => {
    const handle = await gated('reopened');
    const before = await engine.processWhen(handle.operation, () => true);
    engine.around.only.get('reopened')!.policyDigest = 'sha256:other';
    await handle.signal(processMessages.decide, ballot('grace'));
    const again = await engine.processWhen(handle.operation, ({ gate }) => gate?.number === 2);
    expect(again.gate).toMatchObject({
      outcome: 'open',
      reopened: 'the policies have changed',
      policyDigest: 'sha256:other',
      deadline: before.gate!.deadline,
      votes: [],
    });
    expect(again.gate!.round).not.toBe(before.gate!.round);
    expect(again.rounds).toMatchObject([{ number: 1, outcome: 'approved', votes: [{ approver: 'grace' }] }]);
    expect(await activitiesOf(handle)).toEqual([]);
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    expect(handle.operation).toBe('nhi/reopened/rotate/2');
    await engine.replays('reopened');
  });

  test('at half time people are reminded, and a second group may decide too', async ({ expect }) => {
    await provisioned(engine, 'escalated');
    const obligations = { approvals: 1, gateMs: 8_000, groups: ['platform'], escalateTo: 'security' };
    engine.around.only.set('escalated', { obligations });
    const handle = await begun(engine, { kind: 'rotate' }, 'escalated');
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.escalatedTo !== undefined);
    expect(gate).toMatchObject({ outcome: 'open', escalatedTo: 'security' });
    expect(engine.around.notices.filter((text) => text.includes('nhi/escalated/rotate/2'))).toEqual([
      expect.stringContaining('waits for approval: needs 1 more approval, one from platform'),
      expect.stringContaining('still waits for approval, now also from security'),
    ]);
    await handle.signal(processMessages.decide, ballot('rosa', { groups: ['security'] }));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('escalated');
  });
});

describe.concurrent('what nobody proves to have said', () => {
  test('a request is not queued, by update and by signal, and stays on record', async ({ expect }) => {
    await provisioned(engine, 'forged');
    engine.around.only.set('forged', { unproven: 'the key that signed is nobody’s' });
    const answer = await engine.ask({ kind: 'rotate', id: 'forged-1' }, 'forged');
    expect(answer).toMatchObject({ accepted: false, code: 'ApprovalRefused' });
    const identity = engine.client.workflow.getHandle('nhi/forged');
    const request = { id: 'forged-2', kind: 'revoke', emergency: true, requester: 'mallory' };
    await identity.signal(identityMessages.requestSignal, request);
    const state = await engine.stateWhen('forged', ({ problems }) => problems.length === 2);
    expect(state).toMatchObject({ status: 'active', queue: [] });
    expect(state.running).toBeUndefined();
    expect(state.problems[1]!.what).toContain('a revoke sent as mallory was turned away');
    engine.around.only.delete('forged');
    expect(await engine.do({ kind: 'rotate', id: 'forged-1' }, 'forged')).toMatchObject({ status: 'active' });
    await engine.replays('forged');
  });

  test('nothing pre-empts a process but a proven emergency', async ({ expect }) => {
    const handle = await gated('preempted');
    engine.around.only.get('preempted')!.unproven = 'it is not signed';
    const forged = { id: 'x', kind: 'revoke', emergency: true, requester: 'mallory' };
    await handle.signal(processMessages.preempt, { by: 'mallory', request: forged });
    await handle.signal(processMessages.preempt, { by: 'mallory', request: { ...forged, kind: 'rotate' } });
    const { inert, gate } = await engine.processWhen(handle.operation, (state) => state.inert?.length === 2);
    expect(gate?.outcome).toBe('open');
    expect(inert!.map(({ reason }) => reason).toSorted()).toEqual([
      'preempt: it is not signed',
      'preempt: only an emergency revocation pre-empts a process',
    ]);
    delete engine.around.only.get('preempted')!.unproven;
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('preempted');
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
    expect(await activitiesOf(handle)).toEqual(['seal']);
  });

  test('that begins while a gate is open holds what was approved, until it ends', async ({ expect }) => {
    const handle = await gated('freezes');
    const end = Date.now() + 4_000;
    engine.around.only.get('freezes')!.clearance = () =>
      Date.now() < end ? frozenUntil(end - Date.now()) : { clear: true };
    await handle.signal(processMessages.decide, ballot('grace'));
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
