/** Which rights were used, on real servers: what a login did is never taken for unused, and what it never did is. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/package-root.js';
import type { RecordedUse, Scope } from '../../src/targets/target.js';
import { describeOn } from '../support/machine.js';
import { type Fixture, type Minted, newIdentity, startFixture } from './postgresql-fixture.js';

const setUp = readFileSync(join(packageRoot, 'examples', 'postgresql-admin-use.sql'), 'utf8');
// The fewest that it takes.
const settings = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.max': '1000' };

for (const version of [15, 18] as const) {
  const fixture = await startFixture({ version, settings });
  describeOn(fixture, `recorded use on PostgreSQL ${version}`, use);
}

const objects = `
  CREATE SCHEMA app; CREATE SCHEMA "Odd.One";
  CREATE TABLE app.orders (id int PRIMARY KEY, note text, amount int);
  CREATE TABLE app.audit (id int, what text);
  CREATE TABLE app.open (id int, what text);
  CREATE TABLE app.watched (id int, what text);
  CREATE TABLE app.hidden (id int, what text);
  CREATE TABLE app.ruled (id int, what text);
  CREATE TABLE app.serial (id int, what text);
  CREATE TABLE app.checked (id int, what text);
  CREATE TABLE app.below (id int, what text);
  CREATE TABLE app.owned (id int, what text);
  CREATE TABLE app.copied (id int, what text);
  CREATE TABLE "Odd.One"."a ""table"""  (id int);
  CREATE SEQUENCE app.numbers; CREATE SEQUENCE app.defaults; CREATE SEQUENCE app.others;
  ALTER TABLE app.serial ALTER id SET DEFAULT nextval('app.defaults');
  CREATE FUNCTION app.plain(i int) RETURNS int LANGUAGE sql AS 'SELECT i';
  CREATE FUNCTION app.definer(i int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*)::int FROM app.hidden';
  CREATE FUNCTION app.never(i int) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT i';
  CREATE FUNCTION app.described(app.open) RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT $1.what';
  CREATE FUNCTION app.is_fine(i int) RETURNS boolean LANGUAGE sql SECURITY DEFINER AS 'SELECT i > 0';
  CREATE PROCEDURE app.tidy() LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM app.hidden';
  CREATE DOMAIN app.fine AS int CHECK (app.is_fine(VALUE));
  ALTER TABLE app.checked ADD f app.fine;
  CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO app.audit VALUES (NEW.id, 'x'); RETURN NEW; END $$;
  CREATE TRIGGER note AFTER INSERT ON app.watched FOR EACH ROW EXECUTE FUNCTION app.note();
  CREATE VIEW app.as_caller WITH (security_invoker) AS SELECT * FROM app.below;
  CREATE VIEW app.as_owner AS SELECT o.*, app.definer(1) AS d FROM app.owned o;
  ALTER TABLE app.ruled ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON app.ruled USING (id IN (SELECT id FROM app.copied));
  CREATE ROLE app_readers; GRANT SELECT ON app.hidden TO app_readers; GRANT USAGE ON SCHEMA app TO app_readers;
  REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA app FROM PUBLIC;
  GRANT USAGE, CREATE ON SCHEMA app TO tenure_admin WITH GRANT OPTION; GRANT USAGE ON SCHEMA "Odd.One" TO tenure_admin WITH GRANT OPTION;
  GRANT ALL ON ALL TABLES IN SCHEMA app TO tenure_admin WITH GRANT OPTION;
  GRANT ALL ON ALL TABLES IN SCHEMA "Odd.One" TO tenure_admin WITH GRANT OPTION;
  GRANT ALL ON ALL SEQUENCES IN SCHEMA app TO tenure_admin WITH GRANT OPTION;
  GRANT EXECUTE ON ALL ROUTINES IN SCHEMA app TO tenure_admin WITH GRANT OPTION;
  GRANT app_readers TO tenure_admin WITH ADMIN OPTION; GRANT TEMPORARY ON DATABASE ledger TO tenure_admin WITH GRANT OPTION;
  REVOKE TEMPORARY ON DATABASE ledger FROM PUBLIC`;

const tables = 'orders audit open watched hidden ruled serial checked below owned copied as_caller as_owner'.split(' ');
const whole: Scope = {
  grants: [
    ...tables.map((name) => ({ on: `app.${name}`, may: ['select', 'insert', 'update', 'delete'] })),
    { on: 'app.orders', may: ['truncate', 'references', 'trigger'] },
    { on: '"Odd.One"."a ""table"""', may: ['select'] },
    ...['numbers', 'defaults', 'others'].map((name) => ({
      sequence: `app.${name}`,
      may: ['usage', 'select', 'update'],
    })),
    ...[
      'plain(integer)',
      'definer(integer)',
      'never(integer)',
      'described(app.open)',
      'is_fine(integer)',
      'note()',
      'tidy()',
    ].map((name) => ({ function: `app.${name}`, may: ['execute'] })),
    { schema: 'app', may: ['usage', 'create'] },
    { schema: 'Odd.One', may: ['usage'] },
    { database: 'ledger', may: ['connect', 'temporary'] },
  ],
  memberOf: ['app_readers'],
};

/** `select app.orders`, `member app_readers`. */
function inWords(right: Scope): string {
  const { grants, memberOf } = right as { grants?: Record<string, unknown>[]; memberOf?: string[] };
  if (memberOf) return `member ${memberOf.join()}`;
  const { may, ...object } = grants![0]!;
  return `${String(may)} ${String(Object.values(object)[0])}`;
}

function revoking(right: string): string {
  const [, verb, object] = /^(\S+) (.*)$/.exec(right)!;
  if (verb === 'member') return `REVOKE ${object}`;
  const kind = ['app', 'Odd.One'].includes(object!)
    ? 'SCHEMA'
    : object === 'ledger'
      ? 'DATABASE'
      : verb === 'execute'
        ? 'ROUTINE'
        : '';
  return `REVOKE ${verb} ON ${kind} ${kind === 'SCHEMA' ? `"${object}"` : object}`;
}

function known(use: RecordedUse | undefined): Extract<RecordedUse, { known: true }> {
  if (!use?.known) throw new Error(`use is not known: ${use?.why ?? 'no answer'}`);
  return use;
}

/** Of the whole scope. */
const everything = 'everything';
const all = [
  ...(whole['grants'] as { may: string[] }[]).flatMap(({ may, ...object }) =>
    may.map((verb) => inWords({ grants: [{ ...object, may: [verb] }] })),
  ),
  'member app_readers',
];

function use(fixture: Fixture): void {
  const { target, server } = fixture;
  beforeAll(async () => void (await fixture.sql(objects)));
  afterAll(() => fixture.close());

  it('is unknown, and says what to do, as long as the extension is not there or not readable', async () => {
    const { subject } = await fixture.install(fixture.subject(newIdentity()));
    const why = async (isOfServer = true) => {
      const look = await target.recordedUse!(subject);
      const { remarks, problems } = await target.probe();
      expect(problems).toEqual([]);
      if (isOfServer) expect(remarks).toEqual(look.known ? [] : [`which rights are used is not known: ${look.why}`]);
      return look.known ? undefined : look.why;
    };
    expect(await why()).toContain('CREATE EXTENSION pg_stat_statements');
    await fixture.sql('CREATE EXTENSION pg_stat_statements');
    expect(await why()).toContain('GRANT pg_read_all_stats TO "tenure_admin"');
    await fixture.sql(setUp);
    expect(await why()).toBeUndefined();
    for (const [name, value] of [
      ['pg_stat_statements.track', 'none'],
      ['pg_stat_statements.track_utility', 'off'],
      ['compute_query_id', 'off'],
    ]) {
      await fixture.sql(`ALTER DATABASE ledger SET ${name} = ${value}`);
      const other = fixture.open();
      const look = await other.recordedUse!(subject);
      expect(look.known ? name : look.why).toMatch(/not every statement is recorded|switched off/);
      await fixture.sql(`ALTER DATABASE ledger RESET ${name}`);
      await fixture.sql(`ALTER ROLE "${subject.identity}_a" SET ${name} = ${value}`);
      expect(await why(false)).toContain(`switched off for ${subject.identity}_a`);
      await fixture.sql(`ALTER ROLE "${subject.identity}_a" RESET ${name}`);
    }
    expect(await why()).toBeUndefined();
  });

  const user = async () => {
    await fixture.sql(setUp);
    return fixture.install(fixture.subject(newIdentity(), 1, whole));
  };
  let made: Promise<Minted> | undefined;

  let count = 0;
  const once = (statement: string) => statement.replaceAll(':n', String((count += 1)));

  /** The same again, with nothing granted but `rights`; afterwards all is as it was. */
  async function runWithOnly(rights: readonly string[], statements: readonly string[], { subject, holder }: Minted) {
    const client = await server.superClient('ledger');
    await client.query('BEGIN; SET LOCAL ROLE tenure_admin');
    const others = all.filter((right) => !rights.includes(right));
    for (const right of others) await client.query(`${revoking(right)} FROM "${subject.identity}"`);
    await client.query(`SET LOCAL ROLE "${holder.principal}"`);
    for (const statement of statements.filter((one) => !/^(BEGIN|COMMIT|SET ROLE)/.test(one)))
      await client.query(once(statement));
    await client.query('ROLLBACK');
    await client.end();
    return others.length;
  }

  /** Runs statements as an identity that may do everything here, and gives the rights that they used. */
  async function usedBy(statements: readonly string[], { subject, material }: Minted): Promise<string[]> {
    const before = known(await target.recordedUse!(subject));
    const client = await fixture.logIn(material);
    for (const statement of statements) await client.query(once(statement));
    await client.end();
    const after = known(await target.recordedUse!(subject));
    expect(after.history).toBe(before.history);
    expect(after.total).toBeGreaterThanOrEqual(before.total);
    const grew = after.rights.filter(({ calls }, n) => calls > before.rights[n]!.calls);
    return grew.map(({ right }) => inWords(right)).toSorted();
  }

  const always = ['connect ledger'];
  const inApp = [...always, 'usage app'];
  const cases: [string, string | string[], string[] | typeof everything][] = [
    ['a login that only looks at the time', 'SELECT now(), $$x$$::text, interval $$1 day$$', always],
    ['select', 'SELECT * FROM app.orders WHERE id = 1', [...inApp, 'select app.orders']],
    ['a name without a schema', ['SET search_path = app', 'SELECT note FROM orders'], [...inApp, 'select app.orders']],
    [
      'a name in quotes',
      'SELECT * FROM "Odd.One"."a ""table"""',
      [...always, 'usage Odd.One', 'select "Odd.One"."a ""table"""'],
    ],
    ['insert', `INSERT INTO app.orders VALUES (:n, 'x', 1)`, [...inApp, 'insert app.orders']],
    [
      'insert and look',
      `INSERT INTO app.orders VALUES (:n, 'x', 1) RETURNING id`,
      [...inApp, 'insert app.orders', 'select app.orders'],
    ],
    [
      'insert or update',
      `INSERT INTO app.orders VALUES (1, 'y', 1) ON CONFLICT (id) DO UPDATE SET note = 'z'`,
      [...inApp, 'insert app.orders', 'select app.orders', 'update app.orders'],
    ],
    [
      'insert what is elsewhere',
      'INSERT INTO app.audit SELECT id FROM app.open',
      [...inApp, 'insert app.audit', 'select app.open'],
    ],
    ['update everything', 'UPDATE app.orders SET amount = 1', [...inApp, 'update app.orders']],
    [
      'update where',
      'UPDATE app.orders SET amount = 1 WHERE id = 1',
      [...inApp, 'select app.orders', 'update app.orders'],
    ],
    [
      'update by itself',
      'UPDATE app.orders SET amount = amount + 1',
      [...inApp, 'select app.orders', 'update app.orders'],
    ],
    ['delete', 'DELETE FROM app.audit', [...inApp, 'delete app.audit']],
    [
      'delete where',
      'DELETE FROM app.audit USING app.open WHERE open.id = audit.id',
      [...inApp, 'delete app.audit', 'select app.audit', 'select app.open'],
    ],
    [
      'merge',
      'MERGE INTO app.audit USING app.open ON open.id = audit.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (1)',
      [...inApp, 'delete app.audit', 'insert app.audit', 'select app.audit', 'select app.open'],
    ],
    [
      'a change inside a query',
      'WITH gone AS (DELETE FROM app.audit RETURNING *) SELECT * FROM gone',
      [...inApp, 'delete app.audit', 'select app.audit'],
    ],
    ['lock rows', 'SELECT * FROM app.orders FOR UPDATE', [...inApp, 'select app.orders', 'update app.orders']],
    ['truncate', 'TRUNCATE app.orders', [...inApp, 'truncate app.orders']],
    [
      'copy out',
      `COPY app.orders TO STDOUT`.replace('COPY app.orders TO STDOUT', 'EXPLAIN SELECT * FROM app.copied'),
      [...inApp, 'select app.copied'],
    ],
    [
      'a cursor',
      ['BEGIN', 'DECLARE c CURSOR FOR SELECT * FROM app.open', 'FETCH 2 FROM c', 'COMMIT'],
      [...inApp, 'select app.open'],
    ],
    ['a prepared statement', ['PREPARE p AS SELECT * FROM app.open', 'EXECUTE p'], [...inApp, 'select app.open']],
    [
      'a sequence, whichever',
      `SELECT nextval('app.numbers')`,
      [
        ...always,
        ...['numbers', 'defaults', 'others'].flatMap((name) => [`usage app.${name}`, `update app.${name}`]),
        'member app_readers',
      ],
    ],
    ['what a sequence is at', 'SELECT last_value FROM app.numbers', [...inApp, 'select app.numbers']],
    ['a function in the name of its owner', 'SELECT app.definer(1)', [...inApp, 'execute app.definer(integer)']],
    [
      'a function that is written like a column',
      ['SET search_path = app', 'SELECT o.described FROM open o'],
      [...inApp, 'execute app.described(app.open)', 'select app.open'],
    ],
    ['a procedure', 'CALL app.tidy()', [...inApp, 'execute app.tidy()']],
    [
      'a view in the name of its owner',
      'SELECT * FROM app.as_owner',
      [...inApp, 'execute app.definer(integer)', 'member app_readers', 'select app.as_owner'],
    ],
    [
      'a view in the name of the caller',
      'SELECT * FROM app.as_caller',
      [...inApp, 'member app_readers', 'select app.as_caller', 'select app.below'],
    ],
    [
      'a table with row security',
      'SELECT * FROM app.ruled',
      [...inApp, 'member app_readers', 'select app.copied', 'select app.ruled'],
    ],
    [
      'a default',
      `INSERT INTO app.serial (what) VALUES ('x')`,
      [
        ...inApp,
        'insert app.serial',
        'member app_readers',
        ...['usage', 'select', 'update'].map((verb) => `${verb} app.defaults`),
      ],
    ],
    [
      'a domain',
      'INSERT INTO app.checked VALUES (1)',
      [...inApp, 'execute app.is_fine(integer)', 'insert app.checked', 'member app_readers'],
    ],
    [
      'a temporary table',
      ['CREATE TEMPORARY TABLE mine (i int)', 'INSERT INTO mine SELECT 1', 'SELECT * FROM mine'],
      [...always, 'temporary ledger'],
    ],
    [
      'a table that refers to another',
      'CREATE TABLE app.made_:n (i int REFERENCES app.orders)',
      [...inApp, 'create app', 'member app_readers', 'references app.orders', 'select app.orders'],
    ],
    ['a function in the name of the caller', 'SELECT app.plain(1)', everything],
    ['a trigger in the name of the caller', 'INSERT INTO app.watched VALUES (1)', everything],
    ['a block', 'DO $$ BEGIN PERFORM 1; END $$', everything],
    ['text that is run as a query', `SELECT query_to_xml('SELECT 1', true, false, '')`, everything],
  ];

  it.each(cases)('%s', async (_, statements, expected) => {
    const used = await usedBy([statements].flat(), await (made ??= user()));
    const wanted = expected === everything ? all : expected;
    expect(used).toEqual(wanted.toSorted());
    // The server is asked too: without what is not reported, all of it can still be done.
    expect(await runWithOnly(used, [statements].flat(), await made!)).toBe(all.length - used.length);
  });

  it('a statement whose table has another name now may have used anything', async () => {
    await fixture.sql('CREATE TABLE app.passing (i int); GRANT SELECT ON app.passing TO PUBLIC');
    const { subject, material } = await (made ??= user());
    const client = await fixture.logIn(material);
    await client.query('SELECT * FROM app.passing');
    await client.end();
    const before = known(await target.recordedUse!(subject));
    await fixture.sql('ALTER TABLE app.passing RENAME TO passed');
    const after = known(await target.recordedUse!(subject));
    const grew = after.rights
      .filter(({ calls }, n) => calls > before.rights[n]!.calls)
      .map(({ right }) => inWords(right));
    const already = ['connect ledger', 'usage app', 'member app_readers'];
    expect(grew.toSorted()).toEqual(all.filter((right) => !already.includes(right)).toSorted());
  });

  it('what a role above may is done by the membership, and by no grant of its own', async () => {
    const statements = ['SET ROLE app_readers', 'SELECT * FROM app.hidden'];
    expect(await usedBy(statements, await (made ??= user()))).toEqual(['connect ledger', 'member app_readers']);
  });

  it('a statement that runs now is use, also before the server has recorded it', async () => {
    const { subject, material } = await (made ??= user());
    const client = await fixture.logIn(material);
    await fixture.sql('INSERT INTO app.copied VALUES (1)');
    const running = client.query('SELECT pg_sleep(60) FROM app.copied').catch(() => undefined);
    await expect
      .poll(async () =>
        known(await target.recordedUse!(subject))
          .rights.filter(({ isInUse }) => isInUse)
          .map(({ right }) => inWords(right)),
      )
      .toEqual(expect.arrayContaining(['select app.copied']));
    await fixture.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${material.username}'`);
    await running;
    await client.end().catch(() => undefined);
  });

  it('where a standby is attached use is unknown, unless nobody reads there', async () => {
    const { subject } = await (made ??= user());
    const { host, port, superuser, superPassword: password } = server;
    const settings = { host, port, user: superuser, password, database: 'ledger', replication: 'true' };
    const standby = new pg.Client(settings as pg.ClientConfig);
    await standby.connect();
    expect(await target.recordedUse!(subject)).toMatchObject({
      known: false,
      why: expect.stringContaining('standbys'),
    });
    expect(await fixture.open({ readsOnStandbys: false }).recordedUse!(subject)).toMatchObject({ known: true });
    await standby.end();
    await expect.poll(async () => (await target.recordedUse!(subject)).known).toBe(true);
  });

  it('the history is another one after a reset, an eviction and a crash, and the same after a restart', async () => {
    const { subject, material } = await (made ??= user());
    const look = async () => known(await target.recordedUse!(subject));
    const changes = async (what: () => Promise<unknown>) => {
      const before = await look();
      await what();
      // The pool learns of the end of its connections by using them.
      await expect.poll(async () => (await look().catch(() => undefined)) !== undefined).toBe(true);
      return (await look()).history !== before.history;
    };
    expect(await changes(() => fixture.sql('SELECT 1'))).toBe(false);
    expect(await changes(() => fixture.sql('SELECT pg_stat_statements_reset()'))).toBe(true);
    const many = Array.from({ length: 1_100 }, (_, n) => `SELECT ${Array.from({ length: n + 1 }, () => '1').join()}`);
    expect(await changes(() => fixture.sql(many.join(';')))).toBe(true);
    expect(await changes(async () => (await server.shutDown(), server.restart()))).toBe(false);
    const client = await fixture.logIn(material);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    expect(
      await changes(async () => {
        process.kill(rows[0]!.pid, 'SIGKILL');
        await expect
          .poll(() =>
            fixture.sql('SELECT 1').then(
              () => true,
              () => false,
            ),
          )
          .toBe(true);
      }),
    ).toBe(true);
    await client.end().catch(() => undefined);
    expect(await changes(async () => (await server.kill(), server.restart()))).toBe(true);
  });
}
