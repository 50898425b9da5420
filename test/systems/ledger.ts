/** The database that tests and the demo work in, with the administrator that `examples/postgresql-admin.sql` makes. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';

export interface Ledger {
  readonly host: string;
  readonly port: number;
  readonly database: 'ledger';
  readonly user: 'tenure_admin';
  readonly adminPassword: string;
}

/** The server to make it on, as its superuser. */
interface Server {
  readonly host: string;
  readonly port: number;
  sql(text: string, database?: string): Promise<unknown>;
}

// From the project's folder: this also runs compiled, from another place.
const example = (name: string) => readFileSync(join(packageRoot, 'examples', name), 'utf8');

/** Makes database `ledger`, its owner, the table `public.ledger` and Tenure's administrator. Once for each server. */
export async function makeLedger(server: Server, options: { readonly repair?: boolean } = {}): Promise<Ledger> {
  const adminPassword = randomBytes(24).toString('base64url');
  await server.sql('CREATE ROLE ledger_owner NOLOGIN');
  await server.sql('CREATE DATABASE ledger');
  await server.sql(
    `CREATE TABLE public.ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount integer NOT NULL);
     ALTER TABLE public.ledger OWNER TO ledger_owner`,
    'ledger',
  );
  await server.sql(example('postgresql-admin.sql'), 'ledger');
  if (options.repair ?? true) await server.sql(example('postgresql-admin-repair.sql'), 'ledger');
  await server.sql(`ALTER ROLE tenure_admin PASSWORD '${adminPassword}'`);
  return { host: server.host, port: server.port, database: 'ledger', user: 'tenure_admin', adminPassword };
}
