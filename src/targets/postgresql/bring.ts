/** Brings an identity's roles to what they should be: compares, runs what puts it right, and looks again. */
import { TenureError } from '../../domain/errors.js';
import type { Holder, Scope } from '../target.js';
import { lockKey, type Session } from './connection.js';
import { type Comparison, type Difference, differences } from './differences.js';
import { toTenureError } from './errors.js';
import { findWanted, readHoldings, reachOf } from './rights.js';
import { readRoles } from './roles.js';
import { rightsOf } from './scope.js';

/** What is asked of {@link compare}. */
export interface Question {
  readonly identity: string;
  readonly database: string;
  /** Undefined means that the identity shall have no rights at all. */
  readonly scope: Scope | undefined;
  readonly expected?: readonly Holder[] | undefined;
  /** Takes away, and gives nothing. */
  readonly only?: 'excess';
}

/** Reads everything about an identity and compares. */
export async function compare(
  session: Session,
  question: Question,
): Promise<{ found: Difference[]; facts: Comparison }> {
  const { identity, database, scope, expected } = question;
  const roles = await readRoles(session, identity, database);
  const names = [roles.group, ...roles.logins].flatMap((role) => role?.name ?? []);
  const rights = scope ? rightsOf(identity, scope, database) : { rights: [], memberOf: [] };
  const facts: Comparison = {
    identity,
    roles,
    wanted: roles.group ? await findWanted(session, rights, roles.group.name) : [],
    memberOf: rights.memberOf,
    holdings: await readHoldings(session, names),
    expected,
    session,
  };
  return { found: differences(facts), facts };
}

/** What {@link bring} did. */
export interface Brought {
  /** The statements that changed something. */
  readonly changed: readonly string[];
  readonly left: readonly Difference[];
  readonly facts: Comparison;
}

/** Puts right what can be; gives the statements that did, and what is left. */
export async function bring(session: Session, question: Question): Promise<Brought> {
  const { found, facts } = await compare(session, question);
  const { only } = question;
  const fixable = found.filter(({ fix, drift }) => fix && (only === undefined || drift.problem === only));
  if (fixable.length === 0) return { changed: [], left: found, facts };
  // Two transactions that change the rights on one object fail each other: these take turns, for all identities.
  await session.client.query(`SELECT pg_advisory_xact_lock(${lockKey('')})`);
  for (const { fix } of fixable) await tryFix(session, fix!);
  const { found: left, facts: after } = await compare(session, question);
  const isLeft = (difference: Difference) => left.some(({ drift }) => drift.detail === difference.drift.detail);
  return { changed: fixable.filter((it) => !isLeft(it)).map((it) => it.fix!.sql), left, facts: after };
}

/** A fix that is refused leaves no trace; the second look finds what it did not do. */
async function tryFix({ client, id, admin }: Session, fix: { as: string; sql: string }): Promise<void> {
  const role = fix.as === admin.name ? '' : `SET LOCAL ROLE ${id(fix.as)};`;
  await client.query('SAVEPOINT fix');
  try {
    await client.query(`${role} ${fix.sql}; SET LOCAL ROLE NONE`);
    await client.query('RELEASE SAVEPOINT fix');
  } catch (error) {
    const known = toTenureError(error, 'a repair');
    if (!(known instanceof TenureError) || known.code !== 'RejectedUnchanged') throw error;
    await client.query('ROLLBACK TO SAVEPOINT fix');
  }
}

/** Refuses when what is left changes what `login` may do; other drift is reported, and stands in nobody's way. */
export function refuseLeft(left: readonly Difference[], facts: Comparison, login: string): void {
  const [first, ...others] = left.filter((difference) => isAboutLogin(difference, facts, login));
  if (!first) return;
  const more = others.length > 0 ? ` (and ${others.length} more)` : '';
  throw new TenureError(
    'RejectedUnchanged',
    `${facts.identity}: ${first.drift.detail}, and Tenure's administrator may not change that${more}; ${first.byHand}; then try again`,
    { left: [first, ...others].map(({ drift }) => drift.detail) },
  );
}

/** Whether a difference changes what `login` may do: it is about that role, its group, or a role above them. */
export function isAboutLogin({ drift, role }: Difference, { holdings, roles }: Comparison, login: string): boolean {
  const above = reachOf(holdings.memberships, [login, ...(roles.group ? [roles.group.name] : [])]);
  return drift.what !== 'login' && above.has(role);
}
