/**
 * Validation: logs in with the current credential, reads back what it may do, and compares target and stores with the state.
 * It changes nothing, unless asked to repair what drifted.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { clipLines } from '../src/domain/clip.js';
import type { Drift } from '../src/domain/credential.js';
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { planOf } from '../src/domain/plan.js';
import * as say from './lib/notes.js';
import { Process } from './lib/process.js';

export async function validate(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { proofs } = process;
  return process.run(async () => {
    const plan = planOf(input);
    await process.stage(
      'plan',
      () => Promise.resolve((process.state.plan = plan)),
      () => (input.request.repair ? 'compare and repair' : 'compare, change nothing'),
    );
    if (input.request.repair) await repair(process);

    if (input.current) {
      proofs.accepted = await process.stage(
        'verify',
        () => process.call('careful', 'Log in with the current credential').verify(process.change()),
        say.accepted,
      );
    } else {
      process.skip('verify', 'there is no credential to log in with');
    }
    const drift = await process.stage(
      'refuse',
      () =>
        process.call('careful', 'Look for logins and rights that the state does not name').inspect(process.change()),
      say.drift,
    );
    proofs.drift = drift;
    if (drift.length > 0) throw drifted(process, drift);
  });
}

async function repair(process: Process): Promise<void> {
  const repaired = await process.call('careful', 'Put right what drifted').repair(process.change());
  const plan = process.state.stages[0]!;
  plan.note = repaired.length === 0 ? 'nothing to repair' : `repaired: ${repaired.join('; ')}`;
}

function drifted({ input }: Process, drift: readonly Drift[]): ApplicationFailure {
  const details = clipLines(
    drift.map(({ detail }) => detail),
    10,
  ).join('; ');
  return ApplicationFailure.nonRetryable(
    `${drift.length} difference(s): ${details}. To put them right: tenure validate ${input.identity} --repair`,
    'VerificationFailed',
  );
}
