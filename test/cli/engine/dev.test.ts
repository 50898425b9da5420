/** `tenure dev` and what a person does next, on a real PostgreSQL: the first hour with the tool, verb by verb. */
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DelegationStatement, Signed } from '../../../src/domain/statement.js';
import { run } from '../../../src/cli/program.js';
import { packageRoot } from '../../../src/package-root.js';
import { eventually } from '../../support/engine.js';
import { describeUnless } from '../../support/machine.js';
import { makeLedger } from '../../systems/ledger.js';
import { startPostgres, type PostgresServer } from '../../systems/postgresql.js';
import { pretend, type Pretended } from '../support/terminal.js';

let folder: string;
let postgres: PostgresServer;
let dev: Pretended;
let devEnded: Promise<number>;

const started = await startPostgres({ version: 18 });
const lacking = 'unavailable' in started ? started.unavailable : undefined;

describeUnless(lacking, 'the first hour', () => {
  beforeAll(async () => {
    if ('unavailable' in started) throw new Error(started.unavailable);
    postgres = started;
    const ledger = await makeLedger(postgres);
    folder = await mkdtemp(join(tmpdir(), 'tenure-dev-'));
    await writeFile(join(folder, 'ledger-password'), ledger.adminPassword, { mode: 0o600 });
    await mkdir(join(folder, 'manifests'));
    dev = pretend({ cwd: folder, env: { TENURE_LOG: 'warn', TENURE_AS: 'ada@example.com' } });
    devEnded = run(['dev'], dev.io);
    await eventually(
      async () => `${dev.stdout()}${dev.stderr()}`,
      (text) => text.includes('Ctrl-C stops it'),
    );
    await addTarget(ledger.port);
    await restartDev();
  }, 180_000);
  afterAll(async () => {
    dev?.interrupt();
    await devEnded;
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  describe('dev', () => {
    test('makes what is missing, with a key that nobody else can read', async () => {
      expect((await stat(join(folder, '.tenure/store.key'))).mode & 0o777).toBe(0o600);
      expect((await stat(join(folder, '.tenure'))).mode & 0o777).toBe(0o700);
      expect(await readFile(join(folder, 'tenure.yaml'), 'utf8')).toContain('targets:');
    });

    test('tells where everything is', () => {
      expect(dev.stdout()).toMatch(/Temporal {3}127\.0\.0\.1:\d+ \(namespace default\)/);
      expect(dev.stdout()).toMatch(/UI {9}http:\/\/127\.0\.0\.1:\d+/);
    });
  });

  test('doctor finds all well, with a line for each check', async () => {
    const { code, stdout } = await tenure('doctor');
    for (const check of [
      'configuration',
      'secret stores.local.key',
      'temporal',
      'namespace',
      'search attributes',
      'worker',
      'clock',
      'store local',
      'target ledger-db',
    ]) {
      expect(stdout, check).toMatch(new RegExp(`^ok +${check}: `, 'm'));
    }
    expect(stdout).toContain('all is well');
    expect(code).toBe(0);
  });

  test('doctor tells a key that others can read, with the command that closes it, and exits with 1', async () => {
    const { chmod } = await import('node:fs/promises');
    await chmod(join(folder, 'ledger-password'), 0o644);
    try {
      const { code, stdout } = await tenure('doctor');
      expect(code).toBe(1);
      expect(stdout).toMatch(/^problem +secret targets\.ledger-db\.password: others can read/m);
      expect(stdout).toContain('chmod 600');
    } finally {
      await chmod(join(folder, 'ledger-password'), 0o600);
    }
  });

  test('a manifest with a mistake is refused with file, line and field, by plan and by apply', async () => {
    await declare(identity('reports-db').replace('kind: database-role', 'kind: database-rule'));
    for (const verb of ['plan', 'apply']) {
      const { code, stderr } = await tenure(verb);
      expect(code).toBe(1);
      expect(stderr).toMatch(/identities\.yaml:\d+:\d+ identities\[0\]\.kind/);
    }
    expect((await tenure('list', '--names')).stdout).not.toContain('reports-db');
  });

  test('plan shows what is new and touches nothing, apply does it, and then nothing is left to do', async () => {
    await declare(identity('reports-db'));
    const plan = await tenure('plan', '--exit-code');
    expect(plan.code).toBe(1);
    expect(plan.stdout).toContain('+ reports-db  provision');
    expect(plan.stdout).toContain('+ schedule monthly');
    expect((await tenure('list', '--names')).stdout).not.toContain('reports-db');
    const applied = await tenure('apply');
    expect(applied.stdout).toContain('reports-db: provision succeeded');
    expect(applied.code).toBe(0);
    const again = await eventually(
      () => tenure('plan', '--exit-code'),
      ({ code }) => code === 0,
    );
    expect(again.stdout).toContain('0 to provision, 0 to rotate, 0 to amend, 1 unchanged');
  });

  test('a consumer gets a credential that works', async () => {
    const { stdout } = await tenure('secret', 'read', 'reports-db');
    const { username, password } = JSON.parse(stdout) as Record<string, string>;
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      host: '127.0.0.1',
      port: postgres.port,
      database: 'ledger',
      user: username!,
      password: password!,
    });
    await client.connect();
    expect((await client.query('SELECT count(*)::int AS count FROM public.ledger')).rows).toEqual([{ count: 0 }]);
    await client.end();
  });

  test('a changed scope is shown as a rotation with what it will do, and applied as one', async () => {
    await declare(identity('reports-db', { may: 'select, insert' }));
    const plan = await tenure('plan');
    expect(plan.stdout).toContain('~ reports-db  rotate');
    expect(plan.stdout).toContain('["select"] -> ["select","insert"]; the new credential may do more');
    const applying = tenure('apply');
    await eventually(
      () => tenure('list', '--gates'),
      (listed) => listed.stdout.includes('reports-db'),
    );
    await tenure('approve', 'reports-db', '--as', 'second@localhost', '--yes', '--no-wait');
    const { code, stdout } = await applying;
    expect(stdout).toContain('reports-db: rotate succeeded');
    expect(code).toBe(0);
  });

  test('schedules are listed, paused with a reason that stays, and resumed', async () => {
    const listed = await eventually(
      () => tenure('schedule', 'list'),
      ({ stdout }) => stdout.includes('monthly'),
    );
    expect(listed.stdout).toMatch(/monthly +active/);
    expect((await tenure('schedule', 'pause', 'monthly', '--reason', 'release week')).code).toBe(0);
    const paused = await eventually(
      () => tenure('schedule', 'list'),
      ({ stdout }) => stdout.includes('paused'),
    );
    expect(paused.stdout).toContain('release week');
    every = '40d';
    await declare(identity('reports-db', { may: 'select, insert' }));
    expect((await tenure('apply')).stdout).toContain('~ schedule monthly');
    const changed = await eventually(
      () => tenure('schedule', 'list'),
      ({ stdout }) => stdout.includes('monthly'),
    );
    expect(changed.stdout).toMatch(/monthly +paused.*release week/);
    expect((await tenure('schedule', 'resume', 'monthly')).code).toBe(0);
    expect((await tenure('schedule', 'trigger', 'monthly')).code).toBe(0);
    const unknown = await tenure('schedule', 'pause', 'weekly', '--reason', 'x');
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('tenure schedule list');
  });

  test('a production identity waits at its gate until somebody approves the plan that is shown', async () => {
    await declare(
      identity('reports-db', { may: 'select, insert' }),
      identity('payments-db', { environment: 'production' }),
    );
    expect((await tenure('plan')).stdout).toContain(
      'waits for an approval (one from team or platform): tenure approve payments-db',
    );
    const applying = tenure('apply');
    await eventually(
      () => tenure('list', '--gates'),
      ({ stdout }) => stdout.includes('payments-db'),
    );
    const own = await tenure('approve', 'payments-db', '--yes');
    expect([own.code, own.stderr]).toEqual([1, expect.stringContaining('it does not count: ')]);
    const approved = await tenure('approve', 'payments-db', '--as', 'second@localhost', '--yes');
    expect(approved.stdout).toContain('provision payments-db (production, internal data)');
    expect(approved.stdout).toMatch(/Plan digest: sha256:[0-9a-f]{64}/);
    expect(approved.code).toBe(0);
    const applied = await applying;
    expect(applied.stdout).toContain('payments-db: provision succeeded');
    expect(applied.code).toBe(0);
  });

  test('delegate signs nothing that could never count, and a planned absence whole', async () => {
    const lend = (...args: string[]) => tenure('delegate', '--for', '1d', '--reason', 'on leave', ...args);
    for (const [args, why] of [
      [['--to', 'nobody@localhost', '--group', 'security'], 'nobody@localhost is not in the directory'],
      [['--to', 'automation/tenure', '--group', 'security'], 'only a person can approve'],
      [['--to', 'second@localhost', '--as', 'second@localhost', '--group', 'security'], 'that is you'],
      [['--to', 'second@localhost', '--group', 'no-such-group'], 'is not in no-such-group'],
    ] as const) {
      const { code, stderr } = await lend(...args);
      expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
    }
    const from = new Date(Date.now() + 7 * 86_400_000).toISOString();
    const { stdout } = await lend('--to', 'second@localhost', '--group', 'security', '--from', from);
    const { nbf, exp } = JSON.parse((JSON.parse(stdout) as Signed).statement) as DelegationStatement;
    expect([nbf, Date.parse(exp) - Date.parse(nbf)]).toEqual([from, 86_400_000]);
  });

  test('what vanished from the manifests is reported, and offboarded only with --prune', async () => {
    await declare(identity('payments-db', { environment: 'production' }));
    const reported = await tenure('plan');
    expect(reported.stdout).toContain('? reports-db  vanished');
    expect(reported.stderr).toBe('');
    const named = await tenure('plan', 'manifests');
    expect(named.stderr).toContain('only manifests was read: what is declared elsewhere is told as if it were in no');
    expect((await tenure('apply')).code).toBe(0);
    expect((await tenure('show', 'reports-db')).stdout).toContain('active');
    const unmeant = await tenure('apply', '--prune');
    expect(unmeant.code).toBe(2);
    const pruning = tenure('apply', '--prune', '--yes');
    await eventually(
      () => tenure('list', '--gates'),
      ({ stdout }) => stdout.includes('reports-db'),
    );
    await tenure('approve', 'reports-db', '--as', 'second@localhost', '--yes', '--no-wait');
    const { code, stdout } = await pruning;
    expect(stdout).toContain('reports-db: offboard succeeded');
    expect(code).toBe(0);
    expect(await postgres.sql(`SELECT rolname FROM pg_roles WHERE rolname LIKE 'reports%'`)).toEqual([]);
  });

  test('an emergency revocation is told with the time that it took', async () => {
    const { code, stdout } = await tenure('revoke', 'payments-db', '--now', '--reason', 'leaked');
    expect(stdout).toMatch(/(ms|s) from the request to the proven refusal/);
    expect(code).toBe(0);
  });

  test('drills hold with the people of tenure dev, and those that would change its files say how they are run', async () => {
    const applying = tenure('apply', join(packageRoot, 'examples/drill-db.yaml'));
    await eventually(
      () => tenure('list', '--gates'),
      ({ stdout }) => stdout.includes('drill-db'),
    );
    await tenure('approve', 'drill-db', '--as', 'second@localhost', '--yes', '--no-wait');
    expect((await applying).code).toBe(0);
    const { code, stdout } = await tenure('drill');
    expect(stdout).toContain('8 held, 0 broken, 5 not run');
    expect(stdout).toMatch(/^held +own-approval: .*\n +nhi\/drill-db\/rotate\/\d+: ada@example.com asked for this/m);
    expect(stdout).toMatch(/^not run stolen-key: .*\n.*npm run drill/m);
    expect(code).toBe(0);
  });
});

/** As a person would after the first start: names the target in the file that was made. */
async function addTarget(port: number): Promise<void> {
  const file = join(folder, 'tenure.yaml');
  const target = `targets:\n  ledger-db: { type: postgresql, host: 127.0.0.1, port: ${port}, database: ledger, user: tenure_admin, password: { file: ledger-password } }\n`;
  await writeFile(file, (await readFile(file, 'utf8')).replace('targets: {}\n', target));
}

async function restartDev(): Promise<void> {
  dev.interrupt();
  expect(await devEnded).toBe(0);
  dev = pretend({ cwd: folder, env: { TENURE_LOG: 'warn', TENURE_AS: 'ada@example.com' } });
  devEnded = run(['dev'], dev.io);
  await eventually(
    async () => `${dev.stdout()}${dev.stderr()}`,
    (text) => text.includes('Ctrl-C stops it'),
  );
}

async function tenure(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const pretended = pretend({ cwd: folder, env: { TENURE_AS: 'ada@example.com' } });
  const code = await run(argv, pretended.io);
  return { code, stdout: pretended.stdout(), stderr: pretended.stderr() };
}

let every = '30d';

async function declare(...identities: string[]): Promise<void> {
  const head = `policies:\n  monthly: { every: ${every}, grace: 0s, whenInUse: go-on }\n\n`;
  await writeFile(
    join(folder, 'manifests/identities.yaml'),
    `${head}identities:${identities.length === 0 ? ' []' : ''}\n${identities.join('')}`,
  );
}

function identity(name: string, more: { may?: string; environment?: string } = {}): string {
  return `  - name: ${name}
    kind: database-role
    owner: { person: ada@example.com }
    purpose: a test
    environment: ${more.environment ?? 'development'}
    dataClass: internal
    target: { name: ledger-db, scope: { grants: [{ on: ledger, may: [${more.may ?? 'select'}] }] } }
    deliver: [{ store: local, path: ${name} }]
    rotation: monthly
`;
}
