/** Abuse of runs, and of what is routine. */
import { randomUUID } from 'node:crypto';
import { approve } from './approve.js';
import type { Drill } from './drill.js';
import { closeGate, hasPassed, openGate, processOf, stateOf, stateWhen, until, type Range } from './range.js';

/** What somebody does who resets a run, so that its signals, the approval among them, are applied again. */
async function reset({ client }: Range, operation: string, runId: string): Promise<string> {
  const { workflowService } = client;
  const { events } = await client.workflow.getHandle(operation, runId).fetchHistory();
  const first = events!.find(({ workflowTaskCompletedEventAttributes: completed }) => completed)!;
  const { runId: next } = await workflowService.resetWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: operation, runId },
    reason: 'a drill',
    workflowTaskFinishEventId: first.eventId!,
    requestId: randomUUID(),
  });
  return next;
}

export const runDrills: readonly Drill[] = [
  {
    id: 'reset-run',
    title: 'a run that is reset, so that its approval counts a second time',
    async run(range) {
      const operation = await openGate(range);
      const { runId } = await range.client.workflow.getHandle(operation).describe();
      await approve(range, operation);
      const after = await stateWhen(range, 'the rotation has ended', ({ running }) => running === undefined);
      const next = await reset(range, operation, runId);
      const handle = range.client.workflow.getHandle(operation, next);
      const seen = await until(
        'the reset run has ended, or waits',
        async () => ({
          status: (await handle.describe()).status.name,
          state: await processOf(range, operation, next).catch(() => undefined),
        }),
        ({ status, state }) => status !== 'RUNNING' || state?.gate?.outcome === 'open',
      );
      if (seen.status === 'RUNNING') await handle.cancel();
      const { current } = await stateOf(range);
      const isStill = current?.version === after.current?.version;
      const isPast = seen.state === undefined || hasPassed(seen.state);
      const held = isStill && seen.status !== 'COMPLETED' && !isPast;
      const ended = seen.state?.failure?.message ?? seen.status;
      const how = seen.status === 'RUNNING' ? 'it waits for approvals of its own' : ended;
      return { held, proof: `${operation}, reset: ${isPast ? 'it passed its gate, and then: ' : ''}${how}` };
    },
  },
  {
    id: 'growing-routine',
    title: 'a routine rotation that asks for more rights than were approved',
    async run(range) {
      const usual = await requirementsOf(range, {});
      const grants = (range.spec.target.scope['grants'] ?? []) as readonly object[];
      const [first = {}] = grants;
      const wider = { ...first, may: ['select', 'insert', 'update', 'delete'] };
      const scope = { ...range.spec.target.scope, grants: [wider, ...grants.slice(1)] };
      const grown = await requirementsOf(range, { spec: { ...range.spec, target: { ...range.spec.target, scope } } });
      const held = grown.growth.length > 0 && grown.asks > usual.asks;
      return {
        held,
        proof: `${grown.operation}: usually ${usual.asks} requirements, with ${grown.growth.length} more rights ${grown.asks}: ${grown.rules.join(', ')}`,
      };
    },
  },
];

/** What a rotation would be asked for. */
async function requirementsOf(
  range: Range,
  differs: Parameters<typeof openGate>[1],
): Promise<{
  readonly operation: string;
  readonly asks: number;
  readonly growth: readonly string[];
  readonly rules: readonly string[];
}> {
  const operation = await openGate(range, differs);
  const { decision, gate } = await processOf(range, operation);
  await closeGate(range, operation);
  return {
    operation,
    asks: (gate?.needed ?? 0) + (gate?.groups.length ?? 0),
    growth: decision?.facts?.growth ?? [],
    rules: gate?.rules.map(({ id }) => id) ?? [],
  };
}
