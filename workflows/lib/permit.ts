import { ApplicationFailure, condition } from '@temporalio/workflow';
import type { Clearance, Decision } from '../../src/domain/decision.js';
import { planOf } from '../../src/domain/plan.js';
import type { GateState, StageName } from '../../src/domain/process.js';
import { passGate } from './gate.js';
import type { Process } from './process.js';

/**
 * Stages 1 to 3: the plan, what policy says of it, and the gate. Nothing is touched before all three are passed: what policy permits at
 * the end is this run of this workflow, and the worker refuses every effect to any other.
 */
export async function permit(process: Process): Promise<void> {
  const { state } = process;
  const plan = planOf(process.input);
  await process.stage(
    'plan',
    () => Promise.resolve((state.plan = plan)),
    () => (plan.repair ? 'compare and repair' : `${plan.strategy}${plan.to ? ` to ${plan.to.target}` : ''}`),
  );
  const decision = await process.stage(
    'authorize',
    () => authorize(process),
    () => decisionInWords(process),
  );
  if (decision.permitted) return process.skip('gate', 'no approval is needed');
  await passGate(process, decision, {
    clear: (isInterrupted) => waitUntilClear(process, 'gate', isInterrupted),
    ask: (gate) => authorizeAgain(process, gate),
  });
}

/**
 * A freeze that began meanwhile holds: nothing changes until it ends. It may be lifted early, so it is looked at again and again. False
 * where `isInterrupted` became true before.
 */
export async function waitUntilClear(
  process: Process,
  stage: StageName,
  isInterrupted: () => boolean = () => false,
): Promise<boolean> {
  for (;;) {
    const cleared = await clearance(process);
    if (isInterrupted()) return false;
    if (cleared.clear) return true;
    const showAgain = process.waiting(stage, `frozen until ${cleared.until}: ${cleared.reason}`);
    const untilMs = untilNextLook(Date.parse(cleared.until) - Date.now());
    await condition(isInterrupted, untilMs, { summary: `freeze: ${cleared.reason}` });
    showAgain();
    if (isInterrupted()) return false;
  }
}

/** The nearer the end the more often, so that the number of looks stays small however long a freeze lasts. Milliseconds. */
function untilNextLook(leftMs: number): number {
  const share = Math.min(Math.max(leftMs / 20, 60_000), 6 * 60 * 60_000);
  return Math.max(1_000, Math.min(leftMs, share));
}

async function authorize(process: Process): Promise<Decision> {
  const [decision, cleared] = await Promise.all([ask(process), clearance(process)]);
  process.state.decision = decision;
  demandAllowed(decision);
  // One may begin between the two answers.
  const freeze = cleared.clear ? decision.frozen : cleared;
  if (freeze) throw ApplicationFailure.nonRetryable(`frozen until ${freeze.until}: ${freeze.reason}`, 'PolicyDenied');
  return decision;
}

/** Once the approvals are there: the plan is made anew and decided on as things are now, after any freeze that began meanwhile. */
async function authorizeAgain(process: Process, gate: GateState): Promise<Decision> {
  process.state.plan = planOf(process.input);
  const decision = await ask(process, gate);
  process.state.decision = decision;
  demandAllowed(decision);
  return decision;
}

function ask(process: Process, gate?: GateState): Promise<Decision> {
  const { input, state } = process;
  const question = { input, plan: state.plan!, ...(gate && { gate }) };
  return process.hereFirst('careful', 'Ask policy for its decision', (activities) => activities.authorize(question));
}

function demandAllowed({ effect, message, reasons, code }: Decision): void {
  if (effect === 'allow') return;
  throw ApplicationFailure.nonRetryable(message ?? `policy denies it: ${reasons.join(', ')}`, code ?? 'PolicyDenied');
}

/** Waits for as long as the freezes cannot be read: what is not known to be allowed does not happen. */
function clearance(process: Process): Promise<Clearance> {
  const question = { spec: process.input.spec, emergency: process.state.emergency };
  return process.hereFirst('stubborn', 'Read whether a freeze holds', (activities) => activities.clearance(question));
}

function decisionInWords({ state }: Process): string {
  const { reasons, obligations, permitted } = state.decision!;
  const gate = permitted ? '' : `, with ${obligations.approvals} approval(s)`;
  return `allowed${gate}: ${reasons.join(', ')}`;
}
