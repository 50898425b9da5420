/** Exceptions from the first word to what is enforced afterwards, and what somebody can do who may only write to the namespace. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exceptionId, exceptionMessages, type ExceptionState, type Proposal } from '../../src/domain/exception.js';
import { liveExceptions } from '../../src/exceptions/live.js';
import { everything, gate as gateText, policyIn } from '../policy/folder.js';
import {
  ada,
  alan,
  asked,
  ballotOf,
  ExceptionEngine,
  grace,
  nils,
  olga,
  robot,
  termsOf,
  withdrawalOf,
} from '../support/exceptions.js';
import { directoryOf, person } from '../support/signers.js';

let engine: ExceptionEngine;
beforeAll(async () => {
  engine = await ExceptionEngine.start();
});
afterAll(async () => engine?.stop());

const twoOfThem = gateText('two', 'approvals: 2', 'context.approvals.count >= 2');

const live = async (id: string): Promise<boolean> =>
  (await liveExceptions(engine.folder, 'payments-db', new Date())).some((one) => one.id === id);

const handleOf = (id: string) => engine.client.workflow.getHandle(exceptionId(id));

describe('an exception', () => {
  test('holds for policy once somebody else has signed it, and not before', async () => {
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    expect(await live(terms.id)).toBe(false);
    await handle.signal(exceptionMessages.decide, await ballotOf(ada, exceptionId(terms.id), gate!));
    await handle.signal(exceptionMessages.decide, await ballotOf(robot, exceptionId(terms.id), gate!));
    const { gate: refused } = await engine.when(terms.id, (state) => state.gate!.refused.length === 2);
    expect(refused!.refused.map(({ reason }) => reason)).toEqual([
      expect.stringContaining('nobody approves their own request'),
      expect.stringContaining('is no person'),
    ]);
    expect(await live(terms.id)).toBe(false);
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    await engine.when(terms.id, ({ phase }) => phase === 'active');
    expect(await liveExceptions(engine.folder, 'payments-db', new Date())).toContainEqual({
      id: terms.id,
      identity: 'payments-db',
      rules: ['rotation-overdue'],
      until: terms.until,
      requester: 'ada@example.com',
      approvers: ['grace@example.com'],
    });
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, ada));
    await handle.result();
    await engine.replays(terms.id);
  });

  test('is suspended when a control fails, and comes back when it holds again', async () => {
    await engine.flag('flag-a', true);
    const { id } = await engine.holding({ controls: [{ kind: 'command', name: 'flag-a' }] });
    await engine.flag('flag-a', false);
    const { checks } = await engine.when(id, ({ phase }) => phase === 'suspended');
    expect(checks).toMatchObject([{ holds: false, detail: 'exit code 1' }]);
    expect(await live(id)).toBe(false);
    expect(engine.around.notices).toContainEqual(
      expect.objectContaining({ level: 'alert', text: expect.stringContaining(`${id} of payments-db is suspended`) }),
    );
    await engine.flag('flag-a', true);
    await engine.when(id, ({ phase }) => phase === 'active');
    expect(await live(id)).toBe(true);
    await handleOf(id).signal(exceptionMessages.withdraw, await withdrawalOf(id, grace));
    await handleOf(id).result();
    const [ended] = (await engine.evidence.reader.under(`${exceptionId(id)}/ended`)).map(({ record }) => record);
    const why = expect.stringMatching(/^not so: .*flag-a.* \(exit code 1\)$/);
    expect(ended).toMatchObject({ suspensions: [{ from: expect.any(String), to: expect.any(String), why }] });
  });

  test('ends by its timer with nobody there, and the identity is asked to rotate, by the automation', async () => {
    const { id } = await engine.holding({ until: new Date(Date.now() + 4_000).toISOString() }, { longestRun: 2 });
    expect(await handleOf(id).result()).toMatchObject({
      phase: 'ended',
      end: expect.stringContaining('its time was over'),
    });
    expect(await live(id)).toBe(false);
    const rotations = engine.around.asked.filter((request) => request.id === `${exceptionId(id)}/rotate`);
    expect(rotations).toMatchObject([{ kind: 'rotate', requester: 'automation/tenure', signed: expect.anything() }]);
    expect(engine.around.notices).toContainEqual(
      expect.objectContaining({ level: 'alert', text: expect.stringContaining(`${id} of payments-db has ended`) }),
    );
    await engine.replays(id);
  });

  test('is not withdrawn by somebody who has nothing to do with it, nor by a word that is not signed', async () => {
    const { id } = await engine.holding();
    await handleOf(id).signal(exceptionMessages.withdraw, await withdrawalOf(id, nils));
    await handleOf(id).signal(exceptionMessages.withdraw, {
      by: ada.name,
      reason: 'x',
      signed: { statement: '{}', signature: 's' },
    });
    const { inert } = await engine.when(id, (state) => state.inert.length === 2);
    expect(inert.map(({ claimed }) => claimed)).toEqual(['nils@example.com', 'ada@example.com']);
    expect(await live(id)).toBe(true);
    await handleOf(id).signal(exceptionMessages.withdraw, await withdrawalOf(id, olga));
    expect(await handleOf(id).result()).toMatchObject({
      end: expect.stringContaining('withdrawn by olga@example.com'),
    });
    expect(await live(id)).toBe(false);
  });

  test('is over at a denial, and was never published', async () => {
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    await handle.signal(exceptionMessages.decide, await ballotOf(alan, exceptionId(terms.id), gate!, 'deny'));
    expect(await handle.result()).toMatchObject({ phase: 'ended', end: expect.stringContaining('denied by alan') });
    expect(await engine.published(terms.id)).toBeUndefined();
    expect(engine.around.asked.some(({ id }) => id.includes(terms.id))).toBe(false);
  });

  test('is refused by policy before anybody is asked, and says by which', async () => {
    const terms = await asked(termsOf({ rules: ['production'] }));
    const handle = await engine.begin(terms.id, { terms });
    const { end, gate } = (await handle.result()) as ExceptionState;
    expect([end, gate]).toEqual([
      expect.stringContaining('Nobody is excepted from who may ask, from gates'),
      undefined,
    ]);
    await engine.replays(terms.id);
  });

  test('asks those whom policy names: in production somebody of security, and says why', async () => {
    const { state } = engine.around;
    engine.around.state = (name) => ({ ...state(name), spec: { ...state(name).spec!, environment: 'production' } });
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    engine.around.state = state;
    expect(gate).toMatchObject({ needed: 1, groups: ['platform|security', 'security'], stepUp: false });
    expect(gate!.rules.map(({ id }) => id)).toEqual(['exception-by-security', 'exception-second-person']);
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, ada));
    await handle.result();
  });

  test('opens its gate again where the policies have changed under the approvals, and asks whom they name then', async () => {
    const before = engine.around.policy;
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    engine.around.policy = await policyIn(everything, twoOfThem);
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    const { gate: second } = await engine.when(terms.id, (state) => state.gate?.number === 2);
    expect(second).toMatchObject({ reopened: 'the policies have changed', needed: 2, votes: [] });
    expect(await engine.published(terms.id)).toBeUndefined();
    for (const signer of [grace, alan])
      await handle.signal(exceptionMessages.decide, await ballotOf(signer, exceptionId(terms.id), second!));
    await engine.when(terms.id, ({ phase }) => phase === 'active');
    expect((await engine.published(terms.id))!.decision).toMatchObject({ reasons: ['everything'] });
    engine.around.policy = before;
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, ada));
    await handle.result();
    await engine.replays(terms.id);
  });

  test('asks nobody where policy asks for nobody', async () => {
    const before = engine.around.policy;
    engine.around.policy = await policyIn(everything);
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    await engine.when(terms.id, ({ phase }) => phase === 'active');
    engine.around.policy = before;
    expect(await live(terms.id)).toBe(true);
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, ada));
    await handle.result();
    await engine.replays(terms.id);
  });

  test('opens its gate again where a control has changed its answer under the approvals', async () => {
    await engine.flag('flag-b', true);
    const terms = await asked(termsOf({ controls: [{ kind: 'command', name: 'flag-b' }] }));
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    await engine.flag('flag-b', false);
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    const again = await engine.when(terms.id, (state) => state.gate?.number === 2);
    expect(again.gate).toMatchObject({
      votes: [],
      deadline: gate!.deadline,
      reopened: 'a control does not say the same any more, or the identity is another than it was',
    });
    expect(await engine.published(terms.id)).toBeUndefined();
    await engine.replays(terms.id);
    await handle.terminate('the test is over');
  });
});

describe('somebody who can write to the namespace and sign nothing', () => {
  test('excepts nothing by starting an exception as if it were approved', async () => {
    const terms = termsOf();
    const state = {
      id: terms.id,
      identity: terms.identity,
      phase: 'active',
      since: '',
      terms,
      checks: [],
      inert: [],
    } as const;
    const handle = await engine.begin(terms.id, { terms, state: { ...state, inert: [] } });
    expect(await handle.result()).toMatchObject({ phase: 'ended', end: expect.stringContaining('was ever approved') });
    expect(await live(terms.id)).toBe(false);
    expect(engine.around.asked.some(({ id }) => id.includes(terms.id))).toBe(false);
  });

  test('excepts nothing with terms that are not signed, signed by somebody else, or changed afterwards', async () => {
    const [unsigned, foreign, changed] = [termsOf(), termsOf(), termsOf()];
    const starts = [
      unsigned,
      await asked({ ...foreign, by: 'mallory@example.com' }, person('mallory@example.com')),
      { ...(await asked(changed)), rules: ['another-rule'] },
    ];
    for (const terms of starts) {
      const handle = await engine.begin(terms.id, { terms });
      expect(await handle.result()).toMatchObject({ phase: 'ended' });
      expect(await engine.published(terms.id)).toBeUndefined();
    }
  });

  test('does not bring one back that has ended: the same signatures open no second one', async () => {
    const terms = await engine.holding();
    await handleOf(terms.id).signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, ada));
    await handleOf(terms.id).result();
    const again = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    // Not even with a fresh approval: the terms were used up.
    await again.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    expect(await again.result()).toMatchObject({ end: expect.stringContaining('there was an exception') });
    expect(await live(terms.id)).toBe(false);
  });

  test('gains nothing by ending the workflow: what nobody checks any more does not hold for long', async () => {
    const { id } = await engine.holding();
    await handleOf(id).terminate('so that it is not suspended');
    const later = new Date(Date.now() + 11 * 60_000);
    expect(await live(id)).toBe(true);
    expect((await liveExceptions(engine.folder, 'payments-db', later)).some((one) => one.id === id)).toBe(false);
  });
});

describe('a reset', () => {
  test('uses no approval a second time: the run that comes of it is not approved', async () => {
    const { id } = await engine.holding();
    const before = (await engine.published(id))!.run;
    const { events } = await handleOf(id).fetchHistory();
    const publishing = events!.findIndex(
      (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'publishException',
    );
    const decided = events!.slice(0, publishing).findLast((event) => event.workflowTaskCompletedEventAttributes);
    const { runId } = await engine.client.workflowService.resetWorkflowExecution({
      namespace: engine.client.options.namespace,
      workflowExecution: { workflowId: exceptionId(id), runId: before },
      reason: 'to count an approval twice',
      workflowTaskFinishEventId: decided!.eventId!,
      requestId: id,
    });
    expect(runId).not.toBe(before);
    expect(await handleOf(id).result()).toMatchObject({
      phase: 'ended',
      end: expect.stringMatching(/another run|not enough|there was an exception/),
    });
    expect((await engine.published(id))!.run).toBe(before);
    // And nothing is checked for it any more, so what the first run published lapses.
    const later = new Date(Date.now() + 11 * 60_000);
    expect((await liveExceptions(engine.folder, 'payments-db', later)).some((one) => one.id === id)).toBe(false);
  });
});

describe('keys that are taken out of the directory', () => {
  test('count no more at a gate that is open', async () => {
    const terms = await asked(termsOf());
    const handle = await engine.begin(terms.id, { terms });
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    const { directory } = engine.around;
    engine.around.directory = directoryOf(ada, alan, olga, robot);
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    const after = await engine.when(terms.id, (state) => state.gate!.refused.length === 1);
    engine.around.directory = directory;
    expect(after.gate!.refused[0]!.reason).toContain('nobody');
    expect(await live(terms.id)).toBe(false);
    await handle.terminate('the test is over');
  });
});

describe('a proposal', () => {
  const proposalOf = (id: string, closesMs: number): Proposal => ({
    id,
    identity: 'payments-db',
    owner: olga.name,
    rules: ['rotation-overdue'],
    why: 'no window is left',
    closes: new Date(Date.now() + closesMs).toISOString(),
  });

  test('becomes an exception only when the owner signs it and somebody else approves', async () => {
    const terms = termsOf({ by: olga.name });
    const handle = await engine.begin(terms.id, { proposal: proposalOf(terms.id, 60_000) });
    await engine.when(terms.id, ({ phase }) => phase === 'proposed');
    await handle.signal(exceptionMessages.sign, await asked({ ...terms, by: ada.name }));
    const { inert } = await engine.when(terms.id, (state) => state.inert.length === 1);
    expect(inert[0]!.reason).toContain('only olga@example.com');
    await handle.signal(exceptionMessages.sign, await asked(terms, olga));
    const { gate } = await engine.when(terms.id, ({ phase }) => phase === 'gate');
    expect(gate!.requester).toBe(olga.name);
    await handle.signal(exceptionMessages.decide, await ballotOf(grace, exceptionId(terms.id), gate!));
    await engine.when(terms.id, ({ phase }) => phase === 'active');
    await handle.signal(exceptionMessages.withdraw, await withdrawalOf(terms.id, olga));
    await handle.result();
    await engine.replays(terms.id);
  });

  test('ends by itself, or when a person turns it down, and excepts nothing', async () => {
    const [late, rejected] = [termsOf(), termsOf()];
    const first = await engine.begin(late.id, { proposal: proposalOf(late.id, 1_000) });
    expect(await first.result()).toMatchObject({ end: expect.stringContaining('nobody signed it') });
    const second = await engine.begin(rejected.id, { proposal: proposalOf(rejected.id, 60_000) });
    await second.signal(exceptionMessages.withdraw, await withdrawalOf(rejected.id, olga));
    expect(await second.result()).toMatchObject({ end: expect.stringContaining('withdrawn by olga') });
    expect([await live(late.id), await live(rejected.id)]).toEqual([false, false]);
  });
});
