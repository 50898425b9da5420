/** Tells a consumer by a signed HTTP request, as the Standard Webhooks specification says. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { TenureError } from '../domain/errors.js';
import { acknowledged, inSeconds, pending, refused, type Answer, type Telling } from './consumer.js';

export type Signer = Pick<Webhook, 'sign'>;

/** A message as it is sent. `id` is the same in every attempt, so that a receiver can tell a repetition. */
export interface Message {
  readonly id: string;
  readonly type: string;
  /** When it happened, ISO 8601. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Patience {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

type Reply = { readonly status: number; readonly retryAfterMs?: number } | { readonly failure: string };

const firstWaitMs = 250;
const longestWaitMs = 5_000;

/** A signer for `key` (`whsec_` and 24 to 64 bytes in base64). `InvalidRequest`, without quoting it, when it is none. */
export function signerOf(key: string): Signer {
  const encoded = key.replace(/^whsec_/, '');
  const bytes = Buffer.from(encoded, 'base64');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) || bytes.length < 24 || bytes.length > 64) {
    throw new TenureError(
      'InvalidRequest',
      'the signing key of consumers is not whsec_ and 24 to 64 bytes in base64; make one with: echo "whsec_$(openssl rand -base64 32)"',
    );
  }
  return new Webhook(key);
}

/** An id that is the same for the same parts. */
export function messageId(...parts: readonly string[]): string {
  return `msg_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
}

/** Tells a consumer and takes its status code for its answer. */
export async function tellWebhook(address: string, telling: Telling, signer: Signer): Promise<Answer> {
  const { announcement } = telling;
  const { identity, operation, event, version, consumer, delivery } = announcement;
  const message: Message = {
    id: messageId(operation, event, version, consumer),
    type: event,
    timestamp: new Date().toISOString(),
    data: { identity, operation, version, consumer, store: delivery.store, path: delivery.path },
  };
  const reply = await send(address, message, signer, telling);
  if ('failure' in reply) return refused(reply.failure);
  if (reply.status === 202) return pending(`answered 202; waits for: tenure ack ${identity} ${consumer}`);
  if (reply.status >= 200 && reply.status < 300) return acknowledged(`answered ${reply.status}`);
  if (reply.status >= 300 && reply.status < 400) {
    return refused(`answered ${reply.status}; redirects are not followed, so name the final address`);
  }
  return refused(`answered ${reply.status}`);
}

/** Sends until there is an answer that will not change by asking again, or the time is over. */
export async function send(
  address: string,
  message: Message,
  signer: Signer | undefined,
  { timeoutMs, signal }: Patience,
): Promise<Reply> {
  const problem = problemOf(address);
  if (problem) return { failure: problem };
  const { id, ...content } = message;
  const body = JSON.stringify(content);
  const startedAt = Date.now();
  for (let attempt = 1; ; attempt += 1) {
    const reply = await attemptOnce(address, id, body, signer, signal);
    if (!mayImprove(reply)) return reply;
    const asked = 'status' in reply ? (reply.retryAfterMs ?? 0) : 0;
    const wait = Math.max(waitBefore(attempt), asked);
    if (signal.aborted || Date.now() + wait >= startedAt + timeoutMs) {
      const tries = `tried ${attempt === 1 ? 'once' : `${attempt} times`} in ${inSeconds(Date.now() - startedAt)}`;
      const pause = asked > 0 ? `, asked for a pause of ${inSeconds(asked)}` : '';
      return { failure: `${what(reply)}, ${tries}${pause}` };
    }
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

async function attemptOnce(
  address: string,
  id: string,
  body: string,
  signer: Signer | undefined,
  signal: AbortSignal,
): Promise<Reply> {
  const at = new Date();
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'tenure',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    ...(signer && { 'webhook-signature': signer.sign(id, at, body) }),
  };
  try {
    // A redirect could lead the message to somebody who was never named.
    const response = await fetch(address, { method: 'POST', headers, body, redirect: 'manual', signal });
    await response.body?.cancel();
    const retryAfterMs = pauseOf(response.headers.get('retry-after'), at);
    return { status: response.status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
  } catch (error) {
    return { failure: signal.aborted ? 'no answer' : `cannot be reached (${causeOf(error)})` };
  }
}

function mayImprove(reply: Reply): boolean {
  return 'failure' in reply || reply.status === 429 || reply.status >= 500;
}

function what(reply: Reply): string {
  return 'failure' in reply ? reply.failure : `answered ${reply.status}`;
}

/** Twice as long each time, spread so that many messages do not come back at once. */
function waitBefore(attempt: number): number {
  const wait = Math.min(firstWaitMs * 2 ** (attempt - 1), longestWaitMs);
  return wait / 2 + (Math.random() * wait) / 2;
}

/** `Retry-After` as milliseconds: it is a number of seconds or a date. */
function pauseOf(header: string | null, now: Date): number | undefined {
  if (header === null) return undefined;
  const pause = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now.getTime();
  return pause > 0 ? pause : undefined;
}

/** The address is never quoted: its query or path may be a secret of the receiver. */
function problemOf(address: string): string | undefined {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) return 'its address is not http or https';
  return url.username || url.password ? 'its address holds a credential; remove it, calls are signed' : undefined;
}

/** A code such as ECONNREFUSED. The message is left out, as it quotes what was connected to. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'network error';
}
