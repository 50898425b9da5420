/**
 * A vitest reporter that writes what `npm test` counts: passed, failed by name, skipped by name with the reason. A skip
 * without a reason counts as a failure, since nobody could tell it from a test that was forgotten.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

export default class TestReport {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules
   * @param {ReadonlyArray<{ message: string }>} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const report = { passed: 0, failed: /** @type {string[]} */ ([]), skipped: /** @type {unknown[]} */ ([]) };
    for (const error of unhandled) report.failed.push(`outside of any test: ${firstLine(error.message)}`);
    for (const module of modules) {
      const file = path.relative(process.cwd(), module.moduleId);
      for (const error of module.errors()) report.failed.push(`${file}: ${firstLine(error.message)}`);
      for (const suite of module.children.allSuites())
        for (const error of suite.errors())
          report.failed.push(`${file} > ${suite.fullName}: ${firstLine(error.message)}`);
      for (const test of module.children.allTests()) count(report, `${file} > ${test.fullName}`, test);
    }
    const target = process.env['TENURE_TEST_REPORT'];
    if (target) writeFileSync(target, JSON.stringify(report));
    else for (const name of report.failed) if (name.endsWith(noReason)) process.stderr.write(`${name}\n`);
  }
}

const noReason = '(skipped without a reason)';

/**
 * @param {{ passed: number, failed: string[], skipped: unknown[] }} report
 * @param {string} name
 * @param {import('vitest/node').TestCase} test
 */
function count(report, name, test) {
  const result = test.result();
  if (result.state === 'passed') report.passed += 1;
  else if (result.state === 'failed') report.failed.push(name);
  else {
    const reason = ('note' in result && result.note) || reasonAbove(test);
    if (reason) report.skipped.push({ name, reason });
    else if (!wasFilteredOut(test)) report.failed.push(`${name} ${noReason}`);
  }
}

/** A describe block or a test says why it is skipped in its `meta: { skipped: 'the reason' }`. */
function reasonAbove(/** @type {import('vitest/node').TestCase} */ test) {
  /** @type {any} */
  let entry = test;
  for (; entry && entry.type !== 'module'; entry = entry.parent) {
    const reason = entry.meta().skipped;
    if (reason) return String(reason);
  }
  return undefined;
}

/** With `-t NAME` or `--bail` the others are left out on purpose: they are not part of this run. */
function wasFilteredOut(/** @type {import('vitest/node').TestCase} */ test) {
  return test.project.config.testNamePattern !== undefined || test.project.config.bail > 0;
}

const firstLine = (/** @type {string} */ text) => text.split('\n')[0] ?? '';
