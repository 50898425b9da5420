import { afterAll, beforeAll, describe, test } from 'vitest';
import type { Consumer } from '../../src/domain/identity.js';
import { processMessages } from '../../src/domain/wire.js';
import { Engine } from '../support/engine.js';
import { begun, failureResult, provisioned, worldOf } from '../support/world.js';

const manual = (name: string, differs: Partial<Consumer> = {}): Consumer => ({
  name,
  notify: { ack: 'manual' },
  ...differs,
});

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

const waitsFor =
  (consumer: string) => (state: { stages: readonly { name: string; status: string; note?: string }[] }) =>
    state.stages.some(
      ({ name, status, note }) => name === 'hand over' && status === 'waiting' && note!.includes(consumer),
    );

describe.concurrent('the hand-over', () => {
  test('waits for a consumer that answers later, and takes its acknowledgement by signal', async ({ expect }) => {
    await provisioned(engine, 'later', { consumers: [] });
    engine.around.only.set('later', { takes: () => 'pending' });
    const told = { ...(await engine.state('later')).spec!, consumers: [manual('api')] };
    const handle = await begun(engine, { kind: 'rotate', spec: told }, 'later');
    await engine.processWhen(handle.operation, waitsFor('api'));
    await handle.signal(processMessages.acknowledge, { consumer: 'api', by: 'ada', version: 'nhi/later/provision/1' });
    await handle.signal(processMessages.acknowledge, { consumer: 'another', by: 'ada', version: handle.operation });
    await new Promise((resolve) => setTimeout(resolve, 500));
    await engine.processWhen(handle.operation, waitsFor('api'));
    await handle.signal(processMessages.acknowledge, { consumer: 'api', by: 'ada', version: handle.operation });
    expect(await handle.result()).toMatchObject({
      outcome: 'succeeded',
      proofs: { acknowledged: [{ consumer: 'api', status: 'acknowledged' }] },
    });
    await engine.replays('later');
  });

  test('I3: is undone when an acknowledgement does not come in time', async ({ expect }) => {
    await provisioned(engine, 'silent');
    const world = await worldOf(engine, 'silent');
    engine.around.only.set('silent', {
      takes: (_, event) => (event === 'credential.published' ? 'pending' : 'acknowledged'),
    });
    const told = { ...(await engine.state('silent')).spec!, consumers: [manual('api', { timeoutMs: 500 })] };
    const handle = await begun(engine, { kind: 'rotate', spec: told }, 'silent');
    expect(await failureResult(handle)).toMatchObject({ outcome: 'undone', failure: { code: 'ConsumerRefused' } });
    expect(await worldOf(engine, 'silent')).toEqual(world);
    await engine.replays('silent');
  });

  test.for([
    ['again', 'acknowledged', 'succeeded'],
    ['go-on', 'refused', 'succeeded'],
    ['abandon', 'refused', 'undone'],
  ] as const)(
    'parked for a consumer that refused, and told %s: %s, %s',
    async ([word, answer, outcome], { expect }) => {
      const name = `park-${word}`;
      const consumers: Consumer[] = [{ name: 'api', notify: { command: ['true'] } }];
      let taken: 'refused' | 'acknowledged' = 'acknowledged';
      engine.around.only.set(name, {
        takes: (_, event) => (event === 'credential.published' ? taken : 'acknowledged'),
      });
      await provisioned(engine, name, { consumers, rotation: { whenNotTaken: 'park' } });
      taken = 'refused';
      const handle = await begun(engine, { kind: 'rotate' }, name);
      await engine.processWhen(handle.operation, ({ parked }) => parked?.stage === 'hand over');
      taken = answer;
      if (word === 'abandon') await engine.answerPark(handle.operation, { reason: 'no' });
      else await engine.answerPark(handle.operation, { how: word });
      expect(await failureResult(handle)).toMatchObject({ outcome });
      await engine.replays(name);
    },
  );

  test('of a revocation is told, and what the consumers answer changes nothing', async ({ expect }) => {
    const consumers: Consumer[] = [{ name: 'api', notify: { command: ['true'] } }];
    const told: string[] = [];
    engine.around.only.set('revoked', {
      takes: (consumer, event) => (
        told.push(`${event} ${consumer}`),
        event === 'credential.revoked' ? 'refused' : 'acknowledged'
      ),
    });
    await provisioned(engine, 'revoked', { consumers });
    expect((await engine.do({ kind: 'revoke' }, 'revoked')).status).toBe('revoked');
    expect(told).toEqual(['credential.published api', 'credential.revoked api']);
    await engine.replays('revoked');
  });
});

describe.concurrent('the drain', () => {
  test('ends by evidence, long before the grace does', async ({ expect }) => {
    await provisioned(engine, 'drains', { rotation: { graceMs: 8_000 } });
    engine.around.target.sessions.set('drains_a', 1);
    const handle = await begun(engine, { kind: 'rotate' }, 'drains');
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ name, status }) => name === 'drain' && status === 'waiting'),
    );
    engine.around.target.sessions.set('drains_a', 0);
    expect(await handle.result()).toMatchObject({
      outcome: 'succeeded',
      proofs: { drained: { drained: true, sessions: 0 } },
    });
    await engine.replays('drains');
  });

  test('goes on at the end of the grace where the policy says so, and ends what is left', async ({ expect }) => {
    await provisioned(engine, 'goes-on', { rotation: { graceMs: 500, whenInUse: 'go-on' } });
    engine.around.target.sessions.set('goes-on_a', 1);
    const state = await engine.do({ kind: 'rotate' }, 'goes-on');
    expect(state.recent.at(-1)?.outcome).toBe('succeeded');
  });

  test('is extended where the policy says so, by ever longer watches', async ({ expect }) => {
    await provisioned(engine, 'extends', { rotation: { graceMs: 0, whenInUse: 'extend' } });
    engine.around.target.sessions.set('extends_a', 1);
    const handle = await begun(engine, { kind: 'rotate' }, 'extends');
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    expect((await handle.describe()).historyLength).toBeLessThan(70);
    engine.around.target.sessions.set('extends_a', 0);
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded', proofs: { drained: { drained: true } } });
    await engine.replays('extends');
  });

  test.for([
    ['go-on', 'succeeded'],
    ['again', 'succeeded'],
    ['abandon', 'undone'],
  ] as const)('asks a person where the policy says so; told %s it is %s', async ([word, outcome], { expect }) => {
    const name = `ask-${word}`;
    await provisioned(engine, name, { rotation: { graceMs: 300, whenInUse: 'ask' } });
    engine.around.target.sessions.set(`${name}_a`, 1);
    const handle = await begun(engine, { kind: 'rotate' }, name);
    const { parked } = await engine.processWhen(handle.operation, (state) => state.parked !== undefined);
    expect(parked).toMatchObject({ stage: 'drain', why: expect.stringContaining('still in use') });
    if (word === 'again') engine.around.target.sessions.set(`${name}_a`, 0);
    if (word === 'abandon') await engine.answerPark(handle.operation, { reason: 'no' });
    else await engine.answerPark(handle.operation, { how: word });
    expect(await failureResult(handle)).toMatchObject({ outcome });
    await engine.replays(name);
  });
});
