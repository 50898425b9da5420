/** Every process, every step of it, every fault: the cases of the sweep, and what has to come of each. */
import type { ProcessKind, StageName } from '../../src/domain/process.js';
import type { FaultName } from './faults.js';

/** `repair` is a validation that puts right what it finds; `emergency` is a revocation that pre-empts and passes gates. */
export const sweptProcesses = ['provision', 'rotate', 'validate', 'repair', 'revoke', 'offboard', 'emergency'] as const;
export type SweptProcess = (typeof sweptProcesses)[number];

export function kindOf(process: SweptProcess): ProcessKind {
  if (process === 'repair') return 'validate';
  return process === 'emergency' ? 'revoke' : process;
}

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
  validate: [step('verify', 'verify', 'careful', 'reads'), step('inspect', 'refuse', 'careful', 'reads'), ...closing],
  repair: [...decisions, step('clearance', 'repair', 'decide', 'asks', 2), step('repair', 'repair', 'forward')],
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
/** Where nothing changes, after one step is the same world as before the next. */
const reading: readonly FaultName[] = [
  'refused-before',
  'lost-after',
  'hung-before',
  'cancel-before',
  'emergency-before',
  'kill-before',
];
/** A gate is no activity: it is refused by a vote, and hangs until its deadline. */
const atGate: readonly FaultName[] = [
  'refused-before',
  'hung-before',
  'cancel-before',
  'emergency-before',
  'kill-before',
];
const faultsOf: Readonly<Record<Step['effect'], readonly FaultName[]>> = {
  changes: whole,
  reads: reading,
  between: ['refused-after', 'emergency-before', 'kill-after'],
  inside: ['hung-before', 'emergency-before'],
  asks: ['refused-before', 'kill-before'],
  aside: ['refused-before', 'hung-before', 'emergency-after', 'kill-before'],
  gate: atGate,
};
/** Where two workers in a row are killed: before the effect, and after it. */
const twice = new Set(['install', 'publish', 'withdraw', 'retire']);

function isWorthwhile({ way, effect, step }: Step, process: SweptProcess, fault: FaultName): boolean {
  if (process === 'emergency' && fault.startsWith('emergency')) return false;
  if (effect !== 'changes') return true;
  // Past the point of no return, and on the way back, a cancel changes nothing, whenever it comes.
  if (way !== 'careful' && fault === 'cancel-after') return false;
  // What changes neither target nor store is the same for whatever comes late.
  const isWord = way === 'last' || way === 'courtesy' || step === 'handOver:credential.withdrawn';
  if (isWord && (fault === 'refused-after' || fault === 'emergency-after')) return false;
  // The way back of a rotation is swept whole; that of a provision is the same one.
  const isSameWay = way === 'undo' && process === 'provision';
  return !isSameWay || ['refused-before', 'lost-after', 'emergency-before', 'kill-after'].includes(fault);
}

function faultsAt(step: Step, process: SweptProcess): readonly FaultName[] {
  return faultsOf[step.effect]
    .filter((fault) => isWorthwhile(step, process, fault))
    .map((fault) => (fault === 'kill-after' && twice.has(step.step) ? 'kill-both' : fault));
}

/** All cases, in the order of the processes. */
export const allCases: readonly Case[] = sweptProcesses.flatMap((process) =>
  stepsOf[process].flatMap((step) => faultsAt(step, process).map((fault) => ({ process, ...step, fault }))),
);

export function titleOf({ process, step, stage, nth = 1, fault }: Case): string {
  return `${process} / ${stage} / ${step}${nth > 1 ? ` #${nth}` : ''} / ${fault}`;
}

/** What a case may end with. */
export function outcomesOf({ way, fault, process, step, stage, effect }: Case): readonly Outcome[] {
  const [kind] = fault.split('-') as [string];
  const normal: Outcome = way === 'undo' ? 'undone' : 'succeeded';
  if (kind === 'emergency') return way === 'aside' || way === 'last' ? ['pre-empted', normal] : ['pre-empted'];
  // A request that cannot be started is not kept: whoever asked is told.
  if (step === 'lastEpoch' && kind === 'refused') return ['refused'];
  if (step === 'lastEpoch' && kind === 'hung') return ['refused', 'succeeded'];
  if (kind === 'cancel' && ['decide', 'careful', 'patient', 'gate'].includes(way)) {
    // A cancel that comes with the answer of the last step comes too late; so does one before what asks nobody and only goes forward.
    const isLate =
      (fault === 'cancel-after' && (process === 'provision' || process === 'validate')) ||
      // Publishing is done in-process, where no cancel is heard: it comes when the consumers are told.
      (process === 'provision' && (stage === 'publish' || stage === 'hand over')) ||
      step === 'inspect' ||
      (way === 'decide' && ['revoke', 'emergency', 'repair'].includes(process));
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
