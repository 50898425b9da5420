import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { growthOf, rightsIn, scopeLines } from '../../src/policy/scope-lines.js';

const grant = (on: string, ...may: string[]) => ({ grants: [{ on, may }] });

describe('a scope', () => {
  test.each<[string, unknown, string[]]>([
    [
      'of grants is a line for each verb',
      grant('ledger', 'select', 'insert'),
      ['insert on table ledger', 'select on table ledger'],
    ],
    ['of other objects names their kind', { grants: [{ schema: 'app', may: ['usage'] }] }, ['usage on schema app']],
    ['of memberships is a line for each', { memberOf: ['reader', 'writer'] }, ['member of reader', 'member of writer']],
    [
      'of several lists in one entry is a line for each combination',
      { rules: [{ verbs: ['get', 'list'], resources: ['pods', 'jobs'] }] },
      ['get on resources jobs', 'get on resources pods', 'list on resources jobs', 'list on resources pods'],
    ],
    ['of entries without a verb is a line for each', { hosts: [{ name: 'a', port: 1 }] }, ['hosts name a, port 1']],
    ['of a verb on nothing is one on everything', { rules: [{ actions: ['read'] }] }, ['read on everything']],
    ['of plain words is a line for each', { scopes: ['repo', 'user'] }, ['scopes repo', 'scopes user']],
    [
      'of settings is a line for each, by its path',
      { limits: { rows: 5 }, readOnly: true },
      ['limits.rows 5', 'readOnly true'],
    ],
    [
      'of an empty list is a line as well: nobody knows what it means',
      { rules: [{ verbs: ['get'], names: [] }] },
      ['get on names []'],
    ],
    ['of nothing has no line', {}, []],
    ['that is absent has no line', undefined, []],
    ['that is no mapping is one line', 'all', ['all']],
    ['says the same once', grant('ledger', 'select', 'select'), ['select on table ledger']],
  ])('%s', (_title, scope, lines) => {
    expect(scopeLines(scope)).toEqual(lines);
  });

  test('quotes what could be read as something else, so that two rights never share a line', () => {
    expect(scopeLines({ grants: [{ on: 'a, schema b', may: ['x'] }] })).toEqual(['x on table "a, schema b"']);
    expect(scopeLines({ rules: [{ verbs: ['get'], a: 'true' }] })).toEqual(['get on a "true"']);
    expect(scopeLines({ rules: [{ verbs: ['get'], a: true }] })).toEqual(['get on a true']);
    expect(scopeLines({ rules: [{ verbs: ['everything'] }] })).toEqual(['"everything" on everything']);
  });

  test('with more combinations than anybody reads is one line, and could be anything', () => {
    const names = Array.from({ length: 40 }, (_, index) => `n${index}`);
    const scope = { rules: [{ verbs: names, resources: names }] };
    expect(scopeLines(scope)).toHaveLength(1);
    expect(rightsIn(scope).wildcard).toBe(true);
  });

  test('does not depend on the order in which it is written', () => {
    const one = {
      grants: [
        { on: 'b', may: ['x'] },
        { on: 'a', may: ['z', 'y'] },
      ],
      memberOf: ['r', 'q'],
    };
    const other = {
      memberOf: ['q', 'r'],
      grants: [
        { may: ['y', 'z'], on: 'a' },
        { may: ['x'], on: 'b' },
      ],
    };
    expect(scopeLines(one)).toEqual(scopeLines(other));
  });
});

describe('what policies look at', () => {
  test('are verbs in small letters, objects and roles', () => {
    const scope = { grants: [{ on: 'ledger', may: ['SELECT'] }], memberOf: ['reader'] };
    expect(rightsIn(scope, grant('audit', 'insert'))).toEqual({
      lines: ['SELECT on table ledger', 'insert on table audit', 'member of reader'],
      verbs: ['insert', 'select'],
      objects: ['table audit', 'table ledger'],
      roles: ['reader'],
      wildcard: false,
    });
  });

  test.each([
    grant('*', 'select'),
    grant('app.*', 'select'),
    grant('ledger', 'ALL'),
    grant('ledger', 'all privileges'),
    { scopes: ['*'] },
  ])('is a wildcard in %j', (scope) => {
    expect(rightsIn(scope).wildcard).toBe(true);
  });
});

describe('growth', () => {
  const before = { grants: [{ on: 'ledger', may: ['select'] }], readOnly: true, deny: ['drop'] };

  test.each<[string, object, string[]]>([
    ['is nothing where nothing changed', before, []],
    ['is a new verb', { ...before, grants: [{ on: 'ledger', may: ['select', 'delete'] }] }, ['delete on table ledger']],
    ['is nothing where rights went', { ...before, grants: [] }, []],
    ['is a setting that was changed', { ...before, readOnly: false }, ['no longer readOnly true', 'readOnly false']],
    ['is a setting that was taken away', { grants: before.grants, deny: ['drop'] }, ['no longer readOnly true']],
    ['is something that is not kept out any more', { ...before, deny: [] }, ['no longer deny drop']],
    ['is everything where nothing was before', {}, ['no longer deny drop', 'no longer readOnly true']],
  ])('%s', (_title, after, growth) => {
    expect(growthOf(before, after)).toEqual(growth);
  });

  test('over what was nothing is everything', () => {
    expect(growthOf(undefined, before)).toEqual(['deny drop', 'readOnly true', 'select on table ledger']);
  });

  test('is empty between equal scopes, and never where a right was added, whatever the scopes are', () => {
    const rights = fc.array(
      fc.record({ on: fc.string({ minLength: 1 }), may: fc.array(fc.string(), { minLength: 1, maxLength: 3 }) }),
      { maxLength: 4 },
    );
    fc.assert(
      fc.property(rights, rights, (some, more) => {
        const grants = [...some, ...more];
        expect(growthOf({ grants: some }, { grants: some })).toEqual([]);
        const isNew = scopeLines({ grants }).length > scopeLines({ grants: some }).length;
        expect(growthOf({ grants: some }, { grants }).length > 0).toBe(isNew);
      }),
      { numRuns: 200 },
    );
  });

  test('sees every single right that is another', () => {
    const right = fc.record({ on: fc.string({ minLength: 1 }), may: fc.string() });
    fc.assert(
      fc.property(right, right, (one, other) => {
        const same = one.on === other.on && one.may === other.may;
        const grown = growthOf({ grants: [{ ...one, may: [one.may] }] }, { grants: [{ ...other, may: [other.may] }] });
        expect(grown.length === 0).toBe(same);
      }),
      { numRuns: 500 },
    );
  });
});
