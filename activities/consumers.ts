/**
 * Tells consumers that a credential changed. Each is told at least once: a worker that dies in the middle makes the next
 * one tell them again, with the same message id.
 */
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { SecretSource } from '../src/config/types.js';
import { tellCommand } from '../src/consumers/command.js';
import { pending, refused, within, type Answer, type Telling } from '../src/consumers/consumer.js';
import { tellFile } from '../src/consumers/file.js';
import { whyNotAllowed, type ConsumerLimits } from '../src/consumers/limits.js';
import { findConsumerCycle, prerequisites } from '../src/consumers/order.js';
import { signerOf, tellWebhook } from '../src/consumers/webhook.js';
import { undoEpoch } from '../src/domain/epoch.js';
import { TenureError } from '../src/domain/errors.js';
import type { Consumer, Delivery } from '../src/domain/identity.js';
import type { Acknowledgement } from '../src/domain/process.js';
import { readSecret } from '../src/stores/secret-source.js';
import type { Store } from '../src/stores/store.js';
import type { ConsumerActivities } from './contract.js';

export interface ConsumerDependencies extends ConsumerLimits {
  readonly stores: { get(name: string): Store };
  /** Where the key is that webhooks are signed with (`whsec_…`). Without one, webhooks are refused. */
  readonly signingKey?: SecretSource;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

type HandOver = Parameters<ConsumerActivities['handOver']>[0];

/** What all consumers of one hand-over share. */
interface Scene {
  readonly input: HandOver;
  readonly delivery: Delivery;
  readonly store: Store;
  readonly endsAt: number;
}

/** How long a consumer may take that says nothing about it, milliseconds. */
const defaultTimeoutMs = 30_000;
/** Kept back from the activity's own time, so that the answers are not lost with it, milliseconds. */
const reserveMs = 1_000;

export function createConsumerActivities(deps: ConsumerDependencies): ConsumerActivities {
  return {
    async handOver(asked) {
      const input = { ...asked, consumers: declaredAmong(asked) };
      const [delivery] = input.spec.deliver;
      if (!delivery) throw new TenureError('InvalidRequest', `${input.identity}: it is delivered nowhere`);
      const cycle = findConsumerCycle(input.consumers);
      if (cycle) {
        throw new TenureError(
          'InvalidRequest',
          `${input.identity}: the consumers wait for each other: ${cycle.join(' after ')}`,
        );
      }
      const scene = { input, delivery, store: deps.stores.get(delivery.store), endsAt: endOfActivity() };
      await refuseOlder(scene);
      return tellAll(input, (consumer) => tell(deps, scene, consumer));
    },
  };
}

/** As they are declared, whatever the caller says of them: only which of them are told is its word. */
function declaredAmong({ spec, consumers }: HandOver): readonly Consumer[] {
  const names = new Set(consumers.map(({ name }) => name));
  return spec.consumers.filter(({ name }) => names.has(name));
}

/** I7: an activity of an older epoch tells nobody. A revocation is told even when the store is away. */
async function refuseOlder({ store, delivery, input: { operation, epoch, event } }: Scene): Promise<void> {
  try {
    const { epoch: written } = await store.describe(delivery.path);
    const own = event === 'credential.published' ? epoch : Math.max(epoch, undoEpoch(epoch));
    if (written <= own) return;
    throw new TenureError('Fenced', `${operation}: a newer process owns this identity; no consumer was told`);
  } catch (error) {
    const isAway = error instanceof TenureError && error.code === 'StoreUnavailable';
    if (!isAway || event !== 'credential.revoked') throw error;
  }
}

/** All at once, but each after those that it waits for. */
async function tellAll(
  { consumers, event }: HandOver,
  tellOne: (consumer: Consumer) => Promise<Answer>,
): Promise<readonly Acknowledgement[]> {
  const told = new Map<string, Promise<Acknowledgement>>();
  const start = (consumer: Consumer): Promise<Acknowledgement> => {
    const known = told.get(consumer.name);
    if (known) return known;
    const earlier = prerequisites(consumer, consumers).map((name) =>
      start(consumers.find((other) => other.name === name)!),
    );
    const answer = Promise.all(earlier).then(async (answers) => ({
      consumer: consumer.name,
      ...(reasonToWait(event, answers) ?? (await tellOne(consumer))),
    }));
    told.set(consumer.name, answer);
    return answer;
  };
  const answers = await Promise.all(consumers.map(start));
  if (activity()?.cancellationSignal.aborted) await activity()!.cancelled;
  return answers;
}

/**
 * Why a consumer is not told yet. Only a new credential waits: that the old one is back, or that none works any more, each
 * has to hear, whatever happened to the others.
 */
function reasonToWait(event: HandOver['event'], earlier: readonly Acknowledgement[]): Answer | undefined {
  if (event !== 'credential.published') return undefined;
  const names = (status: Acknowledgement['status']): string =>
    earlier.flatMap((answer) => (answer.status === status ? [answer.consumer] : [])).join(', ');
  if (names('refused')) return refused(`not told, since it comes after ${names('refused')}, which did not take it`);
  if (names('pending')) return pending(`not told yet: it comes after ${names('pending')}, which has not answered`);
  return undefined;
}

async function tell(deps: ConsumerDependencies, scene: Scene, consumer: Consumer): Promise<Answer> {
  const { identity, operation, event, version } = scene.input;
  const { store, delivery } = scene;
  const announcement = { identity, operation, event, version, consumer: consumer.name, delivery };
  const startedAt = Date.now();
  const timeoutMs = Math.min(consumer.timeoutMs ?? defaultTimeoutMs, Math.max(scene.endsAt - startedAt, reserveMs));
  const answer = await within(timeoutMs, activity()?.cancellationSignal, (signal) =>
    notify(deps, consumer, { announcement, store, timeoutMs, signal }),
  ).catch(unforeseen);
  const facts = { identity, operation, event, consumer: consumer.name, status: answer.status };
  deps.log[answer.status === 'refused' ? 'warn' : 'info']({ ...facts, ms: Date.now() - startedAt }, answer.detail);
  return answer;
}

async function notify(deps: ConsumerDependencies, consumer: Consumer, telling: Telling): Promise<Answer> {
  const { notify } = consumer;
  const { signingKey, folders } = deps;
  // Again, since what was declared says nothing of what the operator allows now.
  const problem = whyNotAllowed(consumer, deps);
  if (problem !== undefined) return refused(problem);
  if ('command' in notify) return tellCommand(notify.command, telling);
  if ('file' in notify) return tellFile(notify.file, telling, folders);
  if ('ack' in notify) {
    return pending(`waits for: tenure ack ${telling.announcement.identity} ${consumer.name}`);
  }
  if (!signingKey) return refused('nothing signs webhooks; name a key under consumers.signingKey in tenure.yaml');
  return tellWebhook(notify.webhook, telling, signerOf(await readSecret(signingKey, 'the signing key of consumers')));
}

/** One consumer never stops the others. Only our own errors have messages that are known to hold no secret. */
function unforeseen(error: unknown): Answer {
  if (error instanceof TenureError) return refused(error.message);
  return refused(`could not be told: unforeseen ${error instanceof Error ? error.name : typeof error}`);
}

/** The activity that this runs in; undefined in a plain call. */
function activity(): Context | undefined {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
}

/** When every consumer has to have answered: the activity's own end would lose the answers of all. */
function endOfActivity(): number {
  const limit = activity()?.info.startToCloseTimeoutMs;
  return limit ? Date.now() + limit - reserveMs : Number.POSITIVE_INFINITY;
}
