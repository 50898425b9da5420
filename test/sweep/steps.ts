/** The processes of the sweep, and the steps of each. */
import type { ProcessKind, StageName } from '../../src/domain/process.js';

/** `repair` is a validation that puts right what it finds; `emergency` is a revocation that pre-empts and passes gates. */
export const sweptProcesses = [
  'provision',
  'rotate',
  'validate',
  'repair',
  'revoke',
  'offboard',
  'emergency',
  'elevate',
] as const;
export type SweptProcess = (typeof sweptProcesses)[number];

export function kindOf(process: SweptProcess): ProcessKind {
  if (process === 'repair') return 'validate';
  return process === 'emergency' ? 'revoke' : process;
}

/**
 * How a process takes a step, which decides what follows a fault.
 * `decide`: nothing has been touched. `careful`: given up when it lasts, and everything is undone. `patient`: never given up, and
 * undone when refused. `forward`: past the point of no return. `undo`: on the way back. `courtesy`: whatever comes of it changes nothing.
 * `last`: the record. `aside`: what the identity does itself. `gate`: waits for people. `onward`: lent rights are back, and what follows
 * is taken back when it fails and left to a person; no cancel stops it.
 */
export type Way =
  'decide' | 'careful' | 'patient' | 'forward' | 'undo' | 'courtesy' | 'last' | 'aside' | 'gate' | 'onward';

export interface Step {
  readonly step: string;
  readonly stage: StageName | 'undo' | 'before' | 'afterwards';
  readonly way: Way;
  /** Counts from 1; a later one is the same step further down. */
  readonly nth?: number;
  /**
   * `changes`: it has an effect, so that before and after are different worlds. `between`: between two effects of one step.
   * `inside`: within a step, just before its effect. `asks`: asks again what an earlier step of the same stage asked. `aside` and `gate` are as their ways.
   * `holds`: lent rights are there, and their time runs.
   */
  readonly effect: 'changes' | 'reads' | 'between' | 'inside' | 'asks' | 'aside' | 'gate' | 'holds';
}

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
  elevate: [
    ...decisions,
    step('elevate', 'elevate', 'careful'),
    step('target.bringRights', 'elevate', 'careful', 'between'),
    step('verify', 'elevate', 'careful', 'reads'),
    step('hold', 'hold', 'forward', 'holds'),
    step('restore', 'restore', 'forward'),
    step('target.bringRights', 'restore', 'forward', 'between', 2),
    step('verify', 'restore', 'forward', 'reads', 2),
    step('clearance', 'stage', 'onward', 'asks', 2),
    ...untilPublished.map((each) => ({ ...each, way: 'onward', ...(each.step === 'verify' && { nth: 3 }) }) as const),
    step('drain', 'drain', 'onward', 'reads'),
    step('clearance', 'retire', 'onward', 'asks', 3),
    ...ending,
    ...wayBack,
    sealed,
  ],
};
