/** Abuse of runs, of time and of policies. */
import { randomUUID } from 'node:crypto';
import { ballotFor } from '../trust/ballot.js';
import type { Drill, Finding } from './drill.js';
import {
  ask,
  closeGate,
  decide,
  hasPassed,
  openGate,
  processOf,
  processWhen,
  stateOf,
  stateWhen,
  until,
  type Range,
} from './range.js';

/** Approves what waits, as somebody else than who asked. */
async function approve(range: Range, operation: string): Promise<void> {
  const { gate } = await processOf(range, operation);
  await decide(range, operation, await ballotFor(range.approver, 'approve', operation, gate!, 'a drill'));
  const after = await processWhen(
    range,
    operation,
    'the approval was looked at',
    (state) => state.gate?.outcome !== 'open' || state.gate.votes.length > 0 || state.gate.refused.length > 0,
  );
  if (after.gate?.outcome === 'open')
    throw new Error(
      `one approval by ${range.approver.name} does not open this gate: ${after.gate.refused.at(-1)?.reason ?? 'it asks for more'}`,
    );
}

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
  {
    id: 'freeze-bypass',
    title: 'a change that is asked for in a freeze',
    needs: ['hand'],
    async run(range) {
      const thaw = await range.hand!.freeze(3_600_000);
      try {
        const answer = await ask(range, { kind: 'rotate' });
        if (!answer.accepted || answer.operation === undefined)
          return { held: false, proof: 'it could not be asked for' };
        const { operation } = answer;
        const seen = await until(
          'it has ended, or goes on',
          async () => ({ ...(await stateOf(range)), gate: (await processOf(range, operation)).gate }),
          ({ running, gate }) => running === undefined || gate?.outcome === 'open',
        );
        if (seen.running !== undefined) {
          await closeGate(range, operation);
          return { held: false, proof: `${operation}: its gate was opened in a freeze` };
        }
        const done = seen.recent.find((process) => process.operation === operation);
        const held = done?.outcome === 'undone' && done.code === 'PolicyDenied' && /frozen/.test(done.message ?? '');
        return { held, proof: `${operation}: ${done?.message ?? done?.outcome ?? 'no outcome'}` };
      } finally {
        await thaw();
      }
    },
  },
  {
    id: 'loosened-policy',
    title: 'policies that are loosened between an approval and its execution',
    needs: ['hand'],
    run: loosen,
  },
  {
    id: 'expired-exception',
    title: 'an exception that is leant on after its end',
    needs: ['hand'],
    async run(range) {
      const forget = await range.hand!.leaveExpiredException(range.spec.name, 'owner-in-directory');
      try {
        const operation = await openGate(range);
        const { decision } = await processOf(range, operation);
        await closeGate(range, operation);
        const exceptions = decision?.facts?.exceptions ?? [];
        return {
          held: exceptions.length === 0,
          proof: `${operation}: exceptions that hold: ${exceptions.join(', ') || 'none'}`,
        };
      } finally {
        await forget();
      }
    },
  },
  {
    id: 'outliving-elevation',
    title: 'rights that are lent and not given back',
    needs: ['hand'],
    async run(range) {
      const grants = (range.spec.target.scope['grants'] ?? []) as readonly { on: string }[];
      const scope = { grants: [{ on: grants[0]?.on ?? '', may: ['delete'] }] };
      const elevation = { scope, forMs: lentMs, incident: 'DRILL-1' };
      const answer = await ask(range, { kind: 'elevate', elevation });
      if (!answer.accepted || answer.operation === undefined)
        return { held: false, proof: `it could not be asked for: ${answer.accepted ? answer.note : answer.reason}` };
      const { operation } = answer;
      await processWhen(range, operation, 'its gate is open', ({ gate }) => gate?.outcome === 'open');
      await approve(range, operation);
      const name = range.spec.name;
      await until(
        'the rights are lent',
        () => range.hand!.mayDelete(name),
        (may) => may,
      );
      const isOver = await until(
        'the rights are gone',
        () => range.hand!.mayDelete(name),
        (may) => !may,
        lentMs + takenBackWithinMs,
      ).catch(() => undefined);
      if (isOver === undefined) {
        await closeGate(range, operation);
        return {
          held: false,
          proof: `${operation}: lent for ${lentMs / 1_000} s, and a login could delete ${takenBackWithinMs / 1_000} s after that`,
        };
      }
      await stateWhen(range, 'it has ended', ({ running }) => running === undefined);
      return {
        held: true,
        proof: `${operation}: lent for ${lentMs / 1_000} s, then a login could not delete any more`,
      };
    },
  },
];

/** How long rights are lent, and how long a slow target may need to take them back. */
const lentMs = 15_000;
const takenBackWithinMs = 20_000;

/** So long a freeze lasts that only has to make time. */
const shortMs = 8_000;

async function loosen(range: Range): Promise<Finding> {
  const operation = await openGate(range);
  const undo: (() => Promise<void>)[] = [];
  try {
    // A freeze keeps what was approved from being carried out, so that there is a time in between.
    undo.push(await range.hand!.freeze(shortMs));
    await approve(range, operation);
    await processWhen(range, operation, 'it waits for the freeze', ({ stages }) =>
      stages.some(({ note }) => note?.includes('frozen') === true),
    );
    undo.push(await range.hand!.loosenPolicies());
    const state = await processWhen(
      range,
      operation,
      'it was decided on again',
      (seen) => hasPassed(seen) || (seen.gate?.number ?? 1) > 1,
    );
    const held = state.gate?.outcome === 'open' && state.gate.number === 2 && state.gate.votes.length === 0;
    return { held, proof: `${operation}: round ${state.gate?.number}, ${state.gate?.reopened ?? 'carried out'}` };
  } finally {
    for (const step of undo) await step();
    await closeGate(range, operation);
  }
}

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
