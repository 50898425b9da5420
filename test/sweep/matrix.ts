/** Every process, every step of it, every fault: the cases of the sweep, and what has to come of each. */
import type { FaultName } from './faults.js';
import { stepsOf, sweptProcesses, type Step, type SweptProcess } from './steps.js';

export interface Case extends Step {
  readonly process: SweptProcess;
  readonly fault: FaultName;
}

export type Outcome = 'succeeded' | 'undone' | 'unfinished' | 'pre-empted' | 'refused';

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
/** Nobody gives back, or everybody is away: then the time itself ends it. */
const whileLent: readonly FaultName[] = ['hung-before', 'cancel-before', 'emergency-before', 'kill-before'];
const faultsOf: Readonly<Record<Step['effect'], readonly FaultName[]>> = {
  changes: whole,
  reads: reading,
  between: ['refused-after', 'emergency-before', 'kill-after'],
  inside: ['hung-before', 'emergency-before'],
  asks: ['refused-before', 'kill-before'],
  aside: ['refused-before', 'hung-before', 'emergency-after', 'kill-before'],
  gate: atGate,
  holds: whileLent,
};
/** Where two workers in a row are killed: before the effect, and after it. */
const twice = new Set(['install', 'publish', 'withdraw', 'retire']);

/** A rotation is swept whole as one; where it ends an elevation, its fences, its way back and what a cancel does are others. */
const behindElevation: Readonly<Partial<Record<Step['effect'], readonly FaultName[]>>> = {
  changes: ['refused-before', 'cancel-before', 'emergency-before', 'kill-after'],
  reads: ['refused-before', 'emergency-before'],
  between: ['emergency-before'],
  inside: ['emergency-before'],
  asks: ['refused-before'],
};
const isLending = ({ stage }: Step): boolean => ['authorize', 'elevate', 'hold', 'restore'].includes(stage);

function isWorthwhile(swept: Step, process: SweptProcess, fault: FaultName): boolean {
  const { way, effect, step } = swept;
  if (process === 'elevate' && !isLending(swept)) {
    if (!behindElevation[effect]?.includes(fault)) return false;
    // What only goes forward is parked as in a rotation, and hears of no cancel.
    if (way === 'forward' && fault === 'refused-before') return false;
    if (way !== 'onward' && fault === 'cancel-before') return false;
  }
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

/** The stages after which a process has nothing left to change. */
const lastStagesOf: Readonly<Partial<Record<SweptProcess, readonly Step['stage'][]>>> = {
  provision: ['publish', 'hand over'],
  validate: ['refuse'],
  repair: ['repair'],
  revoke: ['purge'],
  offboard: ['remove'],
};

/** What a case may end with. */
export function outcomesOf({ way, fault, process, step, stage, effect }: Case): readonly Outcome[] {
  const [kind] = fault.split('-') as [string];
  const failed: Outcome = process === 'elevate' ? 'unfinished' : 'undone';
  const normal: Outcome = way === 'undo' ? failed : 'succeeded';
  // Where only words are left to be said, a process may end while the emergency is still being verified; the revocation follows all the same.
  const isNearlyOver = way === 'aside' || way === 'last' || (lastStagesOf[process]?.includes(stage) ?? false);
  if (kind === 'emergency') return isNearlyOver ? ['pre-empted', normal] : ['pre-empted'];
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
  if (kind === 'refused' && way === 'onward') return ['unfinished'];
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
