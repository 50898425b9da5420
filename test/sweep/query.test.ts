/** Whoever looks while a worker is dead must not change what follows. */
import '../support/quiet.js';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { IdentityState } from '../../src/domain/identity.js';
import { describeOn } from '../support/machine.js';
import type { Spoiler } from './faults.js';
import { prepareGround } from './ground.js';
import { judge } from './invariants.js';
import { Lane, workerProgram } from './lane.js';
import { enduringTiming, Subject } from './subject.js';
import type { Meeting, Verdict } from './witness.js';

/** For so long the server keeps a task, and a query too, for the worker that has the workflow at hand: that is in `src/worker.ts`. */
const keptMs = 3_000;

/** Kills the worker at the last step of a rotation, and looks at the identity just before that step is done by the next one. */
class LookAtEnd implements Spoiler {
  readonly looked: Promise<IdentityState>;
  private isArmed = true;
  private look!: () => void;

  constructor(subject: Subject) {
    this.looked = new Promise<void>((resolve) => (this.look = resolve)).then(() => subject.state());
  }

  meet({ step, edge, operation }: Meeting, kill: () => void): Promise<Verdict> {
    if (step !== 'seal' || !operation.includes('rotate')) return Promise.resolve('go');
    if (this.isArmed) {
      this.isArmed = false;
      kill();
      return new Promise(() => undefined);
    }
    // The rotation's own worker is dead as well: its next task, with which it ends, is kept for so long.
    if (edge === 'after') setTimeout(this.look, (keptMs * 2) / 3);
    return Promise.resolve('go');
  }

  lift(): void {
    this.isArmed = false;
  }
}

const started = await prepareGround();
describeOn(started, 'a query', (ground) => {
  let program: string;

  beforeAll(async () => {
    program = await workerProgram(join(ground.folder, 'program'));
  }, 60_000);
  afterAll(() => ground.stop(), 60_000);

  // The worker of the identity is dead. What is asked before the rotation ends comes to another worker before the task does in which that end is
  // taken up, with the end in its history; the next request arrives between the two.
  test('that runs ahead of a task changes nothing of what that does', { timeout: 180_000 }, async () => {
    const lane = await Lane.outside(ground, 'looked-at', program);
    const subject = new Subject(lane, { timing: enduringTiming });
    const look = new LookAtEnd(subject);
    subject.fault = look;
    try {
      await subject.tell({ kind: 'provision' });
      await subject.stateWhen(({ running, current }) => !running && current !== undefined);
      await subject.tell({ kind: 'rotate' });
      await look.looked;
      await subject.tell({ kind: 'validate' });
      await subject.stateWhen(({ running, recent }) => !running && recent.length === 3);
      // Another one takes over, with nothing but the history.
      lane.workers[0]!.kill();
      const { recent } = await subject.stateWhen(({ running }) => !running);
      expect(recent.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
        'provision succeeded',
        'rotate succeeded',
        'validate succeeded',
      ]);
      expect(await judge(subject)).toEqual([]);
    } finally {
      await subject.close();
      await lane.stop();
    }
  });
});
