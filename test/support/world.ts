/** What tests of processes look at: the fake target and the store, from outside. */
import type { WorkflowHandle } from '@temporalio/client';
import { processId } from '../../src/domain/wire.js';
import type { IdentitySpec, IdentityState } from '../../src/domain/identity.js';
import type { ProcessKind, ProcessResult } from '../../src/domain/process.js';
import { patient, specOf, type Engine } from './engine.js';

/** Everything that an identity has outside of Temporal. Contains what the fakes made up for passwords. */
export interface World {
  /** Principal → password, at both targets. */
  readonly logins: Readonly<Record<string, string>>;
  /** Slot → version. */
  readonly slots: Readonly<Record<string, string>>;
}

export async function worldOf({ around }: Engine, name: string): Promise<World> {
  const { slots } = await around.store.describe(name);
  const logins = [around.target, around.target2].flatMap((target) =>
    [...target.logins]
      .filter(([principal]) => principal.startsWith(`${name}_`))
      .map(([principal, password]) => [`${principal}@${target.name}`, password] as const),
  );
  return {
    logins: Object.fromEntries(logins),
    slots: Object.fromEntries(Object.entries(slots).map(([slot, { version }]) => [slot, version])),
  };
}

/** An identity that has its first credential. */
export async function provisioned(
  engine: Engine,
  name: string,
  differs: Parameters<typeof specOf>[1] = {},
  start: Parameters<Engine['do']>[2] = {},
): Promise<IdentityState> {
  return engine.do({ kind: 'provision', spec: specOf(name, differs) }, name, { timing: patient, ...start });
}

/** Asks and gives the handle of what was started, without waiting for its end. */
export async function begun(
  engine: Engine,
  request: Parameters<Engine['ask']>[0],
  name: string,
): Promise<WorkflowHandle & { readonly operation: string }> {
  const id = request.id ?? `b-${Math.random()}`;
  const answer = await engine.ask({ ...request, id }, name);
  if (!answer.accepted) throw new Error(`refused: ${answer.reason}`);
  const started = ({ handled }: IdentityState): string | undefined =>
    handled.flatMap((one) => (one.id === id && one.answer.accepted ? [one.answer.operation] : []))[0];
  const operation = started(await engine.stateWhen(name, (state) => started(state) !== undefined))!;
  return Object.assign(engine.process(operation), { operation });
}

/** The names of the activities that a workflow scheduled, remote ones only, in order. */
export async function activitiesOf(handle: WorkflowHandle): Promise<string[]> {
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: scheduled }) =>
    scheduled?.activityType?.name ? [scheduled.activityType.name] : [],
  );
}

/** The result that a process which failed carries in its failure. */
export async function failureResult(handle: WorkflowHandle): Promise<ProcessResult> {
  try {
    return (await handle.result()) as ProcessResult;
  } catch (error) {
    const { cause } = error as { cause?: { details?: unknown[] } };
    return cause?.details?.[0] as ProcessResult;
  }
}

/** How a workflow closed, in Temporal's words. */
export async function closedAs(handle: WorkflowHandle): Promise<string> {
  await handle.result().catch(() => undefined);
  return (await handle.describe()).status.name;
}

export function operationOf(name: string, kind: ProcessKind, number: number): string {
  return processId(name, kind, number);
}

/** I3, looked at all the time: what the store calls current is let in. */
export function watchCurrent({ around }: Engine, { name, target }: IdentitySpec): { stop(): Promise<WatchReport> } {
  const there = target.name === 'db' ? around.target : around.target2;
  let isOver = false;
  const report: WatchReport = { looks: 0, lockedOut: [] };
  const isLetIn = async (): Promise<string | undefined> => {
    const { record, material } = await around.store.read(name, { slot: 'current' });
    return there.logins.get(material['username']!) === material['password'] ? undefined : record.version;
  };
  const watching = (async () => {
    while (!isOver) {
      const refused = await isLetIn();
      // Between reading and trying, a rotation may have moved on: it counts when the store still says the same.
      if (refused !== undefined && (await isLetIn()) === refused) report.lockedOut.push(refused);
      report.looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return report;
    },
  };
}

export interface WatchReport {
  looks: number;
  readonly lockedOut: string[];
}
