/** A login that PostgreSQL keeps out by a rule of its own, whatever the credential. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { postgresqlOptions, postgresqlTarget } from '../../src/targets/postgresql.js';
import type { Subject, Target } from '../../src/targets/target.js';
import { describeOn } from '../support/machine.js';
import { makeLedger } from '../systems/ledger.js';
import { startPostgres } from '../systems/postgresql.js';

describeOn(await startPostgres({ version: 18 }), 'a login that pg_hba.conf rejects', (server) => {
  let target: Target;

  beforeAll(async () => {
    const { host, port, database, user, adminPassword } = await makeLedger(server);
    process.env['TENURE_TEST_KEPT_OUT'] = adminPassword;
    const options = { type: 'postgresql', host, port, database, user, password: { env: 'TENURE_TEST_KEPT_OUT' } };
    target = postgresqlTarget('ledger-db', postgresqlOptions.parse(options), '/');
  });

  afterAll(async () => {
    await target?.close();
    await server.stop();
  });

  it('fails the verification while the administrator is let in, since waiting does not help', async () => {
    const { subject, material } = await installed('kept-out');
    await rejecting('"kept-out_a"', async () => {
      await expect(target.verify(subject, material)).rejects.toMatchObject({
        code: 'VerificationFailed',
        message: expect.stringMatching(/SQLSTATE 28000.*tenure_admin was let in/),
      });
    });
    await expect(target.verify(subject, material)).resolves.toMatchObject({ principal: 'kept-out_a', missing: [] });
  });

  it('says nothing about the login while the administrator is rejected too', async () => {
    const { subject, material } = await installed('shut-out');
    await rejecting('all', async () => {
      await expect(target.verify(subject, material)).rejects.toMatchObject({ code: 'TargetUnavailable' });
    });
  });

  async function installed(identity: string) {
    const subject: Subject = {
      identity,
      operation: `nhi/${identity}/provision/1`,
      epoch: 2,
      strategy: 'alternate',
      scope: { grants: [{ on: 'ledger', may: ['select'] }] },
    };
    const principal = target.nextPrincipal(subject);
    const material = await target.mint(subject, principal);
    await target.install(subject, { principal, version: subject.operation }, material);
    return { subject, material };
  }

  async function rejecting(user: string, work: () => Promise<void>): Promise<void> {
    const file = join(server.folder, 'data', 'pg_hba.conf');
    const before = readFileSync(file, 'utf8');
    // Opened before, since the line keeps the superuser out as well.
    const superuser = await server.superClient();
    const reload = async () => {
      await superuser.query('SELECT pg_reload_conf()');
      await new Promise((resolve) => setTimeout(resolve, 200));
    };
    try {
      writeFileSync(file, `host all ${user} 127.0.0.1/32 reject\n${before}`);
      await reload();
      await work();
    } finally {
      writeFileSync(file, before);
      await reload();
      await superuser.end();
    }
  }
});
