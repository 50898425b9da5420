/** Payloads as the Temporal UI and command line send them to a codec server: JSON of protobuf, bytes in base64. */
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';

const base64 = z.string().regex(/^[A-Za-z0-9+/_-]*={0,2}$/);
const message = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), base64).optional(), data: base64.optional() }))
    .max(20_000),
});

/** The payloads in a body; undefined where it is something else. */
export function parsePayloads(body: string): Payload[] | undefined {
  try {
    return message.parse(JSON.parse(body)).payloads.map(({ metadata = {}, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
      ...(data !== undefined && { data: Buffer.from(data, 'base64') }),
    }));
  } catch {
    return undefined;
  }
}

export function formatPayloads(payloads: readonly Payload[]): string {
  return JSON.stringify({
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, textOf(bytes)])),
      ...(data && { data: textOf(data) }),
    })),
  });
}

/**
 * Decodes each for itself: one that does not open stays as it is, so that a page of the UI shows what can be read and that the rest is
 * encrypted. Gives how many did not open.
 */
export async function decodeEach(
  codec: PayloadCodec,
  payloads: readonly Payload[],
): Promise<{ readonly decoded: Payload[]; readonly closed: number }> {
  const results = await Promise.all(
    payloads.map(async (payload) =>
      codec.decode([payload]).then(
        ([opened]) => opened!,
        () => undefined,
      ),
    ),
  );
  return {
    decoded: results.map((opened, at) => opened ?? payloads[at]!),
    closed: results.filter((opened) => opened === undefined).length,
  };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
