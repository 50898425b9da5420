import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Consumer } from '../../src/domain/identity.js';
import { TenureError } from '../../src/domain/errors.js';
import { Engine, eventually, impatient, specOf } from '../support/engine.js';
import { activitiesOf, begun, closedAs, failureResult, provisioned, watchCurrent, worldOf } from '../support/world.js';

const consumers: readonly Consumer[] = [
  { name: 'api', notify: { command: ['true'] } },
  { name: 'batch', notify: { command: ['true'] }, after: ['api'] },
];
const forever = Number.POSITIVE_INFINITY;

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

describe.concurrent('a rotation that succeeds', () => {
  test('I5: ends with the new credential accepted, the old one refused, and both proofs recorded', async ({
    expect,
  }) => {
    const before = await provisioned(engine, 'plain');
    const watch = watchCurrent(engine, specOf('plain'));
    const state = await engine.do({ kind: 'rotate' }, 'plain');
    const { looks, lockedOut } = await watch.stop();
    expect(state.recent.at(-1)).toMatchObject({ kind: 'rotate', outcome: 'succeeded' });
    expect(state.current?.principal).toBe('plain_b');
    expect(state.current?.version).not.toBe(before.current?.version);
    expect(state.previous).toBeUndefined();
    expect(Object.keys((await worldOf(engine, 'plain')).logins)).toEqual(['plain_b@db']);
    expect(await engine.process(state.recent.at(-1)!.operation!).result()).toMatchObject({
      outcome: 'succeeded',
      proofs: { accepted: { principal: 'plain_b' }, refused: [{ principal: 'plain_a' }] },
    });
    expect((await worldOf(engine, 'plain')).slots).toEqual({ current: state.current!.version });
    expect(looks).toBeGreaterThan(5);
    expect(lockedOut).toEqual([]);
    expect(await engine.replays('plain')).toBe(3);
  });

  test('I3: and the watch that looks for a lock-out finds one that is planted', async ({ expect }) => {
    await provisioned(engine, 'locked-out');
    const watch = watchCurrent(engine, specOf('locked-out'));
    engine.around.target.logins.delete('locked-out_a');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await watch.stop()).lockedOut.length).toBeGreaterThan(0);
  });

  test('tells its consumers only after the store has the new credential', async ({ expect }) => {
    await provisioned(engine, 'told', { consumers });
    const seen: string[] = [];
    const published: Promise<string | undefined>[] = [];
    engine.around.only.set('told', {
      takes: (consumer) => {
        seen.push(consumer);
        published.push(engine.around.store.describe('told').then(({ slots }) => slots.current?.version));
        return 'acknowledged';
      },
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'told');
    await handle.result();
    const order = await activitiesOf(handle);
    expect(order.indexOf('handOver')).toBeGreaterThan(-1);
    expect(order.indexOf('retire')).toBeGreaterThan(order.indexOf('handOver'));
    expect(await Promise.all(published)).toEqual([handle.operation, handle.operation]);
    expect(seen).toEqual(['api', 'batch']);
    await engine.replays('told');
  });

  test.for([
    ['few-events', []],
    ['few-told', consumers],
  ] as const)('%s: its history has fewer than 60 events', async ([name, told], { expect }) => {
    await provisioned(engine, name, { consumers: told });
    const handle = await begun(engine, { kind: 'rotate' }, name);
    await handle.result();
    expect((await handle.describe()).historyLength).toBeLessThan(60);
  });

  test('in-place replaces the one login, and proves the old secret refused', async ({ expect }) => {
    const before = await provisioned(engine, 'in-place', { rotation: { strategy: 'in-place' } });
    const old = (await worldOf(engine, 'in-place')).logins['in-place_a@db'];
    const state = await engine.do({ kind: 'rotate' }, 'in-place');
    const world = await worldOf(engine, 'in-place');
    expect(state.current?.principal).toBe(before.current?.principal);
    expect(Object.keys(world.logins)).toEqual(['in-place_a@db']);
    expect(world.logins['in-place_a@db']).not.toBe(old);
    expect(world.slots).toEqual({ current: state.current!.version });
    await engine.replays('in-place');
  });

  test('waits out a store that cannot be written for a while', async ({ expect }) => {
    await provisioned(engine, 'slow-store');
    engine.around.storeFaults.set('stage slow-store', {
      when: 'before',
      times: 4,
      error: new TenureError('StoreUnavailable', 'disk full'),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'slow-store');
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    expect(await activitiesOf(handle)).toContain('stage');
    await engine.replays('slow-store');
  });

  test('I2: an attempt that was lost after its effect is tried again with the same candidate', async ({ expect }) => {
    await provisioned(engine, 'lost-answer');
    for (const step of ['install', 'verify', 'retire', 'refuse', 'purge'])
      engine.around.target.faults.set(`${step} lost-answer`, { when: 'after', times: 1 });
    for (const step of ['publish', 'purge', 'raise'])
      engine.around.storeFaults.set(`${step} lost-answer`, { when: 'after', times: 1 });
    const state = await engine.do({ kind: 'rotate' }, 'lost-answer');
    expect(state.recent.at(-1)?.outcome).toBe('succeeded');
    const world = await worldOf(engine, 'lost-answer');
    expect(Object.keys(world.logins)).toEqual(['lost-answer_b@db']);
    expect(world.slots).toEqual({ current: state.current!.version });
    await engine.replays('lost-answer');
  });
});

describe.concurrent('a rotation that fails before the point of no return', () => {
  const cases = (['before', 'after', 'hang'] as const).flatMap((when) =>
    (['install', 'verify', 'stage', 'publish'] as const).map((step) => [step, when] as const),
  );
  test.for(cases)(
    'I3, I4: at %s, %s the effect, is undone: the world is as before',
    async ([step, when], { expect }) => {
      const name = `undo-${step}-${when}`;
      const before = await provisioned(engine, name, {}, { timing: impatient });
      const world = await worldOf(engine, name);
      const faults = step === 'stage' || step === 'publish' ? engine.around.storeFaults : engine.around.target.faults;
      faults.set(`${step} ${name}`, { when, times: forever });
      const watch = watchCurrent(engine, specOf(name));
      const state = await engine.do({ kind: 'rotate' }, name);
      expect((await watch.stop()).lockedOut).toEqual([]);
      const said = when === 'hang' ? 'no answer in time' : `${step} ${name}: no answer`;
      expect(state.recent.at(-1)).toMatchObject({ outcome: 'undone', message: expect.stringContaining(said) });
      expect(state.current).toEqual(before.current);
      expect(state.status).toBe('active');
      expect(await worldOf(engine, name)).toEqual(world);
      await engine.replays(name);
    },
  );

  test('is undone when the rights read back are more than approved', async ({ expect }) => {
    await provisioned(engine, 'excess');
    const world = await worldOf(engine, 'excess');
    engine.around.target.faults.set('verify excess', {
      when: 'before',
      times: 1,
      error: new TenureError('VerificationFailed', 'excess may delete'),
    });
    const state = await engine.do({ kind: 'rotate' }, 'excess');
    expect(state.recent.at(-1)).toMatchObject({ outcome: 'undone', code: 'VerificationFailed' });
    expect(await worldOf(engine, 'excess')).toEqual(world);
  });

  test('undoes newest first, and tells the consumers after the store was swapped back', async ({ expect }) => {
    await provisioned(engine, 'refused', { consumers });
    const world = await worldOf(engine, 'refused');
    const told: string[] = [];
    engine.around.only.set('refused', {
      takes: (consumer, event) => {
        told.push(`${event} ${consumer}`);
        return event === 'credential.published' && consumer === 'batch' ? 'refused' : 'acknowledged';
      },
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'refused');
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'ConsumerRefused' } });
    const order = await activitiesOf(handle);
    expect(order.slice(order.indexOf('withdraw'))).toEqual(['withdraw', 'handOver', 'uninstall', 'discard', 'seal']);
    expect(told.slice(2)).toEqual(['credential.withdrawn api', 'credential.withdrawn batch']);
    expect(await worldOf(engine, 'refused')).toEqual(world);
    await engine.replays('refused');
  });

  test('parks when an undo fails; resume tries just that again', async ({ expect }) => {
    await provisioned(engine, 'undo-fails');
    const world = await worldOf(engine, 'undo-fails');
    engine.around.target.faults.set('verify undo-fails', {
      when: 'before',
      times: 1,
      error: new TenureError('VerificationFailed', 'no'),
    });
    engine.around.target.faults.set('uninstall undo-fails', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'a lock'),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'undo-fails');
    const parked = await engine.processWhen(handle.operation, (state) => state.parked !== undefined);
    expect(parked.parked).toMatchObject({ stage: 'install', why: expect.stringContaining('a lock') });
    expect(parked.stages.find(({ name }) => name === 'stage')?.status).toBe('undone');
    await eventually(
      async () => engine.around.notices.join(),
      (notices) => notices.includes('undo-fails is parked'),
    );
    await engine.answerPark(handle.operation, { how: 'again' });
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', leftovers: [] });
    const order = await activitiesOf(handle);
    expect(order.filter((activity) => activity === 'discard')).toHaveLength(1);
    expect(order.filter((activity) => activity === 'uninstall')).toHaveLength(2);
    expect(await worldOf(engine, 'undo-fails')).toEqual(world);
    await engine.replays('undo-fails');
  });

  test('ends unfinished and lists what is left when it is abandoned', async ({ expect }) => {
    await provisioned(engine, 'left-over');
    engine.around.target.faults.set('verify left-over', {
      when: 'before',
      times: 1,
      error: new TenureError('VerificationFailed', 'no'),
    });
    engine.around.target.faults.set('uninstall left-over', {
      when: 'before',
      times: forever,
      error: new TenureError('RejectedUnchanged', 'a lock'),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'left-over');
    await engine.processWhen(handle.operation, (state) => state.parked !== undefined);
    await engine.answerPark(handle.operation, { reason: 'by hand' });
    expect(await failureResult(handle)).toMatchObject({ outcome: 'unfinished', leftovers: ['install: a lock'] });
    const state = await engine.stateWhen('left-over', ({ running }) => !running);
    expect(state.status).toBe('needs-operator');
    expect(state.recent.at(-1)).toMatchObject({ outcome: 'unfinished' });
    await engine.replays('left-over');
  });
});

describe.concurrent('a rotation that an operator cancels', () => {
  test.for(['install', 'verify', 'publish'] as const)(
    'I4: before the point of no return, at %s, is undone and ends as cancelled',
    async (step, { expect }) => {
      const name = `cancel-${step}`;
      const before = await provisioned(engine, name, {}, { timing: impatient });
      const world = await worldOf(engine, name);
      const faults = step === 'publish' ? engine.around.storeFaults : engine.around.target.faults;
      faults.set(`${step} ${name}`, { when: 'hang', times: 1 });
      const handle = await begun(engine, { kind: 'rotate' }, name);
      await eventually(
        async () => faults.get(`${step} ${name}`)!.times,
        (times) => times === 0,
      );
      await handle.cancel();
      expect(await closedAs(handle)).toBe('CANCELLED');
      const state = await engine.stateWhen(name, ({ running }) => !running);
      expect(state.recent.at(-1)).toMatchObject({ kind: 'rotate', outcome: 'undone' });
      expect(state.current).toEqual(before.current);
      expect(await worldOf(engine, name)).toEqual(world);
      await engine.replays(name);
    },
  );

  test('while it waits at a gate ends at once, with nothing touched', async ({ expect }) => {
    await provisioned(engine, 'cancel-gate');
    engine.around.only.set('cancel-gate', { obligations: { approvals: 1, gateMs: 3_600_000 } });
    const handle = await begun(engine, { kind: 'rotate' }, 'cancel-gate');
    await engine.processWhen(handle.operation, ({ gate }) => gate?.outcome === 'open');
    await handle.cancel();
    expect(await closedAs(handle)).toBe('CANCELLED');
    expect(await activitiesOf(handle)).not.toContain('install');
  });

  test('while it is parked is undone, and says no more that it needs an operator', async ({ expect }) => {
    await provisioned(engine, 'cancel-parked', { consumers, rotation: { whenNotTaken: 'park' } });
    const world = await worldOf(engine, 'cancel-parked');
    engine.around.only.set('cancel-parked', {
      takes: (_, event) => (event === 'credential.published' ? 'refused' : 'acknowledged'),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'cancel-parked');
    await engine.processWhen(handle.operation, ({ parked }) => parked !== undefined);
    await handle.cancel();
    expect(await closedAs(handle)).toBe('CANCELLED');
    expect(await worldOf(engine, 'cancel-parked')).toEqual(world);
    expect((await engine.processWhen(handle.operation, () => true)).parked).toBeUndefined();
    await engine.replays('cancel-parked');
  });

  test('after the point of no return goes forward and succeeds', async ({ expect }) => {
    await provisioned(engine, 'cancel-late');
    const fault = { when: 'before', times: forever } as { when: 'before'; times: number };
    engine.around.target.faults.set('refuse cancel-late', fault);
    const handle = await begun(engine, { kind: 'rotate' }, 'cancel-late');
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ name, status }) => name === 'refuse' && status === 'running'),
    );
    await handle.cancel();
    await engine.processWhen(handle.operation, ({ forwardOnly }) => forwardOnly);
    fault.times = 0;
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('cancel-late');
  });
});

describe.concurrent('a rotation past the point of no return', () => {
  test('I8: parks at a failure that does not pass by itself, and goes on when told', async ({ expect }) => {
    await provisioned(engine, 'parks');
    engine.around.target.faults.set('refuse parks', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'no right'),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'parks');
    const state = await engine.processWhen(handle.operation, ({ parked }) => parked !== undefined);
    expect(state.parked).toMatchObject({
      stage: 'refuse',
      commands: ['tenure resume parks', expect.stringContaining('tenure abandon parks')],
    });
    await engine.answerPark(handle.operation, { how: 'again' });
    expect(await handle.result()).toMatchObject({
      outcome: 'succeeded',
      proofs: { refused: [{ principal: 'parks_a' }] },
    });
    await engine.replays('parks');
  });

  test('I5: retires again what is still let in, and asks a person only when that does not help', async ({ expect }) => {
    await provisioned(engine, 'let-in');
    const fault = { when: 'before', times: 2, error: new TenureError('StillAccepted', 'let-in_a is let in') } as const;
    engine.around.target.faults.set('refuse let-in', { ...fault });
    const handle = await begun(engine, { kind: 'rotate' }, 'let-in');
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    const order = await activitiesOf(handle);
    expect(order.filter((activity) => activity === 'retire')).toHaveLength(3);
    engine.around.target.faults.set('refuse let-in', { ...fault, times: 3 });
    const stuck = await begun(engine, { kind: 'rotate' }, 'let-in');
    const { parked } = await engine.processWhen(stuck.operation, (state) => state.parked !== undefined);
    expect(parked).toMatchObject({ stage: 'refuse', why: expect.stringContaining('is let in') });
    await engine.answerPark(stuck.operation, { how: 'again' });
    expect(await stuck.result()).toMatchObject({ outcome: 'succeeded' });
    await engine.replays('let-in');
  });

  test('I8: abandoned, it ends unfinished: both credentials stay named, and the identity needs an operator', async ({
    expect,
  }) => {
    await provisioned(engine, 'gives-up');
    engine.around.target.faults.set('retire gives-up', {
      when: 'before',
      times: forever,
      error: new TenureError('RejectedUnchanged', 'no right'),
    });
    const handle = await begun(engine, { kind: 'rotate' }, 'gives-up');
    await engine.processWhen(handle.operation, ({ parked }) => parked !== undefined);
    await engine.answerPark(handle.operation, { reason: 'later' });
    expect(await failureResult(handle)).toMatchObject({ outcome: 'unfinished' });
    const state = await engine.stateWhen('gives-up', ({ running }) => !running);
    expect(state).toMatchObject({
      status: 'needs-operator',
      current: { principal: 'gives-up_b' },
      previous: [{ principal: 'gives-up_a' }],
    });
    await engine.replays('gives-up');
  });

  test('keeps on through a target that is away for a while', async ({ expect }) => {
    await provisioned(engine, 'away');
    for (const step of ['retire', 'refuse', 'purge'])
      engine.around.target.faults.set(`${step} away`, { when: 'before', times: 4 });
    const state = await engine.do({ kind: 'rotate' }, 'away');
    expect(state.recent.at(-1)?.outcome).toBe('succeeded');
  });
});
