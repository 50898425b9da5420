/** What is declared, sent or found may be of any size; what Temporal holds is not. */
import { afterAll, beforeAll, expect as check, test } from 'vitest';
import { bytesOf } from '../../src/domain/clip.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { identityId, identityMessages, processMessages } from '../../src/domain/wire.js';
import { queueLimit, type IdentitySpec } from '../../src/domain/identity.js';
import { largestRequest, whatIsMalformed } from '../../src/domain/well-formed.js';
import { ballot } from '../support/ballots.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { begun, closedAs, provisioned } from '../support/world.js';

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
});
afterAll(async () => engine?.stop());

const gate = { obligations: { approvals: 1, gateMs: 600_000 } };

async function isRunning(name: string): Promise<boolean> {
  return (await engine.client.workflow.getHandle(identityId(name)).describe()).status.name === 'RUNNING';
}

test('an identity with the longest names and tags that are taken lives on, and is found by them', async () => {
  const tags = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`tag-${n}`, 'é'.repeat(22)]));
  const person = 'é'.repeat(200);
  const differs = { owner: { person, team: '😀'.repeat(100) }, environment: 'é'.repeat(200), tags };
  check(whatIsMalformed({ id: 'r', kind: 'provision', requester: 'ada', spec: specOf('tagged', differs) })).toBe(
    undefined,
  );
  const state = await provisioned(engine, 'tagged', differs);
  check(state.recent.at(-1)?.outcome).toBe('succeeded');
  check(await isRunning('tagged')).toBe(true);
  // Written once it is reckoned when the identity is next due, a moment after the process has ended.
  await eventually(
    async () => JSON.stringify((await engine.process(identityId('tagged')).describe()).typedSearchAttributes),
    (attributes) => attributes.includes(`tag-0:${'é'.repeat(22)}`),
  );
  await engine.do({ kind: 'revoke', emergency: true }, 'tagged');
  check(await isRunning('tagged')).toBe(true);
  await engine.replays('tagged');
});

test('an identity that is sent what Temporal cannot hold refuses it, and lives on', async () => {
  await provisioned(engine, 'flooded');
  const tags = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`tag-${n}`, 'x'.repeat(100)]));
  const signal = {
    id: 's',
    kind: 'amend',
    requester: 'ada',
    spec: specOf('flooded', { tags }),
  } satisfies ChangeRequest;
  await engine.client.workflow.getHandle(identityId('flooded')).signal(identityMessages.requestSignal, signal);
  const answer = await engine.ask({ kind: 'rotate', spec: signal.spec }, 'flooded');
  check(answer).toMatchObject({ accepted: false, code: 'InvalidRequest', reason: check.stringContaining('spec.tags') });
  check((await engine.do({ kind: 'validate' }, 'flooded')).spec?.tags).toEqual({});
  check(await isRunning('flooded')).toBe(true);
});

test('sixteen requests of the largest size wait through a new run, and are all done', async () => {
  const firstRun = async () => (await engine.client.workflow.getHandle(identityId('full')).describe()).runId;
  const last = 'one too many';
  const of = (id: string, template: string, purpose = 'another'): ChangeRequest & { readonly spec: IdentitySpec } => ({
    id,
    kind: 'amend',
    requester: 'ada',
    spec: specOf('full', {
      purpose,
      consumers: [{ name: 'a', notify: { file: { path: '/x', format: 'template', template } } }],
    }),
  });
  // The provision has a longer id, and it has to fit as well.
  const template = 'x'.repeat(largestRequest - JSON.stringify(of(last, '')).length - 100);
  const largest = (id: string): ChangeRequest => of(id, template);
  await provisioned(engine, 'full', of(last, template, 'a test').spec, { longestHistory: 450 });
  const before = await firstRun();
  engine.around.only.set('full', gate);
  const held = await begun(engine, { kind: 'rotate' }, 'full');
  await engine.processWhen(held.operation, ({ gate: open }) => open?.outcome === 'open');
  const identity = engine.client.workflow.getHandle(identityId('full'));
  for (let n = 0; n < queueLimit; n += 1) await identity.signal(identityMessages.requestSignal, largest(`a${n}`));
  await identity.signal(identityMessages.requestSignal, largest(last));
  const waiting = await engine.stateWhen('full', ({ handled }) => handled.some(({ id }) => id === last));
  check(waiting.queue).toHaveLength(queueLimit);
  check(await firstRun()).not.toBe(before);
  await held.signal(processMessages.decide, ballot('eve', { decision: 'deny' }));
  const done = await engine.stateWhen('full', ({ queue, running }) => queue.length === 0 && !running);
  check(done.recent.filter(({ kind, outcome }) => kind === 'amend' && outcome === 'succeeded')).toHaveLength(
    queueLimit,
  );
  check(done.handled.at(-1)).toMatchObject({ id: last, answer: { accepted: false, code: 'Conflict' } });
  engine.around.only.delete('full');
});

test('thousands of differences are told in short', async () => {
  await provisioned(engine, 'differs');
  engine.around.target.drift = Array.from({ length: 5_000 }, (_, n) => ({
    what: 'right',
    problem: 'excess',
    detail: `differs may delete from table ${n}`,
  }));
  const handle = await begun(engine, { kind: 'validate' }, 'differs');
  check(await closedAs(handle)).toBe('FAILED');
  engine.around.target.drift = [];
  const { events } = await handle.fetchHistory();
  check(JSON.stringify(events).length).toBeLessThan(60_000);
  const state = await engine.stateWhen('differs', ({ running }) => !running);
  check(state.recent.at(-1)?.message).toMatch(/table 0.*more.*tenure validate differs --repair$/);
});

test('a flood of ballots that do not count takes nobody’s place: the last of them are kept, and what counts counts', async () => {
  await provisioned(engine, 'votes');
  engine.around.only.set('votes', { obligations: { approvals: 21, gateMs: 600_000 } });
  const handle = await begun(engine, { kind: 'rotate' }, 'votes');
  await engine.processWhen(handle.operation, ({ gate: open }) => open?.outcome === 'open');
  const decide = (approver: string, planDigest?: string) =>
    handle.signal(processMessages.decide, ballot(approver, planDigest === undefined ? {} : { planDigest }));
  for (let n = 0; n < 100; n += 1) await decide(`nobody-${n}`, 'sha256:other');
  await decide('x'.repeat(20_000));
  for (let n = 0; n < 20; n += 1) await decide(`p${n}`);
  const state = await engine.processWhen(handle.operation, ({ gate: open }) => open?.votes.length === 20);
  check(state.gate!.votes.map(({ approver }) => approver)).toEqual(Array.from({ length: 20 }, (_, n) => `p${n}`));
  check(state.gate!.refused.map(({ claimed }) => claimed)).toEqual(
    Array.from({ length: 50 }, (_, n) => `nobody-${n + 50}`),
  );
  check(bytesOf(JSON.stringify(state))).toBeLessThan(100_000);
  await handle.cancel();
  check(await closedAs(handle)).toBe('CANCELLED');
  engine.around.only.delete('votes');
  await engine.replays('votes');
});
