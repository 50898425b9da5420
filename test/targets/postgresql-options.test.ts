import { describe, expect, it } from 'vitest';
import { addressOf, isLoopback, postgresqlOptions, tlsOf } from '../../src/targets/postgresql/options.js';
import { postgresqlTarget } from '../../src/targets/postgresql.js';
import type { Subject } from '../../src/targets/target.js';

const password = { env: 'ADMIN_PASSWORD' };
const parts = { type: 'postgresql', host: 'db.example', database: 'ledger', user: 'tenure_admin', password };
const parse = (options: Record<string, unknown>) => postgresqlOptions.parse({ ...parts, ...options });
const refused = (options: Record<string, unknown>) =>
  postgresqlOptions.safeParse(options).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('the options of a PostgreSQL target', () => {
  it('takes an address in parts or as a url', () => {
    const url = 'postgresql://tenure%40admin@[::1]:6543/my%20ledger';
    expect(addressOf(parse({}))).toEqual({ host: 'db.example', port: 5432, database: 'ledger', user: 'tenure_admin' });
    expect(addressOf(postgresqlOptions.parse({ type: 'postgresql', url, password }))).toEqual({
      host: '::1',
      port: 6543,
      database: 'my ledger',
      user: 'tenure@admin',
    });
  });

  it.each([
    ['a password inline', { ...parts, password: 'hunter2' }, 'password'],
    ['an unknown option', { ...parts, hots: 'x' }, ''],
    ['no host', { ...parts, host: undefined }, 'host'],
    ['a port that is none', { ...parts, port: 70_000 }, 'port'],
    ['a url beside a host', { ...parts, url: 'postgresql://a@b/c', database: undefined, user: undefined }, 'host'],
    ['a url of something else', { type: 'postgresql', url: 'https://a@b/c', password }, 'url'],
    ['a url with parameters', { type: 'postgresql', url: 'postgresql://a@b/c?sslmode=disable', password }, 'url'],
    ['a cheap verifier', { ...parts, scramIterations: 1 }, 'scramIterations'],
  ])('refuses %s and names the field', (_, options, field) => {
    expect(refused(options).map((problem) => problem.split(':')[0])).toEqual([field]);
  });

  it('refuses a password in the url without repeating it', () => {
    const problems = refused({ type: 'postgresql', url: 'postgresql://a:hunter2@b/c', password });
    expect(problems.join()).toContain('holds a password');
    expect(problems.join()).not.toContain('hunter2');
  });

  it.each([
    ['db.example', undefined, { rejectUnauthorized: true }],
    ['10.0.0.1', undefined, { rejectUnauthorized: true }],
    ['db.example', false, false],
    ['127.0.0.1', undefined, false],
    ['localhost', undefined, false],
    ['/run/postgresql', undefined, false],
    ['127.0.0.1', true, { rejectUnauthorized: true }],
    ['db.example', { rejectUnauthorized: false }, { rejectUnauthorized: false }],
  ])('at %s with tls: %j uses %j', (host, tls, expected) => {
    expect(tlsOf(parse({ host, tls }), host, '/')).toEqual(expected);
  });

  it('says which TLS file cannot be read', () => {
    const options = parse({ tls: { ca: 'nowhere.pem' } });
    expect(() => tlsOf(options, 'db.example', '/no/such/folder')).toThrow(/tls\.ca: .*nowhere\.pem cannot be read/);
  });

  it.each(['127.0.0.1.example', '128.0.0.1', 'localhost.example', '::2'])('takes %s for no loopback', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});

describe('the material of a PostgreSQL credential', () => {
  it('has a url whose parts are encoded', async () => {
    const target = postgresqlTarget('t', parse({ host: '::1', port: 6543, database: 'my ledger' }), '/');
    const subject: Subject = { identity: 'a', operation: 'o', epoch: 1, strategy: 'alternate', scope: {} };
    const { password: minted, ...rest } = await target.mint(subject, 'a_a');
    expect(minted).toMatch(/^[\w-]{43}$/);
    expect(rest).toEqual({
      username: 'a_a',
      host: '::1',
      port: '6543',
      database: 'my ledger',
      url: `postgresql://a_a:${minted}@[::1]:6543/my%20ledger`,
    });
  });

  it('lets two logins take turns with alternate, and keeps the one with in-place', () => {
    const target = postgresqlTarget('t', parse({}), '/');
    const next = (strategy: 'alternate' | 'in-place', principal?: string) =>
      target.nextPrincipal(
        { identity: 'a', operation: 'o', epoch: 1, strategy, scope: {} },
        principal === undefined ? undefined : { principal, version: 'v' },
      );
    expect([next('alternate'), next('alternate', 'a_a'), next('alternate', 'a_b')]).toEqual(['a_a', 'a_b', 'a_a']);
    expect([next('in-place'), next('in-place', 'a_a'), next('in-place', 'a_b')]).toEqual(['a_a', 'a_a', 'a_b']);
  });
});
