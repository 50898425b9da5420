/** What is known of an identity: from its workflow, or, while no worker runs, from what its last process gave back. */
import type { Client } from '@temporalio/client';
import { newIdentity, type IdentityState, type IdentityStatus } from '../domain/identity.js';
import type { ProcessResult } from '../domain/process.js';
import { endingOf } from './follow.js';
import { stateOf, unknownIdentity } from './identities.js';
import { listIdentities, processesOf } from './visible.js';
import { isWorked } from './workers.js';

export interface Standing {
  readonly state: IdentityState;
  /** False: put together from results in Temporal's history. Queued requests and amendments since are not in it. */
  readonly live: boolean;
}

/** The best that can be known now. Fails with `NotFound` for a name that nobody declared. */
export async function standingOf(client: Client, namespace: string, name: string): Promise<Standing> {
  if (await isWorked(client, namespace)) {
    const state = await stateOf(client, name);
    if (state) return { state, live: true };
  }
  return { state: await rememberedState(client, name), live: false };
}

async function rememberedState(client: Client, name: string): Promise<IdentityState> {
  const listed = (await listIdentities(client)).find((identity) => identity.name === name);
  if (!listed) throw unknownIdentity(name);
  const state = newIdentity(name);
  state.status = listed.status as IdentityStatus;
  if (listed.nextRotationAt !== null) state.nextRotationAt = listed.nextRotationAt;
  const after = (await lastResult(client, name))?.after;
  if (after?.spec) state.spec = after.spec;
  if (after?.current) state.current = after.current;
  if (after?.previous) state.previous = after.previous;
  return state;
}

async function lastResult(client: Client, name: string): Promise<ProcessResult | undefined> {
  const ended = (await processesOf(client, name)).filter(({ endedAt }) => endedAt !== null);
  const newestFirst = ended.toSorted((one, other) => other.endedAt!.localeCompare(one.endedAt!));
  for (const { operation } of newestFirst) {
    const ending = await endingOf(client, operation, AbortSignal.timeout(5_000)).catch(() => undefined);
    if (ending?.how === 'ended') return ending.result;
  }
  return undefined;
}
