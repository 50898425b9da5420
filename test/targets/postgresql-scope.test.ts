import { describe, expect, it } from 'vitest';
import { rightsOf, scopeProblems } from '../../src/targets/postgresql/scope.js';

const grant = (fields: Record<string, unknown>) => ({ grants: [fields] });

describe('the scope of a PostgreSQL target', () => {
  it('means the rights that it names, CONNECT, and USAGE on each schema that it reaches into', () => {
    const scope = { grants: [{ on: 'ledger', may: ['select', 'insert'] }], memberOf: ['readers', 'readers'] };
    expect(rightsOf('payments-db', scope, 'main')).toEqual({
      rights: [
        { kind: 'table', schema: 'public', name: 'ledger', privilege: 'SELECT', implied: false },
        { kind: 'table', schema: 'public', name: 'ledger', privilege: 'INSERT', implied: false },
        { kind: 'database', name: 'main', privilege: 'CONNECT', implied: true },
        { kind: 'schema', name: 'public', privilege: 'USAGE', implied: true },
      ],
      memberOf: ['readers'],
    });
  });

  it('takes a right that is named for more than one that is implied', () => {
    const { rights } = rightsOf('a', { grants: [{ database: 'main', may: ['connect'] }] }, 'main');
    expect(rights).toEqual([{ kind: 'database', name: 'main', privilege: 'CONNECT', implied: false }]);
  });

  it.each([
    ['ledger', 'public', 'ledger'],
    ['books.ledger', 'books', 'ledger'],
    ['"a.b".c', 'a.b', 'c'],
    ['"say ""hi"""', 'public', 'say "hi"'],
    ['Upper Case', 'public', 'Upper Case'],
    ["it's", 'public', "it's"],
  ])('reads %s as a name without folding its case', (on, schema, name) => {
    const [right] = rightsOf('a', grant({ on, may: ['select'] }), 'main').rights;
    expect(right).toMatchObject({ schema, name });
  });

  it('reads a function by its argument types', () => {
    const [right] = rightsOf('a', grant({ function: 'f.g(int, numeric(10, 2)[])', may: ['execute'] }), 'main').rights;
    expect(right).toMatchObject({ kind: 'function', schema: 'f', name: 'g', args: 'int, numeric(10, 2)[]' });
  });

  it.each([
    ['an unknown field', { grant: [] }, 'grant'],
    ['an unknown field in a grant', grant({ on: 'a', may: ['select'], with: 1 }), 'grants[0].with'],
    ['a grant of nothing', grant({ may: ['select'] }), 'grants[0]'],
    ['a grant on two things', grant({ on: 'a', schema: 'b', may: ['usage'] }), 'grants[0]'],
    ['a right that tables do not have', grant({ on: 'a', may: ['usage'] }), 'grants[0].may[0]'],
    ['no right', grant({ on: 'a', may: [] }), 'grants[0].may'],
    ['rights in another form', grant({ on: 'a', may: 'select' }), 'grants[0].may'],
    ['too many dots', grant({ on: 'a.b.c', may: ['select'] }), 'grants[0].on'],
    ['an empty name', grant({ on: '', may: ['select'] }), 'grants[0].on'],
    ['a lone quote', grant({ on: 'a"b', may: ['select'] }), 'grants[0].on'],
    ['a zero byte', grant({ schema: 'a\0', may: ['usage'] }), 'grants[0].schema'],
    ['a name of 64 bytes', grant({ on: 'é'.repeat(32), may: ['select'] }), 'grants[0].on'],
    ['a function without arguments', grant({ function: 'f', may: ['execute'] }), 'grants[0].function'],
    ['text behind a function', grant({ function: 'f(int); DROP TABLE x', may: ['execute'] }), 'grants[0].function'],
    ['membership in itself', { memberOf: ['payments-db_a'] }, 'memberOf[0]'],
    ['membership that makes a superuser', { memberOf: ['pg_execute_server_program'] }, 'memberOf[0]'],
    ['grants that are no list', { grants: 'all' }, 'grants'],
    ['a grant that is no object', { grants: ['all'] }, 'grants[0]'],
  ])('refuses %s and names the field', (_, scope, path) => {
    expect(scopeProblems('payments-db', scope).map((problem) => problem.path)).toEqual([path]);
  });

  it.each([
    ['61 bytes', 'a'.repeat(61), 0],
    ['62 bytes, because a login has two more than PostgreSQL holds', 'a'.repeat(62), 1],
    ['a name that PostgreSQL keeps for itself', 'pg_mine', 1],
    ['the name of everybody', 'public', 1],
    ['nothing', '', 1],
  ])('answers for an identity name of %s', (_, identity, problems) => {
    expect(scopeProblems(identity, {})).toHaveLength(problems);
  });
});
