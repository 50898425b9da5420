/** What is known of an identity: from its workflow, or, while no worker runs, from what its last process gave back. */
import type { Client } from '@temporalio/client';
import { newIdentity, type IdentityState, type IdentityStatus } from '../domain/identity.js';
import type { ProcessResult } from '../domain/process.js';
import { inTurns } from './concurrency.js';
import { CliError } from './errors.js';
import { endingOf } from './follow.js';
import { stateOf, unknownIdentity } from './identities.js';
import { listedIdentity, processesOf } from './visible.js';
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

/** The states of many identities by name; names that nobody knows are left out. */
export async function standingsOf(
  client: Client,
  namespace: string,
  names: readonly string[],
): Promise<{ readonly states: ReadonlyMap<string, IdentityState>; readonly live: boolean }> {
  let isLive = await isWorked(client, namespace);
  const states = await inTurns(names, askedAtOnce, async (name) => {
    try {
      const state = isLive ? await stateOf(client, name) : undefined;
      // One that does not answer stands for all: asking each would take seconds for each.
      isLive &&= state !== undefined;
      return state ?? (await rememberedState(client, name));
    } catch (error) {
      if (error instanceof CliError && error.code === 'NotFound') return undefined;
      throw error;
    }
  });
  const known = states.filter((state) => state !== undefined);
  return { states: new Map(known.map((state) => [state.name, state])), live: isLive };
}

const askedAtOnce = 16;

async function rememberedState(client: Client, name: string): Promise<IdentityState> {
  const listed = await listedIdentity(client, name);
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
