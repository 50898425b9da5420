import { existsSync } from 'node:fs';
import type { Scene } from './scene.js';
import type { Exported } from './temporal.js';

/** Lets the client look for every password it ever saw, in all that was written while it was in use. */
export async function checkSecrets(
  scene: Scene,
  exported: readonly Exported[],
  logs: readonly string[],
): Promise<void> {
  const { claims, terminal } = scene.props;
  const { transcript } = terminal;
  const histories = exported.map(({ file }) => file);
  const others = logs.filter((file) => existsSync(file));
  const found = await scene.client.ask({ ask: 'scan', files: [...histories, ...others], transcript });
  claims.check(
    'no password is in a history, in Temporal’s database, in a log or in this output',
    found.passwords > 0 && found.hits.length === 0 && found.findsPlanted,
    `${found.passwords} passwords looked for in ${histories.length} histories and ${others.length} other files: ${found.hits.length} found; one that was planted in a copy was found: ${found.findsPlanted ? 'yes' : 'no'}`,
    `none found in them, the planted one found${found.hits.length > 0 ? `; found in ${found.hits.join(', ')}` : ''}`,
  );
}
