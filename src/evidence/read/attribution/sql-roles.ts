/**
 * Which statements of SQL change a role or its rights, and which roles they name. It reads words, not meaning: what is built inside
 * the server out of pieces cannot be seen here. Nothing of a statement's literals is ever kept: they may hold a password.
 */

/** One statement that names a role. */
export interface RoleStatement {
  /** Its words without its literals, shortened. */
  readonly text: string;
  /** The roles that it names, out of those asked for. */
  readonly roles: readonly string[];
  /** A role of these that it renames, and to what. */
  readonly renamedTo?: string;
}

interface Token {
  readonly kind: 'word' | 'name' | 'literal' | 'block' | 'sign';
  /** Words in lower case, names as they are, of a block what is inside; of a literal nothing. */
  readonly text: string;
}

const tokenPattern = new RegExp(
  [
    String.raw`--[^\n]*|\/\*[\s\S]*?\*\/`,
    String.raw`(?<name>(?:[uU]&)?"(?:[^"]|"")*")`,
    String.raw`(?<literal>[eE]'(?:[^'\\]|\\[\s\S]|'')*(?:'|$)|[bBxXnN]?'(?:[^']|'')*(?:'|$))`,
    String.raw`(?<tag>\$(?:[A-Za-z_]\w*)?\$)(?<block>[\s\S]*?)(?:\k<tag>|$)`,
    String.raw`(?<word>[\p{L}_][\p{L}\p{N}_$]*)`,
    String.raw`(?<sign>[^\s])`,
  ].join('|'),
  'gu',
);

function tokens(sql: string): Token[] {
  return [...sql.matchAll(tokenPattern)].flatMap(({ groups }): Token[] => {
    const { name, literal, block, word, sign } = groups!;
    if (name !== undefined) return [{ kind: 'name', text: nameIn(name) }];
    if (word !== undefined) return [{ kind: 'word', text: word.toLowerCase() }];
    if (block !== undefined) return [{ kind: 'block', text: block }];
    if (literal !== undefined) return [{ kind: 'literal', text: '' }];
    return sign === undefined ? [] : [{ kind: 'sign', text: sign }];
  });
}

/** `U&"d\\0061t"` is another way to write `"dat"`. */
function nameIn(quoted: string): string {
  const text = quoted.slice(quoted.indexOf('"') + 1, -1).replaceAll('""', '"');
  if (quoted.startsWith('"')) return text;
  return text.replaceAll(/\\(?:\+([0-9a-fA-F]{6})|([0-9a-fA-F]{4}))/g, (_whole, six: string, four: string) =>
    String.fromCodePoint(Math.min(Number.parseInt(six ?? four, 16), 0x10ffff)),
  );
}

/** The statements in `sql` that change one of `roles`, or take on its rights. */
export function roleStatements(sql: string, roles: ReadonlySet<string>): RoleStatement[] {
  return statements(tokens(sql)).flatMap((statement) => {
    const named = [...new Set(rolesIn(statement, roles))].sort();
    if (named.length === 0) return [];
    const renamedTo = renamed(statement, roles);
    return [{ text: shown(statement), roles: named, ...(renamedTo !== undefined && { renamedTo }) }];
  });
}

function statements(all: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  for (const token of all) {
    if (token.kind === 'sign' && token.text === ';') parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts.filter((part) => part.length > 0);
}

/** Statements that make, change or end a role, its rights or what it owns, or that act as one. */
const changing = ['alter', 'create', 'drop', 'grant', 'revoke', 'reassign', 'comment', 'security', 'set', 'do'];

function rolesIn(statement: readonly Token[], roles: ReadonlySet<string>): string[] {
  const [first] = statement;
  if (first?.kind !== 'word' || !changing.includes(first.text)) return [];
  if (first.text === 'do') return blocks(statement).flatMap((block) => anywhere(tokens(block), roles));
  const isGrant = first.text === 'grant' || first.text === 'revoke';
  return isGrant ? anywhere(withoutObjects(statement), roles) : atRolePlaces(statement, roles);
}

function blocks(statement: readonly Token[]): string[] {
  return statement.filter(({ kind }) => kind === 'block').map(({ text }) => text);
}

/** A block may build its statement out of literals, which are looked into here and never shown. */
function anywhere(all: readonly Token[], roles: ReadonlySet<string>): string[] {
  return all.flatMap((token) => (isNamed(token, roles) ? [token.text] : []));
}

function isNamed({ kind, text }: Token, roles: ReadonlySet<string>): boolean {
  return (kind === 'name' || kind === 'word') && roles.has(text);
}

/** `GRANT SELECT ON payments TO bob` says nothing of a role that is called payments. */
function withoutObjects(statement: readonly Token[]): Token[] {
  const isWord = (token: Token, ...words: string[]): boolean => token.kind === 'word' && words.includes(token.text);
  const on = statement.findIndex((token) => isWord(token, 'on'));
  const to = statement.findIndex((token, index) => index > on && isWord(token, 'to', 'from'));
  return on < 0 || to < 0 ? [...statement] : [...statement.slice(0, on), ...statement.slice(to)];
}

/** Words after which the name of a role can stand. */
const before = ['role', 'user', 'group', 'to', 'by', 'for', 'authorization', 'admin', 'session', 'local'];
const between = ['if', 'not', 'exists', 'only'];

function atRolePlaces(statement: readonly Token[], roles: ReadonlySet<string>): string[] {
  return statement.flatMap((token, index) =>
    isNamed(token, roles) && followsRoleWord(statement, index) ? [token.text] : [],
  );
}

function followsRoleWord(statement: readonly Token[], index: number): boolean {
  for (let at = index - 1; at > 0; at -= 1) {
    const { kind, text } = statement[at]!;
    if (kind === 'word' && before.includes(text)) return true;
    const isListed = (kind === 'sign' && text === ',') || statement[at + 1]?.text === ',';
    const isPassedOver = kind === 'word' && between.includes(text);
    if (!isListed && !isPassedOver && !(kind === 'sign' && text === '=')) return false;
  }
  return false;
}

function renamed(statement: readonly Token[], roles: ReadonlySet<string>): string | undefined {
  const [first, what, role, rename, to, name] = statement;
  const isRename =
    first?.text === 'alter' &&
    ['role', 'user', 'group'].includes(what?.text ?? '') &&
    rename?.text === 'rename' &&
    to?.text === 'to';
  return isRename && role && roles.has(role.text) ? name?.text : undefined;
}

const longest = 160;

function shown(statement: readonly Token[]): string {
  const text = statement
    .map(({ kind, text: part }) => {
      if (kind === 'literal') return "'…'";
      if (kind === 'block') return '$…$';
      if (kind === 'name') return `"${part.replaceAll('"', '""')}"`;
      return kind === 'word' && statement[0]?.kind === 'word' && keywords.has(part) ? part.toUpperCase() : part;
    })
    .join(' ')
    .replaceAll(/ ([,.)])/g, '$1')
    .replaceAll(/([(.]) /g, '$1');
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

const keywords = new Set(
  [...changing, ...before, ...between, 'on', 'from', 'with', 'in', 'rename', 'owned', 'owner', 'password', 'login', 'nologin', 'superuser', 'createrole', 'createdb', 'replication', 'bypassrls', 'inherit', 'valid', 'until', 'is', 'table', 'schema', 'all', 'select', 'insert', 'update', 'delete', 'option', 'null'],
); // prettier-ignore
