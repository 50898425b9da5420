import { afterAll, beforeAll, describe, test } from 'vitest';
import type { IdentitySpec } from '../../src/domain/identity.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import type { FakeTarget } from '../support/fake-target.js';
import { provisioned, worldOf } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

/** Starts to make a credential and stops when the target has just accepted it. */
async function begunUntilInstalled(target: FakeTarget, kind: 'provision' | 'rotate', spec: IdentitySpec) {
  const { name } = spec;
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => (letGo = resolve));
  const fault = { when: 'hang', times: 1, until } as { when: 'hang'; times: number; until: Promise<void> };
  target.faults.set(`verify ${name}`, fault);
  const { accepted } = await engine.ask({ kind, spec }, name);
  await eventually(
    () => Promise.resolve(fault.times),
    (times) => times === 0,
  );
  return { accepted, letGo };
}

describe.concurrent('an emergency reaches what a process was making when it was pre-empted', () => {
  test('I4: of an identity that is only being provisioned', async ({ expect }) => {
    const { letGo } = await begunUntilInstalled(engine.around.target, 'provision', specOf('never-yet'));
    const state = await engine.do({ kind: 'revoke', emergency: true }, 'never-yet');
    letGo();
    expect(state.status).toBe('revoked');
    expect(state.begun).toBeUndefined();
    expect(await worldOf(engine, 'never-yet')).toEqual({ logins: {}, slots: {} });
    await engine.replays('never-yet');
  });

  test('I4: at a target that the identity was moving to', async ({ expect }) => {
    await provisioned(engine, 'moving');
    const elsewhere = specOf('moving', { target: { name: 'db-2', scope: {} } });
    const { letGo } = await begunUntilInstalled(engine.around.target2, 'rotate', elsewhere);
    expect(Object.keys((await worldOf(engine, 'moving')).logins).sort()).toEqual(['moving_a@db', 'moving_a@db-2']);
    const state = await engine.do({ kind: 'revoke', emergency: true }, 'moving');
    letGo();
    expect(state.status).toBe('revoked');
    expect(await worldOf(engine, 'moving')).toEqual({ logins: {}, slots: {} });
    await engine.replays('moving');
  });
});
