import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEvidenceActivities, type EvidenceDependencies } from '../../activities/evidence.js';
import type { RecordActivities } from '../../activities/contract.js';
import type { Decision } from '../../src/domain/decision.js';
import type { ProcessRecord } from '../../src/domain/evidence.js';
import type { GateState, Vote } from '../../src/domain/process.js';
import type { ChangeRequest } from '../../src/domain/request.js';
import { digestOfText } from '../../src/evidence/attachments.js';
import {
  evidenceKeyFile,
  openEvidence,
  openEvidenceWriter,
  readRecord,
  type EvidenceConfig,
} from '../../src/evidence/open.js';
import { publishedIn } from '../../src/exceptions/published.js';
import { decisionsIn } from '../../src/trust/decided.js';
import { gatesIn } from '../../src/trust/gates.js';
import { requestSigned } from '../../src/trust/statements.js';
import { directoryOf, person } from '../support/signers.js';

type Sealing = Parameters<RecordActivities['seal']>[0];

const operation = 'nhi/app/rotate/2';
const ada = person('ada@example.com');

let folder: string;
let config: EvidenceConfig;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-evidence-'));
  config = { stateDirectory: folder, evidence: { name: 'tenure', log: { directory: join(folder, 'evidence') } } };
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

function sealing(
  differs: Partial<Sealing['result']> = {},
  request: Partial<ChangeRequest> = {},
  state: Partial<Sealing['state']> = {},
): Sealing {
  return {
    state: {
      operation,
      kind: 'rotate',
      identity: 'app',
      requester: ada.name,
      emergency: false,
      stages: [
        { name: 'plan', status: 'done' },
        { name: 'seal', status: 'running', startedAt: '2026-01-01T00:00:01.000Z' },
      ],
      forwardOnly: true,
      leftovers: [],
      ...state,
    },
    result: {
      kind: 'rotate',
      operation,
      outcome: 'succeeded',
      startedAt: '2026-01-01T00:00:00.000Z',
      endedAt: '2026-01-01T00:00:01.000Z',
      after: {},
      proofs: {},
      leftovers: [],
      ...differs,
    },
    request: { id: 'r', kind: 'rotate', requester: ada.name, ...request },
  };
}

async function seal(
  told = sealing(),
  differs: Partial<EvidenceDependencies> = {},
  runId = 'run-1',
  workflowId = operation,
): Promise<string> {
  const evidence = openEvidenceWriter(config);
  const log = pino({ level: 'silent' });
  const { seal: activity } = createEvidenceActivities({
    evidence,
    workflows: 'the code',
    published: publishedIn(folder),
    log,
    ...differs,
  });
  const quiet = { logger: new DefaultLogger('ERROR', () => {}) };
  const environment = new MockActivityEnvironment({ workflowExecution: { workflowId, runId } }, quiet);
  const { evidence: digest } = (await environment.run(activity, told)) as Awaited<ReturnType<typeof activity>>;
  return digest;
}

function voteOf(approver: string): Vote {
  const at = '2026-01-01T00:00:00.000Z';
  const ballot = { signed: { statement: '{}', signature: approver } };
  return { approver, decision: 'approve', planDigest: 'd', at, groups: [], stepUp: false, key: 'k', ballot };
}

function gateWith(votes: readonly Vote[]): GateState {
  return {
    planDigest: 'd',
    policyDigest: 'p',
    evidenceDigest: 'e',
    round: 'round-1',
    run: 'run-1',
    number: 1,
    requester: ada.name,
    needed: 1,
    groups: [],
    stepUp: false,
    rules: [],
    openedAt: '',
    deadline: '',
    votes,
    refused: [],
    outcome: 'approved',
  };
}

/** A server that gives this history, or fails. */
function clientWith(fetchHistory: () => Promise<unknown>): Client {
  return {
    connection: { withDeadline: (_: number, work: () => unknown) => work() },
    workflow: { getHandle: () => ({ fetchHistory }) },
  } as unknown as Client;
}

const record = async (): Promise<ProcessRecord> => (await openEvidence(config).byOperation(operation))!;

test('I12: the digest is the SHA-256 of the statement that is signed, which anyone can compute', async () => {
  const digest = await seal();
  const entry = await openEvidence(config).read(0);
  expect(digestOfText(Buffer.from(entry.envelope.payload, 'base64').toString())).toBe(digest);
  expect(await record()).toMatchObject({ v: 1, operation, identity: 'app', outcome: 'succeeded', run: 'run-1' });
  expect(await readRecord(join(folder, 'evidence'), operation)).toEqual(await record());
});

test('the same run gives the same record, whatever the order of its fields, and however the worker has changed', async () => {
  const told = sealing();
  const turned = JSON.parse(
    JSON.stringify({
      request: told.request,
      result: Object.fromEntries(Object.entries(told.result).toReversed()),
      state: told.state,
    }),
  ) as Sealing;
  const digest = await seal(told);
  expect(await seal(turned)).toBe(digest);
  expect(await seal(told, { workflows: 'other code' })).toBe(digest);
  expect(await openEvidence(config).size()).toBe(1);
});

test('a run that was sealed cannot be sealed with other words', async () => {
  await seal();
  await expect(seal(sealing({ outcome: 'undone' }))).rejects.toMatchObject({
    code: 'Conflict',
    message: expect.stringContaining('says something else'),
  });
});

test('a run that was reset has a record of its own, and the operation that of the last', async () => {
  await seal();
  await seal(sealing({ outcome: 'undone' }), {}, 'run-2');
  const reader = openEvidence(config);
  expect((await reader.runsOf(operation)).map(({ record: { run, outcome } }) => [run, outcome])).toEqual([
    ['run-1', 'succeeded'],
    ['run-2', 'undone'],
  ]);
  expect((await record()).run).toBe('run-2');
});

test('the stage that seals is not in it, since it has not ended', async () => {
  await seal();
  expect((await record()).stages).toEqual([{ name: 'plan', status: 'done' }]);
});

test('only its user may read the log and its key', async () => {
  await seal();
  const names = await readdir(folder, { recursive: true });
  for (const name of names) expect((await stat(join(folder, name))).mode & 0o077, name).toBe(0);
  expect(names).toContain('keys/evidence.pem');
});

test('a folder that cannot be written is an error that is tried again and says what to do', async () => {
  await writeFile(join(folder, 'evidence'), 'in the way');
  await expect(seal()).rejects.toMatchObject({
    code: 'StoreUnavailable',
    message: expect.stringContaining('make the folder'),
  });
});

test('a key that was lost is not replaced: the log would be another one', async () => {
  await seal();
  await rm(evidenceKeyFile(folder));
  await expect(seal(sealing(), {}, 'run-2')).rejects.toMatchObject({
    code: 'StoreUnavailable',
    message: expect.stringContaining('evidence.pem does not exist'),
  });
});

describe('the history', () => {
  const history = { events: [{ eventId: 1, workflowExecutionStartedEventAttributes: { workflowId: operation } }] };

  test('lies beside the record under its digest, as do the code and the directory', async () => {
    const directory = directoryOf(ada);
    await seal(sealing(), { client: clientWith(async () => history), directory: async () => directory });
    const { history: named, code, directory: known } = await record();
    const reader = openEvidence(config);
    expect(named).toMatchObject({ run: 'run-1', events: 1 });
    expect(JSON.parse((await reader.attachment('histories', named!.digest))!)).toMatchObject({
      events: [{ eventId: '1' }],
    });
    expect(await reader.attachment('bundles', code.workflows)).toBe('the code');
    expect(JSON.parse((await reader.attachment('directories', known!))!)).toEqual(directory);
  });

  test('that cannot be read keeps nothing from being sealed, and its absence is said', async () => {
    const said: unknown[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(JSON.parse(line)) });
    await seal(sealing(), { log, client: clientWith(() => Promise.reject(new Error('away'))) });
    expect(await record()).not.toHaveProperty('history');
    expect(said).toMatchObject([{ msg: 'sealed without its history, which could not be read', operation }]);
  });
});

describe('who signed', () => {
  test('is in the record as the directory has them, with the one key that signed', async () => {
    const other = person(ada.name);
    const { signed } = await requestSigned(sealing().request, 'app', ada);
    await seal(sealing({}, { signed }), { directory: async () => directoryOf(ada, other) });
    const { signers, requester } = await record();
    expect(signers).toEqual([{ ...ada.party, keys: [ada.key] }]);
    expect(requester).toMatchObject({ name: ada.name, key: ada.keyId });
  });

  test('is in the record also when the key was removed before the end', async () => {
    const { signed } = await requestSigned(sealing().request, 'app', ada);
    const earlier = { operation: 'nhi/app/rotate/1' };
    const known = { directory: async () => directoryOf(ada) };
    await seal(sealing(earlier, {}, earlier), known, 'before', earlier.operation);
    const requester = { ...(await attested()), at: new Date().toISOString() };
    await seal(
      { ...sealing({}, { signed }), requester },
      { directory: async () => directoryOf(person('grace@example.com')) },
    );
    expect((await record()).signers).toEqual([{ ...ada.party, keys: [ada.key] }]);
  });

  test('is nobody where nothing is signed', async () => {
    await seal(sealing(), { directory: async () => directoryOf(ada) });
    expect(await record()).toMatchObject({ signers: [] });
    expect(await record()).not.toHaveProperty('requester');
  });

  async function attested() {
    const { name, kind, groups } = ada.party;
    return {
      name,
      kind,
      groups,
      key: ada.keyId,
      presence: 'none' as const,
      at: '',
      statement: `sha256:${'0'.repeat(64)}`,
    };
  }
});

test('the permit that the worker has for this run is in the record, and for another run is not', async () => {
  const permitOf = async (_: string, run: string): Promise<unknown> => (run === 'run-1' ? { v: 1, run } : undefined);
  await seal(sealing(), { permitOf });
  expect((await record()).permit).toBe(digestOfText('{"run":"run-1","v":1}'));
  await seal(sealing(), { permitOf }, 'run-2');
  expect(await record()).not.toHaveProperty('permit');
});

test('a record that tells of an approval in advance which the permit did not use up is sealed without a permit', async () => {
  const permitOf = async (): Promise<unknown> => ({ v: 1, advance: ['a-1'] });
  const held = { id: 'a-1', approver: 'grace@example.com', groups: [], key: 'SHA256:grace', stepUp: false };
  const inAdvance = { approvals: [held], spared: [], directory: 'sha256:0' };
  const decision = { inAdvance } as unknown as Decision;
  await seal(sealing({}, {}, { decision }), { permitOf: async () => ({ v: 1, advance: [] }) });
  expect(await record()).not.toHaveProperty('permit');
  await seal(sealing({}, {}, { decision }), { permitOf }, 'run-2');
  expect(await record()).toHaveProperty('permit');
  // One may have run out between two attempts of one step: then people were asked.
  await seal(sealing(), { permitOf }, 'run-3');
  expect(await record()).toHaveProperty('permit');
});

test('a process seals what it did itself, and nothing in the name of another one', async () => {
  const { state } = sealing();
  const strange = [
    seal(sealing(), {}, 'run-1', 'nhi/app/rotate/3'),
    seal(sealing(), {}, 'run-1', 'mallory'),
    seal({ ...sealing(), state: { ...state, identity: 'api' } }),
    seal({ ...sealing(), state: { ...state, operation: 'nhi/app/rotate/3' } }),
  ];
  for (const sealed of strange) await expect(sealed).rejects.toMatchObject({ code: 'InvalidRequest' });
  expect(await openEvidence(config).size()).toBe(0);
});

describe('a run that was permitted', () => {
  const decision = {
    effect: 'allow',
    reasons: ['everything'],
    obligations: { approvals: 0, gateMs: 0 },
    at: '2026-01-01T00:00:00.000Z',
    policyDigest: 'p',
    planDigest: 'd',
    permitted: true,
  } as const;
  const run = { operation, run: 'run-1' };
  const told = (said: Partial<Decision>, approvers: readonly string[], outcome: 'succeeded' | 'undone' = 'succeeded') =>
    sealing({ outcome }, {}, { decision: { ...decision, ...said }, gate: gateWith(approvers.map(voteOf)) });

  async function permitAfter(said: Sealing, takenBackBy?: string): Promise<string | undefined> {
    const [decisions, gates] = [decisionsIn(join(folder, 'decided')), gatesIn(join(folder, 'gates'))];
    await decisions.note(run, { decision, votes: [voteOf('grace'), voteOf('rosa')], round: 'round-1' });
    if (takenBackBy !== undefined)
      await gates.say(run, { round: 'round-1', approver: takenBackBy, decision: 'withdraw', at: '2026-01-02' });
    await seal(said, { permitOf: async () => ({ v: 1 }), decisions, gates });
    return (await record()).permit;
  }

  test.each<[string, Sealing, string?]>([
    ['as it was', told({}, ['grace', 'rosa'])],
    ['with an approval that came later', told({}, ['rosa', 'grace', 'alan'])],
    ['without one that was taken back since', told({}, ['rosa']), 'grace'],
    ['as not permitted, where it came to nothing', told({ permitted: false }, [], 'undone')],
  ])('has its permit in the record where it tells of the decision %s', async (_, said, takenBackBy) => {
    expect(await permitAfter(said, takenBackBy)).toBeDefined();
  });

  test.each<[string, Sealing]>([
    ['that other policies decided', told({ reasons: ['others'] }, ['grace', 'rosa'])],
    ['of fewer who approved it', told({}, ['rosa'])],
    ['that it succeeded without being permitted', told({ permitted: false }, ['grace', 'rosa'])],
  ])('has none where it tells %s', async (_, said) => {
    expect(await permitAfter(said)).toBeUndefined();
  });
});
