/** Logs in to the ledger as an application does, and says what came of it. */
import pg from 'pg';
import type { Material } from '../../src/stores/store.js';

/** `elsewhere`: nobody was asked, for example because the server was down. */
export type LoginOutcome = 'accepted' | 'refused' | 'elsewhere';

const refusals = new Set(['28P01', '28000']);

export async function logIn({ username, password, host, port, database }: Material): Promise<LoginOutcome> {
  const client = new pg.Client({
    host,
    port: Number(port),
    user: username,
    password,
    database,
    application_name: 'sweep',
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT count(*) FROM public.ledger');
    return 'accepted';
  } catch (error) {
    return refusals.has((error as { code?: string }).code ?? '') ? 'refused' : 'elsewhere';
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** The same until somebody has been asked. */
export async function logInSurely(material: Material): Promise<LoginOutcome> {
  for (let left = 5; left > 0; left -= 1) {
    const outcome = await logIn(material);
    if (outcome !== 'elsewhere') return outcome;
  }
  return 'elsewhere';
}
