/** What is published is proven anew, whatever a workflow brings: forged gates, approvals of another run, people who left. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createExceptionActivities } from '../../activities/exceptions.js';
import { exceptionId, type Examined, type ExceptionTerms } from '../../src/domain/exception.js';
import type { GateState, Vote } from '../../src/domain/process.js';
import { publishedIn } from '../../src/exceptions/published.js';
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

  test('asks for as many as the operator’s file says, whatever the gate says', async () => {
    around = { ...around, settings: { ...around.settings, approvals: 2 } };
    expect(await refused('run-1', await gateOf('run-1', [grace], { needed: 1 }))).toContain('not enough');
    expect(await publish('run-1', await gateOf('run-1', [grace, alan]))).toEqual({});
  });

  test('counts a person once, however often they are in it', async () => {
    around = { ...around, settings: { ...around.settings, approvals: 2 } };
    const gate = await gateOf('run-1', [grace]);
    expect(await refused('run-1', { ...gate, votes: [...gate.votes, ...gate.votes] })).toContain('not enough');
  });

  test('asks for the groups that the operator’s file says, and not those that a vote claims', async () => {
    around = { ...around, settings: { ...around.settings, groups: ['platform'] } };
    expect(await refused('run-1', await gateOf('run-1', [grace], { groups: [], escalatedTo: 'security' }))).toContain(
      'not enough',
    );
  });

  test('asks for a security key where the operator’s file does, whatever a vote claims', async () => {
    around = { ...around, settings: { ...around.settings, stepUp: true } };
    expect(await refused('run-1', await gateOf('run-1', [grace], { stepUp: false }))).toContain('not enough');
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

  test('opens the gate again where the operator’s rules have changed', async () => {
    const gate = await gateOf('run-1', [grace]);
    around = { ...around, settings: { ...around.settings, longest: around.settings.longest + 1 } };
    expect(await publish('run-1', gate)).toEqual({ reopened: expect.stringContaining('rules for exceptions') });
    expect(await isPublished()).toBe(false);
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
