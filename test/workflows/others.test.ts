/** validate, provision, moves, the record, and what only shows with workers that come and go. */
import { afterAll, beforeAll, describe, expect as check, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import type { IdentityState } from '../../src/domain/identity.js';
import { identityId, identityMessages } from '../../src/domain/wire.js';
import { Engine, specOf } from '../support/engine.js';
import { begun, closedAs, failureResult, operationOf, provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

describe('a validation', () => {
  test('succeeds where target, store and state agree', async () => {
    await provisioned(engine, 'agrees');
    const world = await worldOf(engine, 'agrees');
    const handle = await begun(engine, { kind: 'validate' }, 'agrees');
    check(await handle.result()).toMatchObject({
      outcome: 'succeeded',
      proofs: { accepted: { principal: 'agrees_a' }, drift: [] },
    });
    check(await worldOf(engine, 'agrees')).toEqual(world);
    await engine.replays('agrees');
  });

  test('fails on drift, says what differs and what to do; told to repair, it puts that right', async () => {
    await provisioned(engine, 'drifts');
    engine.around.target.drift = [{ what: 'right', problem: 'excess', detail: 'drifts may delete from ledger' }];
    const found = await engine.do({ kind: 'validate' }, 'drifts');
    check(found.recent.at(-1)).toMatchObject({
      code: 'VerificationFailed',
      message: check.stringMatching(/may delete.*tenure validate drifts --repair/),
    });
    check(found.status).toBe('active');
    const repaired = await engine.do({ kind: 'validate', repair: true }, 'drifts');
    check(repaired.recent.at(-1)?.outcome).toBe('succeeded');
    check((await engine.do({ kind: 'validate' }, 'drifts')).recent.at(-1)?.outcome).toBe('succeeded');
    await engine.replays('drifts');
  });

  test('of a revoked identity looks only for what must not be there', async () => {
    await provisioned(engine, 'gone');
    await engine.do({ kind: 'revoke' }, 'gone');
    const state = await engine.do({ kind: 'validate' }, 'gone');
    check(state.recent.at(-1)?.outcome).toBe('succeeded');
    check(state.status).toBe('revoked');
  });
});

describe('a provision', () => {
  test.each(['install', 'verify'] as const)('I4: that fails at %s leaves nothing', async (step) => {
    const name = `first-${step}`;
    engine.around.target.faults.set(`${step} ${name}`, {
      when: 'after',
      times: 9,
      error: new TenureError('RejectedUnchanged', 'no'),
    });
    const state = await provisioned(engine, name);
    check(state.recent.at(-1)?.outcome).toBe('undone');
    check(state.current).toBeUndefined();
    check(state.status).toBe('absent');
    check(await worldOf(engine, name)).toEqual({ logins: {}, slots: {} });
    engine.around.target.faults.delete(`${step} ${name}`);
    check((await provisioned(engine, name)).status).toBe('active');
    await engine.replays(name);
  });
});

describe('a move to another target', () => {
  test('I4: that is abandoned past the point of no return leaves the old login named, and a revocation ends it too', async () => {
    await provisioned(engine, 'moves');
    engine.around.target.faults.set('retire moves', {
      when: 'before',
      times: 1,
      error: new TenureError('RejectedUnchanged', 'no'),
    });
    const spec = specOf('moves', { target: { name: 'db-2', scope: {} } });
    const handle = await begun(engine, { kind: 'rotate', spec }, 'moves');
    await engine.processWhen(handle.operation, ({ parked }) => parked !== undefined);
    await engine.answerPark(handle.operation, { reason: 'later' });
    check(await failureResult(handle)).toMatchObject({ outcome: 'unfinished' });
    const left = await engine.stateWhen('moves', ({ running }) => !running);
    check(left).toMatchObject({ current: { target: 'db-2' }, previous: [{ target: 'db' }] });
    check(Object.keys((await worldOf(engine, 'moves')).logins)).toEqual(['moves_a@db', 'moves_a@db-2']);
    check((await engine.do({ kind: 'revoke', emergency: true }, 'moves')).status).toBe('revoked');
    check(await worldOf(engine, 'moves')).toEqual({ logins: {}, slots: {} });
    await engine.replays('moves');
  });
});

describe('workers that come and go', () => {
  test('I8: an emergency asked while no worker runs is done when one starts, before what was queued', async () => {
    await provisioned(engine, 'no-worker');
    await engine.stopWorker();
    const identity = engine.client.workflow.getHandle(identityId('no-worker'));
    await identity.signal(identityMessages.requestSignal, { id: 'r', kind: 'rotate', requester: 'ada' });
    await identity.signal(identityMessages.requestSignal, {
      id: 'now',
      kind: 'revoke',
      requester: 'ada',
      emergency: true,
    });
    await engine.startWorker();
    const state = await engine.stateWhen('no-worker', ({ recent }) => recent.length === 3);
    check(state.status).toBe('revoked');
    check(state.recent.map(({ requestId, outcome }) => `${requestId} ${outcome}`).slice(1)).toEqual([
      'now succeeded',
      'r refused',
    ]);
    check(await worldOf(engine, 'no-worker')).toEqual({ logins: {}, slots: {} });
    await engine.replays('no-worker');
  });

  test('a worker that stops in the middle of a rotation leaves it to the next one', async () => {
    await provisioned(engine, 'handed-on');
    const handle = await begun(engine, { kind: 'rotate' }, 'handed-on');
    await engine.processWhen(handle.operation, ({ stages }) =>
      stages.some(({ name, status }) => name === 'stage' && status === 'done'),
    );
    await engine.stopWorker();
    await engine.startWorker();
    check(await handle.result()).toMatchObject({ outcome: 'succeeded' });
    check(Object.keys((await worldOf(engine, 'handed-on')).logins)).toEqual(['handed-on_b@db']);
    await engine.replays('handed-on');
  });
});

describe('the record', () => {
  const secrets = /made-\d+/;

  /** The histories as JSON, with every payload as text. */
  async function historiesOf(name: string): Promise<string> {
    const all: unknown[] = [];
    const found = engine.client.workflow.list({ query: `WorkflowId STARTS_WITH 'nhi/${name}'` });
    for await (const { history } of found.intoHistories()) all.push(history);
    return JSON.stringify(all).replaceAll(/"data":"([\w+/=]+)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
  }

  test('I1: no password is in any history, whatever failed on the way', async () => {
    await provisioned(engine, 'canary');
    for (const step of ['install', 'verify', 'refuse'])
      engine.around.target.faults.set(`${step} canary`, { when: 'after', times: 1 });
    await engine.do({ kind: 'rotate' }, 'canary');
    await engine.do({ kind: 'validate' }, 'canary');
    await engine.do({ kind: 'revoke', emergency: true }, 'canary');
    const text = await historiesOf('canary');
    check(text).toContain('logged in as canary_b');
    check(text).not.toMatch(secrets);
  });

  test('I1: and the search finds one that is planted', async () => {
    await provisioned(engine, 'leaky');
    await engine.do({ kind: 'validate', reason: 'made-123' }, 'leaky');
    check(await historiesOf('leaky')).toMatch(secrets);
  });
});

test('an identity that was asked while it ended answers in its next life', async () => {
  await provisioned(engine, 'again');
  const offboarding = await begun(engine, { kind: 'offboard' }, 'again');
  check(await closedAs(offboarding)).toBe('COMPLETED');
  const ended = (await engine.client.workflow.getHandle(identityId('again')).result()) as IdentityState;
  check(ended.status).toBe('offboarded');
  const answer = await engine.ask({ kind: 'rotate' }, 'again');
  check(answer).toMatchObject({ accepted: false, reason: check.stringContaining('make one with: tenure apply') });
  check((await provisioned(engine, 'again')).current?.version).toBe(operationOf('again', 'provision', 3));
});
