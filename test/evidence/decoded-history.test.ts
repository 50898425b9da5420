/** Histories that a codec encoded, as a verifier has them. */
import { defaultPayloadConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { describe, expect, test } from 'vitest';
import { isEncrypted } from '../../src/temporal/codec/aes-gcm.js';
import { decodedHistory } from '../../src/evidence/verify/decoded-history.js';
import { codecWith, keyOf } from '../codec/keys.js';

const codec = codecWith({ k1: keyOf(1) }, 'k1');

/** A history that begins with one payload, has a signal with another, and ends with a third. */
async function historyOf(first: Payload, sent: Payload, last: Payload): Promise<History> {
  return {
    events: [
      { workflowExecutionStartedEventAttributes: { input: { payloads: [first] } } },
      { workflowExecutionSignaledEventAttributes: { signalName: 'decide', input: { payloads: [sent] } } },
      { workflowExecutionFailedEventAttributes: { failure: { message: 'Encoded failure', encodedAttributes: last } } },
    ],
  } as History;
}

const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)!;
const sealed = async (value: unknown, by: PayloadCodec = codec): Promise<Payload> =>
  (await by.encode([plain(value)]))[0]!;
const foreign = async (): Promise<Payload> => sealed('theirs', codecWith({ k9: keyOf(9) }, 'k9'));

/** What the three payloads say, and what cannot be read as it is. */
async function saidIn(history: History, codecs: readonly PayloadCodec[]): Promise<unknown> {
  const found = await decodedHistory(history, codecs);
  if ('unreadable' in found) return found.unreadable;
  const [first, sent, last] = found.history.events!;
  return [
    first!.workflowExecutionStartedEventAttributes!.input!.payloads![0]!,
    sent!.workflowExecutionSignaledEventAttributes!.input!.payloads![0]!,
    last!.workflowExecutionFailedEventAttributes!.failure!.encodedAttributes!,
  ].map((payload) => (isEncrypted(payload) ? 'closed' : defaultPayloadConverter.fromPayload(payload)));
}

describe('a history', () => {
  test('that was never encoded is taken as it is', async () => {
    const history = await historyOf(plain(1), plain(2), plain(3));
    expect(await decodedHistory(history, [])).toEqual({ history });
    expect(await decodedHistory(history, [codec])).toEqual({ history });
  });

  test('that is encoded, also only in its end, is decoded with the key and says why not without', async () => {
    const message = { message: 'it failed' };
    const whole = await historyOf(await sealed(1), await sealed(2), await sealed(message));
    const turned = await historyOf(plain(1), await sealed(2), await sealed(message));
    for (const history of [whole, turned]) {
      expect(await saidIn(history, [codec])).toEqual([1, 2, message]);
      expect(await saidIn(history, [])).toContain('bring the codec’s keys with --config');
      expect(await saidIn(history, [codecWith({ k2: keyOf(2) }, 'k2')])).toContain('encrypted with key k1');
    }
  });

  test('is not made unreadable by a signal that nobody can read', async () => {
    const history = await historyOf(await sealed(1), await foreign(), await sealed(3));
    expect(await saidIn(history, [codec])).toEqual([1, 'closed', 3]);
    expect(await saidIn(await historyOf(plain(1), await foreign(), plain(3)), [])).toEqual([1, 'closed', 3]);
  });
});
