import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeOn } from '../support/machine.js';
import { failsWith, Fixture, newIdentity, startFixture } from './postgresql-fixture.js';

/** A server with a certificate for `localhost` that nobody signed but itself. */
async function startWithCertificate() {
  const files: string[] = [];
  const prepare = (folder: string, own: (path: string) => void) => {
    const [key, cert] = [join(folder, 'server.key'), join(folder, 'server.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-days', '2'];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject],
      {
        stdio: 'ignore',
      },
    );
    chmodSync(key, 0o600);
    for (const file of [key, cert]) own(file);
    files.push(cert);
  };
  const settings = { ssl: 'on', ssl_key_file: '../server.key', ssl_cert_file: '../server.pem' };
  try {
    const fixture = await startFixture({ version: 15, settings, prepare });
    return fixture instanceof Fixture ? { fixture, certificate: files[0]! } : fixture;
  } catch (error) {
    // Only what this machine lacks is skipped: a server that fails with its certificate is a failure.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return { unavailable: `no server with TLS could be started: ${(error as Error).message}` };
  }
}

const started = await startWithCertificate();
describeOn(started, 'TLS to PostgreSQL', ({ fixture, certificate }) => {
  afterAll(() => fixture.close());

  it('refuses a certificate that it was not told to trust, and says what to set', async () => {
    const target = fixture.open({ host: 'localhost', tls: true });
    expect(await failsWith('TargetUnavailable', target.probe())).toContain('set tls.ca');
  });

  it('refuses a trusted certificate of another name', async () => {
    const target = fixture.open({ tls: { ca: certificate } });
    expect(await failsWith('TargetUnavailable', target.probe())).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  it('logs in as administrator and with the credential over TLS that is verified', async () => {
    const target = fixture.open({ host: 'localhost', tls: { ca: certificate } });
    const made = await fixture.mint(fixture.subject(newIdentity()));
    await target.install(made.subject, made.holder, made.material);
    expect(await target.verify(made.subject, made.material)).toMatchObject({ excess: [], missing: [] });
    const sessions = await fixture.sql(
      `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'tenure_admin'`,
    );
    expect(sessions).toEqual([{ ssl: true }]);
  });

  it('does not fall back to plaintext where the server speaks no TLS', async () => {
    const plain = await startFixture({ version: 15 });
    if (!(plain instanceof Fixture)) throw new Error('the server that just started is gone');
    const target = plain.open({ tls: true });
    expect(await failsWith('TargetUnavailable', target.probe())).toContain('it speaks no TLS');
    await plain.close();
  });
});
