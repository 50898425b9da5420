/**
 * Offboarding: the end of an identity. Its credentials are revoked and proven dead, then it is removed from the target and
 * the stores, then it is proven that nothing answers to it any more.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { tellOfRevocation } from './lib/consumers.js';
import { killCredentials } from './lib/kill.js';
import * as say from './lib/notes.js';
import { Process } from './lib/process.js';

export async function offboard(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { proofs } = process;
  return process.run(async () => {
    await process.permit(); // plan, authorize, gate
    await process.pointOfNoReturn('retire');
    await killCredentials(process); // retire, refuse, purge
    await process.forward(
      'remove',
      async () =>
        (proofs.gone = await process
          .call('stubborn', 'Remove the identity from target and stores')
          .remove(process.change())),
      say.gone,
    );
    process.stands({});
    await tellOfRevocation(process);
  });
}
