/** A part of the world is away for a while, and at that moment a rotation stands at each of its steps. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../support/engine.js';
import type { CaseReport } from './case.js';
import type { Spoiler } from './faults.js';
import { judge } from './invariants.js';
import type { Lane } from './lane.js';
import { stepsOf, type Step } from './steps.js';
import { Subject, enduringTiming } from './subject.js';
import type { Timing } from '../../src/domain/process.js';
import type { Verdict, Meeting } from './witness.js';

export interface Outage {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
  readonly lastsMs: number;
  /** Default: whatever the outage, the process outlives it. */
  readonly timing?: Timing;
}

/** The steps of a rotation that an outage can meet; what the identity does aside belongs to no rotation. */
export const outageSteps = stepsOf.rotate.filter(({ effect }) => ['changes', 'reads'].includes(effect));

/** Holds a step back until the outage has begun. */
class Hold implements Spoiler {
  hasArrived = false;
  private isOpen = false;
  private readonly held: (() => void)[] = [];

  constructor(private readonly step: string) {}

  async meet(meeting: Meeting): Promise<Verdict> {
    if (this.isOpen || meeting.step !== this.step || !meeting.operation.includes('/rotate/')) return 'go';
    this.hasArrived = true;
    return new Promise((resolve) => this.held.push(() => resolve('go')));
  }

  lift(): void {
    this.isOpen = true;
    for (const go of this.held.splice(0)) go();
  }
}

/** Brings a rotation to each of the steps, lets the outage happen, and judges what came of every rotation. */
export async function strike(lane: Lane, outage: Outage, steps: readonly Step[]): Promise<CaseReport[]> {
  const timing = outage.timing ?? enduringTiming;
  const cast = steps.map((step) => ({ step, subject: new Subject(lane, { timing }), hold: new Hold(step.step) }));
  try {
    await Promise.all(cast.map(({ subject }) => provision(subject)));
    await Promise.all(cast.map((member) => bringToStep(member)));
    await outage.begin();
    const startedAt = Date.now();
    for (const { hold } of cast) hold.lift();
    await sleep(outage.lastsMs);
    await outage.end();
    return await Promise.all(cast.map((member) => reportOn(member, outage, startedAt)));
  } finally {
    for (const { hold } of cast) hold.lift();
    await Promise.all(cast.map(({ subject }) => subject.close()));
  }
}

interface Member {
  readonly step: Step;
  readonly subject: Subject;
  readonly hold: Hold;
}

async function provision(subject: Subject): Promise<void> {
  await subject.tell({ kind: 'provision' });
  await subject.stateWhen(({ running, current }) => !running && current !== undefined);
}

async function bringToStep({ step, subject, hold }: Member): Promise<void> {
  subject.fault = hold;
  if (step.way === 'undo') subject.lane.ground.stubborn.add(subject.name);
  await subject.tell({ kind: 'rotate' });
  await eventually(
    () => Promise.resolve(hold.hasArrived),
    (hasArrived) => hasArrived,
    120_000,
  );
}

async function reportOn({ step, subject }: Member, outage: Outage, startedAt: number): Promise<CaseReport> {
  const broken: string[] = [];
  let outcome = 'not ended';
  let operation = '';
  try {
    const state = await subject.stateWhen(
      ({ running, recent }) => !running && recent.at(-1)?.kind === 'rotate',
      180_000,
    );
    ({ outcome, operation = '' } = state.recent.at(-1)!);
    const expected = step.way === 'undo' ? ['undone'] : outage.timing ? ['succeeded', 'undone'] : ['succeeded'];
    if (!expected.includes(outcome)) broken.push(`outcome: ${outcome}, expected ${expected.join(' or ')}`);
    broken.push(...(await judge(subject)));
  } catch (error) {
    broken.push(`stuck: ${(error as Error).message}`);
  }
  return {
    title: `rotate / ${step.stage} / ${step.step} / ${outage.name}`,
    process: 'rotate',
    stage: step.stage,
    step: step.step,
    fault: outage.name,
    identity: subject.name,
    operation,
    broken,
    outcome,
    logins: subject.monitor.looks,
    ms: Date.now() - startedAt,
  };
}
