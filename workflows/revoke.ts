/**
 * Revocation: every credential ever minted for the identity is disabled, disconnected and proven to be refused; only then is
 * anything cleaned up. It is retried until done and never forgotten. As an emergency it passes gates and freezes, runs on its
 * own task queue, and has fenced off whatever ran before.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { tellOfRevocation } from './lib/consumers.js';
import { permit } from './lib/permit.js';
import { Process } from './lib/process.js';
import { purge, retireUntilRefused } from './lib/stages.js';

export async function revoke(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  const { spec } = input;
  return process.run(async () => {
    await permit(process); // plan, authorize, gate

    await process.pointOfNoReturn('retire');
    process.stands({ spec, previous: process.going() });
    await retireUntilRefused(process, 'everything'); // retire, refuse
    await purge(process, 'everything');
    process.stands({ spec });
    await tellOfRevocation(process);
  }); // seal, whatever the outcome
}
