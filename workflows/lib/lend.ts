/** Lending rights and taking them back: the stages of an elevation that are its own. */
import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { AcceptanceProof, ElevationProof } from '../../src/domain/credential.js';
import { elevatedSpec } from '../../src/domain/elevation.js';
import { epochAfterwards } from '../../src/domain/epoch.js';
import type { ErrorCode } from '../../src/domain/errors.js';
import { span } from '../../src/domain/span.js';
import { heedCancel } from './cancelled.js';
import { after, now, until } from './clock.js';
import { failureOf } from './failure.js';
import { waitUntilClear } from './permit.js';
import type { Process } from './process.js';
import { show } from './show.js';

/** With these nothing was lent, for certain. */
const withoutEffect: readonly ErrorCode[] = ['RejectedUnchanged', 'InvalidRequest', 'ApprovalRefused'];

/** The target gives more rights for real, and a login proves it. Their time begins before the step: no slow target makes it longer. */
export async function lend(process: Process): Promise<void> {
  const { spec, request, identity } = process.input;
  const { forMs, incident } = request.elevation!;
  process.proofs.elevated = { incident, from: now(), until: after(forMs) };
  process.unwind.before('elevate', () => takeBack(process));
  const granted = await process.stage('elevate', () => inTime(process, () => lendAndProve(process)), granting);
  // A cancel that came with the last answer: what follows would be stopped by it, and here the way back is whole.
  heedCancel();
  remember(process, { granted });
  void tell(
    process,
    `${identity} has more rights at ${spec.target.name} until ${process.proofs.elevated.until}, asked by ${request.requester} for ${incident}`,
  );
}

/** Until they are given back or their time is over, whichever comes first. A cancel in Temporal is a way to give them back too. */
export async function hold(process: Process): Promise<void> {
  const { state, inbox, proofs, input } = process;
  const { until: end } = proofs.elevated!;
  const isEarly = (): boolean => inbox.givenBackBy !== undefined || process.isCancelAsked;
  const endedBy = await process.stage(
    'hold',
    async () => {
      process.waiting('hold', `has more rights until ${end}; give them back with: tenure give-back ${input.identity}`);
      state.heldUntil = end;
      show(state, { status: 'elevated', stage: 'hold' });
      const wasEarly = await until(isEarly, end, `rights lent for ${span(input.request.elevation!.forMs)}`).finally(
        () => delete state.heldUntil,
      );
      if (!wasEarly) return 'its time was over';
      return inbox.givenBackBy === undefined ? 'cancelled in Temporal' : `given back by ${inbox.givenBackBy}`;
    },
    (by) => by,
  );
  show(state, { status: 'running', stage: 'restore' });
  remember(process, { endedBy });
}

/** Never given up: what cannot be retried by itself parks and alerts, and is tried again and again whether somebody answers or not. */
export async function restore(process: Process): Promise<void> {
  for (let turn = 0; ; turn += 1) {
    try {
      await process.stage('restore', () => takeBack(process), restoring);
      break;
    } catch (error) {
      if (process.inbox.preemptedBy !== undefined) throw error;
      const why = `lent rights are not taken back yet: ${failureOf(error).message}`;
      if ((await process.park('restore', why, againAfterMs(turn))) === 'abandon') throw error;
    }
  }
  const { identity, spec } = process.input;
  void tell(
    process,
    `${identity} has its declared rights at ${spec.target.name} again: ${process.proofs.elevated!.endedBy}`,
  );
}

/**
 * A process that an emergency stops undoes nothing, since the revocation takes everything down. Lent rights it still takes back: where a
 * revocation has begun this is fenced off, and where none has, nothing else would.
 */
export async function takeBackWhenStopped(process: Process, stages: () => Promise<void>): Promise<void> {
  try {
    await stages();
  } catch (error) {
    if (process.inbox.preemptedBy !== undefined && process.proofs.elevated) {
      const taking = (): Promise<unknown> =>
        process.call('careful', 'Take lent rights back').restore(process.undoing());
      await CancellationScope.nonCancellable(taking).then(
        () => remember(process, { endedAt: now(), endedBy: 'stopped by an emergency' }),
        () => undefined,
      );
    }
    throw error;
  }
}

/** What had the lent rights is replaced, behind a fence that no late attempt at lending or taking back gets past. */
export async function beginRotation(process: Process): Promise<void> {
  process.epoch = epochAfterwards(process.input.epoch);
  await waitUntilClear(process, 'stage');
}

async function lendAndProve(process: Process): Promise<AcceptanceProof> {
  const { spec, request } = process.input;
  const lent = { ...process.change(), spec: elevatedSpec(spec, request.elevation!) };
  try {
    await process.call('careful', `Lend more rights at ${spec.target.name}`).elevate(lent);
  } catch (error) {
    if (!isCancellation(error) && withoutEffect.includes(failureOf(error).code)) delete process.proofs.elevated;
    throw error;
  }
  return process.call('careful', 'Log in and compare the rights with the lent ones').verify(lent);
}

/** A person who puts right what stands in the way need not be awaited: it is looked at soon, and then less often. */
function againAfterMs(turn: number): number {
  return Math.min(60_000 * 2 ** Math.min(turn, 10), 3_600_000);
}

/** What is not there when its time is over is not lent any more. */
async function inTime<T>(process: Process, work: () => Promise<T>): Promise<T> {
  const { until: end } = process.proofs.elevated!;
  const scope = new CancellationScope({ cancellable: true, timeout: Math.max(1, Date.parse(end) - Date.now()) });
  try {
    return await scope.run(work);
  } catch (error) {
    if (!isCancellation(error) || Date.now() < Date.parse(end)) throw error;
    throw ApplicationFailure.nonRetryable(
      `the rights were not there before ${end}, when their time was over`,
      'OutcomeUnknown',
    );
  }
}

/** Back to what is declared, proven by a login. */
async function takeBack(process: Process): Promise<AcceptanceProof> {
  const back = process.undoing();
  await process.call('stubborn', 'Take lent rights back').restore(back);
  const restored = await process.call('stubborn', 'Log in and compare the rights with the declared ones').verify(back);
  remember(process, { endedAt: now(), restored });
  return restored;
}

function remember(process: Process, more: Partial<ElevationProof>): void {
  const { elevated } = process.proofs;
  if (elevated) process.proofs.elevated = { ...elevated, ...more };
}

/** Best effort, and never a reason to wait: their time is running. */
async function tell(process: Process, text: string): Promise<void> {
  const { identity, operation } = process.state;
  const notice = { identity, operation, level: 'warning', text } as const;
  await process.hereFirst('careful', 'Tell the operators', ({ notify }) => notify(notice)).catch(() => undefined);
}

function granting({ answer }: AcceptanceProof): string {
  return `${answer}; it has the lent rights`;
}

function restoring({ answer }: AcceptanceProof): string {
  return `${answer}; rights are the declared ones again, sessions from before are ended`;
}
