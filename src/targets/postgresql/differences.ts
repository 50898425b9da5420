/** Compares what an identity's roles are and may do with what they should, and says what puts it right. Pure. */
import type { Drift } from '../../domain/credential.js';
import type { Holder } from '../target.js';
import type { Session } from './connection.js';
import { type Granted, type Holdings, type Membership, reachOf, type Wanted } from './rights.js';
import type { Role, Roles } from './roles.js';
import { groupOf } from './names.js';

export interface Difference {
  readonly drift: Drift;
  /** The role that it is about. */
  readonly role: string;
  /** What puts it right, and the role that may; absent where only people can decide. */
  readonly fix?: { readonly as: string; readonly sql: string };
  /** What a person does where Tenure's administrator may not. */
  readonly byHand: string;
}

/** What is compared. */
export interface Comparison {
  readonly identity: string;
  readonly roles: Roles;
  readonly wanted: readonly Wanted[];
  readonly memberOf: readonly string[];
  readonly holdings: Holdings;
  /** Logins that have to be accepted; undefined leaves logins out of the comparison. */
  readonly expected?: readonly Holder[] | undefined;
  readonly session: Pick<Session, 'admin' | 'serverVersion' | 'id'>;
}

/** Every difference, in a stable order. An identity without roles has none but the logins that are missed. */
export function differences(comparison: Comparison): Difference[] {
  const { roles } = comparison;
  const own = [roles.group, ...roles.logins].filter((role) => role !== undefined);
  return [
    ...own.flatMap((role) => attributeDifferences(comparison, role)),
    ...membershipDifferences(comparison),
    ...missingRights(comparison),
    ...excessRights(comparison),
    ...objectDifferences(comparison),
    ...loginDifferences(comparison),
  ];
}

function attributeDifferences({ session: { id, admin } }: Comparison, role: Role): Difference[] {
  const alter = (problem: Drift['problem'], detail: string, clause: string): Difference => {
    const sql = `ALTER ROLE ${id(role.name)} ${clause}`;
    const drift: Drift = { what: 'attribute', problem, detail: `${role.name} ${detail}` };
    return { role: role.name, drift, fix: { as: admin.name, sql }, byHand: `a superuser runs: ${sql}` };
  };
  return [
    ...role.attributes.map((name) => alter('excess', `has the attribute ${name}`, `NO${name}`)),
    ...(role.inherits ? [] : [alter('changed', 'does not inherit the rights of its group', 'INHERIT')]),
    ...(role.expires ? [alter('changed', 'has an expiry date that was set by hand', `VALID UNTIL 'infinity'`)] : []),
  ];
}

function membershipDifferences(comparison: Comparison): Difference[] {
  const { roles, memberOf, holdings, session } = comparison;
  const group = roles.group?.name ?? groupOf(comparison.identity);
  const own = new Set([...(roles.group ? [group] : []), ...roles.logins.map((login) => login.name)]);
  const should = [
    ...roles.logins.map((login) => ({ member: login.name, role: group })),
    ...(roles.group ? memberOf.map((role) => ({ member: group, role })) : []),
  ];
  const same = (a: { member: string; role: string }, b: { member: string; role: string }) =>
    a.member === b.member && a.role === b.role;
  const edges = holdings.memberships.filter(({ role, member }) => own.has(member) || own.has(role));
  const strange = edges.filter((edge) => edge.member !== session.admin.name && !should.some((it) => same(it, edge)));
  const passing = edges.filter((edge) => edge.admin && should.some((it) => same(it, edge)));
  const lacking = should.filter((it) => !edges.some((edge) => same(it, edge) && edge.inherit));
  return [
    ...lacking.map((it) =>
      lackingMembership(
        comparison,
        it,
        edges.some((edge) => same(it, edge)),
      ),
    ),
    ...strange.map((edge) => strangeMembership(comparison, edge)),
    ...passing.map((edge) => ({
      ...strangeMembership(comparison, edge, 'ADMIN OPTION FOR '),
      drift: say('membership', 'excess', `${edge.member} may pass on its membership in ${edge.role}`),
    })),
  ];
}

function lackingMembership(comparison: Comparison, it: { member: string; role: string }, exists: boolean): Difference {
  const { id, admin, serverVersion } = comparison.session;
  const options = exists && serverVersion >= 160_000 ? ' WITH INHERIT TRUE' : '';
  const sql = `GRANT ${id(it.role)} TO ${id(it.member)}${options}`;
  const detail = exists
    ? `${it.member} is a member of ${it.role} without its rights (INHERIT FALSE)`
    : `${it.member} is not a member of ${it.role}`;
  return {
    role: it.member,
    drift: say('membership', exists ? 'changed' : 'missing', detail),
    fix: { as: admin.name, sql },
    byHand: `somebody who may grant ${it.role} runs: GRANT ${id(it.role)} TO ${id(admin.name)} WITH ADMIN OPTION`,
  };
}

function strangeMembership({ session }: Comparison, edge: Membership, only = ''): Difference {
  const sql = `REVOKE ${only}${session.id(edge.role)} FROM ${session.id(edge.member)}`;
  // From PostgreSQL 16 on a membership can be taken back by its grantor only.
  const as = session.serverVersion >= 160_000 && edge.grantor !== '' ? edge.grantor : session.admin.name;
  return {
    role: edge.member,
    drift: say('membership', 'excess', `${edge.member} is a member of ${edge.role}, which the scope does not name`),
    fix: { as, sql },
    byHand: `${as} runs: ${sql}`,
  };
}

function missingRights({ roles, wanted, holdings, session }: Comparison): Difference[] {
  const group = roles.group?.name;
  if (group === undefined) return [];
  const own = new Set([group, ...roles.logins.map((login) => login.name)]);
  const isThere = (want: Wanted) =>
    (want.implied && want.effective) ||
    own.has(want.owner ?? '') ||
    holdings.granted.some((granted) => granted.grantee === group && isThat(granted, want));
  return wanted.filter((want) => !isThere(want)).map((want) => missingRight(want, group, session));
}

function missingRight(want: Wanted, group: string, session: Comparison['session']): Difference {
  const { id, admin } = session;
  if (want.objectId === null) {
    const detail = `${want.kind} ${want.object} does not exist, so ${group} may not ${verb(want.privilege)} it`;
    return {
      role: group,
      drift: say('right', 'missing', detail),
      byHand: `create ${want.object}, or correct the scope`,
    };
  }
  const grant = `GRANT ${want.privilege} ON ${want.keyword} ${want.object} TO`;
  return {
    role: group,
    drift: say('right', 'missing', `${group} may not ${verb(want.privilege)} ${want.object}`),
    fix: { as: admin.name, sql: `${grant} ${id(group)}` },
    byHand: `${want.owner} or a superuser runs: ${grant} ${id(admin.name)} WITH GRANT OPTION`,
  };
}

function excessRights(comparison: Comparison): Difference[] {
  const { roles, wanted, memberOf, holdings } = comparison;
  const group = roles.group?.name;
  const own = new Set([roles.group, ...roles.logins].flatMap((role) => role?.name ?? []));
  const reached = reachOf(holdings.memberships, [...own]);
  const approved = reachOf(holdings.memberships, memberOf);
  return holdings.granted
    .filter(({ grantee }) => reached.has(grantee) && (own.has(grantee) || !approved.has(grantee)))
    .flatMap((granted) => {
      const isWanted = granted.grantee === group && wanted.some((want) => isThat(granted, want));
      if (isWanted && !granted.grantable) return [];
      return [excessRight(comparison, granted, own, isWanted)];
    });
}

function excessRight(
  { session: { id } }: Comparison,
  granted: Granted,
  own: Set<string>,
  isWanted: boolean,
): Difference {
  const { grantee, grantor, privilege, keyword, object, column } = granted;
  const only = isWanted ? 'GRANT OPTION FOR ' : '';
  const columns = column === null || keyword === 'DEFAULT' ? '' : ` (${id(column)})`;
  const sql =
    keyword === 'DEFAULT'
      ? `ALTER DEFAULT PRIVILEGES ${object} REVOKE ${privilege} ON ${column} FROM ${id(grantee)}`
      : `REVOKE ${only}${privilege}${columns} ON ${keyword} ${object} FROM ${id(grantee)}`;
  const what = keyword === 'DEFAULT' ? `new ${column?.toLowerCase()} (${object})` : `${object}${columns}`;
  const detail = isWanted
    ? `${grantee} may pass on its right to ${verb(privilege)} ${what}`
    : `${grantee} may ${verb(privilege)} ${what}, which the scope does not name`;
  return {
    role: grantee,
    drift: say('right', 'excess', detail),
    ...(own.has(grantee) && { fix: { as: grantor, sql } }),
    byHand: `${grantor} runs: ${sql}`,
  };
}

function isThat(granted: Granted, want: Wanted): boolean {
  const sameObject = granted.classId === want.classId && granted.objectId === want.objectId;
  return sameObject && granted.keyword !== 'DEFAULT' && granted.column === null && granted.privilege === want.privilege;
}

function objectDifferences({ wanted, holdings, identity }: Comparison): Difference[] {
  const mayCreate = wanted.some(({ privilege }) => privilege === 'CREATE');
  const owned = mayCreate ? [] : holdings.owned;
  return [
    ...owned.map(({ role, what }) => ({
      role,
      drift: say('object', 'excess', `${role} owns ${what}, and the scope lets it create nothing`),
      byHand: `give ${what} to another owner`,
    })),
    ...holdings.elsewhere.map((database) => ({
      role: groupOf(identity),
      drift: say(
        'object',
        'excess',
        `${identity} owns something or has rights in database ${database}, which this target does not see`,
      ),
      byHand: `look in database ${database}`,
    })),
  ];
}

function loginDifferences({ identity, roles, expected, session: { id, admin } }: Comparison): Difference[] {
  if (!expected) return [];
  const alter = (role: string, problem: Drift['problem'], detail: string, clause: string): Difference => {
    const sql = `ALTER ROLE ${id(role)} ${clause}`;
    return {
      role,
      drift: say('login', problem, detail),
      fix: { as: admin.name, sql },
      byHand: `a superuser runs: ${sql}`,
    };
  };
  const stay = (role: string, problem: Drift['problem'], detail: string): Difference => ({
    role,
    drift: say('login', problem, detail),
    byHand: `rotate or provision ${identity} again`,
  });
  const able = [roles.group, ...roles.logins].filter((role) => role?.canLogin);
  const unexpected = able.filter((role) => !expected.some((holder) => holder.principal === role?.name));
  return [
    ...unexpected.map((role) =>
      alter(role!.name, 'excess', `${role!.name} can log in, and the state does not name it`, 'NOLOGIN'),
    ),
    ...expected.flatMap(({ principal, version }) => {
      const login = roles.logins.find((role) => role.name === principal);
      if (!login) return [stay(principal, 'missing', `${principal} does not exist`)];
      if (login.mark?.version !== version)
        return [stay(principal, 'changed', `${principal} accepts another credential than the state names`)];
      return login.canLogin ? [] : [alter(principal, 'missing', `${principal} cannot log in`, 'LOGIN')];
    }),
  ];
}

function say(what: Drift['what'], problem: Drift['problem'], detail: string): Drift {
  return { what, problem, detail };
}

const verbs: Readonly<Record<string, string>> = {
  SELECT: 'select from',
  INSERT: 'insert into',
  DELETE: 'delete from',
  REFERENCES: 'reference',
  TRIGGER: 'put triggers on',
  MAINTAIN: 'maintain',
  USAGE: 'use',
  CONNECT: 'connect to',
  CREATE: 'create in',
  TEMPORARY: 'make temporary tables in',
};

function verb(privilege: string): string {
  return verbs[privilege] ?? privilege.toLowerCase();
}
