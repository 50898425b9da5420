import { condition, defineQuery, defineSignal, log, setHandler } from '@temporalio/workflow';
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
    setHandler(decide, (vote) => this.take(isVote(vote), 'decide', () => this.votes.push(vote)), {
      description: 'Approve or deny the plan of this digest',
    });
    setHandler(
      acknowledge,
      (ack) => this.take(isAcknowledgement(ack), 'acknowledge', () => this.acknowledged.add(acknowledgementKey(ack))),
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

  private preempt(told: Preempt, stop: () => void): void {
    this.preemptedBy = typeof told?.by === 'string' ? told.by : 'an emergency';
    stop();
  }

  private take(isUsable: boolean, signal: string, keep: () => void): void {
    if (isUsable) keep();
    else log.warn('a signal was left out of account', { signal });
  }
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
    typeof vote?.approver === 'string' &&
    vote.approver !== '' &&
    typeof vote.planDigest === 'string' &&
    (vote.decision === 'approve' || vote.decision === 'deny')
  );
}

function isResume(told: Resume | null | undefined): boolean {
  return typeof told?.by === 'string' && (told.how === 'again' || told.how === 'go-on');
}

function isAcknowledgement(ack: ConsumerAcknowledgement | null | undefined): boolean {
  return typeof ack?.consumer === 'string' && typeof ack.version === 'string';
}
