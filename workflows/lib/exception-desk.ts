/** What is sent to an exception, kept until its workflow looks at it. Anybody in the namespace can send anything, so nothing is believed here. */
import { defineQuery, defineSignal, log, setHandler } from '@temporalio/workflow';
import {
  exceptionMessages,
  type ExceptionState,
  type ExceptionTerms,
  type Withdrawal,
} from '../../src/domain/exception.js';
import type { Ballot } from '../../src/domain/process.js';

const decide = defineSignal<[Ballot]>(exceptionMessages.decide);
const sign = defineSignal<[ExceptionTerms]>(exceptionMessages.sign);
const withdraw = defineSignal<[Withdrawal]>(exceptionMessages.withdraw);
const query = defineQuery<ExceptionState>(exceptionMessages.exception);

/** A flood of signals must not make the history larger than Temporal holds: what comes after so many is left out. */
const mostWaiting = 50;
/** Characters of JSON: terms with ten controls and a signature. */
const longestMessage = 40_000;

export class ExceptionDesk {
  readonly ballots: Ballot[] = [];
  readonly terms: ExceptionTerms[] = [];
  readonly withdrawals: Withdrawal[] = [];

  constructor(state: () => ExceptionState) {
    setHandler(decide, (ballot) => take(this.ballots, ballot), { description: 'A signed decision on the exception' });
    setHandler(sign, (terms) => take(this.terms, terms), {
      description: 'Somebody asks for what was proposed, signed',
    });
    setHandler(withdraw, (word) => take(this.withdrawals, word), { description: 'It ends before its time, signed' });
    setHandler(query, state, { description: 'The whole state of the exception' });
  }
}

function take<T>(waiting: T[], sent: T): void {
  const isSigned = typeof (sent as { signed?: unknown } | null | undefined)?.signed === 'object';
  if (isSigned && waiting.length < mostWaiting && JSON.stringify(sent).length <= longestMessage) waiting.push(sent);
  else log.warn('a signal to an exception was left out of account');
}
