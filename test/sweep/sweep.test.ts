/** For every process and every step: refused, lost, hung, cancelled, pre-empted, killed; and then I1 to I8 have to hold. */
import '../support/quiet.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processKinds, stagesOf } from '../../src/domain/process.js';
import { describeOn } from '../support/machine.js';
import type { CaseReport } from './case.js';
import { prepareGround } from './ground.js';
import { allCases, titleOf } from './matrix.js';
import { brokenOf, keep, matrixOf } from './report.js';
import { kindOf, stepsOf, sweptProcesses } from './steps.js';
import { sweep } from './sweep.js';

/** `TENURE_SWEEP=/rotate.*kill/ npm test -- test/sweep` runs what it matches, and `TENURE_SWEEP_TRACE=1` says each case as it ends. */
const only = new RegExp(process.env['TENURE_SWEEP'] ?? '');
const cases = allCases.filter((swept) => only.test(titleOf(swept)));

describe('the matrix', () => {
  test('has every stage of every process, and each kind of fault at each', () => {
    for (const kind of processKinds) {
      const swept = sweptProcesses.filter((process) => kindOf(process) === kind).flatMap((process) => stepsOf[process]);
      // A plan is a pure function, and the gate of a provision is that of a rotation.
      const expected = stagesOf[kind].filter((stage) => stage !== 'plan' && stage !== 'gate');
      expect(swept.map(({ stage }) => stage)).toEqual(expect.arrayContaining([...expected]));
    }
    for (const fault of ['refused-before', 'hung-before', 'cancel-before', 'emergency-before'] as const)
      expect(allCases.filter((swept) => swept.fault === fault).length).toBeGreaterThan(40);
    expect(new Set(allCases.map(titleOf)).size).toBe(allCases.length);
  });
});

const started = await prepareGround();
describeOn(started, 'every process, at every step, with every fault', (ground) => {
  let reports: readonly CaseReport[] = [];

  beforeAll(async () => {
    reports = await sweep(ground, cases, { inside: 8, outside: 3, onReport: trace });
    keep('sweep', reports);
  }, 2_400_000);
  afterAll(() => ground.stop(), 60_000);

  test.each(sweptProcesses)('I2–I8 hold for %s', (process) => {
    expect(brokenOf(reports.filter((report) => report.process === process))).toEqual([]);
  });

  test('I1: no secret is in what all of them left behind', async () => {
    expect((await ground.search()).findings).toEqual([]);
  }, 60_000);

  test('every case was run, and its fault struck', () => {
    process.stdout.write(`${matrixOf(reports)}\n`);
    expect(reports.map(({ title }) => title)).toEqual(cases.map(titleOf));
  });
});

function trace({ title, identity, outcome, ms, broken }: CaseReport): void {
  if (process.env['TENURE_SWEEP_TRACE'] || broken.length > 0)
    process.stdout.write(`${title} (${identity}): ${outcome} in ${ms} ms ${broken.join('; ')}\n`);
}
