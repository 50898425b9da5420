import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Engine, specOf } from '../support/engine.js';

describe('rotate', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await Engine.start();
  });
  afterAll(async () => engine?.stop());

  test('a rotation ends with the new credential accepted, the old one refused, and both proofs recorded', async () => {
    await engine.do({ kind: 'provision', spec: specOf('plain') }, 'plain');
    const before = await engine.state('plain');
    const state = await engine.do({ kind: 'rotate' }, 'plain');
    expect(state.recent.at(-1)).toMatchObject({ kind: 'rotate', outcome: 'succeeded' });
    expect(state.current?.principal).toBe('plain_b');
    expect(state.current?.version).not.toBe(before.current?.version);
    expect([...engine.around.target.logins.keys()]).toEqual(['plain_b']);
    const result = await engine.process(state.recent.at(-1)!.operation!).result();
    expect(result).toMatchObject({
      outcome: 'succeeded',
      proofs: { accepted: { principal: 'plain_b' }, refused: [{ principal: 'plain_a' }] },
    });
    expect(Object.keys((await engine.around.store.describe('plain')).slots)).toEqual(['current']);
    expect(await engine.replays('plain')).toBe(3);
  });
});
