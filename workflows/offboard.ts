/**
 * Offboarding: the end of an identity. Its credentials are revoked and proven dead, then it is removed from the target and
 * the stores, then it is proven that nothing answers to it any more.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { tellOfRevocation } from './lib/consumers.js';
import * as say from './lib/notes.js';
import { permit } from './lib/permit.js';
import { Process } from './lib/process.js';
import { purge, retireUntilRefused } from './lib/stages.js';

export async function offboard(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { spec } = input;
  return process.run(async () => {
    await permit(process); // plan, authorize, gate

    await process.pointOfNoReturn('retire');
    process.stands({ spec, previous: process.going() });
    await retireUntilRefused(process, 'everything'); // retire, refuse
    await purge(process, 'everything');
    process.stands({ spec });
    process.proofs.gone = await process.forward(
      'remove',
      () => process.call('stubborn', 'Remove the identity from target and stores').remove(process.change()),
      say.gone,
    );
    process.stands({});
    await tellOfRevocation(process);
  }); // seal, whatever the outcome
}
