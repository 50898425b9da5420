import * as say from './notes.js';
import type { Process } from './process.js';

/** Stages 10 to 12 for everything that was ever minted for the identity. The proof comes before the cleaning. */
export async function killCredentials(process: Process): Promise<void> {
  const { proofs } = process;
  const all = { ...process.change(), reach: 'everything' as const };
  await process.forward(
    'retire',
    async () =>
      (proofs.retired = await process.call('stubborn', 'Disable every credential, end all sessions').retire(all)),
    say.retired,
  );
  process.stands({ spec: process.input.spec, previous: process.going() });
  await process.forward(
    'refuse',
    async () => (proofs.refused = await process.call('stubborn', 'Prove that every credential is refused').refuse(all)),
    say.refused,
  );
  await process.forward('purge', () => process.call('stubborn', 'Destroy all material').purge(all), say.purged);
}
