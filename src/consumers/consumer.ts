/** What every way of telling a consumer has in common. */
import type { Delivery } from '../domain/identity.js';
import type { Acknowledgement } from '../domain/process.js';
import type { Store } from '../stores/store.js';

export type HandOverEvent = 'credential.published' | 'credential.withdrawn' | 'credential.revoked';

/** What a consumer is told: where to look, never what it will find there. */
export interface Announcement {
  readonly identity: string;
  readonly operation: string;
  readonly event: HandOverEvent;
  readonly version: string;
  readonly consumer: string;
  /** The first delivery of the identity. */
  readonly delivery: Delivery;
}

/** What one attempt to tell a consumer may use. */
export interface Telling {
  readonly announcement: Announcement;
  /** Where `announcement.delivery` is. */
  readonly store: Store;
  /** How long the consumer may take, milliseconds. */
  readonly timeoutMs: number;
  /** Aborted when that time is over, or when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export type Answer = Pick<Acknowledgement, 'status' | 'detail'>;

export function acknowledged(detail: string): Answer {
  return { status: 'acknowledged', detail: oneLine(detail) };
}

export function refused(detail: string): Answer {
  return { status: 'refused', detail: oneLine(detail) };
}

export function pending(detail: string): Answer {
  return { status: 'pending', detail: oneLine(detail) };
}

/** One printable line of at most `limit` characters: details go into histories and terminals. */
export function oneLine(text: string, limit = 300): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > limit ? `${line.slice(0, limit - 1)}…` : line;
}

/** A duration as a person says it. */
export function inSeconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}

/** A longer timer would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** Runs `work` with a signal that is aborted after `timeoutMs`, or as soon as `outer` is. */
export async function within<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, Math.min(timeoutMs, longestTimer));
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', abort);
  }
}
