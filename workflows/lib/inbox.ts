import { CancellationScope, condition, defineQuery, defineSignal, log, setHandler } from '@temporalio/workflow';
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import { clip } from '../../src/domain/clip.js';
import type { Ballot, ProcessState, RefusedVote } from '../../src/domain/process.js';
import type { Verb } from '../../src/domain/statement.js';
import {
  processMessages,
  type Abandon,
  type ConsumerAcknowledgement,
  type GiveBack,
  type Preempt,
  type Resume,
  type Word,
} from '../../src/domain/wire.js';
import { now } from './clock.js';
import { failureOf } from './failure.js';

const decide = defineSignal<[Ballot]>(processMessages.decide);
const acknowledge = defineSignal<[ConsumerAcknowledgement]>(processMessages.acknowledge);
const resume = defineSignal<[Resume]>(processMessages.resume);
const abandon = defineSignal<[Abandon]>(processMessages.abandon);
const giveBack = defineSignal<[GiveBack]>(processMessages.giveBack);
const preempt = defineSignal<[Preempt]>(processMessages.preempt);
const process = defineQuery<ProcessState>(processMessages.process);

/** Verifies who sent something; throws where it is not proven. */
export interface Doorkeeper {
  word(verb: Verb, word: Word): Promise<void>;
  emergency(told: Preempt): Promise<void>;
}

/**
 * What has been sent to a process. Signals carry no authenticated caller and may hold anything, so what has the right shape is verified
 * before it counts, what does not count is kept on record, and a handler never throws: a throw here would fail the process.
 */
export class Inbox {
  /** Not yet weighed, in the order of arrival. */
  readonly ballots: Ballot[] = [];
  readonly acknowledged = new Set<string>();
  preemptedBy?: string;
  /** Who gave lent rights back before their time was over. */
  givenBackBy?: string;
  private isGateShut = false;
  private answer?: 'again' | 'go-on' | 'abandon';

  constructor(
    private readonly state: () => ProcessState,
    private readonly stop: () => void,
    private readonly doorkeeper: Doorkeeper,
    private readonly onInert: () => void,
  ) {
    setHandler(process, state, { description: 'The stages, the gate, what it is parked for' });
    setHandler(decide, (ballot) => this.takeBallot(ballot), {
      description: 'Approve or deny a plan, or take that back: a signed decision',
    });
    this.onWord(acknowledge, 'A consumer has taken the new credential', 'acknowledge', isAcknowledgement, (ack) => {
      if (this.acknowledged.size < mostKept) this.acknowledged.add(acknowledgementKey(ack));
    });
    this.onWord(
      resume,
      'Go on with a parked process',
      'resume',
      (told) => this.isForThisPark(told) && isResume(told),
      ({ how }) => {
        this.answer = how;
      },
    );
    this.onWord(
      abandon,
      'Give up a parked process',
      'abandon',
      (told) => this.isForThisPark(told),
      () => {
        this.answer = 'abandon';
      },
    );
    this.onWord(
      giveBack,
      'Lent rights are not needed any more',
      'give-back',
      () => state().kind === 'elevate' && this.givenBackBy === undefined,
      ({ by }) => {
        this.givenBackBy = clip(by, longestName);
      },
    );
    setHandler(preempt, (told) => this.preempt(told), {
      description: 'An emergency takes over',
      unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON,
    });
  }

  /** Waits for an operator to say how a parked process goes on. A process that is pre-empted waits no longer. */
  async operatorsWord(forMs?: number): Promise<'again' | 'go-on' | 'abandon'> {
    // Not forgotten before: an operator may be quicker than the alert that a process sends when it parks.
    const isAnswered = (): boolean => this.answer !== undefined || this.preemptedBy !== undefined;
    await (forMs === undefined
      ? condition(isAnswered)
      : condition(isAnswered, forMs, { summary: 'then it is tried again' }));
    const answer = this.answer ?? 'again';
    delete this.answer;
    return answer;
  }

  private onWord<T extends Word>(
    signal: ReturnType<typeof defineSignal<[T]>>,
    description: string,
    verb: Verb,
    isUsable: (word: T) => boolean,
    act: (word: T) => void,
  ): void {
    const handle = (word: T): Promise<void> | void => {
      if (typeof word?.by !== 'string' || !isUsable(word)) return leftOut(verb);
      // Looked at again afterwards: what it answers may have passed while it was verified.
      return this.verified(
        word.by,
        verb,
        () => this.doorkeeper.word(verb, word),
        () => isUsable(word) && act(word),
      );
    };
    setHandler(signal, handle, { description, unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON });
  }

  /** Something begins to change: from now on nobody's decision counts any more. */
  shutGate(): void {
    this.isGateShut = true;
    for (const ballot of this.ballots.splice(0)) this.isTooLate(ballot);
  }

  private takeBallot(ballot: Ballot): void {
    if (!isBallot(ballot) || this.ballots.length >= mostKept) leftOut('decide');
    else if (this.isGateShut) this.isTooLate(ballot);
    else this.ballots.push(ballot);
  }

  private isTooLate({ signed }: Ballot): void {
    const reason =
      'decide: it came too late, nothing waits for it. Until its point of no return the process is stopped with: tenure cancel';
    this.isInert({ at: now(), claimed: approverIn(signed.statement), reason });
  }

  private preempt(told: Preempt): Promise<void> | void {
    if (typeof told?.by !== 'string' || typeof told.request !== 'object') return leftOut('preempt');
    return this.verified(
      told.by,
      'preempt',
      () => this.doorkeeper.emergency(told),
      () => {
        this.preemptedBy = clip(told.by, longestName);
        this.stop();
      },
    );
  }

  /** What is not proven has no effect, and stays on record. A cancel does not stop the verifying. */
  private async verified(by: string, what: string, verify: () => Promise<void>, act: () => void): Promise<void> {
    try {
      await CancellationScope.nonCancellable(verify);
    } catch (error) {
      return this.isInert({
        at: now(),
        claimed: clip(by, longestName),
        reason: `${what}: ${failureOf(error).message}`,
      });
    }
    act();
  }

  private isInert(refused: RefusedVote): void {
    const state = this.state();
    state.inert = [...(state.inert ?? []), refused].slice(-mostInert);
    this.onInert();
  }

  private isForThisPark({ since }: Resume | Abandon): boolean {
    return this.state().parked?.since === since;
  }
}

/** Whom a decision claims to be from, which nobody has proven. */
function approverIn(statement: string): string {
  try {
    const { approver } = JSON.parse(statement) as { approver?: unknown };
    return typeof approver === 'string' ? clip(approver, longestName) : 'nobody';
  } catch {
    return 'nobody';
  }
}

function leftOut(signal: string): void {
  log.warn('a signal was left out of account', { signal });
}

/** A flood of signals must not make the state larger than Temporal holds: what comes after so many is left out. */
const mostKept = 200;
/** So many that had no effect are shown. */
const mostInert = 20;
const longestName = 250;
/** Characters: an RSA signature, and a statement with a long reason. */
const longestPart = 12_000;

/** Acknowledgements count for one version only. */
export function acknowledgementKey({
  consumer,
  version,
}: Pick<ConsumerAcknowledgement, 'consumer' | 'version'>): string {
  return `${consumer} ${version}`;
}

function isBallot(ballot: Ballot | null | undefined): boolean {
  return isSigned(ballot?.signed) && (ballot!.delegation === undefined || isSigned(ballot!.delegation));
}

function isSigned(signed: Ballot['signed'] | null | undefined): boolean {
  return [signed?.statement, signed?.signature].every(
    (part) => typeof part === 'string' && part.length > 0 && part.length <= longestPart,
  );
}

function isResume({ how }: Resume): boolean {
  return how === 'again' || how === 'go-on';
}

function isAcknowledgement(ack: ConsumerAcknowledgement): boolean {
  return isName(ack.consumer) && isName(ack.version);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= longestName;
}
