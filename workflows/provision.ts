/**
 * Provision: the first credential of an identity, or a new one after a revocation. The same stages as a rotation without
 * an old credential: everything can be taken back until consumers have taken it.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { handOver } from './lib/consumers.js';
import { permit } from './lib/permit.js';
import { Process } from './lib/process.js';
import { install, publish, stageCandidate, verify } from './lib/stages.js';

export async function provision(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  return process.run(async () => {
    await permit(process); // plan, authorize, gate
    await stageCandidate(process);
    await install(process);
    await verify(process);
    await publish(process);
    await handOver(process);
    process.stands({ spec: input.spec, current: process.candidate! });
  }); // seal, whatever the outcome
}
