import { expect, test } from 'vitest';
import { Output } from '../../src/cli/output.js';
import { pretend } from './support/terminal.js';

const escape = '\u001B[';

test('a pipe gets no colours, a terminal gets them, and NO_COLOR is obeyed', () => {
  const painted = (given: Parameters<typeof pretend>[0]): string => new Output(pretend(given).io, false).paint.red('x');
  expect(painted({})).toBe('x');
  expect(painted({ terminal: true })).toContain(escape);
  expect(painted({ terminal: true, env: { NO_COLOR: '1' } })).toBe('x');
  expect(painted({ terminal: true, env: { TERM: 'dumb' } })).toBe('x');
});

test('with --json standard output is one document and no words', () => {
  const { io, stdout } = pretend();
  const out = new Output(io, true);
  out.say('words');
  out.table(['A'], [['b']]);
  out.answer({ identity: 'payments-db' });
  out.answer({ identity: 'another' });
  expect(JSON.parse(stdout())).toEqual({ v: 1, identity: 'payments-db' });
});

test('a complaint is the document when nothing was answered yet, and words on standard error either way', () => {
  const { io, stdout, stderr } = pretend();
  new Output(io, true).complain({ code: 'NotFound', message: 'no such identity', next: ['tenure list'], exitCode: 1 });
  expect(JSON.parse(stdout())).toEqual({
    v: 1,
    error: { code: 'NotFound', message: 'no such identity', next: ['tenure list'] },
  });
  expect(stderr()).toContain('tenure list');
});

test('a table is aligned columns without frames and without spaces at the ends of lines', () => {
  const { io, stdout } = pretend();
  new Output(io, false).table(
    ['NAME', 'STATUS'],
    [
      ['payments-db', 'active'],
      ['a', 'absent'],
    ],
  );
  expect(stdout()).toBe('NAME         STATUS\npayments-db  active\na            absent\n');
});

test('what others wrote cannot move the cursor, draw over a line or turn letters around; colours stay', () => {
  const { io, stdout, stderr } = pretend({ terminal: true });
  const out = new Output(io, false);
  out.say(`${out.paint.red('asked')} by ada\u001B[2J\u001B]0;title\u0007\rbob\u202Edne\n\tnext`);
  out.note('a\u009B1Ab');
  expect(stdout()).toBe(`${escape}31masked${escape}39m by ada�[2J�]0;title��bob�dne\n\tnext\n`);
  expect(stderr()).toBe('a�1Ab\n');
});
