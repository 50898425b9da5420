/** What is published is proven anew, whatever a workflow brings: forged gates, approvals of another run, people who left. */
import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createExceptionActivities } from '../../activities/exceptions.js';
import { exceptionId, type Examined, type ExceptionTerms } from '../../src/domain/exception.js';
import type { IdentitySpec } from '../../src/domain/identity.js';
import type { GateState, Vote } from '../../src/domain/process.js';
import { publishedIn } from '../../src/exceptions/published.js';
import { everything, gate, policyIn } from '../policy/folder.js';
import {
  ada,
  alan,
  aroundOf,
  asked,
  ballotOf,
  dependenciesOf,
  grace,
  olga,
  robot,
  termsOf,
  type Around,
} from '../support/exceptions.js';
import { directoryOf, person, type TestSigner } from '../support/signers.js';

let folder: string;
let around: Around;
let terms: ExceptionTerms;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-publish-'));
  around = aroundOf(folder);
  terms = await asked(termsOf());
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const activities = () => createExceptionActivities(dependenciesOf(around, folder));

/** A gate as the workflow of run `run` would have it. */
async function gateOf(
  run: string,
  signers: readonly TestSigner[],
  differs: Partial<GateState> = {},
): Promise<GateState> {
  const examined: Examined = await activities().examineException({ terms });
  const { planDigest, policyDigest, evidenceDigest, approvals, groups, stepUp } = examined;
  const gate: GateState = {
    planDigest,
    policyDigest,
    evidenceDigest,
    round: 'round',
    run,
    number: 1,
    requester: terms.by,
    needed: approvals,
    groups,
    stepUp,
    rules: [],
    openedAt: new Date(Date.now() - 1_000).toISOString(),
    deadline: new Date(Date.now() + 60_000).toISOString(),
    votes: [],
    refused: [],
    outcome: 'approved',
    ...differs,
  };
  const votes = await Promise.all(
    signers.map(async (signer): Promise<Vote> => {
      const ballot = await ballotOf(signer, exceptionId(terms.id), gate);
      const { iat } = JSON.parse(ballot.signed.statement) as { iat: string };
      return {
        approver: signer.name,
        decision: 'approve',
        planDigest,
        at: iat,
        groups: ['security'],
        stepUp: true,
        key: 'k',
        ballot,
      };
    }),
  );
  return { ...gate, votes };
}

async function publish(run: string, gate: GateState): Promise<object> {
  const environment = new MockActivityEnvironment({
    workflowExecution: { workflowId: exceptionId(terms.id), runId: run },
  });
  return (await environment.run(() => activities().publishException({ terms, gate }))) as object;
}

const isPublished = async (): Promise<boolean> => (await publishedIn(folder).read(terms.id)) !== undefined;

async function refused(run: string, gate: GateState): Promise<string> {
  const error = await publish(run, gate).then(
    () => new Error('it was published'),
    (thrown: unknown) => thrown as Error,
  );
  expect(await isPublished()).toBe(false);
  return error.message;
}

const asksMore = { reopened: 'policy asks for more people by now' };

/** These, and that everybody may ask. */
async function policies(...texts: readonly string[]): Promise<void> {
  around = { ...around, policy: await policyIn(everything, ...texts) };
}

function identityIs(differs: Partial<IdentitySpec>): void {
  const before = around.state;
  around = { ...around, state: (name) => ({ ...before(name), spec: { ...before(name).spec!, ...differs } }) };
}

describe('what is asked of policy', () => {
  const examine = () => activities().examineException({ terms });
  const forbid = (condition: string) =>
    policies(
      `@id("f")\n@message("Forbidden.")\nforbid(principal, action == Tenure::Action::"except", resource) when { ${condition} };`,
    );
  const denied = expect.objectContaining({ code: 'PolicyDenied' });

  test('comes before any control is run', async () => {
    const ran = join(folder, 'ran');
    around = { ...around, settings: { ...around.settings, commands: { yes: ['/usr/bin/touch', ran] } } };
    await forbid('true');
    await expect(examine()).rejects.toEqual(denied);
    await expect(access(ran)).rejects.toThrow();
    await policies();
    await examine();
    await access(ran);
  });

  test('says whether there is a freeze, of the operator’s or of its own', async () => {
    await forbid('context.frozen');
    await examine();
    const at = (ms: number) => new Date(Date.now() + ms).toISOString();
    const freeze = { from: at(-60_000), to: at(60_000), reason: 'a test' };
    around = { ...around, freezes: [freeze] };
    await expect(examine()).rejects.toEqual(denied);
    around = { ...around, freezes: [] };
    await examine();
    identityIs({ rotation: { ...around.state('x').spec!.rotation, freeze: [freeze] } });
    await expect(examine()).rejects.toEqual(denied);
  });

  test('says from what another exception excepts now, and not this one', async () => {
    await policies();
    await publish('run-1', await gateOf('run-1', []));
    await forbid('context.exceptions.contains("rotation-overdue")');
    await examine();
    terms = await asked(termsOf());
    await expect(examine()).rejects.toEqual(denied);
    terms = await asked(termsOf({ identity: 'another' }));
    await examine();
  });

  test('says for how long, reckoned from when it was asked for and not from when it is looked at', async () => {
    terms = await asked(termsOf({ until: new Date(Date.now() + 3_600_000).toISOString() }));
    await forbid('context.exception.lasts > duration("1h")');
    await examine();
    await forbid('context.exception.lasts < duration("59m")');
    const later = { ...dependenciesOf(around, folder), now: () => new Date(Date.now() + 1_800_000) };
    await createExceptionActivities(later).examineException({ terms, taken: true });
  });

  test('is about the identity as it is on record, and not as a workflow of its name says', async () => {
    const spec = around.state('payments-db').spec!;
    const declared = { ...spec, environment: 'production' };
    const noted = (how: 'asked' | 'permitted', one: IdentitySpec) =>
      ({ v: 1, identity: one.name, request: how, by: 'olga@example.com', how, spec: one, at: terms.until }) as const;
    around = { ...around, onRecord: { noted: [noted('permitted', declared), noted('asked', spec)] } };
    await expect(examine()).rejects.toThrow(/says it is something else than it was declared as/);
    identityIs({ environment: 'production' });
    expect((await examine()).groups).toContain('security');
  });

  test('says what a machine asks for too, and denies it', async () => {
    terms = await asked(termsOf({ by: robot.name }), robot);
    await expect(examine()).rejects.toThrow(/Services, agents and automations ask for no exception/);
  });
});

describe('publishing', () => {
  test('takes what was approved, in the run that it was approved in', async () => {
    expect(await publish('run-1', await gateOf('run-1', [grace]))).toEqual({});
    expect(await isPublished()).toBe(true);
  });

  test('takes no approval of another run: one that was reset has to be approved anew', async () => {
    expect(await refused('run-2', await gateOf('run-1', [grace]))).toContain('another run');
  });

  test('takes no approval that is made to look like one of this run', async () => {
    const gate = await gateOf('run-1', [grace]);
    expect(await refused('run-2', { ...gate, run: 'run-2' })).toContain('not enough');
  });

  test('asks for as many as policy says, whatever the gate says', async () => {
    await policies(gate('two', 'approvals: 2', 'context.approvals.count >= 2'));
    expect(await publish('run-1', await gateOf('run-1', [grace], { needed: 1 }))).toEqual(asksMore);
    expect(await refused('run-1', await gateOf('run-1', [grace]))).toContain('not enough');
    expect(await publish('run-1', await gateOf('run-1', [grace, alan]))).toEqual({});
  });

  test('counts a person once, however often they are in it', async () => {
    await policies(gate('two', 'approvals: 2', 'context.approvals.count >= 2'));
    const asked = await gateOf('run-1', [grace]);
    expect(await refused('run-1', { ...asked, votes: [...asked.votes, ...asked.votes] })).toContain('not enough');
  });

  test('asks for the groups that policy says, and not those that a vote claims', async () => {
    await policies(gate('some', 'groups: [platform]', 'context.approvals.groups.contains("platform")'));
    const forged = { groups: [], escalatedTo: 'security' };
    expect(await publish('run-1', await gateOf('run-1', [grace], forged))).toEqual(asksMore);
    const stretched = { groups: ['platform', 'security'], escalatedTo: 'security' };
    expect(await refused('run-1', await gateOf('run-1', [grace], stretched))).toContain('not enough');
  });

  test('asks for a security key where policy does, whatever a vote claims', async () => {
    await policies(gate('key', 'stepUp: true', 'context.approvals.stepUp >= 1'));
    expect(await publish('run-1', await gateOf('run-1', [grace], { stepUp: false }))).toEqual(asksMore);
    expect(await refused('run-1', await gateOf('run-1', [grace]))).toContain('not enough');
  });

  test('takes nothing where a gate asks for less than it needs to open', async () => {
    await policies(gate('mean', 'approvals: 1', 'context.approvals.count >= 2'));
    expect(await refused('run-1', await gateOf('run-1', [grace]))).toContain('mean stays shut');
  });

  test('takes nobody who owns the identity, whoever asks', async () => {
    await policies(gate('one', 'approvals: 1', 'context.approvals.count >= 1'));
    expect(await refused('run-1', await gateOf('run-1', [olga]))).toContain('not enough');
  });

  test('takes nobody who asked for it, no automation, and nobody who is not in the directory', async () => {
    const mallory = person('mallory@example.com');
    for (const signer of [ada, robot, mallory])
      expect(await refused('run-1', await gateOf('run-1', [signer]))).toContain('not enough');
  });

  test('takes nobody whose key was removed since', async () => {
    const gate = await gateOf('run-1', [grace]);
    around = { ...around, directory: directoryOf(ada, alan, olga, robot) };
    expect(await refused('run-1', gate)).toContain('not enough');
  });

  test('takes nothing from somebody who asked and whose key was removed since', async () => {
    const gate = await gateOf('run-1', [grace]);
    around = { ...around, directory: directoryOf(grace, alan, olga, robot) };
    expect(await refused('run-1', gate)).toContain('nobody’s in the directory');
  });

  test('keeps what policy asked for, and by which policies it passed', async () => {
    await publish('run-1', await gateOf('run-1', [grace]));
    const { examined, decision } = (await publishedIn(folder).read(terms.id))!;
    const { digest: policyDigest } = around.policy;
    expect(examined).toMatchObject({
      policyDigest,
      decision: { policyDigest, obligations: { gates: [{ id: 'exception-second-person' }] } },
      facts: { environment: 'test', owner: 'olga@example.com', declared: { kind: 'database-role' } },
    });
    expect(decision).toMatchObject({
      effect: 'allow',
      reasons: ['people-ask-for-exceptions'],
      policyDigest,
      planDigest: examined.planDigest,
      obligations: { approvals: 0 },
    });
  });

  test.each<[string, () => void | Promise<void>, RegExp]>([
    ['the policies have changed, also to ask for less', () => policies(''), /policies have changed/],
    ['the identity has moved to production', () => identityIs({ environment: 'production' }), /another than it was/],
    [
      'the identity has another owner',
      () => identityIs({ owner: { person: 'ada@example.com' } }),
      /another than it was/,
    ],
    [
      'a program that a control runs is another one',
      () => void (around = { ...around, settings: { ...around.settings, commands: { yes: ['/usr/bin/true'] } } }),
      /another than it was/,
    ],
  ])('opens the gate again where %s', async (_what, change, why) => {
    const before = await gateOf('run-1', [grace]);
    await change();
    expect(await publish('run-1', before)).toEqual({ reopened: expect.stringMatching(why) });
    expect(await isPublished()).toBe(false);
  });

  test('opens the gate again where the same policies ask for more by now', async () => {
    const stranger = '!(principal in Tenure::Group::"trusted")';
    await policies(
      gate('one', 'approvals: 1', 'context.approvals.count >= 1'),
      gate('two', 'approvals: 2', 'context.approvals.count >= 2', stranger),
    );
    around = {
      ...around,
      directory: directoryOf({ ...ada, party: { ...ada.party, groups: ['trusted'] } }, grace, alan, olga, robot),
    };
    const before = await gateOf('run-1', [grace]);
    expect(before.needed).toBe(1);
    around = { ...around, directory: directoryOf(ada, grace, alan, olga, robot) };
    expect(await publish('run-1', before)).toEqual(asksMore);
    expect(await isPublished()).toBe(false);
  });

  test('takes nothing that policy denies by now', async () => {
    const before = await gateOf('run-1', [grace]);
    await policies('@id("none")\n@message("None.")\nforbid(principal, action == Tenure::Action::"except", resource);');
    expect(await refused('run-1', before)).toContain('None.');
  });

  test('may be repeated by the run that did it', async () => {
    const gate = await gateOf('run-1', [grace]);
    expect([await publish('run-1', gate), await publish('run-1', gate)]).toEqual([{}, {}]);
  });
});

describe('what was never published', () => {
  test('can be tended, ended and enforced by nobody', async () => {
    const { tendException, endException, enforceException } = activities();
    for (const attempt of [tendException(terms.id), endException({ id: terms.id }), enforceException(terms.id)])
      await expect(attempt).rejects.toMatchObject({ code: 'ApprovalRefused' });
  });

  test('nothing is enforced before the end, and nothing ends before its time without a word', async () => {
    await publish('run-1', await gateOf('run-1', [grace]));
    await expect(activities().enforceException(terms.id)).rejects.toMatchObject({ code: 'Conflict' });
    await expect(activities().endException({ id: terms.id })).rejects.toMatchObject({ code: 'Conflict' });
    expect(around.asked).toEqual([]);
  });
});
