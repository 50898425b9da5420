import { log, patched } from '@temporalio/workflow';
import { admit } from '../../src/domain/admission.js';
import { clip } from '../../src/domain/clip.js';
import {
  handledLimit,
  refusedLimit,
  problemLimit,
  recentLimit,
  type IdentitySpec,
  type IdentityState,
  type RunningProcess,
} from '../../src/domain/identity.js';
import {
  makesCredential,
  type ProcessInput,
  type ProcessResult,
  type ProcessSummary,
} from '../../src/domain/process.js';
import type { Answer, ChangeRequest, HandledRequest } from '../../src/domain/request.js';
import { whatIsMalformed } from '../../src/domain/well-formed.js';
import { now } from './clock.js';

const eventsOfMessage = 6;
const eventsOfProcess = 25;
/** A payload of this size weighs as much as an event: a history may hold 50,000 of them, or 50 MB. */
const charactersOfEvent = 1_000;

/** The state of an identity and every change that is made to it. Plain bookkeeping: it starts nothing and waits for nothing. */
export class Aggregate {
  /**
   * About how many events this run has come to, large ones counting for several. Reckoned here, since `historyLength` is no ground for a
   * decision: where the result of a local activity arrives, a replay sees another length than the run itself did.
   */
  eventsReckoned = 0;

  constructor(
    readonly state: IdentityState,
    private readonly onChange: (state: IdentityState, isSettled: boolean) => void,
  ) {
    onChange(state, false);
  }

  /** Takes a request from an update or a signal. Never throws: a signal may hold anything. */
  take(asked: ChangeRequest): Answer {
    this.reckon(eventsOfMessage, asked);
    const answer = this.judge(asked);
    if (!this.answerTo(asked?.id)) {
      if (answer.accepted && !answer.operation) this.enqueue(asked);
      if (typeof asked?.id === 'string' && asked.id.length <= 200) this.remember({ id: asked.id, answer });
    }
    this.onChange(this.state, false);
    return answer;
  }

  /** Why nobody needs to look at its signature: it was answered before, or it is no request at all. */
  answerUnseen(asked: ChangeRequest): Answer | undefined {
    const before = this.answerTo(asked?.id);
    if (before) return before;
    if (!isMalformed(asked)) return undefined;
    const answer = this.judge(asked);
    return answer.accepted ? undefined : this.turnAway(asked, answer);
  }

  /** A request that nobody proved to have asked: it stays on record and has no effect, not even on the same id asked properly. */
  turnAway(asked: ChangeRequest, answer: Answer & { accepted: false }): Answer {
    this.reckon(eventsOfMessage, asked);
    // Somebody may have asked with the same id while this one was verified: that answer stays.
    if (typeof asked?.id === 'string' && asked.id.length <= 200 && !this.answerTo(asked.id))
      this.remember({ id: asked.id, answer, unproven: true });
    if (answer.code === 'ApprovalRefused')
      this.problem(`a ${String(asked.kind)} sent as ${String(asked.requester)} was turned away: ${answer.reason}`);
    this.onChange(this.state, false);
    return answer;
  }

  /** What was answered to this request, with its operation once it has started. */
  answerTo(requestId: string): Answer | undefined {
    return this.state.handled.find(({ id, unproven }) => id === requestId && !unproven)?.answer;
  }

  hasWork(): boolean {
    return this.state.running !== undefined || this.state.queue.length > 0;
  }

  /** Something waits, and no emergency is just being verified: that would have to pre-empt what began meanwhile. */
  mayBegin(): boolean {
    return this.hasWork() && this.emergenciesHeard === 0;
  }

  /** An emergency is being verified. What is given back says that nothing waits for it any longer. */
  hearEmergency(): () => void {
    let isHeard = true;
    this.emergenciesHeard += 1;
    return () => {
      if (isHeard) this.emergenciesHeard -= 1;
      isHeard = false;
    };
  }

  isWaiting(requestId: string): boolean {
    return (
      this.state.queue.some(({ id }) => id === requestId) || (this.starting?.id === requestId && !this.state.running)
    );
  }

  /** An emergency is waiting and something else runs. */
  mustPreempt(): boolean {
    return this.state.queue[0]?.emergency === true && this.state.running?.emergency !== true;
  }

  /** The life of the identity has ended, and nothing has been asked since. */
  isOver(): boolean {
    return this.state.status === 'offboarded' && !this.hasWork();
  }

  private starting?: ChangeRequest;
  private reckonings = 0;
  private emergenciesHeard = 0;

  /** The next request in line. */
  shift(): ChangeRequest {
    const asked = this.state.queue.shift()!;
    this.starting = asked;
    return asked;
  }

  started(input: ProcessInput): RunningProcess {
    const { kind, operation, request } = input;
    const running: RunningProcess = {
      kind,
      operation,
      requestId: request.id,
      startedAt: now(),
      emergency: request.emergency ?? false,
    };
    this.state.running = running;
    if (makesCredential(kind)) this.state.begun = input.spec;
    this.reckon(eventsOfProcess, input);
    this.state.handled = this.state.handled.map((handled) =>
      handled.id === request.id && handled.answer.accepted
        ? { ...handled, answer: { ...handled.answer, operation } }
        : handled,
    );
    this.onChange(this.state, false);
    return running;
  }

  /** The identity as declared changes, and nothing at the target. `policies` let it pass. */
  amend(asked: ChangeRequest, policies: readonly string[]): void {
    this.state.spec = asked.spec!;
    this.close({
      kind: 'amend',
      requestId: asked.id,
      outcome: 'succeeded',
      startedAt: now(),
      endedAt: now(),
      policies,
    });
  }

  /** A request whose turn came and that cannot be started any more. */
  refuse(
    { id, kind, requester }: ChangeRequest,
    { code, reason, policies }: { code: ProcessSummary['code']; reason: string } & Pick<ProcessSummary, 'policies'>,
  ): void {
    this.noteStoppedForNothing();
    this.close({
      kind,
      requestId: id,
      outcome: 'refused',
      startedAt: now(),
      endedAt: now(),
      ...(code && { code }),
      message: reason,
      ...(policies && { policies }),
    });
    this.problem(`${kind} asked by ${requester} was not started: ${reason}`);
  }

  /** A process gave its result. */
  finished(running: RunningProcess, result: ProcessResult): void {
    const { after, outcome, kind, failure, startedAt, endedAt } = result;
    setOrDelete(this.state, 'current', after.current);
    setOrDelete(this.state, 'previous', after.previous?.length ? after.previous : undefined);
    if (after.spec) this.state.spec = after.spec;
    this.state.status = statusAfter(this.state, result);
    if (outcome !== 'succeeded') this.noteStoppedForNothing();
    if (isWholeAgain(result)) delete this.state.begun;
    if (outcome === 'succeeded' && makesCredential(kind)) this.state.lastRotatedAt = endedAt;
    this.close({
      operation: running.operation,
      kind,
      requestId: running.requestId,
      outcome,
      startedAt,
      endedAt,
      ...(failure && { code: failure.code, message: failure.message }),
    });
  }

  /** A process ended without a result: pre-empted, cancelled, or terminated by hand. */
  ended(
    { operation, kind, requestId, startedAt }: RunningProcess,
    outcome: ProcessSummary['outcome'],
    message: string,
  ): void {
    if (outcome === 'unfinished') this.state.status = 'needs-operator';
    const isLeft = kind === 'revoke' && this.noteStoppedForNothing();
    if (outcome === 'undone' && !isLeft) delete this.state.begun;
    const told = isLeft ? `${message}; what was stopped for it is left as that was` : message;
    this.close({ operation, kind, requestId, outcome, startedAt, endedAt: now(), message: told });
  }

  /**
   * An emergency stopped a process and then came to nothing itself: what that one had begun is left as it was, and nobody takes it back. Says
   * whether that is so.
   */
  private noteStoppedForNothing(): boolean {
    const { state } = this;
    const stopped = state.recent.at(-1);
    if (stopped?.outcome !== 'pre-empted' || !patched('stopped-for-nothing')) return false;
    state.status = 'needs-operator';
    this.problem(
      `${stopped.operation} was stopped for an emergency that came to nothing, and what it may have begun is left; ` +
        `revoke it again (tenure revoke ${state.name} --now), or compare and put it right: tenure validate ${state.name} --repair`,
    );
    return true;
  }

  problem(what: string): void {
    this.state.problems = [...this.state.problems, { at: now(), what: clip(what) }].slice(-problemLimit);
    this.onChange(this.state, false);
  }

  private reckon(events: number, payload: unknown): void {
    this.eventsReckoned += events + (JSON.stringify(payload)?.length ?? 0) / charactersOfEvent;
  }

  private judge(asked: ChangeRequest): Answer {
    try {
      return admit(this.asItStands(), asked);
    } catch (error) {
      log.warn('a request was left out of account', { error: String(error) });
      return {
        accepted: false,
        code: 'InvalidRequest',
        reason: 'the request has not the shape that is expected; send it with: tenure',
      };
    }
  }

  /** What is just being started is no more waiting and not yet running; an emergency that comes in between has to find it. */
  private asItStands(): IdentityState {
    const { state, starting } = this;
    return starting && !state.running ? { ...state, queue: [starting, ...state.queue] } : state;
  }

  /** Emergencies stand in front, among themselves in the order asked. */
  private enqueue(asked: ChangeRequest): void {
    const emergencies = this.state.queue.filter(({ emergency }) => emergency).length;
    this.state.queue.splice(asked.emergency ? emergencies : this.state.queue.length, 0, asked);
  }

  /** A refusal is remembered too, for whoever asked by a signal and looks for the answer; it never drives out what was accepted. */
  private remember(handled: HandledRequest): void {
    const all = [...this.state.handled.filter(({ id }) => id !== handled.id), handled];
    const kept = [...all.filter(isAccepted).slice(-handledLimit), ...all.filter(isRefused).slice(-refusedLimit)];
    this.state.handled = all.filter((handled) => kept.includes(handled));
  }

  /** Whether an answer about the next rotation is still of interest when it comes: a newer question may have been asked. */
  beginReckoning(): () => boolean {
    const number = (this.reckonings += 1);
    return () => this.reckonings === number;
  }

  /** When it is next due, ISO 8601; said once a process or an amendment has changed what that depends on. */
  isNextDue(at: string | undefined): void {
    setOrDelete(this.state, 'nextRotationAt', at);
    this.onChange(this.state, true);
  }

  private close(summary: ProcessSummary): void {
    delete this.state.running;
    delete this.starting;
    const { message } = summary;
    const kept = message === undefined ? summary : { ...summary, message: clip(message) };
    this.state.recent = [...this.state.recent, kept].slice(-recentLimit);
    this.onChange(this.state, false);
  }
}

/** Also where it is so odd that looking at it fails. */
function isMalformed(asked: ChangeRequest): boolean {
  try {
    return whatIsMalformed(asked) !== undefined;
  } catch {
    return true;
  }
}

function isAccepted({ answer }: HandledRequest): boolean {
  return answer.accepted;
}

function isRefused({ answer }: HandledRequest): boolean {
  return !answer.accepted;
}

/** Nothing is left of what was begun: it was completed, taken back, or everything was revoked. */
function isWholeAgain({ kind, outcome }: ProcessResult): boolean {
  if (kind === 'validate') return false;
  return outcome === 'succeeded' || (outcome === 'undone' && makesCredential(kind));
}

/** What an identity is called in, from the moment a process has ended. */
function statusAfter({ status }: IdentityState, { kind, outcome, after }: ProcessResult): IdentityState['status'] {
  // Whoever is pre-empted by an emergency is not listened to any more: this one stopped, undid nothing, and nothing followed.
  if (outcome === 'unfinished' || outcome === 'pre-empted') return 'needs-operator';
  if (outcome !== 'succeeded') return status;
  if (kind === 'offboard') return 'offboarded';
  if (kind === 'revoke') return 'revoked';
  return after.current ? 'active' : status;
}

function setOrDelete<Key extends 'current' | 'previous' | 'nextRotationAt'>(
  state: IdentityState,
  key: Key,
  value: IdentityState[Key] | undefined,
): void {
  if (value === undefined) delete state[key];
  else state[key] = value;
}

/** The declared identity that a request works on. Only what makes a credential may bring a new one: an end goes by what was made. */
export function specFor(state: IdentityState, { kind, spec }: ChangeRequest): IdentitySpec | undefined {
  if (kind === 'provision' || kind === 'rotate') return spec ?? state.spec;
  return kind === 'validate' || kind === 'elevate' ? state.spec : (state.begun ?? state.spec);
}
