/**
 * Validation: logs in with the current credential, reads back what it may do, and compares target and stores with the state.
 * It changes nothing, unless asked to repair what drifted: then it is planned, allowed and gated like every change.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { clipLines } from '../src/domain/clip.js';
import type { Drift } from '../src/domain/credential.js';
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { planOf } from '../src/domain/plan.js';
import * as say from './lib/notes.js';
import { permit } from './lib/permit.js';
import { Process } from './lib/process.js';

export async function validate(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { proofs } = process;
  return process.run(async () => {
    if (input.request.repair) await repair(process);
    else await plan(process);

    if (input.current) {
      proofs.accepted = await process.stage(
        'verify',
        () => process.call('careful', 'Log in with the current credential').verify(process.change()),
        say.validated,
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

async function plan(process: Process): Promise<void> {
  await process.stage(
    'plan',
    () => Promise.resolve((process.state.plan = planOf(process.input))),
    () => 'compare, change nothing',
  );
}

/** A change like any other: policy, freezes and the gate come before it, and nothing takes it back. */
async function repair(process: Process): Promise<void> {
  await permit(process); // plan, authorize, gate
  await process.pointOfNoReturn('repair');
  process.proofs.repaired = await process.forward(
    'repair',
    () => process.call('stubborn', 'Put right what drifted').repair(process.change()),
    say.repaired,
  );
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
