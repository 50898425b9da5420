/** Rights that are lent for a time, on real servers: they are there for the login, and nothing of them outlives the taking back. */
import { afterAll, expect, it } from 'vitest';
import { describeOn } from '../support/machine.js';
import { failsWith, type Fixture, ledgerScope, newIdentity, startFixture } from './postgresql-fixture.js';

const deleting = { grants: [...(ledgerScope['grants'] as object[]), { on: 'ledger', may: ['delete'] }] };

for (const version of [15, 18] as const) {
  const fixture = await startFixture({ version });
  describeOn(fixture, `lent rights on PostgreSQL ${version}`, lent);
}

function lent(fixture: Fixture): void {
  const { target } = fixture;
  afterAll(() => fixture.close());

  /** An identity with a login, and the change that lends and takes back. */
  async function lendable() {
    const identity = newIdentity();
    const made = await fixture.install(fixture.subject(identity, 2));
    const at = (epoch: number, scope = ledgerScope) => ({
      ...fixture.subject(identity, epoch, scope),
      operation: 'nhi/x/elevate/2',
    });
    return {
      ...made,
      identity,
      lend: (scope: typeof ledgerScope = deleting, epoch = 4) =>
        target.bringRights(at(epoch, scope), [made.holder], 'keep'),
      takeBack: (epoch = 5) => target.bringRights(at(epoch), [made.holder], 'end'),
      proof: (scope = ledgerScope) => target.verify(at(6, scope), made.material),
    };
  }

  it('a login may do what it was lent, in sessions that are open too, and no more afterwards', async () => {
    const { lend, takeBack, proof, material } = await lendable();
    const client = await fixture.logIn(material);
    await expect(client.query('DELETE FROM ledger WHERE false')).rejects.toThrow(/permission denied/);
    const { changed } = await lend();
    expect(changed).toEqual([expect.stringContaining('GRANT DELETE')]);
    await client.query('DELETE FROM ledger WHERE false');
    expect(await proof(deleting)).toMatchObject({ excess: [], missing: [] });
    expect((await proof()).excess).toHaveLength(1);

    expect(await takeBack()).toMatchObject({ changed: [expect.stringContaining('REVOKE DELETE')], sessionsEnded: 1 });
    await expect(client.query('SELECT 1')).rejects.toThrow();
    expect(await proof()).toMatchObject({ excess: [], missing: [] });
    const after = await fixture.logIn(material);
    await expect(after.query('DELETE FROM ledger WHERE false')).rejects.toThrow(/permission denied/);
    await after.query('SELECT 1 FROM ledger LIMIT 1');
    await after.end();
  });

  it('a session that has taken on a lent role keeps it no longer than that', async () => {
    const role = `power-${newIdentity()}`;
    await fixture.sql(
      `CREATE ROLE "${role}"; GRANT DELETE ON ledger TO "${role}"; GRANT "${role}" TO tenure_admin WITH ADMIN OPTION`,
    );
    const { lend, takeBack, material } = await lendable();
    await lend({ ...ledgerScope, memberOf: [role] });
    const client = await fixture.logIn(material);
    await client.query(`SET ROLE "${role}"`);
    await client.query('DELETE FROM ledger WHERE false');
    // Taking the membership back alone would not be enough: what a session has become it stays.
    expect((await takeBack()).sessionsEnded).toBe(1);
    await expect(client.query('DELETE FROM ledger WHERE false')).rejects.toThrow(/terminat|closed|not queryable/i);
    const after = await fixture.logIn(material);
    await expect(after.query(`SET ROLE "${role}"`)).rejects.toThrow(/permission denied/);
    await after.end();
  });

  it('logins that come back at once are let in, and do not hold the taking back up', async () => {
    const { lend, takeBack, material } = await lendable();
    await lend();
    let isOver = false;
    const coming = (async () => {
      for (let count = 0; ; count += 1) {
        if (isOver) return count;
        const client = await fixture.logIn(material);
        await client.query('SELECT pg_sleep(0.01)').catch(() => undefined);
        await client.end().catch(() => undefined);
      }
    })();
    await takeBack();
    isOver = true;
    expect(await coming).toBeGreaterThan(0);
  });

  it('what is still lent when everything is revoked goes with it, and a revocation gives nothing', async () => {
    const { lend, material, identity, holder } = await lendable();
    await lend();
    await fixture.sql(`SET ROLE tenure_admin; REVOKE INSERT ON ledger FROM "${identity}"`);
    const revoking = { ...fixture.subject(identity, 8), operation: 'nhi/x/revoke/4' };
    await target.retire(revoking, [holder], 'everything');
    await target.purge(revoking, [holder], 'everything');
    const [may] = await fixture.sql(
      `SELECT has_table_privilege('${identity}', 'ledger', 'SELECT') AS "select",
         has_table_privilege('${identity}', 'ledger', 'INSERT') AS insert, has_table_privilege('${identity}', 'ledger', 'DELETE') AS delete`,
    );
    expect(may).toEqual({ select: true, insert: false, delete: false });
    await expect(fixture.logIn(material)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  });

  it('all of it is lent or nothing', async () => {
    const { lend, proof } = await lendable();
    const grants = [...(deleting['grants'] as object[]), { on: 'no_such_table', may: ['select'] }];
    expect(await failsWith('RejectedUnchanged', lend({ grants }))).toContain('no_such_table');
    expect(await proof()).toMatchObject({ excess: [], missing: [] });
  });

  it('what can be taken back is, also where a person has to see to the rest', async () => {
    const schema = newIdentity();
    await fixture.sql(
      `CREATE SCHEMA "${schema}"; GRANT CREATE, USAGE ON SCHEMA "${schema}" TO tenure_admin WITH GRANT OPTION`,
    );
    const { lend, takeBack, material, proof } = await lendable();
    await lend({ grants: [...(deleting['grants'] as object[]), { schema, may: ['create', 'usage'] }] });
    const client = await fixture.logIn(material);
    await client.query(`CREATE TABLE "${schema}".made (i int)`);
    await client.end();
    expect(await failsWith('UnwindFailed', takeBack())).toContain('made');
    const after = await fixture.logIn(material);
    await expect(after.query('DELETE FROM ledger WHERE false')).rejects.toThrow(/permission denied/);
    await expect(after.query(`CREATE TABLE "${schema}".more (i int)`)).rejects.toThrow(/permission denied/);
    await after.end();
    await fixture.sql(`ALTER TABLE "${schema}".made OWNER TO ledger_owner`);
    await takeBack();
    expect(await proof()).toMatchObject({ excess: [], missing: [] });
  });

  it('I7: nothing is lent by an attempt that comes after the taking back', async () => {
    const { lend, takeBack, proof } = await lendable();
    await lend();
    await takeBack();
    await failsWith('Fenced', lend());
    expect(await proof()).toMatchObject({ excess: [], missing: [] });
    await takeBack();
  });
}
