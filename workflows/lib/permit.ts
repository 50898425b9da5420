import { ApplicationFailure, sleep } from '@temporalio/workflow';
import type { Clearance } from '../../src/domain/decision.js';
import { planOf } from '../../src/domain/plan.js';
import type { StageName } from '../../src/domain/process.js';
import { awaitGate } from './gate.js';
import type { Process } from './process.js';

/** Stages 1 to 3: the plan, what policy says of it, and the gate. Nothing is touched before all three are passed. */
export async function permit(process: Process): Promise<void> {
  const { state } = process;
  const plan = planOf(process.input);
  await process.stage(
    'plan',
    () => Promise.resolve((state.plan = plan)),
    () => (plan.repair ? 'compare and repair' : `${plan.strategy}${plan.to ? ` to ${plan.to.target}` : ''}`),
  );
  await process.stage(
    'authorize',
    () => authorize(process),
    () => decisionInWords(process),
  );
  const hasWaited = await awaitGate(process);
  if (hasWaited) await waitUntilClear(process, 'gate');
}

/** A freeze that began meanwhile holds: nothing changes until it ends. It may be lifted early, so it is looked at again and again. */
export async function waitUntilClear(process: Process, stage: StageName): Promise<void> {
  for (;;) {
    const cleared = await clearance(process);
    if (cleared.clear) return;
    const showAgain = process.waiting(stage, `frozen until ${cleared.until}: ${cleared.reason}`);
    await sleep(untilNextLook(Date.parse(cleared.until) - Date.now()), { summary: `freeze: ${cleared.reason}` });
    showAgain();
  }
}

/** The nearer the end the more often, so that the number of looks stays small however long a freeze lasts. Milliseconds. */
function untilNextLook(leftMs: number): number {
  const share = Math.min(Math.max(leftMs / 20, 60_000), 6 * 60 * 60_000);
  return Math.max(1_000, Math.min(leftMs, share));
}

async function authorize(process: Process): Promise<void> {
  const { state } = process;
  const [decision, cleared] = await Promise.all([
    process.hereFirst('careful', 'Ask policy for its decision', (activities) => activities.authorize(state.plan!)),
    clearance(process),
  ]);
  state.decision = decision;
  if (decision.effect === 'deny') {
    throw ApplicationFailure.nonRetryable(
      decision.message ?? `policy denies it: ${decision.reasons.join(', ')}`,
      decision.code ?? 'PolicyDenied',
    );
  }
  if (!cleared.clear) {
    throw ApplicationFailure.nonRetryable(`frozen until ${cleared.until}: ${cleared.reason}`, 'PolicyDenied');
  }
}

/** Waits for as long as the freezes cannot be read: what is not known to be allowed does not happen. */
function clearance(process: Process): Promise<Clearance> {
  const question = { spec: process.input.spec, emergency: process.state.emergency };
  return process.hereFirst('stubborn', 'Read whether a freeze holds', (activities) => activities.clearance(question));
}

function decisionInWords({ state }: Process): string {
  const { reasons, obligations } = state.decision!;
  const gate = obligations.approvals > 0 ? `, with ${obligations.approvals} approval(s)` : '';
  return `allowed${gate}: ${reasons.join(', ')}`;
}
