/** The faults of the sweep, and the one that is armed for an identity. */
import type { ErrorCode } from '../../src/domain/errors.js';
import type { Meeting, Verdict } from './witness.js';

export const faultNames = [
  'refused-before',
  'refused-after',
  'lost-before',
  'lost-after',
  'hung-before',
  'hung-after',
  'cancel-before',
  'cancel-after',
  'emergency-before',
  'emergency-after',
  'kill-before',
  'kill-after',
  'kill-both',
] as const;
export type FaultName = (typeof faultNames)[number];

/** What a fault can do to the world around the step. */
export interface Hands {
  /** An operator cancels the process; answers when Temporal has taken that. */
  cancel(): Promise<void>;
  /** A responder asks for an emergency revocation; answers when the identity's workflow has been sent that. */
  emergency(): Promise<void>;
}

/** Where a fault strikes. */
export interface Spot {
  /** Operation id, or a part of it, e.g. `/rotate/`. */
  readonly within: string;
  readonly step: string;
  /** Counts how often the step has begun since the fault was armed. */
  readonly nth: number;
}

/** How a fault behaves at a step. */
export interface Manner {
  /** How many attempts hang: all of a step that the process gives up on, or the first ones of a step that it never gives up. */
  readonly hangs: number;
  /** Whether a step is held back until an emergency is over. Not where the identity itself waits for the step. */
  readonly holds: boolean;
  /** What a refusal says. A record is never refused for good: it is tried until it is written. */
  readonly refusal: ErrorCode;
}

/** Stands at every edge of an identity's steps. */
export interface Spoiler {
  /** `kill` ends the worker's process that came to the edge. */
  meet(meeting: Meeting, kill: () => void): Promise<Verdict>;
  /** From now on everything is left alone, and what hangs goes on. */
  lift(): void;
}

/** One fault at one step. */
export class Fault implements Spoiler {
  /** How often it struck. */
  struck = 0;
  private begun = 0;
  private isOver = false;
  private readonly held: (() => void)[] = [];
  private strike: () => void = () => undefined;
  /** When it has struck for the first time. */
  readonly hasStruck = new Promise<void>((resolve) => (this.strike = resolve));

  constructor(
    readonly name: FaultName,
    private readonly spot: Spot,
    private readonly hands: Hands,
    private readonly manner: Manner,
  ) {}

  lift(): void {
    this.isOver = true;
    this.release();
  }

  /** Lets what hangs go on. Gives how many hung. */
  release(): number {
    const held = this.held.splice(0);
    for (const go of held) go();
    return held.length;
  }

  async meet(meeting: Meeting, kill: () => void): Promise<Verdict> {
    if (this.isOver || meeting.step !== this.spot.step || !meeting.operation.includes(this.spot.within)) return 'go';
    if (meeting.edge === 'before') this.begun += 1;
    if (this.begun < this.spot.nth) return 'go';
    const [kind, edge] = this.name.split('-') as [string, string];
    if (meeting.edge !== (edge === 'both' ? this.nextKill() : edge)) return 'go';
    return this.act(kind, kill);
  }

  /** First before the effect; the worker that follows is killed after it. */
  private nextKill(): Meeting['edge'] {
    return this.struck === 0 ? 'before' : 'after';
  }

  private async act(kind: string, kill: () => void): Promise<Verdict> {
    const refusals = this.manner.refusal === 'RejectedUnchanged' ? Infinity : 4;
    const times: Record<string, number> = { refused: refusals, lost: 1, hung: this.manner.hangs, kill: 1 };
    const limit = this.name === 'kill-both' ? 2 : (times[kind] ?? 1);
    if (this.struck >= limit) return 'go';
    this.struck += 1;
    this.strike();
    switch (kind) {
      case 'refused':
        return this.manner.refusal;
      case 'lost':
        return this.name === 'lost-before' ? 'TargetUnavailable' : ('OutcomeUnknown' satisfies ErrorCode);
      case 'hung':
        return this.hold();
      case 'cancel':
        await this.hands.cancel();
        return 'go';
      case 'emergency':
        await this.hands.emergency();
        // Before the effect: the late effect comes when the revocation is over.
        return this.name === 'emergency-before' && this.manner.holds ? this.hold() : 'go';
      default:
        kill();
        return new Promise(() => undefined);
    }
  }

  private hold(): Promise<Verdict> {
    return new Promise((resolve) => this.held.push(() => resolve('go')));
  }
}
