/**
 * Temporal's history of an identity and its processes, as facts. Only known fields of known payloads are taken; a payload
 * as such goes no further than the readers.
 */
import type { Client } from '@temporalio/client';
import type { LoadedDataConverter } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { TenureError } from '../domain/errors.js';
import { parseProcessId } from '../domain/wire.js';
import type { Decode, Event, Payloads } from './facts-events.js';
import { IdentityReader } from './facts-identity.js';
import { ProcessReader } from './facts-process.js';
import type { Fact } from './timeline.js';

/**
 * The facts of one workflow's history. `workflowId` tells whether it is an identity or a process. `onUnreadable` hears why a payload could
 * not be read, e.g. for want of its key.
 */
export async function factsOf(
  client: Client,
  workflowId: string,
  events: readonly Event[],
  onUnreadable: (why: string) => void = () => undefined,
): Promise<Fact[]> {
  const process = parseProcessId(workflowId);
  // A review is neither; `tenure reviews` and its record tell of it.
  if (!process && workflowId.endsWith('/review')) return [];
  const decode = decoderOf(client.options.loadedDataConverter, onUnreadable);
  const reader = process ? new ProcessReader(workflowId, decode) : new IdentityReader(workflowId, decode);
  const facts: Fact[] = [];
  for (const event of events) {
    const fact = await reader.read(event);
    if (fact) facts.push(fact);
  }
  return facts;
}

function decoderOf(converter: LoadedDataConverter, onUnreadable: (why: string) => void): Decode {
  return async <T>(payloads: Payloads) => {
    try {
      return (await decodeArrayFromPayloads(converter, [...(payloads?.payloads ?? [])]))[0] as T | undefined;
    } catch (error) {
      // What cannot be read, e.g. for want of a codec's key, is left out of the timeline rather than ending it.
      // What another library says about it could quote it.
      if (error instanceof TenureError) onUnreadable(error.message);
      return undefined;
    }
  };
}
