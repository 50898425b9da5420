/**
 * `npm test`: the checks, then every test, then what was skipped and why, and one closing line that counts them all.
 * Arguments are passed to the test runner (`npm test -- test/targets`).
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { runChecks } from './checks.mjs';
import { root } from './prepare.mjs';
import { runInForeground } from './progress.mjs';
import { provideSystemPackages } from './system-packages.mjs';

const report = path.join(root, 'test-output', 'tests.json');
mkdirSync(path.dirname(report), { recursive: true });
rmSync(report, { force: true });

const missing = await provideSystemPackages();
const checks = await runChecks();
const exitCode = await runInForeground(
  process.execPath,
  [path.join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...process.argv.slice(2)],
  { cwd: root, env: { ...process.env, TENURE_TEST_REPORT: report } },
);

/** @type {{ passed: number, failed: string[], skipped: { name: string, reason: string }[] }} */
const tests = existsSync(report)
  ? JSON.parse(readFileSync(report, 'utf8'))
  : { passed: 0, failed: ['the test runner ended without a report'], skipped: [] };
if (exitCode !== 0 && tests.failed.length === 0) tests.failed.push(`the test runner ended with ${exitCode}`);

const passed = checks.passed.length + tests.passed;
const failed = [...checks.failed.map((name) => `check: ${name}`), ...tests.failed];
const lines = [
  ...section('Not on this machine', missing),
  ...section(
    'Skipped',
    tests.skipped.map(({ name, reason }) => `${name}\n    ${reason}`),
  ),
  ...section('Failed', failed),
  '',
  `${passed} passed, ${failed.length} failed${tests.skipped.length > 0 ? `, ${tests.skipped.length} skipped` : ''}`,
];
process.stdout.write(`${lines.join('\n')}\n`);
process.exitCode = failed.length > 0 || tests.passed === 0 ? 1 : 0;

/** @returns {string[]} */
function section(/** @type {string} */ title, /** @type {string[]} */ entries) {
  return entries.length === 0 ? [] : ['', `${title}:`, ...entries.map((entry) => `  - ${entry}`)];
}
