import { MockActivityEnvironment } from '@temporalio/testing';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConsumerActivities } from '../../activities/consumers.js';
import type { Consumer } from '../../src/domain/identity.js';
import type { Acknowledgement } from '../../src/domain/process.js';
import { openLocalStore } from '../../src/stores/local.js';
import { expectCode } from '../conformance/store.js';
import { handOver, newScene, version, type Scene } from '../consumers/scene.js';

const limits = { programs: ['/bin/sh'], folders: [], hosts: [] };
let scene: Scene;
beforeEach(async () => {
  scene = await newScene();
});
afterEach(async () => scene.close());

/** Consumers that leave a mark in the folder, so that who was told, and when, can be read there. */
function marks(name: string, after: string[] = [], exit = 0): Consumer {
  const script = `echo "${name}" >> "$0"; exit ${exit}`;
  return { name, notify: { command: ['/bin/sh', '-c', script, join(scene.folder, 'marks')] }, after };
}
const marked = async () => (await readFile(join(scene.folder, 'marks'), 'utf8').catch(() => '')).trim().split('\n');
const statuses = (answers: readonly { consumer: string; status: string }[]) =>
  Object.fromEntries(answers.map(({ consumer, status }) => [consumer, status]));

describe('a hand-over', () => {
  it('tells nobody where there is nobody', async () => {
    expect(await scene.tell([])).toEqual([]);
  });

  it('tells those that were declared, as they were declared, whatever its caller says of them', async () => {
    const declared = handOver([marks('api')]);
    const swapped = [{ ...marks('api'), notify: { command: ['/bin/sh', '-c', 'exit 1'] } }, marks('somebody')];
    const answers = await scene.activities.handOver({ ...declared, consumers: swapped });
    expect(statuses(answers)).toEqual({ api: 'acknowledged' });
    expect(await marked()).toEqual(['api']);
  });

  it('tells each consumer after those that it waits for, and answers in the order of the manifest', async () => {
    const answers = await scene.tell([marks('third', ['second']), marks('first'), marks('second', ['first'])]);
    expect(answers.map(({ consumer }) => consumer)).toEqual(['third', 'first', 'second']);
    expect(new Set(Object.values(statuses(answers)))).toEqual(new Set(['acknowledged']));
    expect(await marked()).toEqual(['first', 'second', 'third']);
  });

  it('tells independent consumers at the same time', async () => {
    const waits = (name: string, other: string): Consumer => ({
      name,
      // Each ends only when the other has begun.
      notify: {
        command: [
          '/bin/sh',
          '-c',
          `touch "$0/${name}"; while [ ! -e "$0/${other}" ]; do sleep 0.02; done`,
          scene.folder,
        ],
      },
      timeoutMs: 5_000,
    });
    expect(statuses(await scene.tell([waits('a', 'b'), waits('b', 'a')]))).toEqual({
      a: 'acknowledged',
      b: 'acknowledged',
    });
  });

  it('does not tell those whose prerequisite refused, says why, and goes on with the others', async () => {
    const answers = await scene.tell([
      marks('bad', [], 1),
      marks('next', ['bad']),
      marks('last', ['next']),
      marks('free'),
    ]);
    expect(statuses(answers)).toEqual({ bad: 'refused', next: 'refused', last: 'refused', free: 'acknowledged' });
    expect(answers[1]!.detail).toMatch(/not told, since it comes after bad/);
    expect((await marked()).toSorted()).toEqual(['bad', 'free']);
  });

  it('leaves what follows a pending consumer pending, and tells it once the pending one is not asked any more', async () => {
    const person: Consumer = { name: 'person', notify: { ack: 'manual' } };
    const answers = await scene.tell([person, marks('follower', ['person'])]);
    expect(statuses(answers)).toEqual({ person: 'pending', follower: 'pending' });
    expect(answers[0]!.detail).toContain('tenure ack payments-db person');
    expect(answers[1]!.detail).toMatch(/not told yet/);
    expect(await marked()).toEqual(['']);
    expect(statuses(await scene.tell([marks('follower', ['person'])]))).toEqual({ follower: 'acknowledged' });
  });

  it.each(['credential.withdrawn', 'credential.revoked'] as const)(
    'tells everybody of %s, whoever refuses',
    async (event) => {
      const answers = await scene.tell([marks('bad', [], 1), marks('next', ['bad'])], { event });
      expect(statuses(answers)).toEqual({ bad: 'refused', next: 'acknowledged' });
      expect(await marked()).toEqual(['bad', 'next']);
    },
  );

  it('refuses consumers that wait for each other, before anybody is told', async () => {
    const error = await expectCode('InvalidRequest', scene.tell([marks('free'), marks('a', ['b']), marks('b', ['a'])]));
    expect(error.message).toContain('a after b after a');
    expect(await marked()).toEqual(['']);
  });

  it('of an older epoch tells nobody, and that of an undo still counts as its own', async () => {
    await scene.store.raise('payments/db', { operation: version, epoch: 7 });
    await expectCode('Fenced', scene.tell([marks('a')]));
    expect(statuses(await scene.tell([marks('a')], { event: 'credential.withdrawn' }))).toEqual({ a: 'acknowledged' });
    await scene.store.raise('payments/db', { operation: 'nhi/payments-db/revoke/4', epoch: 8 });
    for (const event of ['credential.published', 'credential.withdrawn', 'credential.revoked'] as const) {
      await expectCode('Fenced', scene.tell([marks('b')], { event }));
    }
    expect(await marked()).toEqual(['a']);
  });

  it('waits for a store that is away, but tells of a revocation without it', async () => {
    const away = createConsumerActivities({
      stores: { get: () => openLocalStore('local', { directory: scene.folder, key: { env: 'TENURE_TEST_UNSET' } }) },
      log: { info() {}, warn() {} } as never,
      ...limits,
    });
    await expectCode('StoreUnavailable', away.handOver(handOver([marks('a')])));
    const answers = await away.handOver(handOver([marks('a')], { event: 'credential.revoked' }));
    expect(statuses(answers)).toEqual({ a: 'acknowledged' });
  });

  it('does only what the operator allows, whatever was declared, and says what would allow it', async () => {
    const strict = createConsumerActivities({
      stores: { get: () => scene.store },
      log: { info() {}, warn() {} } as never,
      signingKey: { env: 'TENURE_TEST_SIGNING_KEY' },
      programs: [],
      folders: [],
      hosts: ['consumer.example'],
    });
    const path = join(scene.folder, 'out.json');
    const answers = await strict.handOver(
      handOver([
        marks('a'),
        { name: 'b', notify: { file: { path, format: 'json' } } },
        { name: 'c', notify: { webhook: 'http://127.0.0.1:9/' } },
      ]),
    );
    expect(answers.map(({ status, detail }) => [status, detail])).toEqual([
      ['refused', expect.stringContaining('may not run /bin/sh: an operator allows it with consumers.programs')],
      ['refused', expect.stringContaining(`may not write in ${scene.folder}`)],
      ['refused', expect.stringContaining('may not call 127.0.0.1:9: an operator allows it with consumers.hosts')],
    ]);
    expect(await marked()).toEqual(['']);
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses webhooks while nothing signs them', async () => {
    const unsigned = createConsumerActivities({
      stores: { get: () => scene.store },
      log: { info() {}, warn() {} } as never,
      ...limits,
    });
    const [answer] = await unsigned.handOver(handOver([{ name: 'w', notify: { webhook: 'http://127.0.0.1:9/' } }]));
    expect(answer).toMatchObject({ status: 'refused', detail: expect.stringContaining('consumers.signingKey') });
  });
});

describe('a hand-over inside an activity', () => {
  it('ends what it runs when it is cancelled, and is cancelled', async () => {
    const env = new MockActivityEnvironment({ startToCloseTimeoutMs: 60_000 });
    const file = join(scene.folder, 'survived');
    const slow: Consumer = { name: 'slow', notify: { command: ['/bin/sh', '-c', 'sleep 3; touch "$0"', file] } };
    const running = env.run(scene.activities.handOver, handOver([slow]));
    setTimeout(() => env.cancel(), 200);
    await expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
    await new Promise((resolve) => setTimeout(resolve, 3_200));
    await expect(access(file)).rejects.toThrow('ENOENT');
  });

  it('answers for all before the activity’s own time is over', async () => {
    const env = new MockActivityEnvironment({ startToCloseTimeoutMs: 1_600 });
    const slow: Consumer = { name: 'slow', notify: { command: ['/bin/sleep', '30'] }, timeoutMs: 60_000 };
    const startedAt = performance.now();
    const running: Promise<unknown> = env.run(scene.activities.handOver, handOver([slow, marks('quick')]));
    const answers = (await running) as readonly Acknowledgement[];
    expect(statuses(answers)).toEqual({ slow: 'refused', quick: 'acknowledged' });
    expect(performance.now() - startedAt).toBeLessThan(1_600);
  });
});
