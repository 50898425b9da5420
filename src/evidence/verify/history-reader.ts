/** What a workflow was told, was sent and asked for, as its history has it. Payloads are decoded already. */
import { defaultDataConverter, type Payload } from '@temporalio/common';
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js';
import type { History } from '@temporalio/common/lib/proto-utils.js';

export type Event = NonNullable<History['events']>[number];
type Payloads = { readonly payloads?: readonly Payload[] | null } | null | undefined;

export class HistoryReader {
  constructor(private readonly events: readonly Event[]) {}

  /** What it was started with. */
  async input<T>(): Promise<T | undefined> {
    return this.#first<T>(this.events[0]?.workflowExecutionStartedEventAttributes?.input as Payloads);
  }

  /** What it gave to the last call of an activity. */
  async told<T>(activity: string): Promise<T | undefined> {
    const asked = this.events.findLast(
      ({ activityTaskScheduledEventAttributes: scheduled }) => scheduled?.activityType?.name === activity,
    );
    return this.#first<T>(asked?.activityTaskScheduledEventAttributes?.input as Payloads);
  }

  /** Everything that was sent by signals of this name, by whomever. */
  async sent<T>(name: string): Promise<T[]> {
    const signals = this.events.flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal?.signalName === name ? [signal] : [],
    );
    // Anybody can send anything, also what cannot be read.
    const read = await Promise.all(
      signals.map(({ input }) => this.#first<T>(input as Payloads).catch(() => undefined)),
    );
    return read.filter((sent) => sent !== undefined);
  }

  async #first<T>(payloads: Payloads): Promise<T | undefined> {
    return (await decodeArrayFromPayloads(defaultDataConverter, [...(payloads?.payloads ?? [])]))[0] as T | undefined;
  }
}
