import { afterAll, expect, it } from 'vitest';
import { describeOn } from '../support/machine.js';
import { failsWith, type Fixture, ledgerScope, newIdentity, startFixture } from './postgresql-fixture.js';

for (const version of [15, 18] as const) {
  const fixture = await startFixture({ version });
  describeOn(fixture, `rights on PostgreSQL ${version}`, rights);
}

function rights(fixture: Fixture): void {
  const { target, server } = fixture;
  const is15 = server.version === 15;
  afterAll(() => fixture.close());

  const holds = async (scope: typeof ledgerScope) => {
    const made = await fixture.install(fixture.subject(newIdentity(), 1, scope));
    expect(await target.verify(made.subject, made.material)).toMatchObject({ excess: [], missing: [] });
    expect(await target.inspect(made.subject, [made.holder])).toEqual([]);
    return made;
  };

  it('grants on table, view, sequence, schema, database and function, and by membership', async () => {
    await fixture.sql(`
      CREATE SCHEMA reports; CREATE VIEW reports.totals AS SELECT sum(amount) FROM public.ledger;
      CREATE SEQUENCE reports.numbers; CREATE ROLE readers;
      CREATE FUNCTION reports.round_up(a integer, b numeric(10,2)) RETURNS integer LANGUAGE sql AS 'SELECT a';
      REVOKE EXECUTE ON FUNCTION reports.round_up FROM PUBLIC;
      GRANT USAGE, CREATE ON SCHEMA reports TO tenure_admin WITH GRANT OPTION;
      GRANT CREATE, TEMPORARY ON DATABASE ledger TO tenure_admin WITH GRANT OPTION;
      GRANT SELECT ON reports.totals TO tenure_admin WITH GRANT OPTION;
      GRANT USAGE, SELECT, UPDATE ON SEQUENCE reports.numbers TO tenure_admin WITH GRANT OPTION;
      GRANT EXECUTE ON FUNCTION reports.round_up TO tenure_admin WITH GRANT OPTION;
      GRANT readers TO tenure_admin WITH ADMIN OPTION; GRANT UPDATE ON public.ledger TO readers`);
    const { material } = await holds({
      grants: [
        { on: 'reports.totals', may: ['select'] },
        { sequence: 'reports.numbers', may: ['usage', 'update'] },
        { schema: 'reports', may: ['usage'] },
        { database: 'ledger', may: ['temporary'] },
        { function: 'reports.round_up(integer, numeric)', may: ['execute'] },
      ],
      memberOf: ['readers'],
    });
    const client = await fixture.logIn(material);
    const { rows } = await client.query(
      `SELECT reports.round_up(1, 2), nextval('reports.numbers') AS next, has_table_privilege('public.ledger', 'UPDATE') AS "mayUpdate"`,
    );
    expect(rows[0]).toMatchObject({ round_up: 1, next: '1', mayUpdate: true });
    await expect(client.query('SELECT currval(1)')).rejects.toThrow();
    await client.end();
  });

  it.each([
    ['quotes, spaces and dots', 'Wei"rd. Schema', 'a "table"; DROP TABLE ledger; --'],
    ['unicode', 'schéma', '台帳 💾'],
    ['63 bytes', 's'.repeat(63), 'é'.repeat(31) + 'x'],
    ['upper case and a backslash', 'Upper', 'Led\\ger'],
  ])('works with a name that has %s', async (_, schema, table) => {
    const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const name = `${quote(schema)}.${quote(table)}`;
    await fixture.sql(`CREATE SCHEMA ${quote(schema)}; CREATE TABLE ${name} (i int);
      GRANT USAGE ON SCHEMA ${quote(schema)} TO tenure_admin WITH GRANT OPTION;
      GRANT SELECT ON ${name} TO tenure_admin WITH GRANT OPTION`);
    const { material, subject } = await holds({ grants: [{ on: name, may: ['select'] }] });
    const client = await fixture.logIn(material);
    await client.query(`SELECT * FROM ${name}`);
    await client.end();
    await target.remove(subject);
  });

  it('takes what PUBLIC may do for no right of the identity', async () => {
    await fixture.sql('CREATE TABLE public.notices (i int); GRANT SELECT ON public.notices TO PUBLIC');
    await holds(ledgerScope);
    await fixture.sql('GRANT SELECT ON public.notices TO tenure_admin WITH GRANT OPTION');
    const { subject, material, holder } = await holds({ grants: [{ on: 'notices', may: ['select'] }] });
    await fixture.sql(`SET ROLE tenure_admin; REVOKE SELECT ON public.notices FROM "${subject.identity}"`);
    expect((await target.verify(subject, material)).missing).toEqual([
      `${subject.identity} may not select from public.notices`,
    ]);
    expect(await target.repair(subject, [holder])).toEqual([
      `GRANT SELECT ON TABLE public.notices TO "${subject.identity}"`,
    ]);
  });

  it('grants what the scope names also where PUBLIC gives it today', async () => {
    await fixture.sql('GRANT TEMPORARY ON DATABASE ledger TO tenure_admin WITH GRANT OPTION');
    const { material } = await holds({ grants: [{ database: 'ledger', may: ['temporary'] }] });
    await fixture.sql('REVOKE TEMPORARY ON DATABASE ledger FROM PUBLIC');
    const client = await fixture.logIn(material);
    await client.query('CREATE TEMPORARY TABLE mine (i int)');
    await client.end();
    await fixture.sql('GRANT TEMPORARY ON DATABASE ledger TO PUBLIC');
  });

  it('grants CONNECT and USAGE where PUBLIC lost them', async () => {
    await fixture.sql('REVOKE CONNECT ON DATABASE ledger FROM PUBLIC; REVOKE USAGE ON SCHEMA public FROM PUBLIC');
    const { material } = await holds(ledgerScope);
    const client = await fixture.logIn(material);
    await client.query('SELECT count(*) FROM public.ledger');
    await client.end();
    await fixture.sql('GRANT CONNECT ON DATABASE ledger TO PUBLIC; GRANT USAGE ON SCHEMA public TO PUBLIC');
  });

  it.each([
    ['to the group', (id: string) => `GRANT DELETE ON public.ledger TO "${id}"`, 'may delete from public.ledger'],
    ['to a login', (id: string) => `GRANT UPDATE ON public.ledger TO "${id}_a"`, 'may update public.ledger'],
    [
      'on a column',
      (id: string) => `GRANT UPDATE (amount) ON public.ledger TO "${id}"`,
      'update public.ledger ("amount")',
    ],
    [
      'on a column of what it may read anyway',
      (id: string) => `GRANT SELECT (amount) ON public.ledger TO "${id}"`,
      'select from public.ledger ("amount")',
    ],
    ['to pass it on', (id: string) => `GRANT SELECT ON public.ledger TO "${id}" WITH GRANT OPTION`, 'may pass on'],
    [
      'on what is yet to come',
      (id: string) => `ALTER DEFAULT PRIVILEGES FOR ROLE ledger_owner GRANT SELECT ON TABLES TO "${id}"`,
      'may select from new tables (FOR ROLE ledger_owner)',
    ],
  ])(
    'finds a right given by hand %s, fails on it, and takes it back before the next turn',
    async (_, grant, sentence) => {
      const { subject, holder, material } = await holds(ledgerScope);
      await fixture.sql(grant(subject.identity));
      const { excess } = await target.verify(subject, material);
      expect(excess).toHaveLength(1);
      expect(excess[0]).toContain(sentence);
      const next = await fixture.mint(fixture.subject(subject.identity, 2), holder);
      const { changed } = await target.install(next.subject, next.holder, next.material);
      expect(changed.join()).toMatch(/REVOKE/);
      expect(await target.verify(next.subject, next.material)).toMatchObject({ excess: [], missing: [] });
    },
  );

  it('finds the rights of a role that somebody made it a member of', async () => {
    await fixture.sql('CREATE ROLE auditors; GRANT TRUNCATE ON public.ledger TO auditors');
    const { subject, holder, material } = await holds(ledgerScope);
    await fixture.sql(`GRANT auditors TO "${holder.principal}"`);
    expect((await target.verify(subject, material)).excess).toEqual([
      `${holder.principal} is a member of auditors, which the scope does not name`,
      'auditors may truncate public.ledger, which the scope does not name',
    ]);
    const [what] = await target.repair(subject, [holder]);
    // From 16 on only the grantor takes a membership back, and a superuser granted this one.
    expect(what).toContain(is15 ? `REVOKE "auditors" FROM` : 'admin runs: REVOKE "auditors" FROM');
  });

  it('says who has to take back what Tenure may not, before it changes anything', async () => {
    const { subject, holder } = await holds(ledgerScope);
    await fixture.sql(`CREATE TABLE public.secrets (i int); GRANT SELECT ON public.secrets TO "${subject.identity}"`);
    const next = await fixture.mint(fixture.subject(subject.identity, 2), holder);
    const message = await failsWith('RejectedUnchanged', target.install(next.subject, next.holder, next.material));
    expect(message).toContain(`admin runs: REVOKE SELECT ON TABLE public.secrets FROM "${subject.identity}"`);
    expect(await fixture.roleExists(next.holder.principal)).toBe(false);
    await fixture.sql(`REVOKE SELECT ON TABLE public.secrets FROM "${subject.identity}"`);
    await target.install(next.subject, next.holder, next.material);
  });

  it('says which grant its administrator lacks, and which object does not exist', async () => {
    await fixture.sql('CREATE TABLE public.closed (i int)');
    const install = async (on: string) => {
      const made = await fixture.mint(fixture.subject(newIdentity(), 1, { grants: [{ on, may: ['select'] }] }));
      const message = await failsWith('RejectedUnchanged', target.install(made.subject, made.holder, made.material));
      expect(await fixture.roleExists(made.holder.principal)).toBe(false);
      return message;
    };
    expect(await install('closed')).toContain(
      'GRANT SELECT ON TABLE public.closed TO "tenure_admin" WITH GRANT OPTION',
    );
    expect(await install('nowhere')).toContain('table public.nowhere does not exist');
  });

  it('finds attributes, an expiry and strangers among the members', async () => {
    const { subject, holder } = await holds(ledgerScope);
    const stranger = `bob-${subject.identity}`;
    await fixture.sql(`ALTER ROLE "${holder.principal}" CREATEDB VALID UNTIL '2100-01-01';
      CREATE ROLE "${stranger}"; GRANT "${subject.identity}" TO "${stranger}"`);
    expect(await target.inspect(subject, [holder])).toMatchObject([
      { what: 'attribute', problem: 'excess', detail: `${holder.principal} has the attribute CREATEDB` },
      { what: 'attribute', problem: 'changed' },
      { what: 'membership', problem: 'excess' },
    ]);
    await target.repair(subject, [holder]);
    // From 16 on an attribute can be taken away only by one who has it, and a membership only by its grantor.
    expect(await target.inspect(subject, [holder])).toHaveLength(is15 ? 0 : 2);
  });

  it('finds a group that may log in, and ends it', async () => {
    const { subject, holder } = await holds(ledgerScope);
    await fixture.sql(`ALTER ROLE "${subject.identity}" LOGIN PASSWORD 'by hand'`);
    expect(await target.inspect(subject, [holder])).toMatchObject([{ what: 'login', problem: 'excess' }]);
    expect(await target.repair(subject, [holder])).toEqual([`ALTER ROLE "${subject.identity}" NOLOGIN`]);
    expect(await target.inspect(subject, [holder])).toEqual([]);
  });

  it('lets the next login use what the last one made, and keeps it when the identity goes', async () => {
    await fixture.sql('CREATE SCHEMA app; GRANT USAGE, CREATE ON SCHEMA app TO tenure_admin WITH GRANT OPTION');
    const scope = { grants: [{ schema: 'app', may: ['usage', 'create'] }] };
    const first = await holds(scope);
    const one = await fixture.logIn(first.material);
    await one.query('CREATE TABLE app.made (i int); CREATE TEMPORARY TABLE passing (i int)');
    const next = await fixture.install(fixture.subject(first.subject.identity, 2, scope), first.holder);
    const two = await fixture.logIn(next.material);
    await two.query('INSERT INTO app.made VALUES (1); ALTER TABLE app.made ADD j int');
    await one.query('INSERT INTO app.made VALUES (2)');
    expect(await target.verify(next.subject, next.material)).toMatchObject({ excess: [], missing: [] });
    const sentences = await target.remove(next.subject);
    expect(sentences).toContain('table app.made was kept and belongs to tenure_admin now');
    await Promise.all([one, two].map((client) => client.end().catch(() => undefined)));
    expect(await fixture.sql('SELECT count(*)::int AS rows FROM app.made')).toEqual([{ rows: 2 }]);
  });

  it('disables, but does not drop, what owns something in a database that it does not see', async () => {
    const { subject, material } = await holds(ledgerScope);
    await server.sql('CREATE DATABASE elsewhere');
    await server.sql(`CREATE TABLE theirs (i int); ALTER TABLE theirs OWNER TO "${subject.identity}"`, 'elsewhere');
    const message = await failsWith('RejectedUnchanged', target.remove(subject));
    expect(message).toContain('elsewhere');
    await expect(fixture.logIn(material)).rejects.toMatchObject({ code: '28000' });
    await server.sql(`DROP OWNED BY "${subject.identity}"`, 'elsewhere');
    expect(await target.remove(subject)).toContain(`role ${subject.identity} does not exist`);
    await server.sql('DROP DATABASE elsewhere');
  });
}
