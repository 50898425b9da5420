import { Composer, LineCounter, Parser, isAlias, isMap, isNode, isScalar, isSeq } from 'yaml';
import type { CST, Document, Node, Pair, ParsedNode, YAMLError, YAMLMap } from 'yaml';
import { formatPath } from './problem.js';
import type { Path, Place, Problem } from './problem.js';

/** One document of a file: plain JSON, and where each part of it was written. */
export interface YamlDocument {
  readonly file: string;
  readonly value: unknown;
  /** Where a path was written; the nearest part above it when the path itself is not there. */
  placeOf(path: Path, part?: 'key' | 'value'): Place;
}

/** Bounds of one file; each is far above what a person writes. */
export const yamlLimits = { bytes: 4 * 1024 * 1024, depth: 64, aliasedNodes: 5000 } as const;

const strictYaml = {
  version: '1.2',
  schema: 'core',
  merge: false,
  uniqueKeys: true,
  prettyErrors: false,
  strict: true,
  logLevel: 'silent',
} as const;

/** Reads every document of a file. Broken documents are in `problems` only; nothing is thrown for what is written. */
export function readYaml(file: string, text: string): { documents: YamlDocument[]; problems: Problem[] } {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = findTooDeep(tokens);
  if (tooDeep !== undefined) {
    const problem = {
      ...placeAt(file, lines, tooDeep),
      path: '',
      problem: `nested deeper than ${yamlLimits.depth} levels`,
      fix: 'Write it flatter.',
    };
    return { documents: [], problems: [problem] };
  }
  const documents: YamlDocument[] = [];
  const problems: Problem[] = [];
  for (const document of new Composer(strictYaml).compose(tokens, false, text.length)) {
    const faults = [...document.errors, ...document.warnings];
    problems.push(...faults.map((fault) => syntaxProblem(file, lines, fault)));
    if (document.errors.length > 0) continue;
    const plain = new Plain(file, lines, document);
    problems.push(...plain.problems);
    if (plain.problems.length === 0 && faults.length === 0) documents.push(plain);
  }
  return { documents, problems };
}

/** The composer recurses, and a file of brackets would end the whole process: depth is measured before, without recursion. */
function findTooDeep(tokens: readonly CST.Token[]): number | undefined {
  const open: { token: CST.Token; depth: number }[] = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if (depth > yamlLimits.depth) return 'offset' in token ? token.offset : 0;
    if (token.type === 'document' && token.value) open.push({ token: token.value, depth });
    if (!('items' in token)) continue;
    for (const item of token.items) {
      if (item.key) open.push({ token: item.key, depth: depth + 1 });
      if (item.value) open.push({ token: item.value, depth: depth + 1 });
    }
  }
  return undefined;
}

/** Turns nodes into plain JSON; `toJS` of the library would lose positions and coerce keys. */
class Plain implements YamlDocument {
  readonly value: unknown;
  readonly problems: Problem[] = [];
  readonly #places = new Map<string, number>();
  #aliased = 0;

  constructor(
    readonly file: string,
    private readonly lines: LineCounter,
    private readonly document: Document.Parsed<ParsedNode>,
  ) {
    this.value = this.#convert(document.contents, [], []);
  }

  placeOf(path: Path, part: 'key' | 'value' = 'value'): Place {
    for (let length = path.length; length >= 0; length -= 1) {
      const key = placeKey(path.slice(0, length));
      const exact = length === path.length;
      const offset =
        (exact && part === 'key' ? this.#places.get(`${key}#`) : undefined) ??
        this.#places.get(exact ? key : `${key}#`) ??
        this.#places.get(key);
      if (offset !== undefined) return placeAt(this.file, this.lines, offset);
    }
    return placeAt(this.file, this.lines, this.document.range?.[0] ?? 0);
  }

  #convert(node: Node | null, path: Path, within: readonly Node[]): unknown {
    if (node?.range) this.#places.set(placeKey(path), node.range[0]);
    if (within.length > 0 && (this.#aliased += 1) > yamlLimits.aliasedNodes) {
      return this.#refuse(path, 'aliases repeat too much', 'Write the parts out, or split the file.', 'once');
    }
    if (isAlias(node)) return this.#follow(node.resolve(this.document), path, within);
    if (isMap(node)) return this.#mapping(node, path, within);
    if (isSeq(node))
      return node.items.map((item, index) => this.#convert(isNode(item) ? item : null, [...path, index], within));
    return isScalar(node) ? this.#scalar(node.value, path) : null;
  }

  #follow(anchored: Node | undefined, path: Path, within: readonly Node[]): unknown {
    if (!anchored)
      return this.#refuse(
        path,
        'an alias of something that is not defined above it',
        'Define the anchor first, or write the value out.',
      );
    if (within.includes(anchored)) return this.#refuse(path, 'an alias that contains itself', 'Write the value out.');
    const here = this.#places.get(placeKey(path));
    const value = this.#convert(anchored, path, [...within, anchored]);
    if (here !== undefined) this.#places.set(placeKey(path), here);
    return value;
  }

  #mapping(node: YAMLMap, path: Path, within: readonly Node[]): Record<string, unknown> {
    const entries = node.items.map((pair) => this.#entry(pair as Pair<Node | null, Node | null>, path, within));
    return Object.fromEntries(entries.filter((entry) => entry !== undefined));
  }

  #entry(
    { key, value }: Pair<Node | null, Node | null>,
    path: Path,
    within: readonly Node[],
  ): [string, unknown] | undefined {
    const offset = key?.range?.[0];
    const name =
      isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number') ? String(key.value) : undefined;
    const refuse = (problem: string, fix: string) => {
      this.problems.push({ ...placeAt(this.file, this.lines, offset ?? 0), path: formatPath(path), problem, fix });
    };
    if (name === undefined) return void refuse('a field name that is not text', 'Give the field a plain name.');
    if (name === '<<')
      return void refuse(
        'a merge key (<<)',
        'Merge keys are not read: repeat the fields, or use an alias for the whole value.',
      );
    if (['__proto__', 'constructor', 'prototype'].includes(name))
      return void refuse(`'${name}' is not a field`, 'Remove it.');
    if (isUnprintable(name)) return void refuse('a control character in a field name', 'Remove it.');
    const here = [...path, name];
    if (offset !== undefined) this.#places.set(`${placeKey(here)}#`, offset);
    return [name, this.#convert(value, here, within)];
  }

  #scalar(value: unknown, path: Path): unknown {
    if (typeof value === 'string' && isUnprintable(value)) {
      return this.#refuse(path, 'a control character or half a character', 'Remove it.');
    }
    if (typeof value === 'bigint' || (typeof value === 'number' && !isExact(value))) {
      return this.#refuse(
        path,
        'a number that cannot be kept exactly',
        'Put it in quotes if it is a name, or write a smaller number.',
      );
    }
    return value;
  }

  #refuse(path: Path, problem: string, fix: string, how?: 'once'): undefined {
    if (how === 'once' && this.problems.some((known) => known.problem === problem)) return;
    this.problems.push({ ...this.placeOf(path), path: formatPath(path), problem, fix });
  }
}

const words: Readonly<Record<string, readonly [string, string]>> = {
  DUPLICATE_KEY: ['the same field twice in one mapping', 'Keep one of them.'],
  TAB_AS_INDENT: ['a tab where YAML takes only spaces', 'Indent with spaces.'],
  BAD_INDENT: [
    'indentation that does not fit what stands above',
    'Line it up with its neighbours, and close every bracket.',
  ],
  BAD_ALIAS: ['an alias or anchor that cannot be read', 'Write the value out.'],
  MISSING_CHAR: [
    'a bracket, quote or colon is missing',
    'Close what was opened; put text with special characters in quotes.',
  ],
  TAG_RESOLVE_FAILED: ['a YAML tag (!…)', 'Remove the tag: plain text, numbers, lists and mappings are read.'],
  BLOCK_AS_IMPLICIT_KEY: [
    'a mapping where a single value was begun',
    "Put text that holds ': ' in quotes, or indent the mapping on its own lines.",
  ],
};

/** The library's own message may repeat a piece of the file, so only its code is used. */
function syntaxProblem(file: string, lines: LineCounter, fault: YAMLError): Problem {
  const [problem, fix] = words[fault.code] ?? [
    'not valid YAML',
    'Check quotes, colons, indentation and brackets here and on the line above.',
  ];
  return { ...placeAt(file, lines, fault.pos[0]), path: '', problem, fix };
}

function placeAt(file: string, lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
}

function placeKey(path: Path): string {
  return JSON.stringify(path);
}

function isUnprintable(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /[\u0000-\u0008\u000b-\u001f\u007f]|\p{Surrogate}/u.test(text);
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}
