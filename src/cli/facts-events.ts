/** What the readers of histories have in common. */
import type { Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';

export type Event = temporal.api.history.v1.IHistoryEvent;
export type Failure = temporal.api.failure.v1.IFailure;
export type Payloads = { readonly payloads?: readonly Payload[] | null } | null | undefined;

/** The first of the payloads; `undefined` when there is none or it cannot be read. */
export type Decode = <T>(payloads: Payloads) => Promise<T | undefined>;

/** What every fact has. */
export interface Base {
  readonly at: string;
  readonly workflow: string;
}

/** Time and place of an event. */
export function baseOf(event: Event, workflow: string): Base {
  const { seconds, nanos } = event.eventTime ?? {};
  return { at: new Date(Number(seconds ?? 0) * 1_000 + Math.floor((nanos ?? 0) / 1_000_000)).toISOString(), workflow };
}
