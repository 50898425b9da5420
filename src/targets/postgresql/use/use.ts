/** Which rights of a scope were used, from the statements that the server recorded. Texts stay here: only rights and counts leave. */
import { setImmediate } from 'node:timers/promises';
import type { RecordedUse, RightUse, Scope } from '../../target.js';
import type { Session } from '../connection.js';
import { findWanted, type Wanted } from '../rights.js';
import type { Roles } from '../roles.js';
import { singleRights } from '../scope.js';
import { type Mentions, type Name, statementReader } from './mentions.js';
import { findObjects, type Found, type Question } from './objects.js';
import { readRecording, recordingState, type Statement } from './statements.js';

/** Whose use is asked for. */
export interface UseQuestion {
  readonly identity: string;
  readonly scope: Scope;
  readonly database: string;
  readonly roles: Roles;
  readonly readsOnStandbys: boolean;
}

/** Reads what was recorded. */
export async function recordedUse(session: Session, question: UseQuestion): Promise<RecordedUse> {
  const { identity, scope, database, roles, readsOnStandbys } = question;
  const own = [roles.group, ...roles.logins].flatMap((role) => role?.oid ?? []);
  const state = await recordingState(session, readsOnStandbys, own);
  if ('why' in state) return { known: false, why: state.why };
  const { history, statements } = await readRecording(session, state.schema, own);
  const { grants, memberOf } = singleRights(identity, scope, database);
  const wanted = roles.group
    ? await findWanted(session, { rights: grants.map(({ right }) => right), memberOf: [] }, roles.group.name)
    : [];
  const does = await effectsOf(session, statements);
  const rights = [
    ...wanted.flatMap((want, n) =>
      want.objectId === null ? [] : [{ scope: grants[n]!.scope, uses: usesRight(want) }],
    ),
    ...memberOf.map((one) => ({ scope: one, uses: usesMembership(wanted) })),
  ];
  return {
    known: true,
    history,
    total: sum(statements.filter(({ asOther }) => !asOther)),
    rights: rights.map(({ scope: right, uses }) =>
      useOf(
        right,
        does.filter((effect) => uses(effect)),
      ),
    ),
  };
}

/** Why use is not known on this server, if it is not. */
export async function useRemark(session: Session, readsOnStandbys: boolean): Promise<string | undefined> {
  const state = await recordingState(session, readsOnStandbys);
  return 'why' in state ? `which rights are used is not known: ${state.why}` : undefined;
}

/** What one statement did. */
interface Effect extends Statement {
  /** Undefined: anything. */
  readonly mentions: Mentions | undefined;
  readonly objects: readonly { readonly found: Found; readonly does: readonly string[] }[];
}

function useOf(right: Scope, effects: readonly Effect[]): RightUse {
  return { right, calls: sum(effects), isInUse: effects.some(({ isLive }) => isLive) };
}

function sum(all: readonly { readonly calls: number }[]): number {
  return all.reduce((total, { calls }) => total + calls, 0);
}

async function effectsOf(session: Session, statements: readonly Statement[]): Promise<Effect[]> {
  const read = await statementReader();
  const questions: Question[] = [{ kind: 'implied' }];
  const places = new Map<string, number>();
  const ask = (question: Question): number => {
    const key = JSON.stringify([question.kind, question.schema, question.name, question.writes]);
    const place = places.get(key) ?? questions.push(question) - 1;
    places.set(key, place);
    return place;
  };
  const asked: { statement: Statement; mentions: Mentions | undefined; asks: Asked[] }[] = [];
  for (const [n, statement] of statements.entries()) {
    // The parser holds the thread; workflows and heartbeats go on in between.
    if (n % 100 === 99) await setImmediate();
    const mentions = read(statement.text);
    asked.push({ statement, mentions, asks: mentions ? questionsOf(mentions, ask) : [] });
  }
  const temporary = new Set(asked.flatMap(({ mentions }) => mentions?.temporary ?? []));
  const found = byQuestion(await findObjects(session, questions));
  const implied = found.get(0) ?? [];
  return asked.map(({ statement, mentions, asks }) => {
    const objects = [
      ...implied.map((one) => ({ found: one, does: [] })),
      ...asks.flatMap(({ n, does }) => (found.get(n) ?? []).map((one) => ({ found: one, does }))),
    ];
    const isLost = asks.some((one) => one.isNeeded && !found.has(one.n) && !isOwn(one.name, mentions!, temporary));
    const isOpaque = isLost || objects.some((one) => one.found.isOpaque);
    return { ...statement, mentions: isOpaque ? undefined : mentions, objects };
  });
}

function byQuestion(all: readonly Found[]): ReadonlyMap<number, readonly Found[]> {
  const groups = new Map<number, Found[]>();
  for (const one of all) groups.set(one.n, [...(groups.get(one.n) ?? []), one]);
  return groups;
}

/** One name of a statement. What is needed and is not found has another name now, or is gone: it may have been anything. */
interface Asked {
  readonly n: number;
  readonly name: Name;
  readonly does: readonly string[];
  readonly isNeeded: boolean;
}

function questionsOf({ relations, functions, columns, types }: Mentions, ask: (question: Question) => number): Asked[] {
  const all = (names: readonly Name[], kind: Question['kind'], isNeeded: boolean) =>
    names.map((name) => ({ n: ask({ ...name, kind }), name, does: ['EXECUTE'], isNeeded }));
  return [
    ...relations.map(({ does, ...name }) => {
      const writes = does.some((one) => one !== 'SELECT' && one !== 'ALL');
      return { n: ask({ ...name, kind: 'relation', writes }), name, does, isNeeded: true };
    }),
    ...all(functions, 'function', true),
    ...all(columns, 'column', false),
    ...all(types, 'type', false),
  ];
}

function isOwn({ schema, name }: Name, { own }: Mentions, temporary: ReadonlySet<string>): boolean {
  return schema === undefined
    ? own.includes(name) || temporary.has(name)
    : schema.startsWith('pg_temp') && temporary.has(name);
}

/** Who took on another role does not act with the rights of its own. */
function usesRight(want: Wanted): (effect: Effect) => boolean {
  if (want.kind === 'database' && want.privilege === 'CONNECT') return () => true;
  return (effect) => !effect.asOther && (effect.mentions === undefined || uses(effect, effect.mentions, want));
}

function uses({ objects }: Effect, mentions: Mentions, { kind, classId, objectId, name, privilege }: Wanted): boolean {
  if (kind === 'database')
    return privilege === 'CONNECT' || (privilege === 'TEMPORARY' && mentions.temporary.length > 0);
  if (kind === 'schema') {
    const written = [...mentions.relations, ...mentions.functions, ...mentions.types].some(
      ({ schema }) => schema === name,
    );
    const inIt = written || objects.some(({ found }) => found.schema === name);
    return privilege === 'CREATE' ? mentions.creates : inIt;
  }
  const isThere = objects.some(({ found, does }) => {
    if (found.classId !== classId || found.objectId !== objectId) return false;
    return found.direct ? does.includes('ALL') || does.includes(privilege) : found.counts && mayBe(found, privilege);
  });
  return isThere || (kind === 'sequence' && mentions.functions.some((one) => sequenceRights(one).includes(privilege)));
}

/** What a query leads to is read; nobody can tell what a change does there. */
function mayBe({ kind, writes }: Found, privilege: string): boolean {
  return kind !== 'relation' || writes || privilege === 'SELECT';
}

/** The sequence is a constant, and those are not recorded: it may be any. */
function sequenceRights({ name }: Name): readonly string[] {
  return Object.hasOwn(sequenceFunctions, name) ? sequenceFunctions[name]! : [];
}

const sequenceFunctions: Readonly<Record<string, readonly string[]>> = {
  nextval: ['USAGE', 'UPDATE'],
  setval: ['UPDATE'],
  currval: ['USAGE', 'SELECT'],
  lastval: ['USAGE', 'SELECT'],
  pg_sequence_last_value: ['USAGE', 'SELECT'],
  pg_get_sequence_data: ['SELECT'],
};

/** By a membership an identity does what its own grants do not let it do. */
function usesMembership(wanted: readonly Wanted[]): (effect: Effect) => boolean {
  const grants = new Set(wanted.map(({ classId, objectId, privilege }) => `${classId} ${objectId} ${privilege}`));
  const isOwn = ({ classId, objectId }: Found, privilege: string) => grants.has(`${classId} ${objectId} ${privilege}`);
  return ({ mentions, asOther, objects }) =>
    mentions === undefined ||
    asOther ||
    mentions.creates ||
    mentions.functions.some((one) => sequenceRights(one).length > 0) ||
    objects.some(
      ({ found, does }) =>
        !found.isSystem && found.counts && (!found.direct || !does.every((privilege) => isOwn(found, privilege))),
    );
}
