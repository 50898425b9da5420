/**
 * What a statement names and what it does with it, read from the server's own grammar. It errs towards more: what is not understood may
 * have done anything. Pure but for loading the parser.
 */
import type { ParseResult } from 'libpg-query';

/** A name as it was written; without a schema it may be in any. */
export interface Name {
  readonly schema?: string;
  readonly name: string;
}

/** A table, view or sequence, and the rights that the statement needs on it. `ALL`: any. */
export interface RelationName extends Name {
  readonly does: readonly string[];
}

export interface Mentions {
  readonly relations: readonly RelationName[];
  readonly functions: readonly Name[];
  /** Written like a column, `row.name`: this may call a function as well. */
  readonly columns: readonly Name[];
  readonly types: readonly Name[];
  /** Names that stand for something in this statement only. */
  readonly own: readonly string[];
  /** Temporary tables that it makes. */
  readonly temporary: readonly string[];
  /** It makes something that stays. */
  readonly creates: boolean;
}

/** Gives what a statement mentions; undefined when it may have done anything. */
export type Reader = (text: string | null) => Mentions | undefined;

/** Loads the parser. */
export async function statementReader(): Promise<Reader> {
  const { loadModule, parseSync } = await import('libpg-query');
  await loadModule();
  return (text) => {
    try {
      return text === null ? undefined : mentionsIn(parseSync(text));
    } catch {
      // Nothing of the error goes on: it quotes the statement.
      return undefined;
    }
  };
}

type Tree = Readonly<Record<string, unknown>>;

class Anything extends Error {}

/** Throws {@link Anything} for what is not understood. */
function mentionsIn({ stmts }: ParseResult): Mentions {
  const walk = new Walk();
  for (const statement of stmts ?? []) walk.visit(statement);
  return walk.mentions();
}

/** Statements that do nothing but what stands in them. Every other one that is not handled below may do anything. */
const plain = new Set(
  `SelectStmt ExplainStmt PrepareStmt ExecuteStmt DeallocateStmt DeclareCursorStmt FetchStmt ClosePortalStmt TransactionStmt VariableSetStmt
   VariableShowStmt DiscardStmt ListenStmt UnlistenStmt NotifyStmt ConstraintsSetStmt CallStmt CheckPointStmt RawStmt`.split(
    /\s+/,
  ),
);

class Walk {
  private readonly relations: RelationName[] = [];
  private readonly functions: Name[] = [];
  private readonly columns: Name[] = [];
  private readonly types: Name[] = [];
  private readonly own: string[] = [];
  private readonly temporary: string[] = [];
  private creates = false;
  private locks = false;

  mentions(): Mentions {
    const { functions, columns, types, own, temporary, creates } = this;
    const relations = this.relations.map((one) => (this.locks ? { ...one, does: [...one.does, 'UPDATE'] } : one));
    return { relations, functions, columns, types, own, temporary, creates };
  }

  visit(value: unknown): void {
    if (Array.isArray(value)) return value.forEach((one) => this.visit(one));
    if (!isTree(value)) return;
    this.note(value);
    for (const [key, child] of Object.entries(value)) this.enter(key, child);
  }

  private enter(key: string, child: unknown): void {
    const handle = Object.hasOwn(this.handlers, key) ? this.handlers[key] : undefined;
    if (handle && isTree(child)) return handle(child);
    if (/^[A-Z]\w*Stmt$/.test(key) && !plain.has(key)) throw new Anything();
    this.visit(child);
  }

  /** Nodes are told by their fields: where the grammar fixes their type they come without its name. */
  private note(node: Tree): void {
    if (typeof node['relname'] === 'string') this.relation(node, ['SELECT']);
    if (typeof node['ctename'] === 'string') this.own.push(node['ctename']);
    if (Array.isArray(node['funcname'])) this.functions.push(qualified(node['funcname']));
    if (Array.isArray(node['names']) && 'typemod' in node) this.types.push(qualified(node['names']));
    if (Array.isArray(node['lockingClause'])) this.locks = true;
    const path = [node['fields'], node['indirection']].find((one) => Array.isArray(one)) as unknown[] | undefined;
    const last = path && stringIn(path.at(-1));
    if (last !== undefined) this.columns.push({ name: last });
  }

  private relation({ schemaname, relname }: Tree, does: readonly string[]): void {
    const schema = typeof schemaname === 'string' ? { schema: schemaname } : {};
    this.relations.push({ ...schema, name: String(relname), does });
  }

  /** The table that a statement changes, and then all else that it says. */
  private change(node: Tree, does: readonly string[]): void {
    const { relation, ...others } = node;
    if (isTree(relation)) this.relation(relation, does);
    this.visit(others);
  }

  private make({ relpersistence, schemaname, relname }: Tree): void {
    if (relpersistence === 't' || schemaname === 'pg_temp') this.temporary.push(String(relname));
    else this.creates = true;
  }

  private readonly handlers: Readonly<Record<string, (node: Tree) => void>> = {
    InsertStmt: (node) =>
      this.change(node, [
        'INSERT',
        ...(node['onConflictClause'] ? ['SELECT'] : []),
        ...(isTree(node['onConflictClause']) && node['onConflictClause']['action'] === 'ONCONFLICT_UPDATE'
          ? ['UPDATE']
          : []),
        ...reading(node),
      ]),
    UpdateStmt: (node) => this.change(node, ['UPDATE', ...reading(node)]),
    DeleteStmt: (node) => this.change(node, ['DELETE', ...reading(node)]),
    MergeStmt: (node) => {
      const commands = JSON.stringify(node['mergeWhenClauses'] ?? []);
      this.change(node, [
        'SELECT',
        ...['INSERT', 'UPDATE', 'DELETE'].filter((one) => commands.includes(`"CMD_${one}"`)),
      ]);
    },
    CopyStmt: (node) => this.change(node, node['is_from'] ? ['INSERT', ...reading(node)] : ['SELECT']),
    TruncateStmt: ({ relations, behavior }) => {
      // It goes on to tables that it does not name.
      if (behavior === 'DROP_CASCADE') throw new Anything();
      this.each(relations, ['TRUNCATE']);
    },
    LockStmt: ({ relations }) => this.each(relations, ['ALL']),
    CreateStmt: ({ relation, ...others }) => {
      if (isTree(relation)) this.make(relation);
      this.visit(others);
    },
    CreateTrigStmt: (node) => this.change(node, ['TRIGGER']),
    pktable: (node) => this.relation(node, ['REFERENCES', 'SELECT']),
    into: ({ rel }) => isTree(rel) && this.make(rel),
    intoClause: ({ rel }) => isTree(rel) && this.make(rel),
  };

  private each(relations: unknown, does: readonly string[]): void {
    for (const one of Array.isArray(relations) ? relations : []) {
      const node = isTree(one) ? one['RangeVar'] : undefined;
      if (isTree(node)) this.relation(node, does);
    }
  }
}

/** To look at what is there needs SELECT as well. */
function reading(node: Tree): string[] {
  const clauses = ['whereClause', 'fromClause', 'usingClause', 'returningClause', 'returningList'];
  const looks = clauses.some((clause) => node[clause] !== undefined);
  return looks || JSON.stringify(node['targetList'] ?? []).includes('"ColumnRef"') ? ['SELECT'] : [];
}

function qualified(path: readonly unknown[]): Name {
  const [name = '', schema] = path.map(stringIn).toReversed();
  return { name, ...(schema !== undefined && { schema }) };
}

function stringIn(node: unknown): string | undefined {
  const text = isTree(node) && isTree(node['String']) ? node['String']['sval'] : undefined;
  return typeof text === 'string' ? text : undefined;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
