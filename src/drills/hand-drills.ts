/** Abuse of time and of policies: drills for which the operator's files have to be changed. */
import { approve } from './approve.js';
import type { Drill, Finding } from './drill.js';
import {
  ask,
  closeGate,
  hasPassed,
  openGate,
  processOf,
  processWhen,
  stateOf,
  stateWhen,
  until,
  type Range,
} from './range.js';

export const handDrills: readonly Drill[] = [
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
