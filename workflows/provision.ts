/**
 * Provision: the first credential of an identity, or a new one after a revocation. The same stages as a rotation without
 * an old credential: everything can be taken back until consumers have taken it.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { stageCandidate } from './lib/candidate.js';
import { tellBack, tellConsumers } from './lib/consumers.js';
import * as say from './lib/notes.js';
import { Process } from './lib/process.js';

export async function provision(input: ProcessInput): Promise<ProcessResult> {
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
      process.call('stubborn', 'Take the credential out of the store').withdraw(process.undoing()),
    );
    await process.stage(
      'publish',
      () => process.call('careful', 'Make the candidate the current credential').publish(process.change()),
      say.published(process),
    );

    proofs.acknowledged = await tellConsumers(process);
    process.stands({ spec: input.spec, current: process.candidate! });
  });
}
