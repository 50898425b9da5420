/** A history with its payloads decoded, so that it can be replayed without the codec that wrote it. */
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { TenureError } from '../../domain/errors.js';

/** A history that can be read, or why it cannot: it is encoded, and a key is not here. */
export type Readable = { readonly history: History } | { readonly unreadable: string };

/** The history as it was before a codec encoded it. */
export async function decodedHistory(history: History, codecs: readonly PayloadCodec[]): Promise<Readable> {
  if (!isEncoded(history)) return { history };
  if (codecs.length === 0) return { unreadable: 'its payloads are encoded; bring the codec’s keys with --config' };
  try {
    return { history: (await decoded(history, codecs)) as History };
  } catch (error) {
    return { unreadable: error instanceof TenureError ? error.message : 'its payloads are encoded in another way' };
  }
}

/** How the SDK writes payloads without a codec. */
const plainEncodings = ['json/plain', 'binary/null', 'binary/plain', 'json/protobuf', 'binary/protobuf', ''];

/** Whether any payload passed a codec: one that was switched on in the middle encoded the rest. */
function isEncoded(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(isEncoded);
  if (typeof value !== 'object' || value === null || !isPlain(value)) return false;
  if (!isPayload(value)) return Object.entries(value).some(([key, held]) => key !== signal && isEncoded(held));
  return !plainEncodings.includes(Buffer.from(value.metadata?.['encoding'] ?? []).toString());
}

/** Anybody can send a signal, also one that nobody can read: it must not make the rest unreadable. */
const signal = 'workflowExecutionSignaledEventAttributes';

async function decoded(value: unknown, codecs: readonly PayloadCodec[]): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((each) => decoded(each, codecs)));
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
  if (isPayload(value)) return decodedPayload(value, codecs);
  const entries = Object.entries(value).map(async ([key, held]) => {
    const found = decoded(held, codecs);
    return [key, await (key === signal ? found.catch(() => held) : found)] as const;
  });
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
