import { expect, test } from 'vitest';
import { roleStatements } from '../../src/evidence/read/attribution/sql-roles.js';

const roles = new Set(['payments-db', 'payments-db_a', 'ledger']);
const named = (sql: string): string[] => roleStatements(sql, roles).flatMap((one) => one.roles);

test.each([
  ['ALTER ROLE "payments-db_a" LOGIN', ['payments-db_a']],
  ['alter user "payments-db_a" with superuser', ['payments-db_a']],
  ['DROP ROLE IF EXISTS x, "payments-db_a"', ['payments-db_a']],
  ['CREATE ROLE mallory IN ROLE "payments-db"', ['payments-db']],
  ['CREATE ROLE mallory LOGIN ADMIN ledger', ['ledger']],
  ['GRANT "payments-db" TO mallory', ['payments-db']],
  ['GRANT SELECT ON public.x, y TO mallory, "payments-db" WITH GRANT OPTION', ['payments-db']],
  ['REVOKE ALL ON TABLE x FROM ledger', ['ledger']],
  ['REASSIGN OWNED BY "payments-db" TO mallory', ['payments-db']],
  ['ALTER TABLE x OWNER TO ledger', ['ledger']],
  ['ALTER DEFAULT PRIVILEGES FOR ROLE ledger GRANT SELECT ON TABLES TO x', ['ledger']],
  ['COMMENT ON ROLE "payments-db" IS \'tenure:{}\'', ['payments-db']],
  ['SET ROLE "payments-db"', ['payments-db']],
  ['SET LOCAL ROLE ledger', ['ledger']],
  ['SET SESSION AUTHORIZATION ledger', ['ledger']],
  ['ALTER ROLE LEDGER NOLOGIN', ['ledger']],
  ['ALTER ROLE U&"l\\0065dger" NOLOGIN', ['ledger']],
  ['/* harmless */ ALTER -- really\n ROLE /* x */ ledger NOLOGIN', ['ledger']],
  ['SELECT 1; ALTER ROLE ledger NOLOGIN; SELECT 2', ['ledger']],
  ['DO $tag$ BEGIN ALTER ROLE "payments-db" SUPERUSER; END $tag$', ['payments-db']],
])('%s names %j', (sql, expected) => expect(named(sql)).toEqual(expected));

test.each([
  'SELECT * FROM ledger',
  'INSERT INTO ledger VALUES (1)',
  'GRANT SELECT ON ledger TO bob',
  'GRANT SELECT ON TABLE x, ledger TO bob',
  'CREATE TABLE ledger (id int)',
  'ALTER TABLE ledger ADD COLUMN x int',
  "COMMENT ON TABLE ledger IS 'x'",
  'ALTER ROLE "LEDGER" NOLOGIN',
  "ALTER ROLE other PASSWORD 'ROLE ledger'",
  '-- ALTER ROLE ledger NOLOGIN',
  '/* ALTER ROLE ledger; */ SELECT 1',
  'ALTER ROLE other SET search_path = ledger',
  '',
])('%s names none', (sql) => expect(named(sql)).toEqual([]));

test('nothing of a literal, a block or a password is shown', () => {
  const sql = `ALTER ROLE ledger PASSWORD 'hunter''2' ; ALTER ROLE ledger PASSWORD E'hunter\\'2'; ALTER ROLE ledger PASSWORD $x$hunter2$x$;
    DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''hunter2'''; ALTER ROLE ledger PASSWORD 'hunter2'; END $$`;
  const shown = roleStatements(sql, roles).map(({ text }) => text);
  expect(shown).toEqual([
    "ALTER ROLE ledger PASSWORD '…'",
    "ALTER ROLE ledger PASSWORD '…'",
    'ALTER ROLE ledger PASSWORD $…$',
    'DO $…$',
  ]);
});

test('a password in a literal that never ends is not shown either', () => {
  const shown = roleStatements("ALTER ROLE ledger PASSWORD 'hunter2", roles).map(({ text }) => text);
  expect(shown.join()).not.toContain('hunter');
});

test('the name that a role is given is told, so that it can be followed', () => {
  expect(roleStatements('ALTER ROLE ledger RENAME TO "Other"', roles)).toMatchObject([{ renamedTo: 'Other' }]);
  expect(roleStatements('ALTER ROLE ledger NOLOGIN', roles)[0]).not.toHaveProperty('renamedTo');
});

test('a long statement is shortened', () => {
  const [one] = roleStatements(`GRANT ${Array.from({ length: 100 }, (_, n) => `r${n}`).join(', ')} TO ledger`, roles);
  expect(one!.text.length).toBeLessThan(170);
});
