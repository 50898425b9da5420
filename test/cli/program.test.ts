import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  [['rotate', 'payments-db', 'another-db']],
  [['except', 'lst']],
  [['except', 'payments-db', '--rule', 'a', '--reason', 'b', '--control', 'kind=validate']],
  [['evidence', 'exprot', '--all']],
  [['no-such-verb', '--help']],
  [['history', 'a-db', '--last', '0']],
  [['list', '--status', 'activ']],
  [['list', '--kind', 'robot']],
  [['list', '--tag', 'payments']],
  [['dev', '--port', 'abc']],
  [['dev', '--ui-port', '65536']],
  [['codec-server', '--port', '-1']],
  [['elevate', 'a', '--scope', '{}', '--for', '9h', '--incident', 'INC-7', '--reason', 'a test']],
  [['delegate', '--to', 'ada', '--group', 'security', '--for', '32d', '--reason', 'a test']],
  [['pre-approve', '--kind', 'rotate', '--identity', 'a', '--for', '8d', '--reason', 'a test']],
  [['pre-approve', '--kind', 'rotate', '--identity', 'Not a name', '--for', '1d', '--reason', 'a test']],
])('%j is a wrong use: exit code 2, and the help is named', async (argv) => {
  const { io, stderr, stdout } = pretend();
  expect(await run(argv, io)).toBe(2);
  expect(stderr()).toMatch(/^error: .+\n {2}next: tenure( [a-z-]+)* --help\n$/);
  expect(stdout()).toBe('');

  const asked = pretend();
  expect(await run([...argv, '--json'], asked.io)).toBe(2);
  expect(JSON.parse(asked.stdout())).toMatchObject({ v: 1, error: { code: 'Usage', next: [expect.any(String)] } });
});

test.each([
  [['except', 'lst'], "there is no command tenure except lst. Did you mean 'list'?"],
  [['rotat', 'a-db'], "there is no command tenure rotat. Did you mean 'rotate'?"],
  [['schedule', 'run'], 'Known: list, pause, resume, trigger.'],
  [['rotate', 'a-db', '--no-wiat'], "unknown option '--no-wiat' (Did you mean --no-wait?)"],
  [['--json', 'list'], 'name a command before --json'],
  [['evidence', '--json'], 'name a command before --json'],
  [['elevate', 'a', '--scope', '{}', '--for', '9h'], 'it may be 4h at most'],
  [['codec-server', '--port', 'abc'], 'expected a port'],
  [['secret', 'read', 'a-db', '--from', 'nowhere'], 'next: tenure secret read --help'],
])('%j says what is wrong', async (argv, expected) => {
  const { io, stderr } = pretend();
  expect(await run(argv, io)).toBe(2);
  expect(stderr()).toContain(expected);
});

test('help of a verb comes by `help` too, and a word that is no verb is no success', async () => {
  for (const words of [['rotate'], ['evidence', 'export'], []]) {
    const [byWord, byOption] = [pretend(), pretend()];
    expect(await run(['help', ...words], byWord.io)).toBe(0);
    expect(await run([...words, '--help'], byOption.io)).toBe(0);
    expect(byWord.stdout()).toBe(byOption.stdout());
    expect(byWord.stdout()).toContain(`Usage: ${['tenure', ...words].join(' ')}`);
  }
  expect(await run(['help', 'rotat'], pretend().io)).toBe(2);
});

test.each([[], ['evidence'], ['except']])(
  'a group without a verb shows its help, and is a wrong use',
  async (...argv) => {
    const { io, stdout, stderr } = pretend();
    expect(await run(argv, io)).toBe(2);
    expect(stderr()).toContain(`Usage: ${['tenure', ...argv].join(' ')}`);
    expect(stdout()).toBe('');
  },
);

test.each([
  [['plan'], 'There is no tenure.yaml', 'tenure dev'],
  [
    ['pre-approve', '--kind', 'rotate', '--identity', 'a', '--for', '1d', '--reason', 'a test'],
    'There is no tenure.yaml',
    'tenure dev',
  ],
  [['evidence', 'verify', 'no-bundle'], 'is not there', 'tenure evidence export --all --out FOLDER'],
])('%j where there is nothing says what leads on', async (argv, message, next) => {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-nothing-'));
  const { io, stderr } = pretend({ cwd: folder });
  expect(await run(argv, io)).toBe(1);
  expect(stderr()).toContain(message);
  expect(stderr()).toMatch(new RegExp(`  next: ${next}\n$`));
  await rm(folder, { recursive: true });
});

test('whoever has declared nothing yet is told where to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-nothing-'));
  await writeFile(join(folder, 'tenure.yaml'), 'targets: {}\n');
  const { io, stderr, stdout } = pretend({ cwd: folder });
  expect(await run(['plan', '--json'], io)).toBe(1);
  expect(stderr()).toContain(
    `there are no manifests yet: declare an identity in a file in ${join(folder, 'manifests')}`,
  );
  expect(JSON.parse(stdout())).toMatchObject({ error: { next: ['tenure plan --help'] } });
  await rm(folder, { recursive: true });
});

test('what a command of `exec` is told is not taken for ours', async () => {
  const { io, stdout } = pretend();
  expect(await run(['exec', '--no-such-option', 'payments-db', '--', 'psql', '--json'], io)).toBe(2);
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
  expect(await run([verb, 'payments-db', '--reason', "it's over"], io)).toBe(2);
  expect(stderr()).toContain(`next: tenure ${verb} payments-db --reason 'it'\\''s over' --yes\n`);
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
