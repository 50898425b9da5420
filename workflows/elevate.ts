/**
 * Break-glass: rights are lent for a time. Who watches over them stands by before they are; the way back is registered before the step.
 * From the moment they are lent there is only the way down: they are held until they are given back or their time is over, taken back,
 * and proven to be gone; then the credential that had them is rotated. Nobody is needed for any of this, and nothing makes it last longer.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { handOver } from './lib/consumers.js';
import { drain } from './lib/drain.js';
import { beginRotation, hold, lend, restore, takeBackWhenStopped } from './lib/lend.js';
import { permit } from './lib/permit.js';
import { Process } from './lib/process.js';
import { install, publish, purge, retireUntilRefused, stageCandidate, verify } from './lib/stages.js';
import { standGuard } from './lib/guard.js';

export async function elevate(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { spec } = input;
  return process.run(async () => {
    await permit(process); // plan, authorize, gate
    await standGuard(process);

    await takeBackWhenStopped(process, async () => {
      await lend(process); //    elevate
      process.onlyForward();
      await hold(process); //    hold
      await restore(process); // restore
    });

    await beginRotation(process);
    await stageCandidate(process);
    await install(process);
    await verify(process);
    await publish(process);
    await handOver(process);
    await drain(process);

    await process.pointOfNoReturn('retire');
    process.stands({ spec, current: process.candidate!, previous: process.going() });
    await retireUntilRefused(process, 'these'); // retire, refuse
    await purge(process, 'these');
    process.stands({ spec, current: process.candidate! });
  }); // seal, whatever the outcome
}
