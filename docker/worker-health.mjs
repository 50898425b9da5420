/** Healthy means polling: Temporal has heard of this container's worker on every queue within the last minute. */
import { hostname } from 'node:os';
import process from 'node:process';
import { pollers } from '../dist/src/cli/workers.js';
import { connectClient } from '../dist/src/temporal/connection.js';

const { client, connection, namespace } = await connectClient();
const queues = await pollers(client, namespace);
await connection.close();
const missing = queues.filter(({ identities }) => !identities.some((identity) => identity.endsWith(`@${hostname()}`)));
for (const { queue, work } of missing) process.stderr.write(`nobody here polls ${queue} for ${work}\n`);
process.exit(missing.length > 0 ? 1 : 0);
