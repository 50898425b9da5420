import { isGrpcServiceError } from '@temporalio/client';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import type { Answer, ChangeRequest } from '../../src/domain/request.js';
import { identityId, identityMessages, processMessages } from '../../src/domain/wire.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { activitiesOf, begun, closedAs, operationOf, provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

/** Holds the next rotation at a stage until it is let go; then the activity takes effect, late. */
function held(name: string, step: string): { letGo(): void; isReached(): Promise<unknown> } {
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => (letGo = resolve));
  const fault = { when: 'hang', times: 1, until } as { when: 'hang'; times: number; until: Promise<void> };
  const faults = step === 'publish' || step === 'stage' ? engine.around.storeFaults : engine.around.target.faults;
  faults.set(`${step} ${name}`, fault);
  return {
    letGo: () => letGo(),
    isReached: () =>
      eventually(
        async () => fault.times,
        (times) => times === 0,
      ),
  };
}

/** A loaded server may break an update off (`FAILED_PRECONDITION`); asking again is safe, since a request is done once by its id. */
async function send(name: string, argument: unknown): Promise<Answer> {
  for (;;) {
    try {
      return await engine.client.workflow
        .getHandle(identityId(name))
        .executeUpdate<Answer, [unknown]>(identityMessages.request, { args: [argument] });
    } catch (error) {
      if (!isGrpcServiceError((error as Error).cause) || !String((error as Error).cause).includes('task failure'))
        throw error;
    }
  }
}

async function signal(name: string, argument: unknown): Promise<void> {
  await engine.client.workflow.getHandle(identityId(name)).signal(identityMessages.requestSignal, argument);
}

const amendment = (name: string, id: string): ChangeRequest => ({
  id,
  kind: 'amend',
  requester: 'ada',
  spec: specOf(name),
});
const revokeNow = (id: string): ChangeRequest => ({ id, kind: 'revoke', requester: 'responder', emergency: true });

describe.concurrent('requests', () => {
  test('I7: one that was fenced off by what somebody else has started leaves the next a number beyond that', async ({
    expect,
  }) => {
    await provisioned(engine, 'overtaken');
    await engine.around.store.raise('overtaken', { operation: operationOf('overtaken', 'rotate', 50), epoch: 101 });
    const refused = await begun(engine, { kind: 'rotate' }, 'overtaken');
    await engine.answerPark(refused.operation, { reason: 'fenced off' });
    await engine.stateWhen('overtaken', ({ recent }) => recent.at(-1)?.code === 'Fenced');
    const again = await engine.do({ kind: 'rotate' }, 'overtaken');
    expect(again.recent.at(-1)).toMatchObject({
      outcome: 'succeeded',
      operation: operationOf('overtaken', 'rotate', 51),
    });
    await engine.do({ kind: 'validate' }, 'overtaken');
    expect((await engine.state('overtaken')).processNumber).toBe(52);
    expect(await engine.replays('overtaken')).toBeGreaterThan(3);
  });

  test('I7: run one at a time, in the order asked', async ({ expect }) => {
    await provisioned(engine, 'order');
    const asked = await Promise.all(['a', 'b', 'c', 'd'].map((id) => engine.ask({ kind: 'validate', id }, 'order')));
    expect(asked.every(({ accepted }) => accepted)).toBe(true);
    const state = await engine.stateWhen('order', ({ recent }) => recent.length === 5);
    const answered = state.handled.slice(1).map(({ id }) => id);
    expect(state.recent.slice(1).map(({ requestId }) => requestId)).toEqual(answered);
    for (const [index, { startedAt }] of state.recent.entries())
      if (index > 0) expect(startedAt >= state.recent[index - 1]!.endedAt).toBe(true);
    await engine.replays('order');
  });

  test('wait in a queue of sixteen, and the next is refused with what to do', async ({ expect }) => {
    await provisioned(engine, 'bounded');
    const hold = held('bounded', 'install');
    await begun(engine, { kind: 'rotate' }, 'bounded');
    for (let n = 0; n < 16; n += 1) await signal('bounded', amendment('bounded', `v${n}`));
    const answer = await send('bounded', { id: 'one-too-many', kind: 'validate', requester: 'ada' });
    expect(answer).toMatchObject({
      accepted: false,
      code: 'Conflict',
      reason: expect.stringContaining('tenure show bounded'),
    });
    hold.letGo();
    const state = await engine.stateWhen('bounded', ({ recent }) => recent.length === 18);
    expect(new Set(state.recent.map(({ requestId }) => requestId)).size).toBe(18);
  });

  test('with the same id are done once and answered the same, also at the same time', async ({ expect }) => {
    await provisioned(engine, 'once');
    const request = { id: 'the-same', kind: 'rotate', requester: 'ada' };
    const answers = await Promise.all([send('once', request), send('once', request), send('once', request)]);
    await signal('once', request);
    await engine.stateWhen('once', ({ recent }) => recent.some(({ requestId }) => requestId === 'the-same'));
    answers.push(await send('once', request));
    const operations = answers.map((answer) => (answer.accepted ? answer.operation : answer.reason));
    expect(new Set(operations)).toEqual(new Set([operationOf('once', 'rotate', 2)]));
    const state = await engine.stateWhen('once', ({ recent }) => recent.length === 2);
    expect(state.processNumber).toBe(2);
    expect((await engine.do({ kind: 'validate' }, 'once')).processNumber).toBe(3);
    await engine.replays('once');
  });

  test('that are malformed are refused or left out, and never harm the identity', async ({ expect }) => {
    await provisioned(engine, 'malformed');
    const good = { id: 'x', kind: 'rotate', requester: 'ada' };
    const spec = specOf('malformed');
    const garbage: unknown[] = [
      null,
      undefined,
      'rotate',
      42,
      [],
      {},
      { ...good, id: 7 },
      { ...good, id: '' },
      { ...good, id: 'x'.repeat(201) },
      { ...good, kind: 'explode' },
      { ...good, kind: 'constructor' },
      { ...good, requester: '' },
      { ...good, requester: 'x'.repeat(100_000) },
      { ...good, reason: { toString: 'no' } },
      { ...good, emergency: true },
      { ...good, emergency: 'yes', kind: 'revoke' },
      { ...good, spec: null },
      { ...good, spec: { name: 'malformed' } },
      { ...good, spec: { ...spec, kind: 7 } },
      { ...good, spec: { ...spec, name: 'other' } },
      { ...good, spec: { ...spec, deliver: [null] } },
      { ...good, spec: { ...spec, consumers: [{ name: 'a', notify: { ack: 'manual' }, timeoutMs: 'soon' }] } },
      { ...good, spec: { ...spec, rotation: { ...spec.rotation, graceMs: 1e300 } } },
      { ...good, spec: { ...spec, tags: null } },
      { ...good, spec: { ...spec, purpose: 'x'.repeat(100_000) } },
    ];
    for (const argument of garbage) {
      expect(await send('malformed', argument), JSON.stringify(argument)?.slice(0, 80)).toMatchObject({
        accepted: false,
        code: 'InvalidRequest',
      });
      await signal('malformed', argument);
    }
    const state = await engine.do({ kind: 'rotate' }, 'malformed');
    expect(state.recent.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
      'provision succeeded',
      'rotate succeeded',
    ]);
    expect(state.handled.filter(({ answer }) => answer.accepted)).toHaveLength(2);
    expect(state.handled.filter(({ answer }) => !answer.accepted).length).toBeGreaterThan(0);
    await engine.replays('malformed');
  });

  test('by a requester whose name is long in bytes start all the same', async ({ expect }) => {
    await provisioned(engine, 'wide');
    const state = await engine.do({ kind: 'validate', requester: '証'.repeat(190) }, 'wide');
    expect(state.recent.at(-1)?.outcome).toBe('succeeded');
  });

  test('that name an unknown store or target are refused with the reason, and the identity lives on', async ({
    expect,
  }) => {
    const odd = specOf('unknown', { deliver: [{ store: 'nowhere', path: 'unknown' }] });
    const refused = await engine.do({ kind: 'provision', spec: odd }, 'unknown');
    expect(refused.recent.at(-1)).toMatchObject({
      outcome: 'refused',
      code: 'InvalidRequest',
      message: expect.stringContaining('nowhere'),
    });
    const elsewhere = specOf('unknown', { target: { name: 'nowhere', scope: {} } });
    const undone = await engine.do({ kind: 'provision', spec: elsewhere }, 'unknown');
    expect(undone.recent.at(-1)).toMatchObject({ outcome: 'undone', code: 'InvalidRequest' });
    expect((await provisioned(engine, 'unknown')).status).toBe('active');
    await engine.replays('unknown');
  });

  test('to amend change what is declared and nothing at the target', async ({ expect }) => {
    await provisioned(engine, 'amended');
    const world = await worldOf(engine, 'amended');
    const state = await engine.do({ kind: 'amend', spec: specOf('amended', { purpose: 'another' }) }, 'amended');
    expect(state.spec?.purpose).toBe('another');
    expect(state.recent.at(-1)).toMatchObject({ kind: 'amend', outcome: 'succeeded', policies: ['a-test'] });
    expect(await worldOf(engine, 'amended')).toEqual(world);
    await engine.replays('amended');
  });

  test('I6: to amend what policy does not let pass change nothing, and say what decided', async ({ expect }) => {
    await provisioned(engine, 'not-amended');
    engine.around.only.set('not-amended', { notAmended: 'goes with a rotation: people have to approve it' });
    const asked = { kind: 'amend', spec: specOf('not-amended', { purpose: 'another' }) } as const;
    const state = await engine.do(asked, 'not-amended');
    expect(state.spec?.purpose).toBe(specOf('not-amended').purpose);
    expect(state.recent.at(-1)).toMatchObject({
      kind: 'amend',
      outcome: 'refused',
      code: 'PolicyDenied',
      message: expect.stringContaining('goes with a rotation: '),
      policies: ['a-test'],
    });
    await engine.replays('not-amended');
  });

  test('that only ask for an end cannot change what is declared', async ({ expect }) => {
    await provisioned(engine, 'undeclared');
    const other = specOf('undeclared', { deliver: [{ store: 'local', path: 'somewhere-else' }] });
    const state = await engine.do({ kind: 'revoke', spec: other }, 'undeclared');
    expect(state.spec?.deliver).toEqual([{ store: 'local', path: 'undeclared' }]);
    expect(await worldOf(engine, 'undeclared')).toEqual({ logins: {}, slots: {} });
  });

  test('are not harmed by a calendar that cannot be worked out', async ({ expect }) => {
    engine.around.only.set('no-calendar', {
      nextRotation: () => Promise.reject(new TenureError('InvalidRequest', 'tenure.yaml is broken')),
    });
    const state = await provisioned(engine, 'no-calendar');
    expect(state.status).toBe('active');
    expect((await engine.do({ kind: 'rotate' }, 'no-calendar')).recent.at(-1)?.outcome).toBe('succeeded');
    const after = await engine.stateWhen('no-calendar', ({ problems }) => problems.length > 0);
    expect(after.nextRotationAt).toBeDefined();
    await engine.replays('no-calendar');
  });
});

describe.concurrent('continue-as-new', () => {
  test('in the middle of a queue loses nothing and does nothing twice', async ({ expect }) => {
    await provisioned(engine, 'carried', {}, { longestHistory: 25 });
    const first = (await engine.client.workflow.getHandle(identityId('carried')).describe()).runId;
    const ids = Array.from({ length: 8 }, (_, n) => `v${n}`);
    await Promise.all(ids.map((id) => send('carried', { id, kind: 'validate', requester: 'ada' })));
    await Promise.all(ids.map((id) => send('carried', { id, kind: 'validate', requester: 'ada' })));
    const state = await engine.stateWhen('carried', ({ recent }) => recent.length === 9);
    expect(
      state.recent
        .slice(1)
        .map(({ requestId }) => requestId)
        .sort(),
    ).toEqual([...ids].sort());
    expect(state.processNumber).toBe(9);
    expect((await engine.client.workflow.getHandle(identityId('carried')).describe()).runId).not.toBe(first);
    const again = await send('carried', { id: 'v0', kind: 'validate', requester: 'ada' });
    expect(again).toMatchObject({ accepted: true, operation: expect.stringContaining('nhi/carried/validate/') });
    expect((await engine.state('carried')).processNumber).toBe(9);
    await engine.replays('carried');
  });

  test('with a process running takes its result in the next run', async ({ expect }) => {
    await provisioned(engine, 'in-flight', {}, { longestHistory: 25 });
    const hold = held('in-flight', 'verify');
    const handle = await begun(engine, { kind: 'rotate' }, 'in-flight');
    await hold.isReached();
    for (let n = 0; n < 8; n += 1) await signal('in-flight', amendment('in-flight', `v${n}`));
    hold.letGo();
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const state = await engine.stateWhen('in-flight', ({ recent }) => recent.length === 10);
    expect(state.current?.version).toBe(handle.operation);
    expect(state.recent).toHaveLength(10);
    await engine.replays('in-flight');
  });

  test('with a rotation running that is undone or cancelled records that in the next run', async ({ expect }) => {
    await provisioned(engine, 'in-doubt', {}, { longestHistory: 20 });
    const hold = held('in-doubt', 'verify');
    const handle = await begun(engine, { kind: 'rotate' }, 'in-doubt');
    await hold.isReached();
    for (let n = 0; n < 6; n += 1) await signal('in-doubt', amendment('in-doubt', `v${n}`));
    await handle.cancel();
    expect(await closedAs(handle)).toBe('CANCELLED');
    hold.letGo();
    const state = await engine.stateWhen('in-doubt', ({ recent }) => recent.length === 8);
    expect(state.recent.find(({ kind }) => kind === 'rotate')).toMatchObject({ outcome: 'undone' });
    await engine.replays('in-doubt');
  });

  test('does not keep an emergency waiting', async ({ expect }) => {
    await provisioned(engine, 'long-run', {}, { longestHistory: 20 });
    const hold = held('long-run', 'verify');
    await begun(engine, { kind: 'rotate' }, 'long-run');
    await hold.isReached();
    const before = Date.now();
    await engine.do(revokeNow('now'), 'long-run');
    expect(Date.now() - before).toBeLessThan(9_000);
    expect((await engine.state('long-run')).status).toBe('revoked');
    hold.letGo();
    await engine.replays('long-run');
  });
});

describe.concurrent('an emergency', () => {
  test.for(['stage', 'install', 'verify', 'publish', 'usage', 'retire', 'refuse', 'purge'] as const)(
    'I7: pre-empts a rotation at %s without waiting for it, and what comes late changes nothing',
    async (step, { expect }) => {
      const name = `preempt-${step}`;
      await provisioned(engine, name);
      const hold = held(name, step);
      const rotation = await begun(engine, { kind: 'rotate' }, name);
      await hold.isReached();
      const state = await engine.do(revokeNow('now'), name);
      expect(state.status).toBe('revoked');
      expect(state.recent.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
        'provision succeeded',
        'rotate pre-empted',
        'revoke succeeded',
      ]);
      expect(await worldOf(engine, name)).toEqual({ logins: {}, slots: {} });
      hold.letGo();
      expect(await closedAs(rotation)).toBe('FAILED');
      expect(await rotation.result().catch((error: Error) => error.cause)).toMatchObject({
        message: expect.stringContaining('pre-empted'),
      });
      expect(await worldOf(engine, name)).toEqual({ logins: {}, slots: {} });
      expect((await engine.state(name)).recent).toHaveLength(3);
      await engine.replays(name);
    },
  );

  test('pre-empts a rotation that is parked while it is taken back', async ({ expect }) => {
    await provisioned(engine, 'preempt-undo');
    engine.around.target.faults.set('verify preempt-undo', {
      when: 'before',
      times: 1,
      error: new TenureError('VerificationFailed', 'no'),
    });
    engine.around.target.faults.set('uninstall preempt-undo', {
      when: 'before',
      times: 99,
      error: new TenureError('RejectedUnchanged', 'no'),
    });
    const rotation = await begun(engine, { kind: 'rotate' }, 'preempt-undo');
    await engine.processWhen(rotation.operation, ({ parked }) => parked !== undefined);
    const state = await engine.do(revokeNow('now'), 'preempt-undo');
    expect(state.status).toBe('revoked');
    expect(await closedAs(rotation)).toBe('FAILED');
    expect(await worldOf(engine, 'preempt-undo')).toEqual({ logins: {}, slots: {} });
    await engine.replays('preempt-undo');
  });

  test('passes a closed gate and a freeze', async ({ expect }) => {
    await provisioned(engine, 'frozen');
    engine.around.only.set('frozen', {
      clearance: () => ({ clear: false, until: '2040-01-01T00:00:00.000Z', reason: 'year end' }),
    });
    const { recent } = await engine.do({ kind: 'revoke' }, 'frozen');
    expect(recent.at(-1)).toMatchObject({
      outcome: 'undone',
      code: 'PolicyDenied',
      message: expect.stringContaining('year end'),
    });
    expect((await engine.do(revokeNow('now'), 'frozen')).status).toBe('revoked');
  });

  test('pre-empts an offboarding, and a second one joins the first', async ({ expect }) => {
    await provisioned(engine, 'offboarding');
    const hold = held('offboarding', 'remove');
    const offboarding = await begun(engine, { kind: 'offboard' }, 'offboarding');
    await hold.isReached();
    const stop = held('offboarding', 'retire');
    const first = await send('offboarding', revokeNow('first'));
    await stop.isReached();
    const second = await send('offboarding', revokeNow('second'));
    expect(first).toMatchObject({ accepted: true });
    expect(second).toMatchObject({ accepted: true, operation: (first as { operation: string }).operation });
    stop.letGo();
    const state = await engine.stateWhen('offboarding', ({ running, queue }) => !running && queue.length === 0);
    expect(state.status).toBe('revoked');
    expect(state.recent.filter(({ kind }) => kind === 'revoke')).toHaveLength(1);
    hold.letGo();
    expect(await closedAs(offboarding)).toBe('FAILED');
    await engine.replays('offboarding');
  });

  test('is not held up by a calendar that hangs', async ({ expect }) => {
    let letGo = (): void => {};
    const calendar = new Promise<undefined>((resolve) => (letGo = () => resolve(undefined)));
    engine.around.only.set('hung-calendar', { nextRotation: () => calendar });
    await provisioned(engine, 'hung-calendar');
    const state = await engine.do(revokeNow('now'), 'hung-calendar');
    expect(state.status).toBe('revoked');
    letGo();
    await engine.replays('hung-calendar');
  });
});

describe.concurrent('a process that is stopped by hand', () => {
  test('terminated: the identity records that a person is needed, and goes on', async ({ expect }) => {
    await provisioned(engine, 'terminated');
    const hold = held('terminated', 'verify');
    const rotation = await begun(engine, { kind: 'rotate' }, 'terminated');
    await hold.isReached();
    await rotation.terminate('a test');
    const state = await engine.stateWhen('terminated', ({ running }) => !running);
    expect(state).toMatchObject({
      status: 'needs-operator',
      recent: [{}, { outcome: 'unfinished', message: expect.stringContaining('tenure validate terminated') }],
    });
    hold.letGo();
    expect((await engine.do(revokeNow('now'), 'terminated')).status).toBe('revoked');
    await engine.replays('terminated');
  });

  test('that comes to nothing after it has stopped something leaves a person to be asked, and says what was stopped', async ({
    expect,
  }) => {
    await provisioned(engine, 'in-vain');
    const hold = held('in-vain', 'verify');
    const rotation = await begun(engine, { kind: 'rotate' }, 'in-vain');
    await hold.isReached();
    // The policies change between the two times that they are asked.
    engine.around.only.set('in-vain', { deny: 'not any more' });
    await engine.do(revokeNow('now'), 'in-vain').catch(() => undefined);
    const state = await engine.stateWhen('in-vain', ({ recent }) => recent.at(-1)?.kind === 'revoke');
    expect(state).toMatchObject({
      status: 'needs-operator',
      recent: [{}, { outcome: 'pre-empted' }, { outcome: 'undone' }],
    });
    expect(state.problems.at(-1)?.what).toContain(`${rotation.operation} was stopped for an emergency`);
    expect(state.problems.at(-1)?.what).toContain('tenure revoke in-vain --now');
    expect(state.problems.at(-1)?.what).toContain('tenure validate in-vain --repair');
    hold.letGo();
    engine.around.only.delete('in-vain');
    expect((await engine.do(revokeNow('again'), 'in-vain')).status).toBe('revoked');
    expect(await worldOf(engine, 'in-vain')).toEqual({ logins: {}, slots: {} });
    await engine.replays('in-vain');
  });

  test('that is cancelled after it has stopped something does not say that everything is as before', async ({
    expect,
  }) => {
    await provisioned(engine, 'cancelled-in-vain');
    const hold = held('cancelled-in-vain', 'verify');
    const rotation = await begun(engine, { kind: 'rotate' }, 'cancelled-in-vain');
    await hold.isReached();
    engine.around.only.set('cancelled-in-vain', { obligations: { approvals: 1, gateMs: 60_000 } });
    const emergency = await begun(engine, revokeNow('now'), 'cancelled-in-vain');
    await engine.processWhen(emergency.operation, ({ gate }) => gate?.outcome === 'open');
    await emergency.cancel();
    const state = await engine.stateWhen('cancelled-in-vain', ({ recent }) => recent.at(-1)?.kind === 'revoke');
    expect(state).toMatchObject({
      status: 'needs-operator',
      recent: [{}, { operation: rotation.operation, outcome: 'pre-empted' }, { outcome: 'undone' }],
    });
    expect(state.recent.at(-1)?.message).toBe(
      'cancelled by an operator before it changed anything; what was stopped for it is left as that was',
    );
    hold.letGo();
    engine.around.only.delete('cancelled-in-vain');
    expect((await engine.do(revokeNow('again'), 'cancelled-in-vain')).status).toBe('revoked');
    expect(await worldOf(engine, 'cancelled-in-vain')).toEqual({ logins: {}, slots: {} });
    await engine.replays('cancelled-in-vain');
  });

  test('told that it is pre-empted when nothing follows: a person is needed, and nobody says that all is as before', async ({
    expect,
  }) => {
    await provisioned(engine, 'forged');
    const hold = held('forged', 'verify');
    const rotation = await begun(engine, { kind: 'rotate' }, 'forged');
    await hold.isReached();
    await rotation.signal(processMessages.preempt, {
      by: 'mallory',
      request: { id: 'x', kind: 'revoke', emergency: true, requester: 'mallory' },
    });
    hold.letGo();
    const state = await engine.stateWhen('forged', ({ running }) => !running);
    expect(state.status).toBe('needs-operator');
    expect(state.recent.at(-1)).toMatchObject({ outcome: 'pre-empted' });
    expect(await activitiesOf(rotation)).not.toContain('uninstall');
    await engine.replays('forged');
  });
});

describe.concurrent('the life of an identity', () => {
  test('provision, revoke, provision again, offboard: it ends, and the next life has higher numbers', async ({
    expect,
  }) => {
    await provisioned(engine, 'lives');
    expect((await engine.do({ kind: 'revoke' }, 'lives')).status).toBe('revoked');
    expect(await worldOf(engine, 'lives')).toEqual({ logins: {}, slots: {} });
    expect((await provisioned(engine, 'lives')).status).toBe('active');
    await engine.do({ kind: 'offboard' }, 'lives');
    const handle = engine.client.workflow.getHandle(identityId('lives'));
    expect(await handle.result()).toMatchObject({ status: 'offboarded' });
    await expect(send('lives', { id: 'late', kind: 'rotate', requester: 'ada' })).rejects.toThrow();
    const next = await provisioned(engine, 'lives');
    expect(next.status).toBe('active');
    expect(next.current?.version).toBe(operationOf('lives', 'provision', 5));
    await engine.replays('lives');
  }, 120_000);

  test('what waits behind an offboarding is refused when its turn comes, and the identity still ends', async ({
    expect,
  }) => {
    await provisioned(engine, 'ending');
    const hold = held('ending', 'remove');
    await begun(engine, { kind: 'offboard' }, 'ending');
    await hold.isReached();
    for (const kind of ['rotate', 'validate', 'revoke'] as const)
      await signal('ending', { id: kind, kind, requester: 'ada' });
    await engine.stateWhen('ending', ({ queue }) => queue.length === 3);
    hold.letGo();
    const state = (await engine.client.workflow.getHandle(identityId('ending')).result()) as {
      status: string;
      recent: object[];
    };
    expect(state.status).toBe('offboarded');
    expect(state.recent.slice(-3)).toMatchObject([
      { outcome: 'refused' },
      { outcome: 'refused' },
      { outcome: 'refused' },
    ]);
    await engine.replays('ending');
  });
});
