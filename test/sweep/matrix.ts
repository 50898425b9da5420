/** Every process, every step of it, every fault: the cases of the sweep, and what has to come of each. */
import type { StageName } from '../../src/domain/process.js';
import type { FaultName } from './faults.js';

/** `emergency` is a revocation that pre-empts and passes gates. */
export const sweptProcesses = ['provision', 'rotate', 'validate', 'revoke', 'offboard', 'emergency'] as const;
export type SweptProcess = (typeof sweptProcesses)[number];

/**
 * How a process takes a step, which decides what follows a fault.
 * `decide`: nothing has been touched. `careful`: given up when it lasts, and everything is undone. `patient`: never given up, and
 * undone when refused. `forward`: past the point of no return. `undo`: on the way back. `courtesy`: whatever comes of it changes nothing.
 * `last`: the record. `aside`: what the identity does itself. `gate`: waits for people.
 */
export type Way = 'decide' | 'careful' | 'patient' | 'forward' | 'undo' | 'courtesy' | 'last' | 'aside' | 'gate';

export interface Step {
  readonly step: string;
  readonly stage: StageName | 'undo' | 'before' | 'afterwards';
  readonly way: Way;
  /** Counts from 1; a later one is the same step further down. */
  readonly nth?: number;
  /**
   * `changes`: it has an effect, so that before and after are different worlds. `between`: between two effects of one step.
   * `inside`: within a step, just before its effect. `asks`: asks again what an earlier step of the same stage asked. `aside` and `gate` are as their ways.
   */
  readonly effect: 'changes' | 'reads' | 'between' | 'inside' | 'asks' | 'aside' | 'gate';
}

export interface Case extends Step {
  readonly process: SweptProcess;
  readonly fault: FaultName;
}

export type Outcome = 'succeeded' | 'undone' | 'pre-empted' | 'refused';

const step = (name: string, stage: Step['stage'], way: Way, effect: Step['effect'] = 'changes', nth = 1): Step => ({
  step: name,
  stage,
  way,
  effect,
  nth,
});

const decisions = [step('authorize', 'authorize', 'decide', 'reads'), step('clearance', 'authorize', 'decide', 'asks')];
const untilPublished = [
  step('stage', 'stage', 'careful'),
  step('store.stage', 'stage', 'careful', 'between'),
  step('install', 'install', 'careful'),
  // With the material in hand, and the store not asked any more.
  step('target.install', 'install', 'careful', 'inside'),
  step('verify', 'verify', 'careful', 'reads'),
  step('publish', 'publish', 'careful'),
  step('store.publish', 'publish', 'careful', 'between'),
  step('handOver:credential.published', 'hand over', 'careful'),
];
const ending = [
  step('retire', 'retire', 'forward'),
  step('target.retire', 'retire', 'forward', 'between'),
  step('refuse', 'refuse', 'forward', 'reads'),
  step('purge', 'purge', 'forward'),
  step('target.purge', 'purge', 'forward', 'between'),
];
const wayBack = [
  step('withdraw', 'undo', 'undo'),
  step('store.withdraw', 'undo', 'undo', 'between'),
  step('uninstall', 'undo', 'undo'),
  step('discard', 'undo', 'undo'),
];
const told = step('handOver:credential.revoked', 'hand over', 'courtesy');
const sealed = step('seal', 'seal', 'last');
const closing = [sealed, step('nextRotation', 'afterwards', 'aside', 'aside')];

/** The steps of each process, in order. */
export const stepsOf: Readonly<Record<SweptProcess, readonly Step[]>> = {
  provision: [step('lastEpoch', 'before', 'aside', 'aside'), ...decisions, ...untilPublished, ...wayBack, ...closing],
  rotate: [
    ...decisions,
    step('gate', 'gate', 'gate', 'gate'),
    ...untilPublished,
    step('drain', 'drain', 'patient', 'reads'),
    step('clearance', 'retire', 'decide', 'asks', 2),
    ...ending,
    step('handOver:credential.withdrawn', 'undo', 'undo'),
    ...wayBack,
    ...closing,
  ],
  validate: [
    step('verify', 'verify', 'careful', 'reads'),
    step('inspect', 'refuse', 'careful', 'reads'),
    step('repair', 'plan', 'careful'),
    ...closing,
  ],
  revoke: [...decisions, step('clearance', 'retire', 'decide', 'asks', 2), ...ending, told, sealed],
  offboard: [
    ...decisions,
    step('gate', 'gate', 'gate', 'gate'),
    step('clearance', 'gate', 'decide', 'asks', 2),
    step('clearance', 'retire', 'decide', 'asks', 3),
    ...ending,
    step('remove', 'remove', 'forward'),
    step('target.remove', 'remove', 'forward', 'between'),
    told,
    sealed,
  ],
  emergency: [...decisions, ...ending, told, sealed],
};

const whole: readonly FaultName[] = [
  'refused-before',
  'refused-after',
  'lost-after',
  'hung-before',
  'cancel-before',
  'cancel-after',
  'emergency-before',
  'emergency-after',
  'kill-after',
];
/** Where two workers in a row are killed: before the effect, and after it. */
const twice = new Set(['install', 'publish', 'withdraw', 'retire']);
/** Where nothing changes, after one step is the same world as before the next. */
const reading: readonly FaultName[] = [
  'refused-before',
  'lost-after',
  'hung-before',
  'cancel-before',
  'emergency-before',
  'kill-before',
];
const between: readonly FaultName[] = ['refused-after', 'emergency-before', 'kill-after'];
const asking: readonly FaultName[] = ['refused-before', 'kill-before'];
const aside: readonly FaultName[] = ['refused-before', 'hung-before', 'emergency-after', 'kill-before'];
/** A gate is no activity: it is refused by a vote, and hangs until its deadline. */
const atGate: readonly FaultName[] = [
  'refused-before',
  'hung-before',
  'cancel-before',
  'emergency-before',
  'kill-before',
];
const inside: readonly FaultName[] = ['hung-before', 'emergency-before'];
const every = { changes: whole, inside, reads: reading, between, asks: asking, aside, gate: atGate };

function faultsAt({ step, effect }: Step, process: SweptProcess): readonly FaultName[] {
  const faults = every[effect].map((fault) => (fault === 'kill-after' && twice.has(step) ? 'kill-both' : fault));
  return faults.filter((fault) => process !== 'emergency' || !fault.startsWith('emergency'));
}

/** All cases, in the order of the processes. */
export const allCases: readonly Case[] = sweptProcesses.flatMap((process) =>
  stepsOf[process].flatMap((step) => faultsAt(step, process).map((fault) => ({ process, ...step, fault }))),
);

export function titleOf({ process, step, stage, nth = 1, fault }: Case): string {
  return `${process} / ${stage} / ${step}${nth > 1 ? ` #${nth}` : ''} / ${fault}`;
}

/** What a case may end with. */
export function outcomesOf({ way, fault, process, step, effect }: Case): readonly Outcome[] {
  const [kind] = fault.split('-') as [string];
  const normal: Outcome = way === 'undo' ? 'undone' : 'succeeded';
  if (kind === 'emergency') return way === 'aside' || way === 'last' ? ['pre-empted', normal] : ['pre-empted'];
  // A request that cannot be started is not kept: whoever asked is told.
  if (step === 'lastEpoch' && kind === 'refused') return ['refused'];
  if (step === 'lastEpoch' && kind === 'hung') return ['refused', 'succeeded'];
  if (kind === 'cancel' && ['decide', 'careful', 'patient', 'gate'].includes(way)) {
    // A cancel that comes with the answer of the last step comes too late; so does one before a revocation that asks nobody.
    const isLate =
      (fault === 'cancel-after' && (process === 'provision' || process === 'validate')) ||
      step === 'inspect' ||
      (way === 'decide' && (process === 'revoke' || process === 'emergency'));
    return isLate ? ['undone', 'succeeded'] : ['undone'];
  }
  if (kind === 'refused' && ['decide', 'careful', 'patient', 'gate'].includes(way)) return ['undone'];
  if (kind === 'hung' && way === 'gate') return ['undone'];
  if (kind === 'hung' && way === 'careful') {
    // An attempt that had its whole effect before it hung may be taken at its word by the next.
    return effect === 'changes' && fault === 'hung-after' ? ['undone', 'succeeded'] : ['undone'];
  }
  return [normal];
}

/** Whether a person has to say how it goes on. */
export function isParkedBy({ way, fault }: Case): boolean {
  return fault.startsWith('refused') && (way === 'forward' || way === 'undo');
}
