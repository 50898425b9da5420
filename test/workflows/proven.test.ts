/** Verifying who asks takes a while where the worker at hand cannot do it at once; meanwhile an identity goes on with its life. */
import { activityInfo } from '@temporalio/activity';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { identityId, identityMessages, processMessages } from '../../src/domain/wire.js';
import { attestedAs } from '../support/ballots.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { begun, operationOf, provisioned } from '../support/world.js';

/** What is being verified, by the reason that it gives: whoever holds it says how it ends. */
const held = new Map<string, { isReached: boolean; readonly end: Promise<unknown> }>();

/** Holds the verifying of whatever gives this reason. */
function hold(reason: string): { isReached(): Promise<unknown>; end(refusal?: TenureError): void } {
  let end: (refusal?: TenureError) => void = () => undefined;
  const until = new Promise<void>((resolve, reject) => (end = (refusal) => (refusal ? reject(refusal) : resolve())));
  until.catch(() => undefined);
  const one = { isReached: false, end: until };
  held.set(reason, one);
  return {
    end: (refusal) => end(refusal),
    isReached: () =>
      eventually(
        async () => one.isReached,
        (isSo) => isSo,
      ),
  };
}

async function attest({ asked }: { asked: ChangeRequest }): Promise<ReturnType<typeof attestedAs>> {
  const one = held.get(asked.reason ?? '');
  if (one) {
    if (activityInfo().isLocal) throw new Error('not by this worker');
    one.isReached = true;
    await one.end;
  }
  return attestedAs(asked.requester);
}

/** Whatever mallory says in the name of others, her key says who she is. */
async function attestWord({ content }: { content: unknown }): Promise<ReturnType<typeof attestedAs>> {
  const { by, note } = content as { by: string; note?: string };
  return attestedAs(note === 'by mallory' ? 'mallory' : by);
}

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start({ activities: () => ({ attest, attestWord }) });
});
afterAll(async () => engine?.stop());

describe.concurrent('while it is verified who asks', () => {
  test('an identity may be offboarded: what is asked is taken afterwards, and done', async ({ expect }) => {
    await provisioned(engine, 'ends');
    const verifying = hold('another life');
    const request = { id: 'again', kind: 'provision', reason: 'another life', spec: specOf('ends') } as const;
    const answer = engine.ask(request, 'ends');
    await verifying.isReached();
    await (await begun(engine, { kind: 'offboard' }, 'ends')).result();
    await engine.stateWhen('ends', ({ status, running }) => status === 'offboarded' && !running);
    verifying.end();
    expect(await answer).toEqual({
      accepted: true,
      queued: 0,
      note: 'starts now',
      operation: operationOf('ends', 'provision', 3),
    });
    const state = await engine.stateWhen('ends', ({ recent }) => recent.at(-1)?.requestId === 'again');
    expect(state).toMatchObject({ status: 'active', current: { version: operationOf('ends', 'provision', 3) } });
    await engine.replays('ends');
  });

  test('the same id may be asked properly: it is done once, whatever becomes of the forged one', async ({ expect }) => {
    await provisioned(engine, 'same');
    const verifying = hold('a forgery');
    const forged: ChangeRequest = { id: 'same-1', kind: 'rotate', requester: 'mallory', reason: 'a forgery' };
    await engine.client.workflow.getHandle(identityId('same')).signal(identityMessages.requestSignal, forged);
    await verifying.isReached();
    await engine.do({ kind: 'rotate', id: 'same-1' }, 'same');
    verifying.end(new TenureError('ApprovalRefused', 'it is not signed'));
    const { problems } = await engine.stateWhen('same', (state) => state.problems.length > 0);
    expect(problems[0]!.what).toBe('a rotate sent as mallory was turned away: it is not signed');
    expect(await engine.ask({ kind: 'rotate', id: 'same-1' }, 'same')).toMatchObject({
      accepted: true,
      operation: operationOf('same', 'rotate', 2),
    });
    const { processNumber } = await engine.do({ kind: 'validate' }, 'same');
    expect(processNumber).toBe(3);
    await engine.replays('same');
  });

  test('nothing else waits for that: what is asked later is done before', async ({ expect }) => {
    await provisioned(engine, 'others');
    const verifying = hold('slow');
    const slow = engine.ask({ kind: 'rotate', id: 'slow', reason: 'slow' }, 'others');
    await verifying.isReached();
    expect(await engine.do({ kind: 'validate', id: 'quick' }, 'others')).toMatchObject({ processNumber: 2 });
    verifying.end();
    expect(await slow).toMatchObject({ accepted: true, operation: operationOf('others', 'rotate', 3) });
    await engine.stateWhen('others', ({ recent }) => recent.at(-1)?.requestId === 'slow');
    await engine.replays('others');
  });

  test('nothing else waits for that of an emergency either, beyond the first look', async ({ expect }) => {
    await provisioned(engine, 'urgent');
    const verifying = hold('an incident');
    const emergency = engine.ask({ kind: 'revoke', id: 'urgent-1', emergency: true, reason: 'an incident' }, 'urgent');
    await verifying.isReached();
    expect(await engine.do({ kind: 'validate' }, 'urgent')).toMatchObject({ processNumber: 2, status: 'active' });
    verifying.end();
    expect(await emergency).toMatchObject({ accepted: true, operation: operationOf('urgent', 'revoke', 3) });
    await engine.stateWhen('urgent', ({ status }) => status === 'revoked');
    await engine.replays('urgent');
  });
});

test('a word in the name of another than who signed it has no effect', async ({ expect }) => {
  await provisioned(engine, 'masked');
  const error = new TenureError('RejectedUnchanged', 'no');
  engine.around.target.faults.set('retire masked', { when: 'before', times: 1, error });
  const handle = await begun(engine, { kind: 'rotate' }, 'masked');
  const { parked } = await engine.processWhen(handle.operation, (state) => state.parked !== undefined);
  const word = { by: 'ada', since: parked!.since, how: 'again' } as const;
  await handle.signal(processMessages.resume, { ...word, note: 'by mallory' });
  const { inert } = await engine.processWhen(handle.operation, (state) => state.inert !== undefined);
  expect(inert).toMatchObject([
    { claimed: 'ada', reason: 'resume: it is said in the name of somebody else than mallory' },
  ]);
  await handle.signal(processMessages.resume, word);
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded' });
  await engine.replays('masked');
});
