/** Lives through what identities live through, and keeps the histories. See `record.config.ts` for how to run it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, test } from 'vitest';
import { TenureError } from '../../src/domain/errors.js';
import { reviewId, reviewMessages, type ReviewState } from '../../src/domain/elevation-review.js';
import { exceptionId, exceptionMessages } from '../../src/domain/exception.js';
import { routineReviewWorkflow, type ReviewOutcome } from '../../src/domain/routine-review.js';
import type { Consumer } from '../../src/domain/identity.js';
import { campaignWorkflow, identityId, identityMessages, processMessages, taskQueue } from '../../src/domain/wire.js';
import { packageRoot } from '../../src/package-root.js';
import { ada, asked, ballotOf, ExceptionEngine, grace, termsOf, withdrawalOf } from '../support/exceptions.js';
import { ballot } from '../support/ballots.js';
import { Engine, eventually, impatient, specOf } from '../support/engine.js';
import { begun, closedAs, provisioned } from '../support/world.js';
import { keepHistory } from './files.js';
import type { History } from '@temporalio/common/lib/proto-utils.js';

const { version } = JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const consumers: readonly Consumer[] = [{ name: 'api', notify: { command: ['true'] } }];

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start({ activities: () => ({ lookAtRoutine }) });
});
afterAll(async () => engine?.stop());

/** Keeps every run of the identity and of its processes, numbered where a workflow has several. */
async function keep(name: string): Promise<void> {
  const query = `WorkflowId STARTS_WITH 'nhi/${name}' OR WorkflowId = 'campaign-${name}'`;
  const runs: { workflowId: string; history: History }[] = [];
  for await (const { workflowId, history } of engine.client.workflow.list({ query }).intoHistories())
    runs.push({ workflowId, history: history as History });
  runs.sort((one, other) => startOf(one.history) - startOf(other.history));
  const seen = new Map<string, number>();
  for (const { workflowId, history } of runs) {
    const run = (seen.get(workflowId) ?? 0) + 1;
    seen.set(workflowId, run);
    const workflow = workflowId.split('/').slice(2).join('-') || (workflowId.startsWith('nhi/') ? 'identity' : 'campaign');
    keepHistory(version, `${name}-${workflow}${run > 1 ? `-run-${run}` : ''}`, workflowId, history);
  }
}

function startOf({ events }: History): number {
  const { seconds, nanos } = events![0]!.eventTime!;
  return Number(seconds) * 1_000 + Number(nanos) / 1_000_000;
}

function refuse(step: string, name: string, times = 1): void {
  engine.around.target.faults.set(`${step} ${name}`, { when: 'before', times, error: new TenureError('RejectedUnchanged', 'no') });
}

test('a whole life', async () => {
  const name = 'life';
  const declared = { consumers, rotation: { graceMs: 1_000, whenInUse: 'extend' } } as const;
  await provisioned(engine, name, declared);
  engine.around.target.sessions.set(`${name}_a`, 1);
  setTimeout(() => engine.around.target.sessions.clear(), 3_000);
  await engine.do({ kind: 'rotate' }, name);
  await engine.do({ kind: 'validate' }, name);
  engine.around.target.drift = [{ what: 'right', problem: 'excess', detail: 'life may delete' }];
  await engine.do({ kind: 'validate' }, name);
  await engine.do({ kind: 'validate', repair: true }, name);
  await engine.do({ kind: 'amend', spec: specOf(name, { ...declared, purpose: 'another' }) }, name);
  await engine.do({ kind: 'revoke' }, name);
  await provisioned(engine, name);
  await closedAs(await begun(engine, { kind: 'offboard' }, name));
  await engine.client.workflow.getHandle(identityId(name)).result();
  await keep(name);
});

test('a gate: approved, denied, opened again, escalated, expired; and what was forged', async () => {
  const name = 'gate';
  await provisioned(engine, name);
  engine.around.only.set(name, { obligations: { approvals: 1, gateMs: 60_000 } });
  for (const decision of ['approve', 'deny'] as const) {
    const handle = await begun(engine, { kind: 'rotate' }, name);
    await engine.processWhen(handle.operation, ({ gate }) => gate?.outcome === 'open');
    await handle.signal(processMessages.decide, ballot('grace', { decision }));
    await closedAs(handle);
  }
  const reopened = await begun(engine, { kind: 'rotate' }, name);
  await engine.processWhen(reopened.operation, ({ gate }) => gate?.outcome === 'open');
  Object.assign(engine.around.only.get(name)!, { policyDigest: 'sha256:other', unproven: 'it is not signed' });
  const emergency = { id: 'forged', kind: 'revoke', emergency: true, requester: 'mallory' };
  await reopened.signal(processMessages.preempt, { by: 'mallory', request: emergency });
  await engine.client.workflow.getHandle(identityId(name)).signal(identityMessages.requestSignal, emergency);
  await engine.stateWhen(name, ({ problems }) => problems.length > 0);
  for (const decision of ['approve', 'withdraw', 'approve'] as const)
    await reopened.signal(processMessages.decide, ballot('grace', { decision }));
  await engine.processWhen(reopened.operation, ({ gate }) => gate?.number === 2);
  await reopened.signal(processMessages.decide, ballot('grace', { at: new Date(Date.now() + 1_000).toISOString() }));
  await closedAs(reopened);
  engine.around.only.set(name, { obligations: { approvals: 1, gateMs: 2_000, groups: ['dba'], escalateTo: 'security' } });
  await engine.do({ kind: 'rotate' }, name);
  await keep(name);
});

test('taken back: a refusal, a store that is away, a consumer, an undo that parks, a cancel', async () => {
  const name = 'undone';
  await provisioned(engine, name, { consumers }, { timing: impatient });
  refuse('verify', name);
  await engine.do({ kind: 'rotate' }, name);
  engine.around.storeFaults.set(`stage ${name}`, { when: 'before', times: Number.POSITIVE_INFINITY });
  await engine.do({ kind: 'rotate' }, name);
  engine.around.storeFaults.clear();
  engine.around.only.set(name, { takes: (_, event) => (event === 'credential.published' ? 'refused' : 'acknowledged') });
  await engine.do({ kind: 'rotate' }, name);
  engine.around.only.delete(name);
  refuse('verify', name);
  refuse('uninstall', name);
  const parked = await begun(engine, { kind: 'rotate' }, name);
  await engine.processWhen(parked.operation, (state) => state.parked !== undefined);
  await engine.answerPark(parked.operation, { how: 'again' });
  await closedAs(parked);
  engine.around.only.set(name, { obligations: { approvals: 1, gateMs: 60_000 } });
  const cancelled = await begun(engine, { kind: 'rotate' }, name);
  await engine.processWhen(cancelled.operation, ({ gate }) => gate !== undefined);
  await cancelled.cancel();
  await closedAs(cancelled);
  await engine.stateWhen(name, ({ running }) => !running);
  await keep(name);
});

test('only forward: parked past the point of no return, resumed, abandoned', async () => {
  const name = 'forward';
  await provisioned(engine, name);
  for (const signal of ['resume', 'abandon'] as const) {
    refuse('retire', name);
    const handle = await begun(engine, { kind: 'rotate' }, name);
    await engine.processWhen(handle.operation, ({ parked }) => parked !== undefined);
    await engine.answerPark(handle.operation, signal === 'resume' ? { how: 'again' } : { reason: 'later' });
    await closedAs(handle);
    await engine.stateWhen(name, ({ running }) => !running);
  }
  await keep(name);
});

test('an emergency, and runs that continue as new around it', async () => {
  const name = 'emergency';
  await provisioned(engine, name, {}, { longestHistory: 40 });
  let letGo = (): void => {};
  const until = new Promise<void>((resolve) => (letGo = resolve));
  const fault = { when: 'hang', times: 1, until } as { when: 'hang'; times: number; until: Promise<void> };
  engine.around.target.faults.set(`verify ${name}`, fault);
  const rotation = await begun(engine, { kind: 'rotate' }, name);
  await eventually(async () => fault.times, (times) => times === 0);
  for (const id of ['a', 'b', 'c', 'd']) await engine.ask({ kind: 'amend', id, spec: specOf(name) }, name);
  await engine.do({ kind: 'revoke', emergency: true }, name);
  letGo();
  await closedAs(rotation);
  await engine.stateWhen(name, ({ recent }) => recent.length === 7);
  await keep(name);
});

test('an elevation: given back, ended by its timer, and one that its guard follows', async () => {
  const name = 'elevation';
  await provisioned(engine, name);
  for (const how of ['given back', 'timer', 'terminated'] as const) {
    const elevation = { scope: { grants: ['delete'] }, forMs: how === 'timer' ? 2_000 : 60_000, incident: 'INC-1' };
    const handle = await begun(engine, { kind: 'elevate', reason: 'by hand', elevation }, name);
    await engine.processWhen(handle.operation, ({ heldUntil }) => heldUntil !== undefined);
    if (how === 'given back') await handle.signal(processMessages.giveBack, { by: 'ada' });
    if (how === 'terminated') await handle.terminate('to be recorded');
    await closedAs(handle);
    await engine.stateWhen(name, ({ running }) => !running);
    const review = engine.process(reviewId(handle.operation));
    await eventually(() => review.query<ReviewState>(reviewMessages.state), ({ status }) => status === 'due');
  }
  await keep(name);
});

test('a process that ends by hand', async () => {
  const name = 'by-hand';
  await provisioned(engine, name);
  engine.around.only.set(name, { obligations: { approvals: 1, gateMs: 60_000 } });
  const handle = await begun(engine, { kind: 'rotate' }, name);
  await handle.terminate('to be recorded');
  await engine.stateWhen(name, ({ running }) => !running);
  await keep(name);
});

test('a campaign', async () => {
  const name = 'campaign';
  engine.around.only.set(name, { nextRotation: () => Promise.resolve('2020-01-01T00:00:00.000Z') });
  await provisioned(engine, name, { rotation: { name: 'weekly' } });
  const query = "NhiTags = 'policy:weekly' AND NhiStatus = 'active' AND WorkflowType = 'identity'";
  await eventually(async () => (await engine.client.workflow.count(query)).count, (count) => count === 1);
  const handle = await engine.client.workflow.start(campaignWorkflow, { workflowId: `campaign-${name}`, taskQueue, args: [{ policy: 'weekly' }] });
  await handle.result();
  await keep(name);
});

async function lookAtRoutine(): Promise<ReviewOutcome> {
  const line = (severity: 'low' | 'high') => ({ severity, subject: 'app', text: 'the same pair again' });
  return { counts: { high: 1, medium: 0, low: 1 }, lines: [line('high'), line('low')], more: 0 };
}

test('a routine review', async () => {
  const workflowId = 'routine-review';
  const handle = await engine.client.workflow.start(routineReviewWorkflow, { workflowId, taskQueue, args: [] });
  await handle.result();
  keepHistory(version, 'review-routine', workflowId, await handle.fetchHistory());
});

test('exceptions: suspended and over, opened again and withdrawn, denied, proposed and left', async () => {
  const exceptions = await ExceptionEngine.start();
  try {
    await liveThrough(exceptions);
  } finally {
    await exceptions.stop();
  }
});

async function liveThrough(exceptions: ExceptionEngine): Promise<void> {
  const handleOf = (id: string) => exceptions.client.workflow.getHandle(exceptionId(id));
  const controls = [{ kind: 'command', name: 'flag-a' }] as const;
  await exceptions.flag('flag-a', true);
  const until = new Date(Date.now() + 8_000).toISOString();
  await exceptions.holding({ id: 'exc-over', controls, until }, { longestRun: 2 });
  await exceptions.flag('flag-a', false);
  await exceptions.when('exc-over', ({ phase }) => phase === 'suspended');
  await exceptions.flag('flag-a', true);
  await handleOf('exc-over').result();

  const asks = async (id: string) => {
    const terms = await asked(termsOf({ id, controls }));
    const handle = await exceptions.begin(id, { terms });
    return { handle, gate: (await exceptions.when(id, ({ phase }) => phase === 'gate')).gate! };
  };
  const again = await asks('exc-again');
  await again.handle.signal(exceptionMessages.decide, await ballotOf(ada, exceptionId('exc-again'), again.gate));
  await exceptions.flag('flag-a', false);
  await again.handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId('exc-again'), again.gate));
  const { gate: second } = await exceptions.when('exc-again', ({ gate }) => gate?.number === 2);
  await again.handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId('exc-again'), second!));
  await exceptions.when('exc-again', ({ phase }) => phase !== 'gate');
  await again.handle.signal(exceptionMessages.withdraw, await withdrawalOf('exc-again', ada));
  const denied = await asks('exc-denied');
  const denial = await ballotOf(grace, exceptionId('exc-denied'), denied.gate, 'deny');
  await denied.handle.signal(exceptionMessages.decide, denial);
  const closes = new Date(Date.now() + 1_000).toISOString();
  const about = { identity: 'payments-db', owner: ada.name, rules: ['rotation-overdue'], why: 'no window is left' };
  const proposed = await exceptions.begin('exc-left', { proposal: { id: 'exc-left', ...about, closes } });
  for (const handle of [again.handle, denied.handle, proposed]) await handle.result();
  for (const id of ['exc-over', 'exc-again', 'exc-denied', 'exc-left']) {
    const query = `WorkflowId = '${exceptionId(id)}'`;
    const runs: History[] = [];
    for await (const { history } of exceptions.client.workflow.list({ query }).intoHistories()) runs.push(history as History);
    runs.sort((one, other) => startOf(one) - startOf(other));
    for (const [index, history] of runs.entries())
      keepHistory(version, `${id}${index > 0 ? `-run-${index + 1}` : ''}`, exceptionId(id), history);
  }
}
