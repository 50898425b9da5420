/** A history with its payloads decoded, so that it can be replayed without the codec that wrote it. */
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';

/** The same history where there is no codec. Throws what a codec throws that does not have the key. */
export async function decodedHistory(history: History, codecs: readonly PayloadCodec[]): Promise<History> {
  return codecs.length === 0 ? history : ((await decoded(history, codecs)) as History);
}

async function decoded(value: unknown, codecs: readonly PayloadCodec[]): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((each) => decoded(each, codecs)));
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  if (isPayload(value)) return decodedPayload(value, codecs);
  const entries = Object.entries(value).map(async ([key, held]) => [key, await decoded(held, codecs)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** The last codec encoded last, so it decodes first. */
async function decodedPayload(payload: Payload, codecs: readonly PayloadCodec[]): Promise<Payload> {
  let [found] = [payload];
  for (const codec of codecs.toReversed()) [found] = (await codec.decode([found])) as [Payload];
  return found;
}

/** Messages of the protocol and plain objects; numbers of 64 bits and bytes stay as they are. */
function isPlain(value: object): boolean {
  return !(value instanceof Uint8Array) && !('low' in value && 'high' in value);
}

function isPayload(value: object): value is Payload {
  const { metadata } = value as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null && 'encoding' in metadata;
}
