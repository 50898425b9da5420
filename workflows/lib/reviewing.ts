import {
  defineQuery,
  defineSignal,
  log,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import {
  noRecord,
  reviewMessages,
  type ReviewRecord,
  type ReviewStart,
  type ReviewState,
  type WeighedReview,
} from '../../src/domain/elevation-review.js';
import type { Signed } from '../../src/domain/statement.js';
import { searchAttributes } from '../../src/temporal/search-attributes.js';
import { callerFor, hereFirst, type Activities, type Manner } from './activities.js';
import { after, now } from './clock.js';
import { failureOf } from './failure.js';
import { renderReview } from './render-review.js';
import type { Ended } from './watch.js';

const review = defineSignal<[Signed]>(reviewMessages.review);
const reviewState = defineQuery<ReviewState>(reviewMessages.state);

const dayMs = 24 * 3_600_000;
/** A flood of signals must make neither the state nor the history larger than Temporal holds. */
const mostWaiting = 20;
const mostRefused = 20;
const mostRemarks = 50;
const mostWeighedInARun = 400;
const longestPart = 12_000;

/** The state of a review and every change that is made to it. */
export class Reviewing {
  readonly state: ReviewState;
  private weighed = 0;

  constructor(readonly start: ReviewStart) {
    this.state = start.state ?? freshState(start);
    setHandler(reviewState, () => this.state, { description: 'What is reviewed, who has, what is missing' });
    setHandler(review, (signed) => this.take(signed), { description: 'A signed review of what was done' });
    this.show();
  }

  /** The elevation is over. Tells whether there is anything to review: nothing may have been lent. */
  begin({ result }: Ended): boolean {
    const { state } = this;
    state.endedAt = now();
    if (result) state.outcome = result.outcome;
    if (result && !result.proofs.elevated) return false;
    state.evidence = result?.evidence ?? noRecord;
    state.due = after(this.start.withinMs);
    state.nextAlertAt = state.due;
    state.status = 'due';
    this.show('review-due');
    void this.tell('warning', this.request());
    if (!result)
      void this.alert(`${state.operation} was ended by hand and left no record; what was done has to be found out`);
    return true;
  }

  isSigned(): boolean {
    return this.state.reviews.length >= this.state.people;
  }

  isRunTooLong(): boolean {
    return this.weighed >= mostWeighedInARun;
  }

  /** Verifies the oldest that was sent; it counts, or it is kept with the reason why not. */
  async weighNext(): Promise<void> {
    const { state, start } = this;
    const [signed, ...rest] = state.inbox;
    state.inbox = rest;
    this.weighed += 1;
    const { operation, evidence = noRecord } = state;
    const reviewers = state.reviews.map(({ reviewer }) => reviewer);
    const question = { signed: signed!, reviewed: { operation, evidence, reviewers, excluded: start.excluded } };
    this.keep(await this.hereFirst('stubborn', 'Verify a review', ({ weighReview }) => weighReview(question)));
  }

  /** Its time is over and it is not signed: that is said, and said again every day. */
  async remind(): Promise<void> {
    const { state } = this;
    state.nextAlertAt = after(dayMs);
    if (state.status !== 'overdue') {
      state.status = 'overdue';
      this.show('review-overdue');
    }
    await this.alert(`overdue since ${state.due}: ${this.request()}`);
  }

  /** Something that the guard found or did. */
  async remark(text: string): Promise<void> {
    this.state.remarks = [...this.state.remarks, `${now()} ${text}`].slice(-mostRemarks);
    this.show();
    await this.alert(text);
  }

  alert(text: string): Promise<void> {
    return this.tell('alert', text);
  }

  async close(): Promise<ReviewState> {
    const { state } = this;
    state.status = 'closed';
    const { inbox: _inbox, nextAlertAt: _next, ...kept } = state;
    const record: ReviewRecord = { ...kept, closedAt: now() };
    // Always remote: it reads this run's own history.
    await callerFor(false, this.start.timing)('stubborn', 'Seal the record of the review')
      .sealReview(record)
      .catch((error: unknown) => this.alert(unsealed(state, error)));
    this.show('reviewed');
    return state;
  }

  closeUnused(): ReviewState {
    this.state.status = 'closed';
    this.show('nothing-lent');
    return this.state;
  }

  /** A signal may hold anything. */
  private take(signed: Signed): void {
    const { state } = this;
    const isUsable =
      isPart(signed?.statement) &&
      isPart(signed.signature) &&
      state.inbox.length < mostWaiting &&
      state.status !== 'closed';
    if (!isUsable) return log.warn('a signal was left out of account', { signal: 'review' });
    state.inbox = [...state.inbox, { statement: signed.statement, signature: signed.signature }];
  }

  private keep(weighed: WeighedReview): void {
    const { state } = this;
    if (weighed.counts) {
      state.reviews = [...state.reviews, weighed.review];
      const { reviewer, verdict, notes } = weighed.review;
      if (verdict === 'misuse')
        void this.alert(
          `${reviewer} found misuse in the elevation of ${state.identity} (${state.operation}): ${notes}`,
        );
    } else state.refused = [...state.refused, weighed.refused].slice(-mostRefused);
    this.show();
  }

  private request(): string {
    const { state } = this;
    const lacking = state.people - state.reviews.length;
    return `${lacking} other ${lacking === 1 ? 'person has' : 'people have'} to review what was done with the rights lent to ${state.identity} for ${state.elevation.incident}, until ${state.due}: tenure reviewed ${state.operation} --verdict …`;
  }

  /** Best effort: what comes of it changes nothing. */
  private async tell(level: 'warning' | 'alert', text: string): Promise<void> {
    const { identity, operation } = this.state;
    const notice = { identity, operation, level, text };
    await this.hereFirst('careful', 'Tell the operators', ({ notify }) => notify(notice)).catch(() => undefined);
  }

  private hereFirst<T>(manner: Manner, summary: string, work: (activities: Activities) => Promise<T>): Promise<T> {
    return hereFirst(summary, work, (told) => callerFor(false, this.start.timing)(manner, told));
  }

  private show(status?: string): void {
    setCurrentDetails(renderReview(this.state));
    if (status !== undefined) upsertSearchAttributes([{ key: searchAttributes.status, value: status }]);
  }
}

function unsealed({ operation }: ReviewState, error: unknown): string {
  return `the review of ${operation} is signed and left no record in the evidence log: ${failureOf(error).message}`;
}

function freshState({ operation, identity, requester, reason, elevation, people }: ReviewStart): ReviewState {
  return {
    operation,
    identity,
    requester,
    reason,
    elevation,
    people,
    status: 'standing by',
    remarks: [],
    reviews: [],
    refused: [],
    inbox: [],
  };
}

function isPart(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && value.length <= longestPart;
}
