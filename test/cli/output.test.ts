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
