import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Change, CredentialActivities } from '../../activities/contract.js';
import { createCredentialActivities } from '../../activities/credentials.js';
import type { CredentialRecord, DrainProof } from '../../src/domain/credential.js';
import { TenureError } from '../../src/domain/errors.js';
import { undoEpoch } from '../../src/domain/epoch.js';
import type { IdentitySpec } from '../../src/domain/identity.js';
import { processId } from '../../src/domain/wire.js';
import { createLocalStoreKey, openLocalStore } from '../../src/stores/local.js';
import type { Store } from '../../src/stores/store.js';
import { specOf } from '../support/spec.js';
import { FakeTarget } from '../support/fake-target.js';
import { Faults } from '../support/faults.js';
import { faultyStore } from '../support/faulty-store.js';

const name = 'app';
const two: IdentitySpec['deliver'] = [
  { store: 'local', path: 'app' },
  { store: 'local', path: 'app-copy' },
];

let folder: string;
let store: Store;
let faults: Faults;
let db: FakeTarget;
let db2: FakeTarget;
let act: CredentialActivities;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenure-credentials-'));
  await createLocalStoreKey(join(folder, 'key'));
  faults = new Faults();
  store = faultyStore(
    openLocalStore('local', { directory: join(folder, 'store'), key: { file: join(folder, 'key') } }),
    faults,
  );
  db = new FakeTarget('db');
  db2 = new FakeTarget('db-2');
  act = createCredentialActivities({ target: (wanted) => (wanted === 'db' ? db : db2), store: () => store });
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

/** The change of process number `number`. A test says only what differs. */
function changeOf(number: number, differs: Partial<Change> = {}): Change {
  return {
    identity: name,
    operation: processId(name, 'rotate', number),
    epoch: number * 2,
    spec: specOf(name),
    ...differs,
  };
}

/** A credential that is current, made by process number `number`. */
async function current(number: number, differs: Partial<Change> = {}): Promise<CredentialRecord> {
  const change = changeOf(number, differs);
  const to = await act.stage(change);
  await act.install({ ...change, to });
  await act.publish({ ...change, to });
  return to;
}

async function versions(path = name): Promise<Record<string, string>> {
  const { slots } = await store.describe(path);
  return Object.fromEntries(Object.entries(slots).map(([slot, { version }]) => [slot, version]));
}

async function passwordAt(path: string, version: string): Promise<string> {
  return (await store.read(path, { version })).material['password']!;
}

describe('the candidate', () => {
  test('I2: is the same at every attempt, in every delivery, and is durable before the target hears of it', async () => {
    const change = changeOf(1, { spec: specOf(name, { deliver: two }) });
    faults.set('stage app-copy', { when: 'after', times: 1 });
    await expect(act.stage(change)).rejects.toThrow(TenureError);
    const first = await act.stage(change);
    expect(await act.stage(change)).toEqual(first);
    expect(db.calls.filter((call) => call.startsWith('mint'))).toHaveLength(1);
    expect(await passwordAt('app', change.operation)).toBe(await passwordAt('app-copy', change.operation));
    expect(db.logins.size).toBe(0);
  });

  test('I1: leaves as a reference that holds nothing secret, like every other result', async () => {
    const change = changeOf(1);
    const to = await act.stage(change);
    const results: unknown[] = [to, await act.install({ ...change, to }), await act.verify({ ...change, to })];
    await act.publish({ ...change, to });
    const end = { ...changeOf(2, { from: to }), reach: 'everything' as const };
    results.push(await act.retire(end), await act.refuse(end), await act.inspect(changeOf(2, { from: to })));
    const password = await passwordAt(name, change.operation);
    expect(password).toMatch(/^made-\d+$/);
    expect(JSON.stringify(results)).not.toContain(password);
  });
});

describe('the fence', () => {
  test.for(['stage', 'discard', 'publish', 'withdraw', 'install', 'uninstall', 'retire', 'purge', 'remove'] as const)(
    'I7: %s of an older epoch changes nothing',
    async (method) => {
      const to = await current(1);
      const newer = { ...changeOf(9, { from: to }), reach: 'everything' as const };
      await act.retire(newer);
      const [logins, slots] = [new Map(db.logins), await versions()];
      const late = { ...changeOf(2, { from: to, to }), reach: 'these' as const };
      await expect(act[method](late)).rejects.toMatchObject({ code: 'Fenced' });
      expect(db.logins).toEqual(logins);
      expect(await versions()).toEqual(slots);
    },
  );

  test('I7: a late attempt of a step cannot land after its own undo', async () => {
    const from = await current(1);
    const change = changeOf(2, { from });
    const to = await act.stage(change);
    const undoing = { ...change, to, epoch: undoEpoch(change.epoch) };
    await act.uninstall(undoing);
    await act.discard(undoing);
    await expect(act.install({ ...change, to })).rejects.toThrow();
    await expect(act.stage(change)).rejects.toMatchObject({ code: 'Fenced' });
    expect(await versions()).toEqual({ current: from.version });
  });
});

describe('undoing', () => {
  test('I4: is harmless when the step never happened', async () => {
    const from = await current(1);
    const undoing = changeOf(2, { from, epoch: 5 });
    await act.withdraw(undoing);
    await act.uninstall(undoing);
    await act.discard(undoing);
    expect(await versions()).toEqual({ current: from.version });
    expect([...db.logins.keys()]).toEqual(['app_a']);
  });

  test('I3: of an in-place install makes the target accept the earlier secret again', async () => {
    const spec = specOf(name, { rotation: { strategy: 'in-place' } });
    const from = await current(1, { spec });
    const old = db.logins.get('app_a');
    const change = changeOf(2, { spec, from });
    const to = await act.stage(change);
    await act.install({ ...change, to });
    expect(db.logins.get('app_a')).not.toBe(old);
    await act.uninstall({ ...change, to, epoch: 5 });
    expect(db.logins.get('app_a')).toBe(old);
  });

  test('of a publish that reached one of two deliveries brings both back', async () => {
    const spec = specOf(name, { deliver: two });
    const from = await current(1, { spec });
    const change = changeOf(2, { spec, from });
    const to = await act.stage(change);
    faults.set('publish app-copy', { when: 'before', times: 1 });
    await expect(act.publish({ ...change, to })).rejects.toThrow();
    await act.withdraw({ ...change, to, epoch: 5 });
    await act.discard({ ...change, to, epoch: 5 });
    expect(await versions('app')).toEqual({ current: from.version });
    expect(await versions('app-copy')).toEqual({ current: from.version });
  });
});

describe('verify', () => {
  test.for([
    ['more', 'excess', { excess: ['delete on ledger'] }],
    ['less', 'missing', { missing: ['select on ledger'] }],
  ] as const)('refuses rights that are %s than approved', async ([word, , difference]) => {
    const change = changeOf(1);
    const to = await act.stage(change);
    await act.install({ ...change, to });
    const verify = db.verify.bind(db);
    db.verify = async (...args) => ({ ...(await verify(...args)), ...difference });
    await expect(act.verify({ ...change, to })).rejects.toMatchObject({
      code: 'VerificationFailed',
      message: expect.stringContaining(`${word} than approved`),
    });
  });
});

describe('ending credentials', () => {
  test('a store that is down does not hold up the revocation at the target', async () => {
    const from = await current(1);
    faults.set('raise app', { when: 'before', times: 1, error: new TenureError('StoreUnavailable', 'down') });
    await expect(act.retire({ ...changeOf(2, { from }), reach: 'everything' })).rejects.toMatchObject({
      code: 'StoreUnavailable',
    });
    expect(db.logins.size).toBe(0);
  });

  test('I4: reaches the target and the deliveries that the identity has moved away from', async () => {
    const from = await current(1);
    const spec = specOf(name, {
      target: { name: 'db-2', scope: {} },
      deliver: [{ store: 'local', path: 'new-place' }],
    });
    const end = { ...changeOf(2, { spec, from }), reach: 'everything' as const };
    await act.retire(end);
    expect(db.logins.size).toBe(0);
    expect(await act.refuse(end)).toMatchObject([{ principal: 'app_a' }]);
    await act.purge(end);
    expect(await versions()).toEqual({});
  });

  test.for(['these', 'everything'] as const)(
    'I4: with reach %s also ends what an unfinished process has left at another target',
    async (reach) => {
      const previous = await current(1);
      const spec = specOf(name, { target: { name: 'db-2', scope: {} } });
      const from = await current(2, { spec, from: previous });
      const change = changeOf(3, { spec, from, previous: [previous] });
      const to = reach === 'these' ? await current(3, { spec, from, previous: [previous] }) : undefined;
      const end = { ...change, ...(to && { to }), reach };
      await act.retire(end);
      expect(db.logins.size).toBe(0);
      expect([...db2.logins.keys()]).toEqual(to ? [to.principal] : []);
      const proofs = await act.refuse(end);
      expect(proofs.map(({ principal }) => principal)).toContain(from.principal);
      await act.purge(end);
      expect(Object.values(await versions())).toEqual(to ? [to.version] : []);
    },
  );

  test('I5: says so when the old credential is still let in', async () => {
    const from = await current(1);
    const to = await current(2, { from });
    await expect(act.refuse({ ...changeOf(2, { from, to }), reach: 'these' })).rejects.toMatchObject({
      code: 'StillAccepted',
    });
  });

  test('I5: gives no proof when the material that had to be tried is gone', async () => {
    const from = await current(1);
    const to = await current(2, { from });
    await store.purge(name, { operation: 'nhi/app/purge/9', epoch: 4 }, [from.version]);
    await expect(act.refuse({ ...changeOf(2, { from, to }), reach: 'these' })).rejects.toMatchObject({
      code: 'Conflict',
    });
  });

  test('I3: what another identity keeps at a path that was left is neither destroyed nor fenced nor tried', async () => {
    const from = await current(1);
    const spec = specOf(name, { deliver: [{ store: 'local', path: 'new-place' }] });
    const to = await current(2, { spec, from });
    await store.clear(name, { operation: from.version, epoch: 2 });
    const theirs = { operation: processId('other', 'provision', 1), epoch: 2 };
    await store.stage(name, theirs, () => Promise.resolve({ username: 'other_a', password: 'made-by-other' }));
    await store.publish(name, theirs);
    const end = { ...changeOf(9, { spec, from: to }), previous: [from], reach: 'everything' as const };
    await act.retire(end);
    expect((await act.refuse(end)).map(({ principal }) => principal)).not.toContain('other_a');
    await act.purge(end);
    expect(await versions()).toEqual({ current: theirs.operation });
    expect((await store.describe(name)).epoch).toBe(2);
  });

  test('I4: nothing of the identity stays at a target that it has moved away from', async () => {
    const from = await current(1);
    const spec = specOf(name, { target: { name: 'db-2', scope: {} } });
    const to = await current(2, { spec, from });
    await act.purge({ ...changeOf(2, { spec, from, to }), reach: 'these' });
    expect(db.calls).toContain('remove app');
    expect(db2.calls).not.toContain('remove app');
  });

  test('I5: a rotation is refused before anything is touched when the store has lost what would have to be tried', async () => {
    const from = await current(1);
    await store.purge(name, { operation: from.version, epoch: 2 }, [from.version]);
    await expect(act.stage(changeOf(2, { from }))).rejects.toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining('--reinstate') as string,
    });
    expect(await versions()).toEqual({});
  });

  test('I3: nothing is changed while the store calls another credential current than the state, as after a termination by hand', async () => {
    const from = await current(1);
    const to = await current(2, { from });
    const before = new Map(db.logins);
    const refused = { code: 'InvalidRequest', message: expect.stringContaining(to.version) as string };
    await expect(act.stage(changeOf(3, { from }))).rejects.toMatchObject(refused);
    await expect(act.repair(changeOf(3, { from }))).rejects.toMatchObject(refused);
    expect(db.logins).toEqual(before);
    expect(await versions()).toEqual({ current: to.version, previous: from.version });
  });

  test('remove says for every delivery that it holds nothing', async () => {
    const spec = specOf(name, { deliver: two });
    const from = await current(1, { spec });
    const sentences = await act.remove(changeOf(2, { spec, from }));
    expect(sentences).toEqual([
      'no login of app is left',
      'local:app holds no credential',
      'local:app-copy holds no credential',
    ]);
  });

  test('I7: a later life starts above the epoch that the fence has kept', async () => {
    const from = await current(4);
    await act.remove(changeOf(5, { from }));
    expect(await act.lastEpoch(specOf(name))).toBe(10);
  });
});

describe('inspect', () => {
  test('names a store that holds another credential than the state', async () => {
    const from = await current(1);
    expect(await act.inspect(changeOf(2, { from }))).toEqual([]);
    await current(2, { from });
    expect(await act.inspect(changeOf(3, { from }))).toMatchObject([
      { what: 'object', detail: expect.stringContaining('local:app holds version') },
    ]);
  });
});

describe('drain', () => {
  const minute = 60_000;
  const watching = (from: CredentialRecord, to: CredentialRecord, startedAgoMs: number, graceMs: number) => ({
    ...changeOf(2, { from, to }),
    startedAt: new Date(Date.now() - startedAgoMs).toISOString(),
    deadline: new Date(Date.now() - startedAgoMs + graceMs).toISOString(),
  });
  const run = (input: Parameters<CredentialActivities['drain']>[0], heartbeatDetails?: unknown): Promise<DrainProof> =>
    new MockActivityEnvironment({ heartbeatDetails }).run(act.drain, input);

  test('looks again while it is in use, and remembers when it was last seen', async () => {
    const from = await current(1);
    const to = await current(2, { from });
    db.sessions.set('app_a', 2);
    const environment = new MockActivityEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details) => beats.push(details));
    await expect(environment.run(act.drain, watching(from, to, 0, minute))).rejects.toMatchObject({
      type: 'StillInUse',
      nonRetryable: false,
      nextRetryDelay: expect.any(Number),
    });
    expect(beats).toEqual([{ lastUse: expect.any(Number) }]);
  });

  test('one empty look soon after a session proves nothing; half of the grace has to be quiet', async () => {
    const from = await current(1);
    const to = await current(2, { from });
    const input = watching(from, to, 40_000, minute);
    await expect(run(input, { lastUse: Date.now() - 1_000 })).rejects.toMatchObject({ type: 'StillInUse' });
    expect(await run(input, { lastUse: Date.now() - 31_000 })).toMatchObject({ drained: true, sessions: 0 });
  });

  test('at the end of the grace tells what it saw', async () => {
    const from = await current(1);
    const to = await current(2, { from });
    db.sessions.set('app_a', 1);
    expect(await run(watching(from, to, minute, minute))).toMatchObject({
      drained: false,
      sessions: 1,
      who: ['someone'],
    });
  });

  test('waits for the old login at another target, also where the new one has the same name', async () => {
    const from = await current(1);
    const spec = specOf(name, { target: { name: 'db-2', scope: {} } });
    const to = await current(2, { spec, from });
    expect(to.principal).toBe(from.principal);
    db.sessions.set(from.principal, 1);
    const startedAt = new Date().toISOString();
    const watched = new MockActivityEnvironment().run(act.drain, {
      ...changeOf(2, { spec, from, to }),
      startedAt,
      deadline: startedAt,
    });
    await expect(watched).resolves.toMatchObject({ drained: false, sessions: 1 });
  });

  test('of a login that was replaced in place has nobody to wait for', async () => {
    const from = await current(1);
    expect(await run(watching(from, from, 0, minute))).toMatchObject({ drained: true, waitedMs: 0 });
  });
});

test('thousands of differences are recorded as the first of them and a number, and so is what was put right', async () => {
  const drift = Array.from({ length: 5_000 }, (_, n) => ({
    what: 'right' as const,
    problem: 'excess' as const,
    detail: `app may delete from table ${n} ${'x'.repeat(5_000)}`,
  }));
  db.drift = drift;
  const found = await act.inspect(changeOf(1));
  expect(found).toHaveLength(51);
  expect(found.at(-1)!.detail).toBe('and 4950 more');
  expect(JSON.stringify(found).length).toBeLessThan(40_000);
  const repaired = await act.repair(changeOf(1));
  expect(repaired).toHaveLength(51);
  expect(JSON.stringify(repaired).length).toBeLessThan(40_000);

  await act.stage(changeOf(2));
  db.excess = drift.map(({ detail }) => detail);
  const to = await act.stage(changeOf(2));
  await act.install(changeOf(2, { to }));
  await expect(act.verify(changeOf(2, { to }))).rejects.toThrow(/table 9 .*and 4990 more$/);
});
