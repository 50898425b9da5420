/**
 * Rotation: the thirteen stages of a trustworthy change of credential, in order.
 *
 * Until the point of no return every step can be taken back, and is when a later one fails: consumers never notice. From there
 * on only forward: the old credential is disabled, proven to be refused, and destroyed. It reports success only with both
 * proofs: the new credential accepted, the old one refused.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { drain } from './lib/drain.js';
import { tellBack, tellConsumers } from './lib/consumers.js';
import { stageCandidate } from './lib/candidate.js';
import { Process } from './lib/process.js';
import * as say from './lib/notes.js';

export async function rotate(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { unwind, proofs } = process;
  return process.run(async () => {
    await process.permit(); // plan, authorize, gate

    unwind.before('stage', () => process.call('stubborn', 'Destroy the candidate').discard(process.undoing()));
    await process.stage('stage', () => stageCandidate(process), say.staged);

    unwind.before('install', () =>
      process.call('stubborn', 'Remove the candidate from the target').uninstall(process.undoing()),
    );
    await process.stage(
      'install',
      () => process.call('careful', `Make ${input.spec.target.name} accept the candidate`).install(process.change()),
      say.installed,
    );

    proofs.accepted = await process.stage(
      'verify',
      () => process.call('careful', 'Log in with the candidate and compare its rights').verify(process.change()),
      say.accepted,
    );

    unwind.before('hand over', () => tellBack(process));
    unwind.before('publish', () =>
      process.call('stubborn', 'Swap the old credential back').withdraw(process.undoing()),
    );
    await process.stage(
      'publish',
      () => process.call('careful', 'Make the candidate the current credential').publish(process.change()),
      say.published(process),
    );

    proofs.acknowledged = await tellConsumers(process);
    proofs.drained = await drain(process);

    await process.pointOfNoReturn('retire');
    process.stands({
      spec: input.spec,
      current: process.candidate!,
      previous: process.going(),
    });

    const old = { ...process.change(), reach: 'these' as const };
    await process.forward(
      'retire',
      async () =>
        (proofs.retired = await process.call('stubborn', 'Disable the old credential, end its sessions').retire(old)),
      say.retired,
    );
    await process.forward(
      'refuse',
      async () =>
        (proofs.refused = await process.call('stubborn', 'Prove that the old credential is refused').refuse(old)),
      say.refused,
    );
    await process.forward('purge', () => process.call('stubborn', 'Destroy the old material').purge(old), say.purged);
    process.stands({ spec: input.spec, current: process.candidate! });
  });
}
