/** Two workers at once on the same queues, killed in turns, and an emergency while no worker runs. */
import '../support/quiet.js';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identityId } from '../../src/domain/wire.js';
import { describeOn } from '../support/machine.js';
import type { Spoiler } from './faults.js';
import { prepareGround } from './ground.js';
import { judge, taskFailures } from './invariants.js';
import { Lane, workerProgram } from './lane.js';
import { logInSurely } from './login.js';
import { enduringTiming, Subject } from './subject.js';
import type { Meeting, Verdict } from './witness.js';

const identities = 6;
const rotations = 2;
/** So many edges are passed between two kills: a worker that were killed before it has done anything would prove nothing. */
const edgesToLive = 100;

/** Kills the worker that comes to every so-manieth edge. */
class Killer implements Spoiler {
  kills = 0;
  private met = 0;

  meet(_: Meeting, kill: () => void): Promise<Verdict> {
    this.met += 1;
    if (this.met % edgesToLive !== 0) return Promise.resolve('go');
    this.kills += 1;
    kill();
    return new Promise(() => undefined);
  }

  lift(): void {
    this.met = Number.NEGATIVE_INFINITY;
  }
}

const started = await prepareGround();
describeOn(started, 'workers as processes of their own', (ground) => {
  let program: string;

  beforeAll(async () => {
    program = await workerProgram(join(ground.folder, 'program'));
  }, 60_000);
  afterAll(() => ground.stop(), 60_000);

  test(
    'I2–I8: two at once do everything once, while now one and now the other is killed',
    { timeout: 600_000 },
    async () => {
      const lane = await Lane.outside(ground, 'crowd', program, 2);
      const subjects = Array.from({ length: identities }, () => new Subject(lane, { timing: enduringTiming }));
      const killer = new Killer();
      for (const subject of subjects) subject.fault = killer;
      try {
        const lives = await Promise.allSettled(subjects.map((subject) => liveThrough(subject)));
        expect(lives.filter(({ status }) => status === 'rejected')).toEqual([]);
        killer.lift();
        for (const subject of subjects) {
          const { recent } = await subject.stateWhen(({ running, queue }) => !running && queue.length === 0);
          expect(recent.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
            'provision succeeded',
            ...Array.from({ length: rotations }, () => 'rotate succeeded'),
          ]);
          expect(await judge(subject)).toEqual([]);
        }
        expect(killer.kills).toBeGreaterThan(3);
      } finally {
        await Promise.all(subjects.map((subject) => subject.close()));
        await lane.stop();
      }
    },
  );

  test('an emergency that is asked while no worker runs is done when one does', { timeout: 300_000 }, async () => {
    const before = await Lane.outside(ground, 'absent', program);
    const subject = new Subject(before, { timing: enduringTiming });
    let after: Lane | undefined;
    try {
      await subject.tell({ kind: 'provision' });
      await subject.stateWhen(({ running, current }) => !running && current !== undefined);
      const { material } = subject.materials()[0]!;
      await before.stop();
      subject.monitor.revocationIsAsked();
      // A backlog that stands in front of it.
      for (let count = 0; count < 5; count += 1) await subject.tell({ kind: 'rotate' });
      await subject.tell({ kind: 'revoke', emergency: true });
      expect(await logInSurely(material)).toBe('accepted');
      after = await Lane.outside(ground, 'absent', program);
      after.listen(subject.name, subject);
      const { recent } = await subject.stateWhen((state) => !state.running && state.recent.length === 7);
      expect(recent.slice(1).map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
        'revoke succeeded',
        ...Array.from({ length: 5 }, () => 'rotate refused'),
      ]);
      expect(await judge(subject)).toEqual([]);
    } finally {
      await subject.close();
      await after?.stop();
    }
  });

  test('I1: nothing of it holds a secret', { timeout: 60_000 }, async () => {
    expect((await ground.search()).findings).toEqual([]);
  });
});

async function liveThrough(subject: Subject): Promise<void> {
  for (const kind of ['provision', ...Array.from({ length: rotations }, () => 'rotate' as const)] as const) {
    const id = await subject.tell({ kind });
    try {
      await subject.stateWhen(({ recent }) => recent.some(({ requestId }) => requestId === id), 180_000);
    } catch (error) {
      const history = await subject.lane.client.workflow.getHandle(identityId(subject.name)).fetchHistory();
      const why = taskFailures(history).join('; ');
      throw new Error(`${subject.name}: ${(error as Error).message} ${why}`, { cause: error });
    }
  }
}
