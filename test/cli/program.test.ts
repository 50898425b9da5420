import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { createProgram, run } from '../../src/cli/program.js';
import type { Command } from 'commander';
import { pretend } from './support/terminal.js';

const verbs = [
  'dev', 'worker', 'doctor', 'plan', 'apply', 'list', 'show', 'history', 'explain', 'attribute', 'rotate', 'validate', 'revoke', 'offboard', 'schedule',
  'elevate', 'give-back', 'reviews', 'reviewed', 'approve', 'deny', 'ack', 'resume', 'abandon', 'cancel', 'evidence', 'attest', 'secret', 'exec', 'completion',
]; // prettier-ignore

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

test('the help lists every verb and exits with 0', async () => {
  const { io, stdout } = pretend();
  expect(await run(['--help'], io)).toBe(0);
  for (const verb of verbs) expect(stdout()).toMatch(new RegExp(`^  ${verb}\\b`, 'm'));
});

test('every verb has a description and an example in its help', async () => {
  const { io } = pretend();
  const program = await createProgram({ io, exitCode: 0, session: undefined });
  for (const leaf of leaves(program)) {
    expect(leaf.description(), leaf.name()).not.toBe('');
    const path = [leaf.name(), ...(leaf.parent === program ? [] : [leaf.parent!.name()])].toReversed();
    const seen = pretend();
    expect(await run([...path, '--help'], seen.io)).toBe(0);
    if (leaf.parent === program) expect(seen.stdout(), path.join(' ')).toContain('Examples:');
  }
});

test.each([
  [['no-such-verb']],
  [['rotate']],
  [['rotate', 'payments-db', '--no-such-option']],
  [['rotate', 'payments-db', '--timeout', 'soon']],
  [['abandon', 'payments-db']],
  [['pre-approve', '--kind', 'roate', '--identity', 'a', '--for', '1d', '--reason', 'a test']],
  [['cancel', 'payments-db']],
  [['secret', 'read', 'payments-db', '--slot', 'newest']],
  [['completion', 'tcsh']],
])('%j is a wrong use: exit code 2, and the help is named', async (argv) => {
  const { io, stderr, stdout } = pretend();
  expect(await run(argv, io)).toBe(2);
  expect(stderr()).toContain('tenure --help');
  expect(stdout()).toBe('');
});

test('a secret is not shown on a terminal unless asked for, and the way without a copy is named', async () => {
  const { io, stdout, stderr } = pretend({ terminal: true });
  expect(await run(['secret', 'read', 'payments-db'], io)).toBe(2);
  expect(stdout()).toBe('');
  expect(stderr()).toContain('tenure exec payments-db -- COMMAND');
});

test.each(['offboard', 'revoke'])('%s without anybody to ask and without --yes asks for nothing', async (verb) => {
  const { io, stderr } = pretend();
  expect(await run([verb, 'payments-db'], io)).toBe(2);
  expect(stderr()).toContain('--yes');
});

test.each(['bash', 'zsh', 'fish'])('the completion for %s knows every verb', async (shell) => {
  const { io, stdout } = pretend();
  expect(await run(['completion', shell], io)).toBe(0);
  for (const verb of verbs) expect(stdout()).toContain(verb);
});

test('bash takes the completion script and completes verbs, parts of verbs, options and values', async () => {
  const { io, stdout } = pretend();
  await run(['completion', 'bash'], io);
  const complete = (...words: string[]): string[] => {
    const line = words.map((word) => `'${word}'`).join(' ');
    const script = `${stdout()}\nCOMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _tenure; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim().split('\n');
  };
  expect(complete('tenure', 'revo')).toEqual(['revoke']);
  expect(complete('tenure', 'schedule', 'tr')).toEqual(['trigger']);
  expect(complete('tenure', 'revoke', 'payments-db', '--no')).toEqual(expect.arrayContaining(['--now', '--no-wait']));
  expect(complete('tenure', 'secret', 'read', '--slot', 'p')).toEqual(['previous']);
});

test.each([
  [['rotate', 'payments-db', '--reason']],
  [['revoke', 'payments-db', '--now', '--reason']],
  [['apply', '--request-id']],
  [['approve', 'payments-db', '--reason']],
  [['resume', 'payments-db', '--note']],
  [['abandon', 'payments-db', '--reason']],
  [['cancel', 'payments-db', '--reason']],
  [['schedule', 'pause', 'monthly', '--reason']],
  [['ack', 'payments-db', 'payments-api', '--as']],
])('%j with what looks like a secret sends nothing, and does not repeat it', async (argv) => {
  const secret = `postgres://app:${'made-up'}@127.0.0.1/ledger`;
  const { io, stdout, stderr } = pretend();
  expect(await run([...argv, `leaked: ${secret}`], io)).toBe(2);
  expect(stderr()).toContain(`${argv.at(-1)}: this looks like a secret`);
  expect(`${stdout()}${stderr()}`).not.toMatch(/made-up|leaked/);
});
