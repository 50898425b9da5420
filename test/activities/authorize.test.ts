/** I6: what permits a run. Signatures, policies and permits are real; the facts are as each test says. */
import '../support/quiet.js';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPolicyActivities } from '../../activities/policy.js';
import { createTrustActivities } from '../../activities/trust.js';
import type { AmendmentVerdict, AuthorizeInput, PolicyActivities } from '../../activities/contract.js';
import type { CredentialRecord } from '../../src/domain/credential.js';
import type { Decision } from '../../src/domain/decision.js';
import type { Directory } from '../../src/domain/directory.js';
import { noFacts, type Facts } from '../../src/domain/facts.js';
import { planOf } from '../../src/domain/plan.js';
import type { Ballot, GateState, ProcessInput, Vote, Weighed } from '../../src/domain/process.js';
import type { Freeze, IdentitySpec } from '../../src/domain/identity.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { parseProcessId } from '../../src/domain/wire.js';
import { packageRoot } from '../../src/package-root.js';
import { processNumberAfter } from '../../src/domain/epoch.js';
import { digestOf } from '../../src/policy/digest.js';
import { policySource, type Policy } from '../../src/policy/policy.js';
import { declarationsIn, type Declarations } from '../../src/trust/declared.js';
import { decisionsIn, isAsDecided, type Decisions } from '../../src/trust/decided.js';
import { gatesIn, type Gates } from '../../src/trust/gates.js';
import { lastEpochPermitted, numbersIn } from '../../src/trust/numbers.js';
import { permitsIn, type Permits } from '../../src/trust/permits.js';
import { advanceSigned, decisionSigned, requestSigned } from '../../src/trust/statements.js';
import { automation, directoryOf, person, type TestSigner } from '../support/signers.js';
import { specOf } from '../support/spec.js';

const ada = person('ada@example.com');
const grace = person('grace@example.com');
const rosa = person('rosa@example.com');
const operation = 'nhi/app/rotate/2';
const now = new Date('2030-01-01T10:00:00.000Z');
const policies = (name: string): Promise<Policy> =>
  policySource({
    path: join(packageRoot, 'test', 'support', 'policies', name),
    productionEnvironments: ['production'],
  }).current();

let folder: string;
let permits: Permits;
let declarations: Declarations;
let gates: Gates;
let decisions: Decisions;
let freezes: readonly Freeze[];
let directory: Directory;
let facts: Facts;
let policy: Policy;
/** What Temporal says of the run that asks. */
let ranAs: string | undefined;
let queue: string;
/** The workflow that asks; its process itself where none is said. */
let asking: string | undefined;
beforeEach(async () => {
  ranAs = asking = undefined;
  queue = 'tenure';
  folder = await mkdtemp(join(tmpdir(), 'tenure-authorize-'));
  permits = permitsIn(folder);
  declarations = declarationsIn(join(folder, 'declared'));
  gates = gatesIn(join(folder, 'gates'));
  decisions = decisionsIn(join(folder, 'decided'));
  freezes = [];
  directory = directoryOf(ada, grace, rosa);
  facts = noFacts;
  policy = await policies('one-approval');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function policyActivities(at = now): PolicyActivities {
  return createPolicyActivities({
    loadPolicy: async () => policy,
    loadDirectory: async () => directory,
    loadFreezes: async () => freezes,
    factsOf: async () => facts,
    permits,
    lookAtRun: async ({ workflowId }) => ({ type: ranAs ?? parseProcessId(workflowId)!.kind, taskQueue: queue }),
    declarations,
    gates,
    decisions,
    numbers: numbersIn(join(folder, 'numbers')),
    gateMs: 3_600_000,
    now: () => at,
  });
}

function credentialOf(version: string, differs: Partial<CredentialRecord> = {}): CredentialRecord {
  const { target, deliver } = specOf('app');
  const at = now.toISOString();
  return {
    version,
    target: target.name,
    principal: 'a',
    fingerprint: 'f',
    deliveries: deliver,
    createdAt: at,
    ...differs,
  };
}

/** Asks as a run of a workflow does. */
function asked(question: AuthorizeInput, runId = 'run-1', at = now): Promise<Decision> {
  const { authorize } = policyActivities(at);
  const env = new MockActivityEnvironment({
    workflowExecution: { workflowId: asking ?? question.input.operation, runId },
  });
  return env.run(authorize, question) as Promise<Decision>;
}

async function inputOf(differs: Partial<ChangeRequest> = {}, signer: TestSigner = ada): Promise<ProcessInput> {
  const request: ChangeRequest = { id: 'r-1', kind: 'rotate', requester: signer.name, ...differs };
  const signed = await requestSigned(request, 'app', signer, now);
  const spec = await onRecord(specOf('app'));
  return { kind: 'rotate', operation, epoch: 4, identity: 'app', request: signed, spec };
}

/** Permitted once, so that a request need not name it. */
async function onRecord(spec: IdentitySpec): Promise<IdentitySpec> {
  const by = { request: digestOf(spec), by: ada.name, how: 'permitted' } as const;
  await declarations.note({ v: 1, identity: 'app', ...by, spec, at: now.toISOString() });
  return spec;
}

const questionOf = (input: ProcessInput, gate?: GateState): AuthorizeInput => ({
  input,
  plan: planOf(input),
  ...(gate && { gate }),
});

/** The gate that a decision opens, with these decisions of people in it, as the workflow keeps them. */
async function gateOf(input: ProcessInput, decision: Decision, ...voters: TestSigner[]): Promise<GateState> {
  const gate: GateState = {
    planDigest: decision.planDigest,
    policyDigest: decision.policyDigest,
    evidenceDigest: decision.evidenceDigest!,
    round: 'round-1',
    run: 'run-1',
    number: 1,
    requester: decision.requester!.name,
    needed: decision.obligations.approvals,
    groups: decision.obligations.groups ?? [],
    stepUp: decision.obligations.stepUp ?? false,
    rules: decision.obligations.gates ?? [],
    openedAt: now.toISOString(),
    deadline: '2030-01-01T11:00:00.000Z',
    votes: [],
    refused: [],
    outcome: 'approved',
  };
  const votes: Vote[] = [];
  for (const voter of voters) {
    const weighed = await said(input, gate, voter);
    if (weighed.counts) votes.push(weighed.vote);
  }
  return { ...gate, votes };
}

/** Somebody decides at a gate, and the worker weighs it; whether the workflow counts it is another matter. */
async function said(
  input: ProcessInput,
  gate: GateState,
  voter: TestSigner,
  decision: 'approve' | 'deny' | 'withdraw' = 'approve',
  at = now,
  by: { workflowId: string; runId: string } = { workflowId: input.operation, runId: gate.run },
): Promise<Weighed> {
  const { weigh } = createTrustActivities({ loadDirectory: async () => directory, gates, now: () => at });
  const ballot: Ballot = { signed: await signedFor(gate, voter, decision, at, input.operation) };
  const env = new MockActivityEnvironment({ workflowExecution: by });
  return env.run(weigh, { ballot, gate, plan: planOf(input), input }) as Promise<Weighed>;
}

function signedFor(
  gate: GateState,
  voter: TestSigner,
  decision: 'approve' | 'deny' | 'withdraw' = 'approve',
  at = now,
  of = operation,
): ReturnType<typeof decisionSigned> {
  const { run, round, planDigest: plan, policyDigest: by, evidenceDigest: evidence, requester } = gate;
  const own = {
    operation: of,
    run,
    round,
    plan,
    policy: by,
    evidence,
    requester,
    decision,
    reason: '',
  } as const;
  return decisionSigned(own, voter, at);
}

test('where nothing is owed the run that asks is permitted, for this plan and these rights', async () => {
  policy = await policies('open');
  const input = await inputOf();
  const decision = await asked(questionOf(input));
  expect(decision).toMatchObject({ effect: 'allow', permitted: true, requester: { name: ada.name, key: ada.keyId } });
  expect(await permits.demand(operation, 'run-1')).toMatchObject({
    identity: 'app',
    request: 'r-1',
    requester: ada.name,
    plan: digestOf(planOf(input)),
    specs: [digestOf(input.spec)],
    kind: 'rotate',
    given: {},
  });
});

test.each<[string, { workflow?: string; type?: string; on?: string }, string]>([
  ['another workflow', { workflow: 'somebody' }, 'another process'],
  ['a workflow of another type', { type: 'mischief' }, 'is a workflow of type mischief'],
  ['a workflow whose code is run on another queue', { on: 'mischief' }, 'run on the queue mischief'],
])('%s is not permitted to do what a process of that name would be', async (_, { workflow, type, on }, why) => {
  policy = await policies('open');
  [asking, ranAs, queue] = [workflow, type, on ?? 'tenure'];
  await expect(asked(questionOf(await inputOf()))).rejects.toMatchObject({
    code: 'ApprovalRefused',
    message: expect.stringContaining(why),
  });
  await expect(permits.heldBy(operation)).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test('where people are owed nobody is permitted, and the decision says whom to ask and what it is bound to', async () => {
  facts = { ...noFacts, growth: ['select on table ledger'] };
  const decision = await asked(questionOf(await inputOf()));
  expect(decision).toMatchObject({
    effect: 'allow',
    permitted: false,
    obligations: { approvals: 1, gateMs: 3_600_000, gates: [{ id: 'one-approval' }] },
    evidenceDigest: digestOf(facts),
    facts,
  });
  await expect(permits.demand(operation, 'run-1')).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test('with the approval of somebody else the run is permitted', async () => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)), grace);
  expect(await asked(questionOf(input, gate))).toMatchObject({ permitted: true });
  expect(await permits.demand(operation, 'run-1')).toMatchObject({ plan: gate.planDigest });
  const [decided] = await decisions.of({ operation, run: 'run-1' });
  expect(decided).toMatchObject({ decision: { permitted: true }, votes: [{ approver: grace.name }], round: 'round-1' });
});

test('what the run is told of that is what its seal is compared with, each time that it passes its gate', async () => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)), grace);
  const run = { operation, run: 'run-1' };
  for (const at of [now, new Date(now.getTime() + 60_000)]) {
    const decision = JSON.parse(JSON.stringify(await asked(questionOf(input, gate), 'run-1', at))) as Decision;
    const tells = { decision, gate, outcome: 'succeeded' } as const;
    const known = await decisions.of(run);
    expect(isAsDecided(tells, known, await gates.of(run))).toBe(true);
    expect(isAsDecided({ ...tells, gate: { ...gate, votes: [] } }, known, await gates.of(run))).toBe(false);
  }
});

test('the approval of somebody on whose behalf an automation asks does not count, that of somebody else does', async () => {
  const robot = automation('automation/tenure', ada.name);
  directory = directoryOf(ada, grace, rosa, robot);
  const input = await inputOf({ onBehalfOf: grace.name }, robot);
  const open = await asked(questionOf(input));
  expect(await asked(questionOf(input, await gateOf(input, open, grace)))).toMatchObject({ permitted: false });
  expect(await asked(questionOf(input, await gateOf(input, open, rosa)))).toMatchObject({ permitted: true });
});

test('a scheduled rotation can be approved: a schedule is nobody, and bars nobody', async () => {
  const robot = automation('automation/tenure', ada.name);
  directory = directoryOf(ada, grace, robot);
  const scheduled = await inputOf({ onBehalfOf: 'schedule/monthly' }, robot);
  const gate = await gateOf(scheduled, await asked(questionOf(scheduled)), grace);
  expect(await asked(questionOf(scheduled, gate))).toMatchObject({ permitted: true });
});

test('hours later too, since a decision counts as of when it was signed', async () => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)), grace);
  const later = new Date(now.getTime() + 20 * 3_600_000);
  expect(await asked(questionOf(input, gate), 'run-1', later)).toMatchObject({ permitted: true });
});

const seconds = (after: number): Date => new Date(now.getTime() + after * 1_000);

describe('what the worker has verified itself holds, whatever the gate that is handed in says', () => {
  test('a denial that it leaves out', async () => {
    const input = await inputOf();
    const gate = await gateOf(input, await asked(questionOf(input)), grace);
    expect(await said(input, gate, rosa, 'deny')).toMatchObject({ counts: true });
    await expect(asked(questionOf(input, gate))).rejects.toMatchObject({
      code: 'ApprovalRefused',
      message: expect.stringContaining(rosa.name),
    });
    await expect(permits.heldBy(operation)).rejects.toMatchObject({ code: 'ApprovalRefused' });
  });

  test('but a denial that only another workflow has weighed, at a gate as it likes it, stops nothing', async () => {
    const input = await inputOf();
    const gate = await gateOf(input, await asked(questionOf(input)), grace);
    for (const by of [
      { workflowId: 'somebody', runId: gate.run },
      { workflowId: operation, runId: 'run-2' },
    ])
      expect(await said(input, gate, rosa, 'deny', now, by)).toMatchObject({ counts: true });
    expect(await asked(questionOf(input, gate))).toMatchObject({ permitted: true });
  });

  test('a denial, also in another round, until its signer approves', async () => {
    const input = await inputOf();
    const gate = await gateOf(input, await asked(questionOf(input)), grace);
    await said(input, gate, rosa, 'deny', seconds(1));
    await said(input, gate, rosa, 'approve', seconds(2));
    facts = { ...noFacts, there: ['app may delete'] };
    expect(await asked(questionOf(input, gate), 'run-1', seconds(3))).toMatchObject({ permitted: false });
  });

  test('an approval that was taken back, until its signer approves again', async () => {
    const input = await inputOf();
    const gate = await gateOf(input, await asked(questionOf(input)), grace);
    await said(input, gate, grace, 'withdraw', seconds(1));
    expect(await asked(questionOf(input, gate), 'run-1', seconds(2))).toMatchObject({ permitted: false });
    const again = await said(input, gate, grace, 'approve', seconds(3));
    const votes = again.counts ? [again.vote] : [];
    expect(await asked(questionOf(input, { ...gate, votes }), 'run-1', seconds(4))).toMatchObject({ permitted: true });
  });

  test('an approval that was signed after the time to decide, which begins when people are first asked', async () => {
    const input = await inputOf();
    const open = await asked(questionOf(input));
    const late = seconds(3_600 + 120);
    const gate = { ...(await gateOf(input, open)), deadline: '2031-01-01T00:00:00.000Z' };
    expect(open.deadline).toBe(seconds(3_600).toISOString());
    // The first note stays, so that what is shown is what is held to.
    expect(await asked(questionOf(input), 'run-1', seconds(1_800))).toMatchObject({ deadline: open.deadline });
    const weighed = await said(input, gate, grace, 'approve', late);
    const votes = weighed.counts ? [weighed.vote] : [];
    expect(votes).toHaveLength(1);
    expect(await asked(questionOf(input, { ...gate, votes }), 'run-1', late)).toMatchObject({ permitted: false });
  });

  const freeze = { from: '2030-01-01T00:00:00.000Z', to: '2030-01-02T00:00:00.000Z', reason: 'year end' };
  test('a freeze: nothing is permitted until it is over, and what was approved is then', async () => {
    const input = await inputOf();
    const gate = await gateOf(input, await asked(questionOf(input)), grace);
    freezes = [freeze];
    expect(await asked(questionOf(input, gate))).toMatchObject({
      permitted: false,
      frozen: { until: freeze.to, reason: 'year end' },
    });
    await expect(permits.heldBy(operation)).rejects.toMatchObject({ code: 'ApprovalRefused' });
    freezes = [];
    expect(await asked(questionOf(input, gate))).toMatchObject({ permitted: true });
  });

  test('a freeze that the identity declares itself', async () => {
    policy = await policies('open');
    const input = await inputOf();
    const spec = await onRecord({ ...input.spec, rotation: { ...input.spec.rotation, freeze: [freeze] } });
    expect(await asked(questionOf({ ...input, spec }))).toMatchObject({
      permitted: false,
      frozen: { until: freeze.to },
    });
  });
});

test('votes that a workflow makes up count for nothing, however many', async () => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)));
  const madeUp = ['grace@example.com', 'rosa@example.com'].map((approver): Vote => ({
    approver,
    decision: 'approve',
    planDigest: gate.planDigest,
    at: now.toISOString(),
    groups: ['security'],
    stepUp: true,
    key: 'made up',
    ballot: { signed: { statement: JSON.stringify({ approver }), signature: 'made up' } },
  }));
  const decision = await asked(questionOf(input, { ...gate, votes: madeUp }));
  expect(decision).toMatchObject({ permitted: false, obligations: { approvals: 1 } });
});

test('an approval whose key was removed meanwhile does not count any more', async () => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)), grace);
  directory = directoryOf(ada, rosa);
  expect(await asked(questionOf(input, gate))).toMatchObject({ permitted: false });
});

test('votes of the gate of another run do not count: a reset opens the gate again', async () => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)), grace);
  expect(await asked(questionOf(input, gate), 'run-2')).toMatchObject({ permitted: false });
});

test('a run that was reset after it had been permitted is refused', async () => {
  policy = await policies('open');
  const input = await inputOf();
  await asked(questionOf(input));
  await expect(asked(questionOf(input), 'run-2')).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test.each<[string, () => void | Promise<void>]>([
  ['the facts', () => void (facts = { ...noFacts, there: ['app may delete'] })],
  ['the policies', async () => void (policy = { ...policy, digest: `sha256:${'0'.repeat(64)}` })],
])('approvals do not count any more when %s have changed meanwhile', async (_, change) => {
  const input = await inputOf();
  const gate = await gateOf(input, await asked(questionOf(input)), grace);
  await change();
  const decision = await asked(questionOf(input, gate));
  expect(decision).toMatchObject({ effect: 'allow', permitted: false, obligations: { approvals: 1 } });
  expect([gate.policyDigest, gate.evidenceDigest]).not.toEqual([decision.policyDigest, decision.evidenceDigest]);
});

test('policies that were loosened meanwhile let nothing slip through that was not approved under them', async () => {
  const input = await inputOf();
  const strict = await asked(questionOf(input));
  policy = await policies('open');
  for (const gate of [await gateOf(input, strict), await gateOf(input, strict, grace)])
    expect(await asked(questionOf(input, gate))).toMatchObject({ permitted: false, obligations: { approvals: 0 } });
});

describe('the number of a process', () => {
  beforeEach(async () => {
    policy = await policies('open');
  });
  const asks = async (id: string, number: number | string, differs: Partial<ChangeRequest> = {}): Promise<Decision> => {
    const input = await inputOf({ id, ...differs });
    const { kind } = input.request as { kind: ProcessInput['kind'] };
    return asked(questionOf({ ...input, kind, operation: `nhi/app/${kind}/${number}` }));
  };

  test('that is lower than that of one which was permitted is refused before anything is touched, and may be beyond it', async () => {
    await asks('r-1', 5_000);
    const emergency = { kind: 'revoke', emergency: true } as const;
    await expect(asks('v-1', 7, emergency)).rejects.toMatchObject({
      code: 'Fenced',
      message: expect.stringContaining('process 5000 of app was permitted'),
    });
    await expect(permits.heldBy('nhi/app/revoke/7')).rejects.toMatchObject({ code: 'ApprovalRefused' });
    const last = await lastEpochPermitted(numbersIn(join(folder, 'numbers')), 'app');
    expect(await asks('v-1', processNumberAfter(last), emergency)).toMatchObject({ permitted: true });
    // An activity may be repeated.
    expect(await asks('v-1', processNumberAfter(last), emergency)).toMatchObject({ permitted: true });
    expect(await lastEpochPermitted(numbersIn(join(folder, 'numbers')), 'api')).toBe(0);
  });

  test.each(['2000000000', '9007199254740991', '9'.repeat(400)])(
    'that leaves no room for what follows is refused: %s',
    async (number) => {
      await expect(asks('r-1', number)).rejects.toMatchObject({ code: 'ApprovalRefused' });
    },
  );
});

test('a plan that is not what follows from the input is refused', async () => {
  const input = await inputOf();
  const shown = { ...planOf(input), graceMs: 1 };
  await expect(asked({ input, plan: shown })).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test('a request that nobody signed, or that is not what was signed, is refused', async () => {
  const input = await inputOf();
  const { signed: _signed, ...unsigned } = input.request;
  await expect(asked(questionOf({ ...input, request: unsigned }))).rejects.toMatchObject({ code: 'ApprovalRefused' });
  const changed = { ...input, request: { ...input.request, emergency: true } };
  await expect(asked(questionOf(changed))).rejects.toMatchObject({ code: 'ApprovalRefused' });
  const elsewhere = { ...input, identity: 'api' };
  await expect(asked(questionOf(elsewhere))).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test('a request that was kept for months permits nothing', async () => {
  policy = await policies('open');
  const later = new Date(now.getTime() + 46 * 86_400_000);
  await expect(asked(questionOf(await inputOf()), 'run-1', later)).rejects.toMatchObject({
    message: expect.stringContaining('too long ago'),
  });
});

test('who asked is looked up again: somebody who was taken out of the directory asks for nothing any more', async () => {
  const input = await inputOf();
  directory = directoryOf(grace);
  await expect(asked(questionOf(input))).rejects.toMatchObject({ code: 'ApprovalRefused' });
});

test('an approval in advance is used up by the run that it permits, and people are asked for the next', async () => {
  policy = await policies('in-advance');
  const own = { id: 'a-1', kinds: ['rotate'], identities: ['app'], reason: 'the move' };
  const advance = [await advanceSigned(own, 86_400_000, grace, now)];
  expect(await asked(questionOf(await inputOf({ advance })))).toMatchObject({
    permitted: true,
    inAdvance: {
      approvals: [{ id: 'a-1', approver: grace.name, groups: [], key: grace.key.id, stepUp: false }],
      spared: [{ id: 'somebody-else', approvals: 1 }],
      directory: digestOf(directory),
    },
  });
  const again = await inputOf({ id: 'r-2', advance });
  const third = { ...again, operation: 'nhi/app/rotate/3' };
  const people = await asked(questionOf(third));
  expect(people).toMatchObject({ permitted: false, obligations: { approvals: 1 } });
  expect(people).not.toHaveProperty('inAdvance');
  // The same run may ask again.
  expect(await asked(questionOf(await inputOf({ advance })))).toMatchObject({ permitted: true });
});

test.each([
  ['of whoever asks', ada, {}],
  ['for another kind', grace, { kinds: ['revoke'] }],
  ['for other identities', grace, { identities: ['api'] }],
])('an approval in advance %s does not count', async (_, signer, differs) => {
  policy = await policies('in-advance');
  const own = { id: 'a-1', kinds: ['rotate'], identities: ['app'], reason: 'the move', ...differs };
  const advance = [await advanceSigned(own, 86_400_000, signer, now)];
  const decision = await asked(questionOf(await inputOf({ advance })));
  expect(decision).toMatchObject({ permitted: false });
  expect(decision.inAdvance).toBeUndefined();
});

describe('what a request does not say comes from what this worker has on record', () => {
  const spec = specOf('app', { environment: 'production' });
  const amended = { ...spec, purpose: 'another one' };
  const other = specOf('app', { environment: 'test' });
  const later = (days: number): Date => new Date(now.getTime() + days * 86_400_000);

  beforeEach(async () => {
    policy = await policies('open');
  });

  /** Signs a request and lets the worker attest it, as an identity does. */
  async function signed(differs: Partial<ChangeRequest>, at = now): Promise<ChangeRequest> {
    const request: ChangeRequest = { id: 'r-1', kind: 'rotate', requester: ada.name, ...differs };
    const asks = await requestSigned(request, 'app', ada, at);
    const { attest } = createTrustActivities({ loadDirectory: async () => directory, declarations, now: () => at });
    await attest({ asked: asks, identity: 'app' });
    return asks;
  }

  /** Asks for a process, which begins with this. */
  async function begins(
    request: ChangeRequest,
    number: number,
    differs: Partial<ProcessInput> = {},
    at = now,
  ): Promise<Decision> {
    const { kind } = request as { kind: ProcessInput['kind'] };
    const id = `nhi/app/${kind}/${number}`;
    const { specBefore = spec } = differs;
    const last = facts.lastApproved?.operation;
    const input = {
      kind,
      operation: id,
      epoch: 2 * number,
      identity: 'app',
      request,
      spec,
      specBefore,
      ...(last !== undefined && { current: credentialOf(last) }),
      ...differs,
    };
    return asked(questionOf(input), 'run-1', at);
  }

  /** Provisioned with the first declared identity, which is sealed. */
  async function provisioned(): Promise<void> {
    const { specBefore: _none, ...first } = { specBefore: spec, spec };
    const request = await signed({ id: 'p-1', kind: 'provision', spec });
    await asked(
      questionOf({ kind: 'provision', operation: 'nhi/app/provision/1', epoch: 2, identity: 'app', request, ...first }),
    );
    sealed('nhi/app/provision/1');
  }

  function sealed(last: string): void {
    facts = { ...facts, lastApproved: { operation: last, at: now.toISOString(), scopeDigest: '' } };
  }

  const expectRefused = async (decision: Promise<Decision>, why: string): Promise<void> => {
    await expect(decision).rejects.toMatchObject({ code: 'ApprovalRefused', message: expect.stringContaining(why) });
  };

  test('a caught request brings about the identity as it was declared, and no other', async () => {
    await provisioned();
    const request = await signed({ id: 'r-2' });
    await expectRefused(begins(request, 2, { spec: other }), 'not what app was declared as');
    await expectRefused(begins(request, 2, { specBefore: other }), 'not what is on record');
    const { specBefore: _left, ...out } = { specBefore: undefined };
    const input = { kind: 'rotate', operation, epoch: 4, identity: 'app', request, spec, ...out } as const;
    await expectRefused(asked(questionOf(input)), 'not what is on record');
    expect(await begins(request, 2)).toMatchObject({ permitted: true });
  });

  test('what the request names is what comes about, and nothing else', async () => {
    await provisioned();
    const request = await signed({ id: 'r-2', spec: { ...spec, dataClass: 'regulated' } });
    await expectRefused(begins(request, 2), 'not what app was declared as');
    await expectRefused(begins(request, 2, { spec: request.spec!, specBefore: other }), 'not what is on record');
    expect(await begins(request, 2, { spec: request.spec! })).toMatchObject({ permitted: true });
  });

  test('one kind of process is not another', async () => {
    await provisioned();
    await expectRefused(begins(await signed({ id: 'r-2' }), 2, { kind: 'offboard' }), 'this is a offboard');
    await expectRefused(
      begins(await signed({ id: 'r-3', kind: 'revoke', emergency: true }), 2, { kind: 'offboard' }),
      'a revoke was asked for',
    );
  });

  /** Its turn has come, and policy is asked. */
  const amends = async (differs: Partial<ChangeRequest>, before = spec, at = now): Promise<AmendmentVerdict> => {
    const asked = await signed({ kind: 'amend', ...differs }, at);
    return policyActivities(at).amendment({ asked, identity: 'app', before });
  };

  test('an amendment counts once policy has let it pass', async () => {
    await provisioned();
    await signed({ id: 'a-1', kind: 'amend', spec: amended });
    await expectRefused(begins(await signed({ id: 'r-1' }), 2, { spec: amended }), 'not what app was declared as');
    expect(await amends({ id: 'a-2', spec: amended })).toEqual({ allowed: true, policies: ['everything'] });
    expect(await begins(await signed({ id: 'r-2' }), 2, { spec: amended })).toMatchObject({ permitted: true });
    sealed('nhi/app/rotate/2');
    expect(await begins(await signed({ id: 'r-3' }), 3, { spec: amended, specBefore: amended })).toMatchObject({
      permitted: true,
    });
  });

  test('an amendment is asked by somebody whose key holds, of what is on record, and of late', async () => {
    await provisioned();
    const asked = await signed({ id: 'a-1', kind: 'amend', spec: amended });
    const { amendment } = policyActivities();
    const forged = { ...asked, spec: { ...amended, purpose: 'forged' } };
    await expect(amendment({ asked: forged, identity: 'app', before: spec })).rejects.toThrow();
    await expect(
      amendment({ asked: { ...asked, requester: 'rosa@example.com' }, identity: 'app', before: spec }),
    ).rejects.toMatchObject({ code: 'ApprovalRefused' });
    const moved = { ...asked, spec: { ...other, purpose: 'x' } };
    const unrecorded = await requestSigned({ ...moved, id: 'a-3' }, 'app', ada, now);
    await expect(amendment({ asked: unrecorded, identity: 'app', before: other })).rejects.toMatchObject({
      message: expect.stringContaining('not what is on record'),
    });
    const late = policyActivities(later(60)).amendment({ asked, identity: 'app', before: spec });
    await expect(late).rejects.toMatchObject({ message: expect.stringContaining('too long ago') });
  });

  test('an amendment of what matters goes with a rotation, and so does one that people have to approve', async () => {
    await provisioned();
    const consumers = [{ name: 'x', notify: { command: ['/bin/true'] } }];
    expect(await amends({ id: 'a-1', spec: { ...spec, consumers } })).toEqual({
      allowed: false,
      policies: [],
      reason: 'goes with a rotation: spec.consumers.0',
    });
    policy = await policySource({ productionEnvironments: ['production'] }).current();
    const byRosa = { id: 'a-2', kind: 'amend', requester: rosa.name, spec: amended } as const;
    const stranger = await requestSigned(byRosa, 'app', rosa, now);
    expect(await policyActivities().amendment({ asked: stranger, identity: 'app', before: spec })).toEqual({
      allowed: false,
      policies: ['nothing-permits'],
      reason: expect.stringMatching(/^goes with a rotation: .*no policy lets rosa@example.com .* amend it/),
    });
    await expectRefused(begins(await signed({ id: 'r-2' }), 2, { spec: amended }), 'not what app was declared as');
    policy = await policies('amend-gated');
    expect(await amends({ id: 'a-3', spec: amended })).toEqual({
      allowed: false,
      policies: ['somebody-else'],
      reason: 'goes with a rotation: people have to approve it: somebody-else (Every amendment needs somebody else.)',
    });
  });

  test('an amendment of long ago counts for nothing', async () => {
    await provisioned();
    await amends({ id: 'a-2', spec: amended });
    const request = await signed({ id: 'r-3' }, later(60));
    await begins(request, 3, {}, later(60));
    sealed('nhi/app/rotate/3');
    const next = await signed({ id: 'r-4' }, later(60));
    await expectRefused(begins(next, 4, { spec: amended }, later(60)), 'not what app was declared as');
  });

  test('what was asked for and never permitted is not what it is; what was permitted and not completed may be', async () => {
    await provisioned();
    const asks = await signed({ id: 'r-2', spec: other }, later(1));
    await expectRefused(begins(await signed({ id: 'r-3' }), 3, { spec: other }), 'not what app was declared as');
    await begins(asks, 2, { spec: other }, later(1));
    const after = await signed({ id: 'r-4' }, later(1));
    expect(await begins(after, 4, { spec: other }, later(1))).toMatchObject({ permitted: true });
    sealed('nhi/app/rotate/4');
    const back = await signed({ id: 'r-5' }, later(1));
    await expectRefused(begins(back, 5, { specBefore: other }, later(1)), 'not what app was declared as');
  });

  test('a revocation reaches what was only begun; an emergency asks no record', async () => {
    await provisioned();
    await signed({ id: 'r-2', spec: other });
    expect(await begins(await signed({ id: 'v-1', kind: 'revoke' }), 3, { spec: other })).toMatchObject({
      permitted: true,
    });
    const unknown = specOf('app', { environment: 'nowhere' });
    await expectRefused(
      begins(await signed({ id: 'v-2', kind: 'revoke' }), 4, { spec: unknown }),
      'not what app was declared as',
    );
    const emergency = await signed({ id: 'v-3', kind: 'revoke', emergency: true });
    expect(await begins(emergency, 5, { spec: unknown })).toMatchObject({ permitted: true });
  });

  describe('the credential that goes is one that was permitted here', () => {
    beforeEach(provisioned);
    const version = 'nhi/app/provision/1';

    test.each<[string, Partial<ProcessInput>, string]>([
      ['none', { current: undefined as never }, 'is left out'],
      ['one of another identity', { current: credentialOf('nhi/api/rotate/4') }, 'is not one of app'],
      ['one of another identity, as left over', { previous: [credentialOf('nhi/api/rotate/4')] }, 'is not one of app'],
      ['one of which no permit is known', { current: credentialOf('nhi/app/rotate/4') }, 'is not the one that app has'],
      ['one at another target', { current: credentialOf(version, { target: 'other' }) }, 'is not where it was'],
      [
        'one at another place',
        { current: credentialOf(version, { deliveries: [{ store: 'local', path: 'elsewhere' }] }) },
        'is not where it was',
      ],
    ])('%s is refused', async (_, differs, why) => {
      await expectRefused(begins(await signed({ id: 'r-2' }), 2, differs), why);
    });

    test('and one that a rotation has made, which came no further', async () => {
      expect(await begins(await signed({ id: 'r-2' }, later(1)), 2, {}, later(1))).toMatchObject({ permitted: true });
      const current = credentialOf('nhi/app/rotate/2');
      const asks = await signed({ id: 'r-3' }, later(2));
      expect(await begins(asks, 3, { current, previous: [credentialOf(version)] }, later(2))).toMatchObject({
        permitted: true,
      });
      sealed('nhi/app/rotate/3');
      const again = await signed({ id: 'r-4' }, later(3));
      await expectRefused(begins(again, 4, { current }, later(3)), 'is not the one that app has');
    });

    test('an end and an emergency need none', async () => {
      const current = credentialOf('nhi/app/rotate/9');
      expect(await begins(await signed({ id: 'v-1', kind: 'revoke' }), 5, { current })).toMatchObject({
        permitted: true,
      });
      const other = { current: credentialOf('nhi/api/rotate/9') };
      await expectRefused(begins(await signed({ id: 'v-2', kind: 'revoke' }), 6, other), 'is not one of app');
      const now = await signed({ id: 'v-3', kind: 'revoke', emergency: true });
      expect(await begins(now, 7, other)).toMatchObject({ permitted: true });
    });
  });

  describe('labels of which a process says nothing count all the same', () => {
    beforeEach(async () => {
      await provisioned();
      policy = await policies('production-approval');
    });
    const asksForProduction = {
      permitted: false,
      obligations: { approvals: 1, gates: [{ id: 'production-approval' }] },
      before: { environment: 'production' },
    };

    test('of a first provision under a name that was in production', async () => {
      const request = await signed({ id: 'p-2', kind: 'provision', spec: other });
      const { specBefore: _none, ...first } = { specBefore: spec, spec: other };
      const input = { operation: 'nhi/app/provision/3', epoch: 6, identity: 'app', request, ...first } as const;
      expect(await asked(questionOf({ kind: 'provision', ...input }))).toMatchObject(asksForProduction);
    });

    test('of an end that names others, which somebody only asked for', async () => {
      await signed({ id: 'r-2', spec: other });
      const { specBefore: _none, ...differs } = { specBefore: spec, spec: other };
      const request = await signed({ id: 'v-1', kind: 'revoke' });
      const input = { operation: 'nhi/app/revoke/3', epoch: 6, identity: 'app', request, ...differs } as const;
      expect(await asked(questionOf({ kind: 'revoke', ...input }))).toMatchObject(asksForProduction);
    });

    test('of an end that says of before too what somebody only asked for', async () => {
      await signed({ id: 'r-2', spec: other });
      const request = await signed({ id: 'v-1', kind: 'revoke' });
      expect(await begins(request, 3, { spec: other, specBefore: other })).toMatchObject(asksForProduction);
    });

    test('and people approve the plan as it is', async () => {
      await signed({ id: 'r-2', spec: other });
      const { specBefore: _none, ...differs } = { specBefore: spec, spec: other };
      const request = await signed({ id: 'v-1', kind: 'revoke' });
      const input = { kind: 'revoke', operation, epoch: 6, identity: 'app', request, ...differs } as const;
      const named = { ...input, operation: 'nhi/app/revoke/2' };
      const open = await asked(questionOf(named));
      const gate = await gateOf(named, open, grace);
      expect(gate.votes).toHaveLength(1);
      expect(await asked(questionOf(named, gate))).toMatchObject({ permitted: true });
    });

    test('and a revocation makes nothing the last that was declared', async () => {
      policy = await policies('open');
      await signed({ id: 'r-2', spec: other });
      const revocation = await signed({ id: 'v-1', kind: 'revoke', spec: other });
      await begins(revocation, 3, { spec: other });
      expect((await declarations.of('app')).filter(({ how }) => how === 'permitted')).toHaveLength(1);
    });
  });

  describe('of what nothing is on record', () => {
    const { specBefore: _none, ...first } = { specBefore: spec, spec };
    const plainly = (request: ChangeRequest, kind: ProcessInput['kind'], number = 2): Promise<Decision> => {
      const own = { kind, operation: `nhi/app/${kind}/${number}`, epoch: 2 * number, identity: 'app' } as const;
      return asked(questionOf({ ...own, request, ...first }));
    };

    test('a request is taken that names it, whatever was before, and from then on it is on record', async () => {
      expect(await begins(await signed({ spec }), 2, { specBefore: other })).toMatchObject({ permitted: true });
      await expectRefused(begins(await signed({ id: 'r-2' }), 3, { spec: other }), 'not what app was declared as');
      declarations = declarationsIn(join(folder, 'declared'));
      await expectRefused(begins(await signed({ id: 'r-2' }), 3, { spec: other }), 'not what app was declared as');
      expect(await begins(await signed({ id: 'r-2' }), 3)).toMatchObject({ permitted: true });
    });

    test('a request that does not name it is refused and says what to do', async () => {
      await expectRefused(plainly(await signed({}), 'rotate'), 'tenure apply --rotate');
      await expectRefused(plainly(await signed({ kind: 'validate', repair: true }), 'validate'), 'apply --rotate');
      const elevation = { scope: { grants: [] }, forMs: 60_000, incident: 'INC-1' };
      await expectRefused(plainly(await signed({ kind: 'elevate', reason: 'x', elevation }), 'elevate'), 'apply');
      await expect(policyActivities().amendment(await amendmentOf(amended))).rejects.toMatchObject({
        message: expect.stringContaining('not what is on record'),
      });
    });

    test('an end is taken all the same, since it only takes away', async () => {
      expect(await plainly(await signed({ kind: 'revoke' }), 'revoke')).toMatchObject({ permitted: true });
    });
  });

  async function amendmentOf(amendedTo: IdentitySpec): Promise<Parameters<PolicyActivities['amendment']>[0]> {
    const request: ChangeRequest = { id: 'a-1', kind: 'amend', requester: ada.name, spec: amendedTo };
    return { asked: await requestSigned(request, 'app', ada, now), identity: 'app', before: spec };
  }
});
