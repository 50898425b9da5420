/** A reset run of an elevation has no permit: it can neither lend again nor keep what was lent. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { elevatedSpec } from '../../src/domain/elevation.js';
import { TenureError } from '../../src/domain/errors.js';
import type { Elevation } from '../../src/domain/request.js';
import { parseProcessId } from '../../src/domain/wire.js';
import { digestOf } from '../../src/policy/digest.js';
import { givenIn } from '../../src/trust/binding.js';
import type { Permit, Permits } from '../../src/trust/permits.js';
import { Engine, eventually, specOf } from '../support/engine.js';
import { begun, failureResult, provisioned } from '../support/world.js';

const name = 'reset';
const spec = specOf(name, { target: { name: 'db', scope: { grants: ['select'] } } });
const elevation: Elevation = { scope: { grants: ['delete'] }, forMs: 15_000, incident: 'INC-1' };
const rightsNow = (): unknown => JSON.parse(engine.around.target.rights.get(name)!);

/** What the elevation starts from, once it is there. */
let given = givenIn({});

/** The first run that asks has the permit of its operation, as if it had passed policy. */
function firstRuns(): Permits {
  const runs = new Map<string, string>();
  const permitOf = (operation: string): Permit =>
    ({
      operation,
      run: runs.get(operation),
      identity: name,
      kind: parseProcessId(operation)!.kind,
      given,
      lent: { until: '2100-01-01T00:00:00.000Z' },
      specs: [spec, elevatedSpec(spec, elevation)].map(digestOf),
      from: { principal: `${name}_a`, version: `nhi/${name}/provision/1` },
    }) as unknown as Permit;
  return {
    grant: () => Promise.resolve(),
    unused: (ids) => Promise.resolve(ids),
    demand: async (operation, run) => {
      if (!runs.has(operation)) runs.set(operation, run);
      if (runs.get(operation) === run) return permitOf(operation);
      throw new TenureError('ApprovalRefused', `run ${run} was not permitted`);
    },
    heldBy: (operation) => Promise.resolve(permitOf(operation)),
  };
}

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.start();
  await engine.stopWorker();
  engine.around.permits = firstRuns();
  await engine.startWorker();
});
afterAll(async () => engine?.stop());

test('I8: rights end at their time also where the run that lent them was reset to before it, and nothing else happens', async () => {
  const { current } = await provisioned(engine, name, { target: spec.target });
  given = givenIn({ specBefore: spec, from: current! });
  const handle = await begun(engine, { kind: 'elevate', reason: 'by hand', elevation }, name);
  const { heldUntil } = await engine.processWhen(handle.operation, (state) => state.heldUntil !== undefined);
  const { events } = await handle.fetchHistory();
  const first = events!.find(({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes)!;
  await engine.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: handle.operation },
    reason: 'to keep what was lent',
    workflowTaskFinishEventId: first.eventId!,
    requestId: randomUUID(),
  });
  // It finds its guard's place taken, and lends nothing; the guard sees that the run which it watches is over.
  expect(await failureResult(engine.process(handle.operation))).toMatchObject({ failure: { code: 'Conflict' } });
  await eventually(
    async () => rightsNow(),
    (rights) => JSON.stringify(rights) === '{"grants":["select"]}',
  );
  expect(Date.now()).toBeLessThan(Date.parse(heldUntil!) + 3 * 60_000);
}, 240_000);
