import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { TenureError } from '../../src/domain/errors.js';
import { lockKey } from '../../src/targets/postgresql/connection.js';
import { enableLogin } from '../../src/targets/postgresql/roles.js';
import { scramVerifier } from '../../src/targets/postgresql/scram.js';
import { describeOn } from '../support/machine.js';
import { startCuttingProxy } from '../systems/cutting-proxy.js';
import { failsWith, type Fixture, ledgerScope, newIdentity, startFixture } from './postgresql-fixture.js';

for (const version of [15, 18] as const) {
  const fixture = await startFixture({ version });
  describeOn(fixture, `faults on PostgreSQL ${version}`, faults);
}

function faults(fixture: Fixture): void {
  const { target, server } = fixture;
  afterAll(() => fixture.close());

  it('says why the old credential is refused: disabled, then without password, or replaced in place', async () => {
    const old = await fixture.install(fixture.subject(newIdentity()));
    const next = await fixture.install(fixture.subject(old.subject.identity, 2), old.holder);
    await target.retire(next.subject, [old.holder], 'these');
    expect(await target.refuse(next.subject, old.material, next.material)).toMatchObject({ code: '28000' });
    await target.purge(next.subject, [old.holder]);
    expect(await target.refuse(next.subject, old.material, next.material)).toMatchObject({ code: '28P01' });

    const replaced = await fixture.install(fixture.subject(newIdentity(), 1, ledgerScope, 'in-place'));
    const again = fixture.subject(replaced.subject.identity, 2, ledgerScope, 'in-place');
    const by = await fixture.install(again, replaced.holder);
    expect(await target.refuse(again, replaced.material, by.material)).toMatchObject({
      code: '28P01',
      control: by.holder.principal,
    });
  });

  it('takes the administrator for the control where the control credential is refused itself', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    await target.retire(made.subject, [made.holder], 'these');
    expect(await target.refuse(made.subject, made.material, made.material)).toMatchObject({ control: 'tenure_admin' });
  });

  it('never takes a full server, or a rule of pg_hba.conf, for a refusal', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    await server.sql('ALTER DATABASE ledger CONNECTION LIMIT 0');
    await failsWith('TargetUnavailable', target.refuse(made.subject, made.material));
    await failsWith('TargetUnavailable', target.verify(made.subject, made.material));
    await server.sql('ALTER DATABASE ledger CONNECTION LIMIT -1');

    const rules = join(server.folder, 'data', 'pg_hba.conf');
    const before = await readFile(rules, 'utf8');
    await writeFile(rules, `host all "${made.holder.principal}" 127.0.0.1/32 reject\n${before}`);
    await server.sql('SELECT pg_reload_conf()');
    await expect.poll(() => fixture.logIn(made.material).then(String, (error) => error.code as string)).toBe('28000');
    await failsWith('TargetUnavailable', target.refuse(made.subject, made.material));
    await writeFile(rules, before);
    await server.sql('SELECT pg_reload_conf()');
  });

  it('reports a server that lets people in without a password', async () => {
    const rules = join(server.folder, 'data', 'pg_hba.conf');
    const before = await readFile(rules, 'utf8');
    await writeFile(rules, before.replaceAll('scram-sha-256', 'trust'));
    await server.sql('SELECT pg_reload_conf()');
    await expect.poll(async () => (await target.probe()).problems.join()).toContain('pg_hba.conf');
    await writeFile(rules, before);
    await server.sql('SELECT pg_reload_conf()');
    await expect.poll(async () => (await target.probe()).problems).toEqual([]);
  });

  it("says what is wrong with the administrator's password", async () => {
    const unset = fixture.open({ password: { env: 'NOT_SET_ANYWHERE' } });
    expect(await failsWith('TargetUnavailable', unset.probe())).toContain('NOT_SET_ANYWHERE is not set');
    process.env['WRONG_ADMIN_PASSWORD'] = 'certainly wrong';
    const wrong = fixture.open({ password: { env: 'WRONG_ADMIN_PASSWORD' } });
    expect(await failsWith('TargetUnavailable', wrong.probe())).toContain("the administrator's password is refused");
  });

  it('reports an administrator that may not make roles', async () => {
    await server.sql('ALTER ROLE tenure_admin NOCREATEROLE');
    expect((await target.probe()).problems).toEqual([expect.stringContaining('ALTER ROLE "tenure_admin" CREATEROLE')]);
    await server.sql('ALTER ROLE tenure_admin CREATEROLE');
  });

  it('reaches the wanted state through connections that are killed at any moment', async () => {
    const made = await fixture.mint(fixture.subject(newIdentity()));
    const steps: [string, () => Promise<unknown>][] = [
      ['install', () => target.install(made.subject, made.holder, made.material)],
      ['verify', () => target.verify(made.subject, made.material)],
      ['repair', () => target.repair(made.subject, [made.holder])],
      ['retire', () => target.retire(made.subject, [made.holder], 'these')],
      ['purge', () => target.purge(made.subject, [made.holder])],
      ['remove', () => target.remove(made.subject)],
    ];
    const killer = await server.superClient();
    let failures = 0;
    for (const [name, step] of steps) {
      for (const delayMs of [1, 3, 5, 8, 12, 20, 35]) {
        const killing = new Promise((done) => setTimeout(done, delayMs)).then(() =>
          killer.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenure_admin'`),
        );
        await step().catch((error: TenureError) => {
          failures += 1;
          expect(['TargetUnavailable', 'OutcomeUnknown'], `${name}: ${error.message}`).toContain(error.code);
        });
        await killing;
      }
      // Unhurried, as a retry is; the pool may still hold a connection that was killed.
      await step().catch(() => step());
      if (name === 'install') expect(await target.inspect(made.subject, [made.holder])).toEqual([]);
    }
    await killer.end();
    expect(failures).toBeGreaterThan(0);
    expect(await fixture.roleExists(made.subject.identity)).toBe(false);
  });

  it('says that the outcome is unknown when the answer to COMMIT is lost, and a retry finds it applied', async () => {
    let armed = true;
    const proxy = await startCuttingProxy(server.port, (sent) => armed && sent.includes('COMMIT'));
    const cut = fixture.open({ port: proxy.port });
    const made = await fixture.mint(fixture.subject(newIdentity()));
    await failsWith('OutcomeUnknown', cut.install(made.subject, made.holder, made.material));
    expect(proxy.cuts).toBe(1);
    expect(await target.verify(made.subject, made.material)).toMatchObject({ missing: [] });
    armed = false;
    await cut.install(made.subject, made.holder, made.material);
    await proxy.close();
  });

  it('knows that nothing changed when the connection broke before COMMIT', async () => {
    let armed = true;
    const proxy = await startCuttingProxy(server.port, (sent) => armed && sent.includes('COMMENT ON ROLE'));
    const cut = fixture.open({ port: proxy.port });
    const made = await fixture.mint(fixture.subject(newIdentity()));
    await failsWith('TargetUnavailable', cut.install(made.subject, made.holder, made.material));
    await expect.poll(() => fixture.roleExists(made.subject.identity)).toBe(false);
    armed = false;
    await proxy.close();
  });

  it('ends a transaction that hangs on the lock when it is an emergency, and fences what it wanted', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    const { ledger } = fixture;
    const { Client } = (await import('pg')).default;
    const zombie = new Client({ ...ledger, password: ledger.adminPassword });
    zombie.on('error', () => undefined);
    await zombie.connect();
    await zombie.query(`BEGIN; SELECT pg_advisory_xact_lock(${lockKey(made.subject.identity)})`);
    const started = Date.now();
    await target.retire(fixture.subject(made.subject.identity, 2), [], 'everything');
    expect(Date.now() - started).toBeLessThan(3_000);
    await expect(zombie.query('COMMIT')).rejects.toThrow();
    await expect(fixture.logIn(made.material)).rejects.toMatchObject({ code: '28000' });
    await failsWith('Fenced', target.install(made.subject, made.holder, made.material));
    await zombie.end().catch(() => undefined);
  });

  it('answers an emergency while other calls hold every connection of the pool', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    const waiting = await Promise.all(Array.from({ length: 5 }, () => fixture.mint(fixture.subject(newIdentity()))));
    const locker = await server.superClient('ledger');
    await locker.query('BEGIN');
    for (const { subject } of waiting) await locker.query(`SELECT pg_advisory_xact_lock(${lockKey(subject.identity)})`);
    const busy = fixture.open();
    const calls = waiting.map(({ subject, holder, material }) => busy.install(subject, holder, material));
    await new Promise((done) => setTimeout(done, 200));
    const started = Date.now();
    await busy.retire(fixture.subject(made.subject.identity, 2), [], 'everything');
    expect(Date.now() - started).toBeLessThan(3_000);
    await locker.query('ROLLBACK');
    await Promise.all(calls);
    await locker.end();
  });

  it('gives up on a server that answers nothing, and works again when it answers', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    const hasty = fixture.open({ connectTimeoutMs: 300, statementTimeoutMs: 500 });
    server.pause();
    const started = Date.now();
    await failsWith('TargetUnavailable', hasty.verify(made.subject, made.material));
    await failsWith('TargetUnavailable', hasty.refuse(made.subject, made.material));
    expect(Date.now() - started).toBeLessThan(5_000);
    server.resume();
    expect(await hasty.verify(made.subject, made.material)).toMatchObject({ missing: [] });
  });

  it('says that a server is down while it is, and goes on after its restart', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    await server.kill();
    await failsWith('TargetUnavailable', target.install(made.subject, made.holder, made.material));
    await failsWith('TargetUnavailable', target.refuse(made.subject, made.material));
    await server.restart();
    await target.install(made.subject, made.holder, made.material).catch(() => undefined);
    expect(await target.install(made.subject, made.holder, made.material)).toEqual({ changed: [] });
  });

  it('never touches a role that it did not make', async () => {
    const { identity } = fixture.subject(newIdentity());
    await fixture.sql(`CREATE ROLE "${identity}" LOGIN PASSWORD 'theirs'`);
    const made = await fixture.mint(fixture.subject(identity));
    const message = await failsWith('RejectedUnchanged', target.install(made.subject, made.holder, made.material));
    expect(message).toContain(`role ${identity} exists and was not made by Tenure`);
    await target.uninstall(made.subject, made.holder);
    expect(await target.retire(made.subject, [], 'everything')).toMatchObject({ principals: [] });
    expect(await target.remove(made.subject)).toContain(
      `role ${identity} exists, was not made by Tenure, and was not touched`,
    );
    const theirs = { username: identity, password: 'theirs', port: String(server.port) };
    await (await fixture.logIn(theirs)).end();
  });

  it('keeps apart two databases of one server that have an identity of the same name', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    await server.sql('CREATE DATABASE second');
    const second = fixture.open({ database: 'second' });
    const subject = fixture.subject(made.subject.identity, 9, {});
    await failsWith('RejectedUnchanged', second.install(subject, made.holder, made.material));
    await second.retire(subject, [], 'everything');
    await second.close();
    expect(await target.inspect(made.subject, [made.holder])).toEqual([]);
  });

  it('finds a login that somebody renamed, in an emergency too', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    const hidden = `hidden-${made.subject.identity}`;
    await fixture.sql(`ALTER ROLE "${made.holder.principal}" RENAME TO "${hidden}"`);
    const session = await fixture.logIn({ ...made.material, username: hidden });
    const proof = await target.retire(fixture.subject(made.subject.identity, 2), [], 'everything');
    expect(proof).toMatchObject({ principals: [hidden], sessionsEnded: 1 });
    await expect(session.query('SELECT 1')).rejects.toThrow();
  });

  it('counts only sessions from before the replacement as users of what was replaced in place', async () => {
    const old = await fixture.install(fixture.subject(newIdentity(), 1, ledgerScope, 'in-place'));
    const before = await fixture.logIn(old.material);
    const next = await fixture.install(fixture.subject(old.subject.identity, 2, ledgerScope, 'in-place'), old.holder);
    const after = await fixture.logIn(next.material);
    expect(await target.usage(next.subject, old.holder)).toMatchObject({ sessions: 1 });
    expect(await target.usage(next.subject, next.holder)).toMatchObject({ sessions: 2 });
    await Promise.all([before.end(), after.end()]);
  });

  it('fences a late attempt of an installation that was undone', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    await target.uninstall(made.subject, made.holder);
    await failsWith('Fenced', target.install(made.subject, made.holder, made.material));
    await expect(fixture.logIn(made.material)).rejects.toMatchObject({ code: '28P01' });
  });

  it('does not say that it is done while a session is left, and is done when it has ended', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    const session = await fixture.logIn(made.material);
    const { pid } = (await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]!;
    process.kill(pid, 'SIGSTOP');
    const hasty = fixture.open({ endSessionsTimeoutMs: 300 });
    await failsWith('StillInUse', hasty.retire(made.subject, [made.holder], 'these'));
    await expect(fixture.logIn(made.material)).rejects.toMatchObject({ code: '28000' });
    process.kill(pid, 'SIGCONT');
    await hasty.retire(made.subject, [made.holder], 'these');
    expect(await target.usage(made.subject, made.holder)).toMatchObject({ sessions: 0 });
  });

  it('uses no connection again that was left inside a transaction', async () => {
    const made = await fixture.mint(
      fixture.subject(newIdentity(), 1, { grants: [{ on: 'nowhere', may: ['select'] }] }),
    );
    for (let round = 0; round < 5; round += 1) {
      await failsWith('RejectedUnchanged', target.install(made.subject, made.holder, made.material));
    }
    expect(await target.inspect(made.subject, [])).toEqual([]);
    expect(await server.sql(`SELECT 1 FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`)).toEqual([]);
  });

  it('ends sessions that keep coming back while it retires', async () => {
    const made = await fixture.install(fixture.subject(newIdentity()));
    let coming = true;
    const clients = Array.from({ length: 5 }, async () => {
      while (coming) await fixture.logIn(made.material).catch(() => new Promise((done) => setTimeout(done, 5)));
    });
    await new Promise((done) => setTimeout(done, 100));
    const { sessionsEnded } = await target.retire(fixture.subject(made.subject.identity, 2), [], 'everything');
    expect(sessionsEnded).toBeGreaterThan(5);
    expect(await target.usage(made.subject, made.holder)).toMatchObject({ sessions: 0 });
    coming = false;
    await Promise.all(clients);
  });

  it('lets no verifier into the log, neither when role statements are logged nor when the statement fails', async () => {
    const { ledger } = fixture;
    await server.sql(`ALTER ROLE tenure_admin SET log_statement = 'ddl'`);
    const marker = `-- from here ${newIdentity()}`;
    await appendFile(server.logFile, `${marker}\n`);
    const quiet = fixture.open();
    const made = await fixture.mint(fixture.subject(newIdentity()));
    await quiet.install(made.subject, made.holder, made.material);
    await quiet.close();
    const { Client } = (await import('pg')).default;
    const client = new Client({ ...ledger, password: ledger.adminPassword });
    client.on('error', () => undefined);
    await client.connect();
    await client.query('BEGIN');
    const verifier = await scramVerifier(made.material.password!, 4_096);
    await expect(enableLogin({ client }, 'no-such-role', verifier)).rejects.toMatchObject({ code: '42704' });
    await client.end();
    await server.sql('ALTER ROLE tenure_admin RESET log_statement');
    const log = (await readFile(server.logFile, 'utf8')).split(marker)[1]!;
    expect(log).toContain('COMMENT ON ROLE');
    expect(log).toContain('role "no-such-role" does not exist');
    expect(log).not.toContain('SCRAM-SHA-256$');
    expect(log).not.toContain(made.material.password);
  });
}
