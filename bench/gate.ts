/** What a gate adds to a rotation: the same rotations, once without and once with the approval of somebody else. */
import type { Client } from '@temporalio/client';
import type { ProcessState } from '../src/domain/process.js';
import { processMessages } from '../src/domain/wire.js';
import { searchAttributes } from '../src/temporal/search-attributes.js';
import { ballotFor } from '../src/trust/ballot.js';
import { approver } from './people.js';
import { provision, start } from './rotations.js';

export interface Cost {
  /** Of the process alone. */
  readonly events: number;
  /** Of the process and its identity, as the server counts what Temporal Cloud would bill. */
  readonly actions: number;
}

/** Each on an identity of its own, one at a time; the approval comes as soon as the gate is open. */
export async function measureGate(
  client: Client,
  actions: () => Promise<number>,
  rotations = 10,
): Promise<{ readonly open: Cost; readonly gated: Cost }> {
  const cost = async (environment: string): Promise<Cost> => {
    const names = Array.from({ length: rotations }, (_, index) => `cost-${environment}-${index}`);
    const isGated = environment === 'gated';
    for (const name of names)
      await provision(client, name, environment, (operation) => (isGated ? approveOnce(client, operation) : undefined));
    const before = await actions();
    let events = 0;
    for (const name of names) {
      const operation = await start(client, name, 'rotate');
      if (isGated) await approveOnce(client, operation);
      const handle = client.workflow.getHandle(operation);
      await handle.result();
      events += (await handle.describe()).historyLength;
    }
    return { events: events / rotations, actions: ((await actions()) - before) / rotations };
  };
  return { open: await cost('development'), gated: await cost('gated') };
}

/** One query and one signal, as the command line sends them. It is waited for by what is no action. */
async function approveOnce(client: Client, operation: string): Promise<void> {
  const handle = client.workflow.getHandle(operation);
  while ((await handle.describe()).typedSearchAttributes.get(searchAttributes.gate) !== 'open')
    await new Promise((resolve) => setTimeout(resolve, 50));
  const { gate } = await handle.query<ProcessState>(processMessages.process);
  await handle.signal(processMessages.decide, await ballotFor(approver, 'approve', operation, gate!, 'measured'));
}
