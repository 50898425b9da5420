import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Clearance } from '../../src/domain/decision.js';
import { noFacts } from '../../src/domain/facts.js';
import type { ProcessState } from '../../src/domain/process.js';
import { TenureError } from '../../src/domain/errors.js';
import { identityMessages, processMessages } from '../../src/domain/wire.js';
import { ballot } from '../support/ballots.js';
import { Engine, eventually } from '../support/engine.js';
import { activitiesOf, begun, failureResult, provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

/** No, and from then on yes. */
function once(): () => boolean {
  let isAsked = false;
  return () => isAsked || ((isAsked = true), false);
}

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

  test('goes by the last word of a person, and a denial outweighs what all others approved', async ({ expect }) => {
    const handle = await gated('reconsidered', 3);
    for (const approver of ['grace', 'alan']) await handle.signal(processMessages.decide, ballot(approver));
    await engine.processWhen(handle.operation, ({ gate }) => gate?.votes.length === 2);
    const earlier = new Date(Date.now() - 60_000).toISOString();
    await handle.signal(processMessages.decide, ballot('grace', { decision: 'deny', at: earlier }));
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.refused.length === 1);
    expect(gate).toMatchObject({ outcome: 'open', votes: [{ approver: 'grace', decision: 'approve' }, {}] });
    await handle.signal(processMessages.decide, ballot('grace', { decision: 'deny', reason: 'not so fast' }));
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { message: 'the gate was denied by grace: not so fast; nothing was touched' },
    });
    const { gate: denied } = await engine.processWhen(handle.operation, () => true);
    expect(denied).toMatchObject({
      outcome: 'denied',
      votes: [
        { approver: 'alan', decision: 'approve' },
        { approver: 'grace', decision: 'deny' },
      ],
    });
    await engine.replays('reconsidered');
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

  test.for([
    ['what is known about the identity has changed', { facts: { ...noFacts, growth: ['delete on ledger'] } }],
    ['an approval does not count any more', { stillCount: once() }],
  ] as const)('another round is opened where %s', async ([reopened, change], { expect }) => {
    const name = `reopened-${reopened.split(' ')[0]}`;
    const handle = await gated(name);
    Object.assign(engine.around.only.get(name)!, change);
    await handle.signal(processMessages.decide, ballot('grace'));
    const { gate, rounds } = await engine.processWhen(handle.operation, (state) => state.gate?.number === 2);
    expect(gate).toMatchObject({ outcome: 'open', reopened, votes: [] });
    expect(rounds).toMatchObject([{ number: 1, outcome: 'approved' }]);
    await handle.signal(processMessages.decide, ballot('alan'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const { stages } = await engine.processWhen(handle.operation, () => true);
    expect(stages.find(({ name: stage }) => stage === 'gate')?.note).toBe('approved by alan, in round 2');
    await engine.replays(name);
  });

  test('policies that never stay the same open round after round: the last ten stay on record', async ({ expect }) => {
    const handle = await gated('restless');
    const first = await engine.processWhen(handle.operation, () => true);
    let asked = 0;
    Object.defineProperty(engine.around.only.get('restless')!, 'policyDigest', {
      enumerable: true,
      get: () => `sha256:${(asked += 1)}`,
    });
    for (let number = 1; number <= 12; number += 1) {
      await engine.processWhen(handle.operation, ({ gate }) => gate?.number === number && gate.outcome === 'open');
      await handle.signal(processMessages.decide, ballot('grace'));
    }
    const { gate, rounds } = await engine.processWhen(handle.operation, (state) => state.gate?.number === 13);
    expect(gate!.deadline).toBe(first.gate!.deadline);
    expect(rounds!.map(({ number }) => number)).toEqual(Array.from({ length: 10 }, (_, n) => n + 3));
    expect(new Set([...rounds!, gate!].map(({ round }) => round)).size).toBe(11);
    expect(await activitiesOf(handle)).toEqual([]);
    await handle.cancel();
    await failureResult(handle);
    await engine.replays('restless');
  });

  test('another round ends when the first one would have', async ({ expect }) => {
    const handle = await gated('no-extension', 1, 8_000);
    const { gate: first } = await engine.processWhen(handle.operation, () => true);
    engine.around.only.get('no-extension')!.policyDigest = 'sha256:other';
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await failureResult(handle)).toMatchObject({
      failure: { message: `the gate was expired: too few decided before ${first!.deadline}; nothing was touched` },
    });
    const { gate, stages } = await engine.processWhen(handle.operation, () => true);
    expect(gate).toMatchObject({ number: 2, outcome: 'expired', deadline: first!.deadline });
    const late = Date.parse(stages.find(({ name }) => name === 'gate')!.endedAt!) - Date.parse(first!.deadline);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(5_000);
    expect(await activitiesOf(handle)).toEqual(['seal']);
    await engine.replays('no-extension');
  });

  test('without a second group people are reminded twice, and nobody else may decide', async ({ expect }) => {
    const handle = await gated('reminded', 1, 5_000);
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'ApprovalRefused' } });
    const { gate } = await engine.processWhen(handle.operation, () => true);
    expect(gate).toMatchObject({ outcome: 'expired' });
    expect(gate!.escalatedTo).toBeUndefined();
    expect(engine.around.notices.filter((text) => text.startsWith(handle.operation))).toEqual([
      `${handle.operation} waits for approval: needs 1 more approval; tenure approve reminded`,
      ...Array.from(
        { length: 2 },
        () => `${handle.operation} still waits for approval: needs 1 more approval; it closes at ${gate!.deadline}`,
      ),
    ]);
    await engine.replays('reminded');
  });

  test('at half time people are reminded, and a second group may decide too', async ({ expect }) => {
    await provisioned(engine, 'escalated');
    const obligations = { approvals: 1, gateMs: 8_000, groups: ['platform'], escalateTo: 'security' };
    engine.around.only.set('escalated', { obligations });
    const handle = await begun(engine, { kind: 'rotate' }, 'escalated');
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.escalatedTo !== undefined);
    expect(gate).toMatchObject({ outcome: 'open', escalatedTo: 'security' });
    expect(engine.around.notices.filter((text) => text.includes('nhi/escalated/rotate/2'))).toEqual([
      expect.stringContaining('waits for approval: needs 1 more approval, from platform'),
      expect.stringContaining('still waits for approval, now also from security'),
    ]);
    await handle.signal(processMessages.decide, ballot('rosa', { groups: ['security'] }));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('escalated');
  });

  test('and may in the rounds after that too, which remind nobody of it again', async ({ expect }) => {
    await provisioned(engine, 'escalated-on');
    const obligations = { approvals: 1, gateMs: 12_000, groups: ['platform'], escalateTo: 'security' };
    engine.around.only.set('escalated-on', { obligations });
    const handle = await begun(engine, { kind: 'rotate' }, 'escalated-on');
    await engine.processWhen(handle.operation, (state) => state.gate?.escalatedTo !== undefined);
    engine.around.only.get('escalated-on')!.policyDigest = 'sha256:other';
    await handle.signal(processMessages.decide, ballot('rosa', { groups: ['security'] }));
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.number === 2);
    expect(gate).toMatchObject({ outcome: 'open', escalatedTo: 'security' });
    await handle.signal(processMessages.decide, ballot('rosa', { groups: ['security'] }));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const reminders = engine.around.notices.filter(
      (text) => text.startsWith(handle.operation) && text.includes('still waits'),
    );
    expect(reminders).toHaveLength(1);
    await engine.replays('escalated-on');
  });
});

describe.concurrent('I6: what was approved and is held up', () => {
  const never = (): Clearance => ({
    clear: false,
    until: new Date(Date.now() + 3_600_000).toISOString(),
    reason: 'year end',
  });

  /** Approved by grace, and held by a freeze that began meanwhile. */
  async function held(name: string): ReturnType<typeof begun> {
    const handle = await gated(name);
    engine.around.only.get(name)!.clearance = never;
    await handle.signal(processMessages.decide, ballot('grace'));
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ note }) => note?.includes('frozen until')),
    );
    return handle;
  }

  test('waits again where the approval is taken back: it is in time, since nothing has changed', async ({ expect }) => {
    const handle = await held('held');
    await handle.signal(processMessages.decide, ballot('grace', { decision: 'withdraw' }));
    const { gate, decision, rounds } = await engine.processWhen(
      handle.operation,
      (state) => state.gate?.votes.length === 0,
    );
    expect(gate).toMatchObject({ outcome: 'open', number: 1 });
    expect([decision!.permitted, rounds]).toEqual([false, undefined]);
    engine.around.only.get('held')!.clearance = () => ({ clear: true });
    await handle.signal(processMessages.decide, ballot('alan'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const { stages } = await engine.processWhen(handle.operation, () => true);
    expect(stages.find(({ name }) => name === 'gate')?.note).toBe('approved by alan');
    await engine.replays('held');
  });

  test('ends where somebody denies it, with nothing touched', async ({ expect }) => {
    const handle = await held('held-denied');
    await handle.signal(processMessages.decide, ballot('ada', { decision: 'deny', reason: 'not this year' }));
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { message: 'the gate was denied by ada: not this year; nothing was touched' },
    });
    expect(await activitiesOf(handle)).toEqual(['seal']);
    await engine.replays('held-denied');
  });

  test('is held as before where what somebody sends does not count', async ({ expect }) => {
    const handle = await held('held-on');
    await handle.signal(processMessages.decide, ballot('eve', { planDigest: 'sha256:another', decision: 'deny' }));
    const { gate } = await engine.processWhen(handle.operation, (state) => state.gate?.refused.length === 1);
    expect(gate).toMatchObject({ outcome: 'approved', votes: [{ approver: 'grace' }] });
    await handle.cancel();
    await failureResult(handle);
    await engine.replays('held-on');
  });

  test('waits again also where it was permitted already, and the freeze holds its point of no return', async ({
    expect,
  }) => {
    await provisioned(engine, 'held-late');
    let asked = 0;
    const knobs = {
      obligations: { approvals: 1, gateMs: 3_600_000 },
      clearance: (): Clearance => ((asked += 1) < 3 ? { clear: true } : never()),
    };
    engine.around.only.set('held-late', knobs);
    const handle = await begun(engine, { kind: 'revoke' }, 'held-late');
    await engine.processWhen(handle.operation, ({ gate }) => gate?.outcome === 'open');
    await handle.signal(processMessages.decide, ballot('grace'));
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ name, status }) => name === 'retire' && status === 'waiting'),
    );
    await handle.signal(processMessages.decide, ballot('grace', { decision: 'withdraw' }));
    const { gate, decision } = await engine.processWhen(handle.operation, (state) => state.gate?.outcome === 'open');
    expect(gate).toMatchObject({ number: 1, votes: [] });
    expect(decision!.permitted).toBe(false);
    expect(await activitiesOf(handle)).toEqual([]);
    knobs.clearance = () => ({ clear: true });
    await handle.signal(processMessages.decide, ballot('alan'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('held-late');
  });

  test('goes on where it has begun: whoever takes an approval back then is told that it is too late', async ({
    expect,
  }) => {
    const handle = await gated('begun');
    const error = new TenureError('RejectedUnchanged', 'no');
    engine.around.target.faults.set('retire begun', { when: 'before', times: 1, error });
    await handle.signal(processMessages.decide, ballot('grace'));
    await engine.processWhen(handle.operation, ({ parked }) => parked !== undefined);
    await handle.signal(processMessages.decide, ballot('grace', { decision: 'withdraw' }));
    const { gate, inert } = await engine.processWhen(handle.operation, (state) => state.inert !== undefined);
    expect(gate).toMatchObject({ outcome: 'approved', votes: [{ approver: 'grace' }] });
    expect(inert).toMatchObject([{ claimed: 'grace', reason: expect.stringContaining('it came too late') }]);
    await engine.answerPark(handle.operation, { how: 'again' });
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('begun');
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

describe.concurrent('words to a parked process', () => {
  /** A rotation that is parked past the point of no return. */
  async function parked(name: string): Promise<Awaited<ReturnType<typeof begun>> & { readonly since: string }> {
    await provisioned(engine, name);
    const error = new TenureError('RejectedUnchanged', 'no');
    engine.around.target.faults.set(`retire ${name}`, { when: 'before', times: 1, error });
    const handle = await begun(engine, { kind: 'rotate' }, name);
    const state = await engine.processWhen(handle.operation, (now) => now.parked !== undefined);
    return Object.assign(handle, { since: state.parked!.since });
  }

  test('have no effect where nobody proves to have said them, and are on record', async ({ expect }) => {
    const handle = await parked('told');
    engine.around.only.set('told', { unproven: 'the key that signed is nobody’s' });
    const { since } = handle;
    await handle.signal(processMessages.resume, { by: 'mallory', since, how: 'go-on' });
    await handle.signal(processMessages.abandon, { by: 'x'.repeat(9_000), since, reason: 'no' });
    await handle.signal(processMessages.acknowledge, { by: 'mallory', consumer: 'api', version: handle.operation });
    const { inert, parked: still } = await engine.processWhen(handle.operation, (state) => state.inert?.length === 3);
    expect(still).toMatchObject({ since, stage: 'retire' });
    expect(inert!.map(({ claimed, reason }) => [claimed, reason])).toEqual([
      ['mallory', 'resume: the key that signed is nobody’s'],
      [`${'x'.repeat(249)}…`, 'abandon: the key that signed is nobody’s'],
      ['mallory', 'acknowledge: the key that signed is nobody’s'],
    ]);
    engine.around.only.delete('told');
    await engine.answerPark(handle.operation, { how: 'again' });
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('told');
  });

  test('are for one park: said for another one they are no answer, however proven', async ({ expect }) => {
    const handle = await parked('another');
    const later = new Date(Date.parse(handle.since) + 1).toISOString();
    await handle.signal(processMessages.abandon, { by: 'ada', since: later, reason: 'no' });
    await handle.signal(processMessages.resume, { by: 'ada', since: later, how: 'go-on' });
    await handle.signal(processMessages.resume, { by: 'ada', how: 'go-on' });
    await handle.signal(processMessages.resume, { by: 'ada', since: handle.since, how: 'sideways' });
    await handle.signal(processMessages.acknowledge, { by: 'ada', consumer: 'api', version: 'v' });
    // Answered once all that was sent before it is taken.
    const state = await engine.processWhen(handle.operation, () => true);
    expect(state.parked).toMatchObject({ since: handle.since });
    expect(state.inert).toBeUndefined();
    await handle.signal(processMessages.resume, { by: 'ada', since: handle.since, how: 'again' });
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('another');
  });

  test('are kept to the last twenty that had no effect', async ({ expect }) => {
    const handle = await gated('flooded');
    engine.around.only.get('flooded')!.unproven = 'it is not signed';
    for (let n = 0; n < 25; n += 1)
      await handle.signal(processMessages.acknowledge, { by: `m${n}`, consumer: 'api', version: 'v' });
    const { inert } = await engine.processWhen(handle.operation, (state) => state.inert?.at(-1)?.claimed === 'm24');
    expect(inert!.map(({ claimed }) => claimed)).toEqual(Array.from({ length: 20 }, (_, n) => `m${n + 5}`));
    // One marker each: what is refused for good is not asked again as a remote activity.
    expect(await activitiesOf(handle)).toEqual([]);
    delete engine.around.only.get('flooded')!.unproven;
    await handle.signal(processMessages.decide, ballot('grace'));
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('flooded');
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

  test.for([
    ['before anybody is asked, is told like any other', 0],
    ['once enough have approved, is waited for, and the same approvals count then', 1],
  ] as const)('that the worker finds when it would permit, %s', async ([, approvals], { expect }) => {
    const name = `found-${approvals}`;
    await provisioned(engine, name);
    let looks = 0;
    engine.around.only.set(name, {
      obligations: { approvals, gateMs: 3_600_000 },
      frozen: () => (looks++ === 0 ? frozen : undefined),
    });
    const handle = await begun(engine, { kind: 'rotate' }, name);
    if (approvals === 0) {
      expect(await failureResult(handle)).toMatchObject({
        outcome: 'undone',
        failure: { code: 'PolicyDenied', message: `frozen until ${frozen.until}: year end` },
      });
    } else {
      await engine.processWhen(handle.operation, ({ gate }) => gate?.outcome === 'open');
      await handle.signal(processMessages.decide, ballot('grace'));
      expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
      expect(await handle.query<ProcessState>(processMessages.process)).toMatchObject({ gate: { number: 1 } });
    }
    await engine.replays(name);
  });
  const frozen = { clear: false, until: '2099-01-01T00:00:00.000Z', reason: 'year end' } as const;

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
