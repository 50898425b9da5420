/**
 * The door of every npm script: `node scripts/bootstrap.mjs WHAT [arguments]`. Plain Node with nothing installed: it
 * makes ready what WHAT needs, then runs it.
 */
import path from 'node:path';
import process from 'node:process';
import { checkNode, prepare, root } from './prepare.mjs';
import { runInForeground, StepFailed } from './progress.mjs';

/** What each word runs, once everything is ready. Paths are relative to the project's folder. */
const programs = {
  build: [],
  demo: ['dist/demo/main.js'],
  bench: ['dist/bench/main.js'],
  drill: ['dist/drill/main.js'],
  tenure: ['bin/tenure.mjs'],
  lint: ['scripts/lint.mjs'],
  test: ['scripts/test.mjs'],
  coverage: ['node_modules/vitest/vitest.mjs', 'run', '-c', 'test/coverage.config.ts'],
  'test:quick': ['node_modules/vitest/vitest.mjs', 'run', 'test/domain'],
};

const [what = '', ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(programs, what))
    throw new StepFailed(`unknown: ${what || '(nothing)'}. One of: ${Object.keys(programs).join(', ')}`);
  checkNode();
  await prepare();
  const [program, ...first] = programs[/** @type {keyof typeof programs} */ (what)];
  if (program)
    process.exitCode = await runInForeground(process.execPath, [path.join(root, program), ...first, ...args]);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  process.stderr.write(`${error.message}\n`);
  if (what === 'test') process.stdout.write('0 passed, 1 failed\n');
  process.exitCode = 1;
}
