/** Keys and codecs for tests. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { payloadCodec } from '../../src/temporal/codec/aes-gcm.js';

/** The same key for the same number. */
export function keyOf(number: number): KeyObject {
  return createSecretKey(Buffer.alloc(32, number));
}

export function codecWith(keys: Readonly<Record<string, KeyObject>>, current: string | undefined): PayloadCodec {
  return payloadCodec({ keys: new Map(Object.entries(keys)), ...(current !== undefined && { current }) });
}

/** Everything in a payload as text. */
export function textIn({ metadata, data }: Payload): string {
  return [...Object.values(metadata ?? {}), data ?? []]
    .map((bytes) => Buffer.from(bytes).toString('latin1'))
    .join('\n');
}
