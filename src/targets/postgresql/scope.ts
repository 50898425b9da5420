/** What a manifest may say under `scope` for PostgreSQL, and the list of rights that it means. Pure. */
import { z } from 'zod';
import { TenureError } from '../../domain/errors.js';
import type { Scope, ScopeProblem } from '../target.js';
import { groupOf, loginsOf } from './names.js';

const maxIdentifierBytes = 63;

const may = <const T extends readonly [string, ...string[]]>(words: T) => z.array(z.enum(words)).min(1);

/** One kind of grant for each key that names an object. Names are taken literally: no case folding. */
const grantKinds = {
  on: z.strictObject({
    /** Table, view or foreign table: `table` (in schema public) or `schema.table`; a part with a dot goes in double quotes. */
    on: z.string(),
    may: may(['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']),
  }),
  database: z.strictObject({ database: z.string(), may: may(['connect', 'create', 'temporary']) }),
  schema: z.strictObject({ schema: z.string(), may: may(['usage', 'create']) }),
  sequence: z.strictObject({ sequence: z.string(), may: may(['usage', 'select', 'update']) }),
  /** `schema.name(argument types)`; procedures as well. */
  function: z.strictObject({ function: z.string(), may: may(['execute']) }),
} as const;

type GrantKind = keyof typeof grantKinds;

const outline = z.strictObject({
  grants: z.array(z.record(z.string(), z.unknown())).default([]),
  /** Roles whose rights the identity gets by membership. */
  memberOf: z.array(z.string()).default([]),
});

/** Members of these can read or write the server's files or run programs on it, and so become superuser. */
const superuserInDisguise = ['pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'];

/** One right on one object. `schema` and `args` only where the kind has them. */
export interface Right {
  readonly kind: 'table' | 'database' | 'schema' | 'sequence' | 'function';
  readonly schema?: string;
  readonly name: string;
  readonly args?: string;
  /** As PostgreSQL spells it, e.g. `SELECT`. */
  readonly privilege: string;
  /** Needed to reach what the scope names, not named itself: fine through PUBLIC too. */
  readonly implied: boolean;
}

/** All that a scope allows. */
export interface Rights {
  readonly rights: readonly Right[];
  readonly memberOf: readonly string[];
}

/** What is wrong with an identity's name and its scope. */
export function scopeProblems(identity: string, scope: Scope): ScopeProblem[] {
  const problems = nameProblems(identity);
  const parsed = outline.safeParse(scope);
  if (!parsed.success) return [...problems, ...issues(parsed.error, [])];
  const { grants, memberOf } = parsed.data;
  problems.push(...grants.flatMap((grant, index) => grantProblems(grant, ['grants', index])));
  problems.push(...memberOf.flatMap((role, index) => memberProblems(identity, role, ['memberOf', index])));
  return problems;
}

/** The rights of a scope in `database`, with CONNECT on it and USAGE on each schema that the scope reaches into. */
export function rightsOf(identity: string, scope: Scope, database: string): Rights {
  const [first] = scopeProblems(identity, scope);
  if (first) throw new TenureError('InvalidRequest', `${identity}: scope.${first.path} ${first.problem}`);
  const { grants, memberOf } = outline.parse(scope);
  const named = grants.flatMap((grant) => grantRights(grant));
  const schemas = [...new Set(named.flatMap((right) => right.schema ?? []))];
  const implied: Right[] = [
    { kind: 'database', name: database, privilege: 'CONNECT', implied: true },
    ...schemas.map((name) => ({ kind: 'schema', name, privilege: 'USAGE', implied: true }) as const),
  ];
  return { rights: distinct([...named, ...implied]), memberOf: [...new Set(memberOf)] };
}

/** Every right of a checked scope alone: as a scope that says nothing else, in its own words, and as the right that it means. */
export function singleRights(
  identity: string,
  scope: Scope,
  database: string,
): {
  readonly grants: readonly { readonly scope: Scope; readonly right: Right }[];
  readonly memberOf: readonly Scope[];
} {
  const { grants, memberOf } = outline.parse(scope);
  const single = grants.flatMap((grant) =>
    (grant['may'] as string[]).map((word) => ({ grants: [{ ...grant, may: [word] }] })),
  );
  return {
    grants: single.map((one) => ({ scope: one, right: rightsOf(identity, one, database).rights[0]! })),
    memberOf: memberOf.map((role) => ({ memberOf: [role] })),
  };
}

function nameProblems(identity: string): ScopeProblem[] {
  const longest = Math.max(...loginsOf(identity).map((login) => Buffer.byteLength(login)));
  const say = (problem: string) => [{ path: 'name', problem }];
  if (identity === '' || identity.includes('\0')) return say('is no name that PostgreSQL can hold');
  if (longest > maxIdentifierBytes) {
    return say(`is too long: its logins have ${longest} bytes and PostgreSQL cuts names at ${maxIdentifierBytes}`);
  }
  const reserved = /^pg_/i.test(identity) || ['public', 'none'].includes(groupOf(identity));
  return reserved ? say('is reserved by PostgreSQL; choose another name') : [];
}

function memberProblems(identity: string, role: string, path: Path): ScopeProblem[] {
  const problem = identifierProblem(role);
  if (problem) return [at(path, problem)];
  if (superuserInDisguise.includes(role))
    return [at(path, `would let ${identity} become superuser of the whole server`)];
  const own = [groupOf(identity), ...loginsOf(identity)].includes(role);
  return own ? [at(path, 'is a role of this identity itself')] : [];
}

type Path = readonly (string | number)[];

function grantProblems(grant: Record<string, unknown>, path: Path): ScopeProblem[] {
  const kinds = kindsIn(grant);
  if (kinds.length !== 1) {
    const names = Object.keys(grantKinds).join(', ');
    return [
      at(
        path,
        `has to name one object by one of: ${names}; it names ${kinds.length === 0 ? 'none' : kinds.join(' and ')}`,
      ),
    ];
  }
  const kind = kinds[0]!;
  const parsed = grantKinds[kind].safeParse(grant);
  if (!parsed.success) return issues(parsed.error, path);
  const name = objectName(kind, String(grant[kind]));
  return 'problem' in name ? [at([...path, kind], name.problem)] : [];
}

function grantRights(grant: Record<string, unknown>): Right[] {
  const kind = kindsIn(grant)[0]!;
  const name = objectName(kind, String(grant[kind]));
  if ('problem' in name) throw new Error('a scope is checked before it is used');
  return (grant.may as string[]).map((word) => ({
    kind: kind === 'on' ? 'table' : kind,
    ...name,
    privilege: word.toUpperCase(),
    implied: false,
  }));
}

function kindsIn(grant: Record<string, unknown>): GrantKind[] {
  return (Object.keys(grantKinds) as GrantKind[]).filter((kind) => Object.hasOwn(grant, kind));
}

type ObjectName =
  { readonly schema?: string; readonly name: string; readonly args?: string } | { readonly problem: string };

function objectName(kind: GrantKind, text: string): ObjectName {
  if (kind === 'database' || kind === 'schema') {
    const problem = identifierProblem(text);
    return problem ? { problem } : { name: text };
  }
  if (kind !== 'function') return qualified(text);
  const signature = /^(.*?)\(([^()]*(?:\([^()]*\)[^()]*)*)\)$/s.exec(text);
  if (!signature) return { problem: 'is not of the form schema.name(argument types)' };
  const name = qualified(signature[1]!.trim());
  return 'problem' in name ? name : { ...name, args: signature[2]!.trim() };
}

/** `name`, `schema.name`, and either part in double quotes, in which a doubled quote stands for one. */
function qualified(text: string): { schema: string; name: string } | { problem: string } {
  const parts = /^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$/s.exec(text);
  if (!parts) return { problem: 'is not of the form name or schema.name; put a part with a dot in double quotes' };
  const [schema, name] = [parts[1] ?? 'public', parts[2]!].map(unquote) as [string, string];
  const problem = identifierProblem(schema) ?? identifierProblem(name);
  return problem ? { problem } : { schema, name };
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

function identifierProblem(name: string): string | undefined {
  if (name === '' || name.includes('\0')) return 'is no name that PostgreSQL can hold';
  const bytes = Buffer.byteLength(name);
  return bytes > maxIdentifierBytes
    ? `has ${bytes} bytes, and PostgreSQL cuts names at ${maxIdentifierBytes}`
    : undefined;
}

function distinct(rights: readonly Right[]): Right[] {
  const seen = new Map<string, Right>();
  for (const right of rights) {
    const { kind, schema, name, args, privilege } = right;
    const key = JSON.stringify([kind, schema, name, args, privilege]);
    // Named ones come first and win over implied ones.
    if (!seen.has(key)) seen.set(key, right);
  }
  return [...seen.values()];
}

function issues(error: z.ZodError, prefix: Path): ScopeProblem[] {
  return error.issues.flatMap((issue) => {
    const path = [...prefix, ...(issue.path as Path)];
    if (issue.code !== 'unrecognized_keys') return [at(path, issue.message)];
    return issue.keys.map((key) => at([...path, key], 'is not known here'));
  });
}

function at(path: Path, problem: string): ScopeProblem {
  const text = path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`));
  return { path: text.join(''), problem };
}
