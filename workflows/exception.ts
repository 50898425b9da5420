/**
 * An exception from a rule, for a time: asked for with a signature, approved at a gate, published for policy while its controls hold, and
 * ended by a timer when nobody is there any more. What it covered is then enforced.
 *
 * It may begin as a proposal, which excepts from nothing until somebody signs it. The workflow only drives: that an exception holds is in
 * what the worker publishes, after it has verified every signature itself, so one that somebody else starts is inert.
 */
import { condition, continueAsNew, sleep } from '@temporalio/workflow';
import type { ExceptionStart, ExceptionState, ExceptionTerms } from '../src/domain/exception.js';
import { Exception } from './lib/exception.js';
import { passExceptionGate } from './lib/exception-gate.js';
import { failureOf } from './lib/failure.js';

/** A check is about eight events. */
const longestRun = 200;

export async function exception(start: ExceptionStart): Promise<ExceptionState> {
  const self = new Exception(start);
  if (!isApproved(self)) {
    const refusal = await approve(self).catch((error: unknown) => failureOf(error).message);
    if (refusal !== undefined) return refused(self, refusal);
    // Nobody looks after one that left no record, so it holds no more a few minutes later.
    const unsealed = await self.seal('approved');
    if (unsealed !== undefined) return end(self, unsealed, 'alert');
    self.enter('suspended');
  }
  const { why, isOver } = await tend(self, start).catch((error: unknown) => ({
    why: failureOf(error).message,
    isOver: true,
  }));
  if (!isOver) return continueAsNew<typeof exception>({ ...start, state: self.state });
  await end(self, why, 'alert');
  // Neither waits for the other: the log may be away, and so may the identity.
  await Promise.all([self.seal('ended'), enforce(self)]);
  return self.state;
}

function isApproved({ state }: Exception): boolean {
  return state.phase === 'active' || state.phase === 'suspended';
}

/** Why it was not approved; undefined where it was. */
async function approve(self: Exception): Promise<string | undefined> {
  const { state } = self;
  const asked = state.terms ?? (await signedByOwner(self));
  if (typeof asked === 'string') return asked;
  state.terms = asked;
  return passExceptionGate(self, asked);
}

/** Waits until the owner signs what was proposed; words where nobody does, or where it is turned down. */
async function signedByOwner(self: Exception): Promise<ExceptionTerms | string> {
  const { state, desk } = self;
  const { proposal } = state;
  if (!proposal) return 'it was started without terms';
  self.enter('proposed');
  for (;;) {
    const left = Date.parse(proposal.closes) - Date.now();
    const hasArrived = (): boolean => desk.terms.length + desk.withdrawals.length > 0;
    if (!(left > 0) || !(await condition(hasArrived, left, { summary: 'until the owner signs' })))
      return `nobody signed it before ${proposal.closes}`;
    const rejected = await self.saidToEnd(({ kind }) => kind === 'person');
    if (rejected !== undefined) return rejected;
    const terms = desk.terms.shift();
    if (terms && (await isTakenUp(self, terms))) return terms;
  }
}

/** Signed by whoever owns the identity now, for what was proposed. What is not stays on record. */
async function isTakenUp(self: Exception, terms: ExceptionTerms): Promise<boolean> {
  try {
    const { requester, owner } = await self.examine(terms, true);
    const isProposed = terms.id === self.state.id && terms.identity === self.state.identity;
    if (isProposed && requester.name === owner) return true;
    self.isInert(terms.by, isProposed ? `only ${owner}, who owns it, can sign it` : 'it is not what was proposed');
  } catch (error) {
    self.isInert(terms.by, failureOf(error).message);
  }
  return false;
}

/** Until its time is over, somebody withdraws it, or the run has become long: checks its controls again and again. */
async function tend(
  self: Exception,
  start: ExceptionStart,
): Promise<{ readonly why: string; readonly isOver: boolean }> {
  const { state, desk } = self;
  for (let checks = 0; checks < (start.longestRun ?? longestRun); checks += 1) {
    const tended = await self.call('Check the controls').tendException(state.id);
    state.checks = tended.checks;
    if (tended.status !== 'ended' && (tended.changed || state.phase !== tended.status)) {
      self.enter(tended.status);
      await self.tell(
        tended.status === 'active' ? 'info' : 'alert',
        tended.status === 'active' ? `holds until ${state.terms!.until}` : `is suspended: ${tended.why}`,
      );
    }
    const isOver = (): boolean => tended.status === 'ended' || Date.now() >= Date.parse(state.terms!.until);
    if (!isOver())
      await condition(() => desk.withdrawals.length > 0, Math.max(1, tended.nextCheckMs), { summary: 'next check' });
    const why = await ended(self, isOver());
    if (why !== undefined) return { why, isOver: true };
  }
  return { why: '', isOver: false };
}

/** Why it has ended, if it has. A word of somebody who may not end it stays on record. */
async function ended(self: Exception, isOver: boolean): Promise<string | undefined> {
  const { state, desk } = self;
  for (let word = desk.withdrawals.shift(); word && !isOver; word = desk.withdrawals.shift()) {
    try {
      const { why } = await self.call('End the exception').endException({ id: state.id, word });
      self.word = word;
      return why;
    } catch (error) {
      self.isInert(word.by, failureOf(error).message);
    }
  }
  return isOver ? endByTime(self) : undefined;
}

/** The clock of the worker may be behind that of the server: then it is not over yet, and looked at again. */
async function endByTime(self: Exception): Promise<string | undefined> {
  try {
    return (await self.call('End the exception').endException({ id: self.state.id })).why;
  } catch (error) {
    if (failureOf(error).code !== 'Conflict') throw error;
    await sleep(1_000);
    return undefined;
  }
}

async function refused(self: Exception, why: string): Promise<ExceptionState> {
  const state = await end(self, why, 'info');
  await self.seal('refused');
  return state;
}

async function end(self: Exception, why: string, level: 'info' | 'alert'): Promise<ExceptionState> {
  self.state.end = why;
  self.enter('ended');
  await self.tell(level, `has ended: ${why}`);
  return self.state;
}

/** The rule holds again, so the identity is asked for what makes it so. */
async function enforce(self: Exception): Promise<void> {
  const { state } = self;
  const { afterwards, identity } = state.terms!;
  try {
    const { asked, detail } = await self.call(`Ask for the ${afterwards} of ${identity}`).enforceException(state.id);
    const done = asked ? `${afterwards} is asked for: ${detail}` : `${afterwards} was not taken: ${detail}`;
    await self.tell(asked ? 'info' : 'alert', `covered ${identity} no more; its ${done}`);
  } catch (error) {
    await self.tell(
      'alert',
      `covers nothing any more, and its ${afterwards} could not be asked for: ${failureOf(error).message}`,
    );
  }
}
