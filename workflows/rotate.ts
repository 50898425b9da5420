/**
 * Rotation: the thirteen stages of a trustworthy change of credential, in order.
 *
 * Until the point of no return every step can be taken back, and is when a later one fails: consumers never notice. From there
 * on only forward: the old credential is disabled, proven to be refused, and destroyed. It reports success only with both
 * proofs: the new credential accepted, the old one refused.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { handOver } from './lib/consumers.js';
import { drain } from './lib/drain.js';
import { permit } from './lib/permit.js';
import { Process } from './lib/process.js';
import { install, publish, purge, retireUntilRefused, stageCandidate, verify } from './lib/stages.js';

export async function rotate(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { spec } = input;
  return process.run(async () => {
    await permit(process); //                       1 plan, 2 authorize, 3 gate
    await stageCandidate(process); //               4 stage
    await install(process); //                      5 install
    await verify(process); //                       6 verify
    await publish(process); //                      7 publish
    await handOver(process); //                     8 hand over
    await drain(process); //                        9 drain

    await process.pointOfNoReturn('retire');
    process.stands({ spec, current: process.candidate!, previous: process.going() });

    await retireUntilRefused(process, 'these'); // 10 retire, 11 refuse
    await purge(process, 'these'); //              12 purge
    process.stands({ spec, current: process.candidate! });
  }); //                                           13 seal, whatever the outcome
}
