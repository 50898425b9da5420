/** The checks that need no running program: format, lint (types known), types, dead code. */
import path from 'node:path';
import process from 'node:process';
import { root } from './prepare.mjs';
import { run, step, StepFailed } from './progress.mjs';

const tool = (/** @type {string} */ file) => path.join(root, 'node_modules', file);

const checks = [
  { name: 'format', args: [tool('prettier/bin/prettier.cjs'), '--check', '--log-level', 'warn', '.'] },
  { name: 'lint', args: [tool('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', args: [tool('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'dead code', args: [tool('knip/bin/knip.js'), '--no-progress'] },
];

/**
 * Runs every check, also when one fails, and shows what each found.
 *
 * @returns {Promise<{ passed: string[], failed: string[] }>}
 */
export async function runChecks() {
  const result = { passed: /** @type {string[]} */ ([]), failed: /** @type {string[]} */ ([]) };
  for (const { name, args } of checks) {
    try {
      await step(name, () => run(process.execPath, args, { cwd: root }));
      result.passed.push(name);
    } catch (error) {
      if (!(error instanceof StepFailed)) throw error;
      result.failed.push(name);
    }
  }
  return result;
}
