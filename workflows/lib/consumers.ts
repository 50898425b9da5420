import { ApplicationFailure } from '@temporalio/workflow';
import type { Acknowledgement } from '../../src/domain/process.js';
import type { Consumer } from '../../src/domain/identity.js';
import { after, until } from './clock.js';
import { failureOf } from './failure.js';
import { acknowledgementKey } from './inbox.js';
import * as say from './notes.js';
import type { Process } from './process.js';

/** How long a consumer may take that answers later, by `tenure ack`, unless it says otherwise: one hour. */
const answerLaterMs = 60 * 60_000;
/** How long one may take that answers at once. */
const answerNowMs = 30_000;

/** Stage 8. Tells the consumers and collects what they answer. One that does not take the new credential stops the process here. */
export async function handOver(process: Process): Promise<void> {
  if (process.input.spec.consumers.length === 0) return process.skip('hand over', 'no consumer is declared');
  process.proofs.acknowledged = await process.stage('hand over', () => untilTaken(process), say.acknowledged);
}

async function untilTaken(process: Process): Promise<readonly Acknowledgement[]> {
  for (;;) {
    const answers = await tell(process, process.input.spec.consumers);
    const refusals = answers.filter(({ status }) => status !== 'acknowledged');
    if (refusals.length === 0) return answers;
    const why = refusals
      .map(({ consumer, detail }) => `${consumer} did not take the new credential (${detail})`)
      .join('; ');
    if (process.input.spec.rotation.whenNotTaken === 'unwind') throw notTaken(why);
    const told = await process.park('hand over', why);
    if (told === 'go-on') return answers;
    if (told === 'abandon') throw notTaken(why);
  }
}

/** Undo of the hand-over, after the store was swapped back: every consumer hears that the earlier credential, or none, is current again. */
export async function tellBack(process: Process): Promise<void> {
  const { proofs, input, state } = process;
  const handOver = state.stages.find(({ name }) => name === 'hand over')!;
  if (handOver.startedAt === undefined || input.spec.consumers.length === 0) return;
  const answers = await process
    .call('stubborn', 'Tell the consumers that the new credential was withdrawn', longestChainMs(input.spec.consumers))
    .handOver({
      ...address(process),
      version: (input.current ?? process.candidate!).version,
      event: 'credential.withdrawn',
      consumers: input.spec.consumers,
    });
  const hadTaken = new Set(
    proofs.acknowledged?.filter(({ status }) => status === 'acknowledged').map(({ consumer }) => consumer),
  );
  const stuck = answers.filter(({ consumer, status }) => status === 'refused' && hadTaken.has(consumer));
  if (stuck.length > 0)
    throw notTaken(stuck.map(({ consumer, detail }) => `${consumer} did not go back (${detail})`).join('; '));
}

/** Consumers hear of a revocation too; what they answer, or that they cannot be told, changes nothing: it is done and proven. */
export async function tellOfRevocation(process: Process): Promise<void> {
  const { consumers } = process.input.spec;
  const version = process.input.current?.version;
  if (consumers.length === 0 || version === undefined) return process.skip('hand over', 'there is nobody to tell');
  process.proofs.acknowledged = await process.stage(
    'hand over',
    () =>
      process
        .call('careful', 'Tell the consumers of the revocation', longestChainMs(consumers))
        .handOver({ ...address(process), version, event: 'credential.revoked', consumers })
        .catch((error: unknown) => untold(consumers, failureOf(error).message)),
    say.acknowledged,
  );
}

function untold(consumers: readonly Consumer[], detail: string): Acknowledgement[] {
  return consumers.map(({ name }) => ({ consumer: name, status: 'refused', detail }));
}

/** In rounds: whoever comes `after` a consumer that answers late is told once that one has. */
async function tell(process: Process, consumers: readonly Consumer[]): Promise<readonly Acknowledgement[]> {
  const answers = new Map<string, Acknowledgement>();
  for (let untold = consumers; untold.length > 0;) {
    for (const answer of await announce(process, untold)) answers.set(answer.consumer, answer);
    const pending = consumers.filter(({ name }) => answers.get(name)?.status === 'pending');
    const isPending = (name: string): boolean => pending.some((consumer) => consumer.name === name);
    const late = pending.filter(({ after: earlier }) => !earlier?.some(isPending));
    for (const answer of await awaitLate(process, late)) answers.set(answer.consumer, answer);
    const isRefused = late.some(({ name }) => answers.get(name)?.status === 'refused');
    untold = isRefused ? [] : pending.filter((consumer) => !late.includes(consumer));
  }
  return (process.proofs.acknowledged = [...answers.values()]);
}

async function announce(process: Process, consumers: readonly Consumer[]): Promise<readonly Acknowledgement[]> {
  const { version } = process.candidate!;
  const answers = await process
    .call('careful', 'Tell the consumers, collect their acknowledgements', longestChainMs(consumers))
    .handOver({ ...address(process), version, event: 'credential.published', consumers });
  process.proofs.acknowledged = [...(process.proofs.acknowledged ?? []), ...answers];
  return answers;
}

/** Waits for the acknowledgements that come as signals. */
async function awaitLate(process: Process, late: readonly Consumer[]): Promise<readonly Acknowledgement[]> {
  if (late.length === 0) return [];
  const { version } = process.candidate!;
  const names = late.map(({ name }) => name);
  const deadline = after(Math.max(...late.map(({ timeoutMs }) => timeoutMs ?? answerLaterMs)));
  const has = (consumer: string): boolean => process.inbox.acknowledged.has(acknowledgementKey({ consumer, version }));
  process.waiting(
    'hand over',
    `waits for ${names.join(', ')} until ${deadline}: tenure ack ${process.input.identity} ${names[0]}`,
  );
  await until(() => names.every(has), deadline, `acknowledgement of ${names.join(', ')}`);
  return names.map((consumer) =>
    has(consumer)
      ? { consumer, status: 'acknowledged', detail: 'acknowledged by signal' }
      : { consumer, status: 'refused', detail: `no acknowledgement before ${deadline}` },
  );
}

/** The longest that telling can take: consumers that wait for one another take their time one after the other. */
function longestChainMs(consumers: readonly Consumer[]): number {
  return consumers.reduce((sum, { timeoutMs }) => sum + (timeoutMs ?? answerNowMs), 0);
}

function address({ input, epoch }: Process): {
  identity: string;
  operation: string;
  epoch: number;
  spec: typeof input.spec;
} {
  return { identity: input.identity, operation: input.operation, epoch, spec: input.spec };
}

function notTaken(why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(why, 'ConsumerRefused');
}
