import { condition, defineQuery, defineSignal, log, setHandler } from '@temporalio/workflow';
import { clip } from '../../src/domain/clip.js';
import type { ProcessState, Vote } from '../../src/domain/process.js';
import {
  processMessages,
  type Abandon,
  type ConsumerAcknowledgement,
  type Preempt,
  type Resume,
} from '../../src/domain/wire.js';

const decide = defineSignal<[Vote]>(processMessages.decide);
const acknowledge = defineSignal<[ConsumerAcknowledgement]>(processMessages.acknowledge);
const resume = defineSignal<[Resume]>(processMessages.resume);
const abandon = defineSignal<[Abandon]>(processMessages.abandon);
const preempt = defineSignal<[Preempt]>(processMessages.preempt);
const process = defineQuery<ProcessState>(processMessages.process);

/**
 * What has been sent to a process. Signals carry no authenticated caller and may hold anything, so a handler only keeps what has
 * the right shape and never throws: a throw here would fail the process.
 */
export class Inbox {
  readonly votes: Vote[] = [];
  readonly acknowledged = new Set<string>();
  preemptedBy?: string;
  private word?: 'again' | 'go-on' | 'abandon';

  constructor(state: () => ProcessState, stop: () => void) {
    setHandler(process, state, { description: 'The stages, the gate, what it is parked for' });
    setHandler(
      decide,
      (vote) => this.take(isVote(vote) && this.mayCount(vote, state()), 'decide', () => this.votes.push(kept(vote))),
      {
        description: 'Approve or deny the plan of this digest',
      },
    );
    setHandler(
      acknowledge,
      (ack) =>
        this.take(isAcknowledgement(ack) && this.acknowledged.size < mostKept, 'acknowledge', () =>
          this.acknowledged.add(acknowledgementKey(ack)),
        ),
      {
        description: 'A consumer has taken the new credential',
      },
    );
    setHandler(
      resume,
      (told) => this.take(state().parked !== undefined && isResume(told), 'resume', () => (this.word = told.how)),
      {
        description: 'Go on with a parked process',
      },
    );
    setHandler(
      abandon,
      (told) =>
        this.take(
          state().parked !== undefined && typeof told?.by === 'string',
          'abandon',
          () => (this.word = 'abandon'),
        ),
      { description: 'Give up a parked process' },
    );
    setHandler(preempt, (told) => this.preempt(told, stop), { description: 'An emergency takes over' });
  }

  /** Waits for an operator to say how a parked process goes on. A process that is pre-empted waits no longer. */
  async operatorsWord(): Promise<'again' | 'go-on' | 'abandon'> {
    // Not forgotten before: an operator may be quicker than the alert that a process sends when it parks.
    await condition(() => this.word !== undefined || this.preemptedBy !== undefined);
    const word = this.word ?? 'again';
    delete this.word;
    return word;
  }

  /** One vote a person counts, the first, and only for this plan: what cannot count takes nobody's place. */
  private mayCount({ approver, planDigest }: Vote, { decision }: ProcessState): boolean {
    const isSameVote = (vote: Vote): boolean => vote.approver === approver && vote.planDigest === planDigest;
    const isOfAnotherPlan = decision !== undefined && planDigest !== decision.planDigest;
    return !isOfAnotherPlan && this.votes.length < mostKept && !this.votes.some(isSameVote);
  }

  private preempt(told: Preempt, stop: () => void): void {
    this.preemptedBy = typeof told?.by === 'string' ? clip(told.by, longestName) : 'an emergency';
    stop();
  }

  private take(isUsable: boolean, signal: string, keep: () => void): void {
    if (isUsable) keep();
    else log.warn('a signal was left out of account', { signal });
  }
}

/** A flood of signals must not make the state larger than Temporal holds: what comes after so many is left out. */
const mostKept = 200;
const longestName = 250;
const longestReason = 500;

function kept({ approver, decision, planDigest, reason, at }: Vote): Vote {
  return {
    approver,
    decision,
    planDigest,
    ...(typeof reason === 'string' && { reason: clip(reason, longestReason) }),
    at: typeof at === 'string' ? clip(at, longestName) : '',
  };
}

/** Acknowledgements count for one version only. */
export function acknowledgementKey({
  consumer,
  version,
}: Pick<ConsumerAcknowledgement, 'consumer' | 'version'>): string {
  return `${consumer} ${version}`;
}

function isVote(vote: Vote | null | undefined): boolean {
  return (
    isName(vote?.approver) && isName(vote?.planDigest) && (vote?.decision === 'approve' || vote?.decision === 'deny')
  );
}

function isResume(told: Resume | null | undefined): boolean {
  return typeof told?.by === 'string' && (told.how === 'again' || told.how === 'go-on');
}

function isAcknowledgement(ack: ConsumerAcknowledgement | null | undefined): boolean {
  return isName(ack?.consumer) && isName(ack?.version);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= longestName;
}
