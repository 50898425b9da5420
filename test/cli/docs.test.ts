/** The documents beside the program: neither has a verb or an option that the other does not have. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.js';
import { packageRoot } from '../../src/package-root.js';
import { pretend } from './support/terminal.js';

const page = readFileSync(join(packageRoot, 'docs', 'cli.md'), 'utf8');
const program = await createProgram({ io: pretend().io, exitCode: 0, session: undefined });

/** Flags of each verb, by its words, e.g. `secret read`. */
const verbs = new Map(leaves(program, ''));
const [shared, told] = [firstColumn('| option '), firstColumn('| verb ')];
const answers = firstColumn('| verb ', page.indexOf('## `--json`'));

function leaves(command: Command, path: string): [string, string[]][] {
  if (path !== '' && command.commands.length === 0)
    return [[path, command.options.map(({ long, flags }) => long ?? flags)]];
  return command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`.trim()));
}

/** What stands in code in the first column of a table, row by row. */
function firstColumn(heading: string, from = 0): string[][] {
  const [, , ...rows] = page
    .slice(page.indexOf(`\n${heading}`, from) + 1)
    .split('\n\n', 1)[0]!
    .trimEnd()
    .split('\n');
  return rows.map((row) => [...row.split(/(?<!\\)\|/)[1]!.matchAll(/`([^`]+)`/g)].map(([, code]) => code!));
}

/** The verbs that a row is about, and the options that it names. */
function rowOf(row: readonly string[]): { readonly named: string[]; readonly flags: string[] } {
  const named = row.flatMap((code) => [...verbs.keys()].filter((verb) => code === verb || code.startsWith(`${verb} `)));
  return { named, flags: flagsIn(row) };
}

function flagsIn(row: readonly string[]): string[] {
  return row.flatMap((code) => code.match(/--[a-z-]+/g) ?? []);
}

const sharedFlags = shared.flatMap(flagsIn);

describe('docs/cli.md', () => {
  test('has each verb in one row, and no other', () => {
    expect(told.flatMap((row) => rowOf(row).named).toSorted()).toEqual([...verbs.keys()].toSorted());
    for (const row of told) expect(rowOf(row).named, row.join()).not.toEqual([]);
  });

  test.each([...verbs])('has the options of %s, and no other', (verb, flags) => {
    const { named, flags: written } = told.map(rowOf).find((row) => row.named.includes(verb))!;
    const ofRow = new Set(named.flatMap((one) => verbs.get(one)!));
    expect(flags.filter((flag) => !sharedFlags.includes(flag) && !written.includes(flag))).toEqual([]);
    expect(written.filter((flag) => !ofRow.has(flag))).toEqual([]);
  });

  test('names as shared what several verbs have', () => {
    for (const flag of sharedFlags)
      expect([...verbs.values()].filter((flags) => flags.includes(flag)).length, flag).toBeGreaterThan(2);
  });

  test('says once what each verb answers as data', () => {
    const named = answers.flat();
    expect(named.filter((code, at) => named.indexOf(code) !== at)).toEqual([]);
    const silent = ['exec', 'completion'];
    expect([...verbs.keys()].filter((verb) => !silent.includes(verb) && !isAnswered(verb, named))).toEqual([]);
  });
});

function isAnswered(verb: string, named: readonly string[]): boolean {
  return named.some((code) => code === verb || code.startsWith(`${verb} `));
}

const documents = ['README.md', ...readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })]
  .filter((name) => name.endsWith('.md') && !name.startsWith('adr'))
  .map((name) => (name === 'README.md' ? name : join('docs', name)));

/** Commands in code, as one writes them: between backticks, or a line of a block, with the lines that it goes on in. */
function commandsIn(text: string): string[] {
  const block = /^ *```[^]*?^ *```/gm;
  const [blocks, rest] = [text.match(block) ?? [], text.replaceAll(block, '')];
  const lines = blocks.flatMap((one) => one.replaceAll('\\\n', ' ').split('\n'));
  const code = [...lines, ...[...rest.matchAll(/`([^`]+)`/g)].map(([, one]) => one!)];
  return code.flatMap((line) =>
    [...line.matchAll(/(?<![\w/.-])tenure ([a-z][^#&;]*)/g)].map(([, words]) => words!.trim()),
  );
}

test.each(documents)('%s names no verb and no option that there is none of', (name) => {
  const commands = commandsIn(readFileSync(join(packageRoot, name), 'utf8'));
  expect(commands.filter((command) => !exists(command))).toEqual([]);
});

/** `schedule pause|resume`, `help VERB` and a group alone are there as well. */
function exists(command: string): boolean {
  const [words, own] = [command.split(/[|\\]|\s--\s/)[0]!, [...verbs.keys()]];
  if (/^help\b/.test(words)) return true;
  const verb = own.find((one) => words === one || words.startsWith(`${one} `));
  const flags = verb === undefined ? [] : [...verbs.get(verb)!, '--help'];
  if (verb === undefined) return own.some((one) => one.startsWith(`${words} `));
  return flagsIn([words]).every((flag) => flags.includes(flag));
}
