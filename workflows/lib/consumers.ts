import { ApplicationFailure } from '@temporalio/workflow';
import type { Acknowledgement } from '../../src/domain/process.js';
import type { Consumer } from '../../src/domain/identity.js';
import { after, until } from './clock.js';
import { acknowledgementKey } from './inbox.js';
import * as say from './notes.js';
import type { Process } from './process.js';

/** How long a consumer may take that answers later, by `tenure ack`, unless it says otherwise: one hour. */
const answerLaterMs = 60 * 60_000;

/** Stage 8. Tells the consumers and collects what they answer. One that does not take the new credential stops the process here. */
export async function tellConsumers(process: Process): Promise<readonly Acknowledgement[]> {
  if (process.input.spec.consumers.length === 0) {
    process.skip('hand over', 'no consumer is declared');
    return [];
  }
  return process.stage('hand over', () => untilTaken(process), say.acknowledged);
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

/** Undo of the hand-over, after the store was swapped back: every consumer hears that the earlier credential is current again. */
export async function tellBack(process: Process): Promise<void> {
  const { proofs, input, state } = process;
  const handOver = state.stages.find(({ name }) => name === 'hand over')!;
  if (handOver.startedAt === undefined || input.spec.consumers.length === 0 || !input.current) return;
  const answers = await process
    .call('stubborn', 'Tell the consumers that the old credential is current again')
    .handOver({
      ...address(process),
      version: input.current.version,
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

/** Consumers hear of a revocation too; what they answer changes nothing. */
export async function tellOfRevocation(process: Process): Promise<void> {
  const { consumers } = process.input.spec;
  if (consumers.length === 0 || !process.input.current) return;
  process.proofs.acknowledged = await process
    .call('careful', 'Tell the consumers of the revocation')
    .handOver({ ...address(process), version: process.input.current.version, event: 'credential.revoked', consumers });
}

async function tell(process: Process, consumers: readonly Consumer[]): Promise<readonly Acknowledgement[]> {
  const { version } = process.candidate!;
  const answers = await process
    .call('careful', 'Tell the consumers, collect their acknowledgements')
    .handOver({ ...address(process), version, event: 'credential.published', consumers });
  process.proofs.acknowledged = answers;
  const pending = answers.filter(({ status }) => status === 'pending');
  if (pending.length === 0) return answers;
  return (process.proofs.acknowledged = await awaitLateAnswers(process, answers, version));
}

async function awaitLateAnswers(
  process: Process,
  answers: readonly Acknowledgement[],
  version: string,
): Promise<readonly Acknowledgement[]> {
  const { inbox, input } = process;
  const late = answers.filter(({ status }) => status === 'pending').map(({ consumer }) => consumer);
  const timeout = Math.max(
    ...input.spec.consumers
      .filter(({ name }) => late.includes(name))
      .map(({ timeoutMs }) => timeoutMs ?? answerLaterMs),
  );
  const deadline = after(timeout);
  const has = (consumer: string): boolean => inbox.acknowledged.has(acknowledgementKey({ consumer, version }));
  process.waiting(
    'hand over',
    `waits for ${late.join(', ')} until ${deadline}: tenure ack ${input.identity} --consumer …`,
  );
  await until(() => late.every(has), deadline, `acknowledgement of ${late.join(', ')}`);
  return answers.map((answer) => {
    if (answer.status !== 'pending') return answer;
    return has(answer.consumer)
      ? { ...answer, status: 'acknowledged', detail: 'acknowledged by signal' }
      : { ...answer, status: 'refused', detail: `no acknowledgement before ${deadline}` };
  });
}

function address({ input }: Process): { identity: string; operation: string; epoch: number; spec: typeof input.spec } {
  return { identity: input.identity, operation: input.operation, epoch: input.epoch, spec: input.spec };
}

function notTaken(why: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(why, 'ConsumerRefused');
}
