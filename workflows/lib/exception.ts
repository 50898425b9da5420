/** The state of an exception, what it says to operators, and how it calls its activities. */
import {
  proxyActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
  ActivityCancellationType,
} from '@temporalio/workflow';
import type { RecordActivities, TrustActivities } from '../../activities/contract.js';
import { clip } from '../../src/domain/clip.js';
import type { Attested } from '../../src/domain/directory.js';
import type { ExceptionEvent, ExceptionTold } from '../../src/domain/evidence.js';
import {
  parseExceptionId,
  type Examined,
  type ExceptionActivities,
  type ExceptionPhase,
  type ExceptionStart,
  type ExceptionState,
  type ExceptionTerms,
  type Withdrawal,
} from '../../src/domain/exception.js';
import type { GateState } from '../../src/domain/process.js';
import { taskQueue } from '../../src/domain/wire.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { now } from './clock.js';
import { ExceptionDesk } from './exception-desk.js';
import { failureOf } from './failure.js';
import { renderException } from './render-exception.js';

type Calls = ExceptionActivities &
  Pick<TrustActivities, 'attestWord'> &
  Pick<RecordActivities, 'notify' | 'sealException'>;

/** A check of ten controls, one after the other; the longest is a validation. */
const attemptMs = 8 * 60_000;
const mostInert = 20;

export class Exception {
  readonly state: ExceptionState;
  readonly desk: ExceptionDesk;
  /** Rounds of the gate that were opened again, and the word that ended it. For the record alone. */
  private readonly rounds: GateState[] = [];
  word?: Withdrawal;

  constructor({ state, terms, proposal }: ExceptionStart) {
    const { workflowId } = workflowInfo();
    this.state = state ?? {
      id: parseExceptionId(workflowId) ?? workflowId,
      identity: String(terms?.identity ?? proposal?.identity),
      phase: proposal ? 'proposed' : 'asked',
      since: now(),
      ...(proposal && { proposal }),
      ...(terms && { terms }),
      checks: [],
      inert: [],
    };
    this.desk = new ExceptionDesk(() => this.state);
    this.show();
  }

  /** Retried until there is an answer; what can't get better is thrown. */
  call(summary: string): Calls {
    return proxyActivities<Calls>({
      startToCloseTimeout: attemptMs,
      heartbeatTimeout: 10_000,
      cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
      retry: { initialInterval: 500, backoffCoefficient: 2, maximumInterval: 60_000 },
      taskQueue,
      summary,
    });
  }

  /** Who asks and what the controls say. `isFirst`: its signature is judged as one that has just come. */
  async examine(terms: ExceptionTerms, isFirst: boolean): Promise<Examined> {
    const summary = isFirst ? 'Verify who asks for an exception' : 'Look at the exception again';
    const examined = await this.call(summary).examineException({ terms, taken: !isFirst });
    if (this.state.gate) this.rounds.push(this.state.gate);
    Object.assign(this.state, { examined, checks: examined.checks });
    return examined;
  }

  /** Looks through what was said to end it: why it ends, where somebody who may has said so. The rest stays on record. */
  async saidToEnd(may: (who: Attested) => boolean): Promise<string | undefined> {
    for (let word = this.desk.withdrawals.shift(); word; word = this.desk.withdrawals.shift()) {
      const { signed, ...content } = word;
      const subject = this.state.id;
      const said = { verb: 'withdraw-exception', subject, content, ...(signed && { signed }) } as const;
      try {
        const who = await this.call('Verify who withdraws the exception').attestWord(said);
        if (may(who)) {
          this.word = word;
          return clip(`withdrawn by ${who.name}: ${String(word.reason)}`, 1_000);
        }
        this.isInert(word.by, 'they may not withdraw it');
      } catch (error) {
        this.isInert(word.by, failureOf(error).message);
      }
    }
    return undefined;
  }

  /** Why it could not be sealed, which operators hear; undefined where it was. Before a gate was open nothing is worth a record. */
  async seal(what: ExceptionEvent): Promise<string | undefined> {
    const { id, terms, examined, gate, end } = this.state;
    if (!terms || !examined || !gate) return undefined;
    const told: ExceptionTold = {
      what,
      id,
      terms,
      examined,
      gate,
      ...(this.rounds.length > 0 && { rounds: this.rounds }),
      ...(what !== 'approved' && end !== undefined && { end }),
      ...(what !== 'approved' && this.word && { word: this.word }),
    };
    try {
      await this.call('Seal the evidence record').sealException(told);
      return undefined;
    } catch (error) {
      const why = `left no record in the evidence log: ${failureOf(error).message}`;
      await this.tell('alert', why);
      return why;
    }
  }

  enter(phase: ExceptionPhase, since = now()): void {
    const { state } = this;
    if (state.phase !== phase) state.since = since;
    state.phase = phase;
    this.show();
    upsertSearchAttributes([
      { key: searchAttributes.status, value: phase },
      { key: searchAttributes.gate, value: phase === 'gate' ? 'open' : (state.gate?.outcome ?? 'none') },
    ]);
  }

  isInert(claimed: unknown, reason: string): void {
    const refused = { at: now(), claimed: clip(String(claimed), 200), reason };
    this.state.inert = [...this.state.inert, refused].slice(-mostInert);
    this.show();
  }

  show(): void {
    setCurrentDetails(renderException(this.state));
  }

  /** Best effort: whoever is told late finds it with `tenure except list`. */
  async tell(level: 'info' | 'warning' | 'alert', what: string): Promise<void> {
    const { identity, id } = this.state;
    const { workflowId: operation } = workflowInfo();
    const text = clip(`the exception ${id} of ${identity} ${what}`, 1_000);
    await this.call('Tell the operators')
      .notify({ identity, operation, level, text })
      .catch(() => {});
  }
}
