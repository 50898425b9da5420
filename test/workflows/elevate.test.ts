/** Break-glass: what is lent is taken back, by whatever is left, and the credential that had it is rotated. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import { reviewId, reviewMessages, type ReviewState } from '../../src/domain/elevation-review.js';
import { TenureError } from '../../src/domain/errors.js';
import type { ProcessResult } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { processMessages, taskQueue, type GiveBack, type Preempt } from '../../src/domain/wire.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { activitiesOf, begun, failureResult, provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

const scope = { grants: [{ on: 'ledger', may: ['select'] }] };
const more = { grants: [{ on: 'ledger', may: ['delete'] }] };
const lent = { grants: [...scope.grants, ...more.grants] };
const hour = 3_600_000;

const elevation = (forMs: number): Partial<ChangeRequest> & { kind: 'elevate' } => ({
  kind: 'elevate',
  reason: 'the ledger has to be corrected by hand',
  elevation: { scope: more, forMs, incident: 'INC-1' },
});

const rightsOf = (name: string): unknown => JSON.parse(engine.around.target.rights.get(name)!);
const reviewOf = (operation: string): Promise<ReviewState> =>
  engine.process(reviewId(operation)).query<ReviewState>(reviewMessages.state);
const reviewWhen = (operation: string, isSo: (state: ReviewState) => boolean): Promise<ReviewState> =>
  eventually(() => reviewOf(operation), isSo);

/** An identity that has been given more rights, and what holds them. */
async function elevated(name: string, forMs = hour, timing = {}): ReturnType<typeof begun> {
  await provisioned(engine, name, { target: { name: 'db', scope } }, timing);
  const handle = await begun(engine, elevation(forMs), name);
  await engine.processWhen(handle.operation, ({ stages }) =>
    stages.some((stage) => stage.name === 'hold' && stage.startedAt !== undefined),
  );
  return handle;
}

const giveBack = (by: string): GiveBack => ({ by });

describe.concurrent('what is lent', () => {
  test('is there until its time is over, and gone afterwards; the credential that had it is replaced', async ({
    expect,
  }) => {
    engine.around.target.sessions.set('timed_a', 2);
    await provisioned(engine, 'timed', { target: { name: 'db', scope } });
    const asked = Date.now();
    const handle = await begun(engine, elevation(4_000), 'timed');
    await eventually(
      async () => rightsOf('timed'),
      (rights) => JSON.stringify(rights) === JSON.stringify(lent),
    );
    const result = (await handle.result()) as ProcessResult;
    expect(Date.now() - asked).toBeGreaterThanOrEqual(4_000);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      after: { current: { principal: 'timed_b' } },
      proofs: {
        elevated: {
          incident: 'INC-1',
          endedBy: 'its time was over',
          granted: {},
          restored: { excess: [], missing: [] },
        },
        refused: [{ principal: 'timed_a' }],
      },
    });
    const { from, until, endedAt } = result.proofs.elevated!;
    expect(Date.parse(until) - Date.parse(from)).toBe(4_000);
    expect(Date.parse(endedAt!)).toBeGreaterThanOrEqual(Date.parse(until));
    expect(rightsOf('timed')).toEqual(scope);
    expect(engine.around.target.sessions.has('timed_a')).toBe(false);
    expect(Object.keys((await worldOf(engine, 'timed')).logins)).toEqual(['timed_b@db']);
    const { plan, stages } = await engine.processWhen(handle.operation, () => true);
    expect(plan).toMatchObject({ kind: 'elevate', elevation: { scope: more, forMs: 4_000, incident: 'INC-1' } });
    expect(stages.map(({ status }) => status).filter((status) => status !== 'done' && status !== 'skipped')).toEqual(
      [],
    );
    expect((await engine.state('timed')).lastRotatedAt).toBeDefined();
    await engine.replays('timed');
  });

  test('is given back early by a word that is proven, and by no other', async ({ expect }) => {
    const handle = await elevated('early');
    engine.around.only.set('early', { unproven: 'it is not signed' });
    await handle.signal(processMessages.giveBack, giveBack('eve'));
    await handle.signal(processMessages.giveBack, null);
    const { inert } = await engine.processWhen(handle.operation, (state) => (state.inert ?? []).length > 0);
    expect(inert).toMatchObject([{ claimed: 'eve', reason: expect.stringContaining('not signed') }]);
    expect(rightsOf('early')).toEqual(lent);
    engine.around.only.delete('early');
    await handle.signal(processMessages.giveBack, giveBack('ada'));
    expect(await handle.result()).toMatchObject({
      outcome: 'succeeded',
      proofs: { elevated: { endedBy: 'given back by ada' } },
    });
    expect(rightsOf('early')).toEqual(scope);
    await engine.replays('early');
  });

  test('is given back by a cancel in Temporal: there is only the way down, and it is taken to its end', async ({
    expect,
  }) => {
    const handle = await elevated('cancelled');
    await handle.cancel();
    expect(await handle.result()).toMatchObject({
      outcome: 'succeeded',
      after: { current: { principal: 'cancelled_b' } },
      proofs: { elevated: { endedBy: 'cancelled in Temporal' } },
    });
    expect(rightsOf('cancelled')).toEqual(scope);
    await engine.replays('cancelled');
  });

  test('is not lent at all when the target says no, and nobody has to review that', async ({ expect }) => {
    await provisioned(engine, 'no', { target: { name: 'db', scope } });
    engine.around.target.faults.set('bringRights no', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'the table does not exist'),
    });
    const handle = await begun(engine, elevation(hour), 'no');
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'RejectedUnchanged' } });
    expect(rightsOf('no')).toEqual(scope);
    expect(await engine.process(reviewId(handle.operation)).result()).toMatchObject({ status: 'closed', reviews: [] });
    expect((await engine.state('no')).status).toBe('active');
    await engine.replays('no');
  });

  test('is taken back when a login does not prove it, and that is reviewed', async ({ expect }) => {
    await provisioned(engine, 'unproven', { target: { name: 'db', scope } });
    engine.around.target.faults.set('verify unproven', {
      when: 'before',
      times: 1,
      error: new TenureError('VerificationFailed', 'the login has other rights'),
    });
    const handle = await begun(engine, elevation(hour), 'unproven');
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { code: 'VerificationFailed' },
      after: { current: { principal: 'unproven_a' } },
    });
    expect(rightsOf('unproven')).toEqual(scope);
    expect(await reviewWhen(handle.operation, ({ status }) => status === 'due')).toMatchObject({ outcome: 'undone' });
    await engine.replays('unproven');
  });

  test('is taken back, by the process itself, when a cancel comes with the last answer of lending', async ({
    expect,
  }) => {
    let letGo = (): void => {};
    const until = new Promise<void>((resolve) => (letGo = resolve));
    await provisioned(engine, 'crossed', { target: { name: 'db', scope } });
    engine.around.target.faults.set('verify crossed', { when: 'hang', times: 1, until });
    const handle = await begun(engine, elevation(hour), 'crossed');
    await eventually(
      async () => engine.around.target.calls,
      (calls) => calls.filter((call) => call === 'verify crossed').length > 1,
    );
    await handle.cancel();
    letGo();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(rightsOf('crossed')).toEqual(scope);
    expect(await reviewWhen(handle.operation, ({ status }) => status === 'due')).toMatchObject({ remarks: [] });
    expect((await engine.state('crossed')).status).toBe('active');
    await engine.replays('crossed');
  });

  test('is not lent when a cancel comes while its guard is posted, and the process ends', async ({ expect }) => {
    await provisioned(engine, 'hasty', { target: { name: 'db', scope } });
    const clearance = async (): Promise<{ clear: true }> => {
      await engine.process('nhi/hasty/elevate/2').cancel();
      return { clear: true };
    };
    engine.around.only.set('hasty', { clearance });
    const handle = await begun(engine, elevation(hour), 'hasty');
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(await activitiesOf(handle)).not.toContain('elevate');
    expect(await engine.process(reviewId(handle.operation)).result()).toMatchObject({ status: 'closed', reviews: [] });
    await engine.replays('hasty');
  });

  test('I7: cannot be lent again by an attempt that comes late', async ({ expect }) => {
    let letGo = (): void => {};
    const until = new Promise<void>((resolve) => (letGo = resolve));
    await provisioned(
      engine,
      'late',
      { target: { name: 'db', scope } },
      { timing: { attemptMs: 1_000, heartbeatMs: 900, patienceMs: 30_000, retryMs: 50, longestRetryMs: 200 } },
    );
    engine.around.target.faults.set('bringRights late', { when: 'hang', times: 1, until });
    const handle = await begun(engine, elevation(5_000), 'late');
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    letGo();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(engine.around.target.calls.filter((call) => call === 'bringRights late').length).toBeGreaterThan(2);
    expect(rightsOf('late')).toEqual(scope);
    await engine.replays('late');
  });

  test('stays lent for no longer because its target is slow to lend', async ({ expect }) => {
    await provisioned(engine, 'slow', { target: { name: 'db', scope } });
    engine.around.target.faults.set('bringRights slow', {
      when: 'after',
      times: 100,
      error: new TenureError('OutcomeUnknown', 'the answer was lost'),
    });
    const handle = await begun(engine, elevation(1_500), 'slow');
    await engine.processWhen(handle.operation, ({ failure }) => failure !== undefined);
    engine.around.target.faults.delete('bringRights slow');
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'undone',
      failure: { message: expect.stringContaining('their time was over') },
    });
    expect(rightsOf('slow')).toEqual(scope);
    await reviewWhen(handle.operation, ({ status }) => status === 'due');
    await engine.replays('slow');
  });
});

describe.concurrent('when something stands in the way', () => {
  test('I8: taking back is tried again until it is done, and is alerted of', async ({ expect }) => {
    const handle = await elevated('stuck');
    engine.around.target.faults.set('bringRights stuck', {
      when: 'after',
      times: 1,
      error: new TenureError('UnwindFailed', 'the identity owns what it made'),
    });
    await handle.signal(processMessages.giveBack, giveBack('ada'));
    const { parked } = await engine.processWhen(handle.operation, (state) => state.parked !== undefined);
    expect(parked).toMatchObject({ stage: 'restore', why: expect.stringContaining('owns what it made') });
    await eventually(
      async () => engine.around.notices,
      (all) => all.some((text) => text.includes('stuck is parked at restore')),
    );
    await engine.answerPark(handle.operation, { how: 'again' });
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded', proofs: { elevated: { restored: {} } } });
    await engine.replays('stuck');
  });

  test('a rotation that does not work out is taken back, and stays to be done: the rights are gone all the same', async ({
    expect,
  }) => {
    const handle = await elevated('unrotated');
    engine.around.target.faults.set('install unrotated', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'no room'),
    });
    await handle.signal(processMessages.giveBack, giveBack('ada'));
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'unfinished',
      after: { current: { principal: 'unrotated_a' } },
      proofs: { elevated: { restored: {} } },
      leftovers: [expect.stringContaining('tenure rotate unrotated')],
    });
    expect(rightsOf('unrotated')).toEqual(scope);
    expect(Object.keys((await worldOf(engine, 'unrotated')).logins)).toEqual(['unrotated_a@db']);
    await engine.stateWhen('unrotated', ({ status }) => status === 'needs-operator');
    expect(await engine.do({ kind: 'rotate' }, 'unrotated')).toMatchObject({ status: 'active' });
    await engine.replays('unrotated');
  });

  test('a rotation that cannot even begin stays to be done, and it is said how', async ({ expect }) => {
    const handle = await elevated('unbegun');
    const clearance = (): never => {
      throw new TenureError('RejectedUnchanged', 'the freezes are no freezes');
    };
    engine.around.only.set('unbegun', { clearance });
    await handle.signal(processMessages.giveBack, giveBack('ada'));
    expect(await failureResult(handle)).toMatchObject({
      outcome: 'unfinished',
      proofs: { elevated: { restored: {} } },
      leftovers: [expect.stringContaining('tenure rotate unbegun')],
    });
    expect(rightsOf('unbegun')).toEqual(scope);
    await engine.replays('unbegun');
  });

  test('an emergency pre-empts it, and its review is due', async ({ expect }) => {
    const handle = await elevated('emergency');
    const state = await engine.do({ kind: 'revoke', emergency: true }, 'emergency');
    expect(state).toMatchObject({ status: 'revoked' });
    expect((await worldOf(engine, 'emergency')).logins).toEqual({});
    expect(await failureResult(handle)).toMatchObject({ outcome: 'pre-empted' });
    await reviewWhen(handle.operation, ({ status }) => status === 'due');
    await engine.replays('emergency');
  });

  test('an emergency that is declared and never begins leaves nothing lent', async ({ expect }) => {
    const handle = await elevated('alarm');
    const request: ChangeRequest = { id: 'old', kind: 'revoke', emergency: true, requester: 'ada' };
    await handle.signal(processMessages.preempt, { by: 'somebody', request } satisfies Preempt);
    expect(await failureResult(handle)).toMatchObject({ outcome: 'pre-empted' });
    expect(rightsOf('alarm')).toEqual(scope);
    await engine.replays('alarm');
  });

  test('I8: a process that is ended by hand is followed by its guard, which takes the rights back and says so', async ({
    expect,
  }) => {
    const handle = await elevated('terminated');
    await handle.terminate('by hand');
    const review = await reviewWhen(handle.operation, ({ status }) => status === 'due');
    expect(review).toMatchObject({ remarks: [expect.stringContaining('the guard took them back')] });
    expect(review.outcome).toBeUndefined();
    expect(rightsOf('terminated')).toEqual(scope);
    await eventually(
      async () => engine.around.notices,
      (all) => all.some((text) => text.includes('terminated') && text.includes('left no record')),
    );
    await engine.replays('terminated');
  });

  test('nothing is lent where no guard can be posted', async ({ expect }) => {
    await provisioned(engine, 'unguarded', { target: { name: 'db', scope } });
    await engine.client.workflow.start('campaign', {
      workflowId: reviewId('nhi/unguarded/elevate/2'),
      taskQueue: 'nobody',
      args: [],
    });
    const handle = await begun(engine, elevation(hour), 'unguarded');
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'Conflict' } });
    expect(await activitiesOf(handle)).not.toContain('elevate');
    await engine.process(reviewId(handle.operation)).terminate();
    void taskQueue;
  });
});

test('an elevation of what stands as declared alone, and of rights beyond that, is taken', async ({ expect }) => {
  await provisioned(engine, 'asked', { target: { name: 'db', scope } });
  const ask = (differs: Partial<ChangeRequest>) => engine.ask({ ...elevation(hour), ...differs }, 'asked');
  const { elevation: good } = elevation(hour);
  for (const [differs, why] of [
    [{ reason: ' ' }, 'reason: expected why'],
    [{ elevation: { ...good!, forMs: 4 * hour + 1 } }, 'four hours'],
    [{ elevation: { ...good!, incident: '' } }, 'elevation.incident'],
    [{ elevation: { ...good!, scope } }, 'no right beyond the declared ones'],
    [{ spec: specOf('asked') }, 'spec: expected none'],
    [{ kind: 'rotate' as const }, 'elevation: expected'],
  ] as const)
    expect(await ask(differs)).toMatchObject({ accepted: false, reason: expect.stringContaining(why) });
});
