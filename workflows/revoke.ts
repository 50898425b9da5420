/**
 * Revocation: every credential ever minted for the identity is disabled, disconnected and proven to be refused; only then is
 * anything cleaned up. It is retried until done and never forgotten. As an emergency it passes gates and freezes, runs on its
 * own task queue, and has fenced off whatever ran before.
 */
import type { ProcessInput, ProcessResult } from '../src/domain/process.js';
import { tellOfRevocation } from './lib/consumers.js';
import { killCredentials } from './lib/kill.js';
import { Process } from './lib/process.js';

export async function revoke(input: ProcessInput): Promise<ProcessResult> {
  const process = new Process(input);
  return process.run(async () => {
    await process.permit(); // plan, authorize, gate
    await process.pointOfNoReturn('retire');
    await killCredentials(process); // retire, refuse, purge
    process.stands({ spec: input.spec });
    await tellOfRevocation(process);
  });
}
